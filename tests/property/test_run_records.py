"""Records made by Hypothesis come back equal from their JSON text; damaged text is refused with its place."""

import contextlib
import copy
import functools
import json
import operator
import pickle
import sys
from pathlib import Path

import pytest
from attrs import evolve
from attrs.exceptions import FrozenInstanceError
from golden_runs import golden_record
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from astrodriz_core.errors import InputError, MissingFilesError, RecordError
from astrodriz_core.parameters.drizzle import DrizzleParameters, with_values
from astrodriz_core.records.run import SCHEMA_VERSION
from astrodriz_core.records.verification import Verification
from astrodriz_core.testing import records, run_records
from astrodriz_io.record_files.migration import MIGRATIONS
from astrodriz_io.record_files.mistakes import mistakes
from astrodriz_io.record_files.record import dump_record, parse_record, read_record
from astrodriz_io.record_files.schema import record_schema


def nesting_is_read(depth):
    try:
        json.loads("[" * depth + "]" * depth)
    except RecursionError:
        return False
    return True


ROOT = Path(__file__).parents[2]
VERSION_1 = ROOT / "tests" / "integration" / "records" / "version_1_decisions.json"
SCHEMA = record_schema()


slow = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)


@slow
@given(data=st.data())
def test_a_record_is_read_back_equal(data):
    record = data.draw(run_records())
    assert parse_record(dump_record(record), "x_decisions.json") == record


def test_parameters_that_were_chosen_are_read_back_equal():
    chosen = {"final_bits": "~4", "final_refimage": "x", "combine_nsigma": "5 4", "final_kernel": "gaussian"}
    parameters = with_values(DrizzleParameters(), chosen)
    text = dump_record(evolve(golden_record("aligned"), parameters=parameters))
    assert parse_record(text, "x_decisions.json").parameters == parameters != DrizzleParameters()


@slow
@given(data=st.data())
def test_a_record_that_was_read_gives_the_same_text(data):
    text = dump_record(data.draw(run_records()))
    assert dump_record(parse_record(text, "x_decisions.json")) == text


@slow
@given(data=st.data())
def test_records_cannot_be_changed_and_can_be_hashed(data):
    verification = data.draw(records(Verification))
    with pytest.raises(FrozenInstanceError):
        verification.reason = "another"
    assert hash(verification) == hash(verification)


def damaged(record, change):
    tree = json.loads(dump_record(record))
    change(tree)
    return json.dumps(tree)


@pytest.fixture
def record():
    return golden_record("aligned")


DAMAGES = [
    (lambda tree: tree.update(surplus=1), "record.surplus: unknown field"),
    (lambda tree: tree.pop("stages"), "record.stages: missing"),
    (lambda tree: tree["stages"][2].pop("states"), "record.stages[2].states: missing"),
    (lambda tree: tree.update(outcome="lost"), "record.outcome: 'lost' is none of done, omitted by DRIZCORR"),
    (lambda tree: tree["settings"].update(policy="mine"), "record.settings.policy: 'mine' is none of"),
    (lambda tree: tree["products"][0].update(exptime="3.5"), "record.products[0].exptime: '3.5' is no number"),
    (lambda tree: tree["products"][0].update(exptime=True), "record.products[0].exptime: True is no number"),
    (lambda tree: tree["products"][0].update(units=None), "record.products[0].units: None is no string"),
    (
        lambda tree: tree["stages"][1]["wcs"][0]["chips"][0].update(extver=1.5),
        "wcs[0].chips[0].extver: 1.5 is no integer",
    ),
    (lambda tree: tree["stages"][1]["wcs"][0]["chips"][0].update(crval=[1.0]), "crval: 1 members instead of 2"),
    (lambda tree: tree.update(files="abc"), "record.files: 'abc' is no array"),
    (lambda tree: tree["stages"][1].update(drizzle=[]), "record.stages[1].drizzle: [] is no object"),
    (lambda tree: tree["stages"][1]["drizzle"].update(surplus=1), "record.stages[1].drizzle.surplus: unknown field"),
    (lambda tree: tree["settings"].update(force=1), "record.settings.force: 1 is no boolean"),
    (lambda tree: tree["parameters"].update(final_pixfrac=-1.0), "record.parameters"),
]


@pytest.mark.parametrize(("change", "place"), DAMAGES, ids=[place for _, place in DAMAGES])
def test_what_does_not_fit_is_refused_with_its_place(tmp_path, record, change, place):
    path = tmp_path / "x_decisions.json"
    path.write_text(damaged(record, change), encoding="utf-8")
    with pytest.raises(RecordError) as failure:
        read_record(path)
    assert any(place in told for told in failure.value.places)
    assert place in str(failure.value)


@pytest.mark.parametrize("version", [0, SCHEMA_VERSION + 1, "1", True, None, [1], 1.0])
def test_a_version_that_is_not_known_is_refused(tmp_path, record, version):
    path = tmp_path / "x_decisions.json"
    path.write_text(damaged(record, lambda tree: tree.update(schema_version=version)), encoding="utf-8")
    with pytest.raises(RecordError, match="schema version"):
        read_record(path)


def test_many_mistakes_are_counted_and_the_error_has_all_of_them(tmp_path, record):
    path = tmp_path / "x_decisions.json"
    path.write_text(damaged(record, lambda tree: tree.update({f"surplus{i}": i for i in range(30)})), encoding="utf-8")
    with pytest.raises(RecordError, match="and 20 more") as failure:
        read_record(path)
    assert len(failure.value.places) == 30
    assert pickle.loads(pickle.dumps(failure.value)).places == failure.value.places


DEEPEST = next(depth for depth in range(sys.getrecursionlimit(), 0, -1) if nesting_is_read(depth))


@pytest.mark.parametrize("field", ["stages", "schema_version", "selection"])
@pytest.mark.parametrize("above", range(0, 60, 10))
def test_what_is_nested_as_deeply_as_can_be_read_is_refused_with_its_place(record, field, above):
    nest = "[" * (DEEPEST - above)
    text = damaged(record, lambda tree: tree.update({field: "nest"})).replace('"nest"', nest + "]" * len(nest))
    with pytest.raises((RecordError, InputError)) as failure:
        parse_record(text, "x_decisions.json")
    assert len(str(failure.value)) < 300


def test_a_version_of_any_length_is_quoted_by_its_beginning(record):
    text = damaged(record, lambda tree: tree.update(schema_version="9" * 10_000))
    with pytest.raises(RecordError, match=r"schema version is '9+") as failure:
        parse_record(text, "x_decisions.json")
    assert len(str(failure.value)) < 300


OTHERS = [None, True, False, 0, 1, -1.5, 2.0, float("nan"), "", "1", "aligned", [], [1.0], [1.0, 2.0], {}, {"x": 1}]


def branches(tree, path=()):
    yield path
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, branch in inner:
        yield from branches(branch, (*path, key))


GOLDEN = json.loads(dump_record(golden_record("aligned")))
BRANCHES = [path for path in branches(GOLDEN) if path]


def test_the_published_schema_is_one():
    Draft202012Validator.check_schema(SCHEMA)


@slow
@given(path=st.sampled_from(BRANCHES), how=st.sampled_from(["gone", *OTHERS]))
def test_what_the_schema_lets_pass_is_what_the_classes_take(path, how):
    tree = copy.deepcopy(GOLDEN)
    place = functools.reduce(operator.getitem, path[:-1], tree)
    if how == "gone":
        del place[path[-1]]
    else:
        place[path[-1]] = how
    found = mistakes(tree, SCHEMA)
    named = "record" + "".join(f"[{at}]" if isinstance(at, int) else f".{at}" for at in path)
    assert all(named in one or named.startswith(one.partition(":")[0]) for one in found)
    if not found and path != ("schema_version",):
        with contextlib.suppress(RecordError):
            # What a schema cannot say: ranges of parameters.
            parse_record(json.dumps(tree), "x_decisions.json")


@slow
@given(data=st.data())
def test_every_record_fits_the_schema(data):
    assert mistakes(json.loads(dump_record(data.draw(run_records()))), SCHEMA) == ()


def test_the_published_schema_is_the_one_in_force():
    assert json.loads((ROOT / "docs" / "decisions.schema.json").read_text(encoding="utf-8")) == SCHEMA


def test_a_record_of_version_1_is_brought_to_the_present_one(tmp_path):
    before = json.loads(VERSION_1.read_text(encoding="utf-8"))
    assert before["schema_version"] == 1
    record = read_record(VERSION_1)
    assert record.schema_version == SCHEMA_VERSION
    assert record.sidecar is None
    assert record.outputs == ()
    after = json.loads(dump_record(record))
    assert after["selection"] == before["selection"]
    assert after["products"] == before["products"]
    for old, new in zip(before["stages"], after["stages"], strict=True):
        for name in ("apriori", "aposteriori"):
            assert new[name] is None or new[name].pop("warnings") == []
        assert {name: new[name] for name in old if name != "drizzle"} == {n: old[n] for n in old if n != "drizzle"}
    written = tmp_path / "x_decisions.json"
    written.write_text(dump_record(record), encoding="utf-8")
    assert read_record(written) == record


def test_a_damaged_record_of_version_1_is_refused(tmp_path):
    tree = json.loads(VERSION_1.read_text(encoding="utf-8"))
    del tree["stages"][1]["drizzle"]
    path = tmp_path / "x_decisions.json"
    path.write_text(json.dumps(tree), encoding="utf-8")
    with pytest.raises(RecordError, match="version 1"):
        read_record(path)


def test_there_is_a_step_from_every_older_version():
    assert sorted(MIGRATIONS) == list(range(1, SCHEMA_VERSION))


def test_a_record_that_is_not_there_is_missing(tmp_path):
    with pytest.raises(MissingFilesError, match="x_decisions"):
        read_record(tmp_path / "x_decisions.json")


def test_what_is_not_json_is_refused(tmp_path):
    path = tmp_path / "x_decisions.json"
    path.write_bytes(b"\xff\xfe{")
    with pytest.raises(InputError, match="not JSON"):
        read_record(path)
