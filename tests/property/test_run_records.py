"""Records made by Hypothesis come back equal from their JSON text; damaged text is refused with its place."""

import json

import pytest
from attrs.exceptions import FrozenInstanceError
from example_records import association_record
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from astrodriz_core.errors import InputError
from astrodriz_core.records.run import SCHEMA_VERSION, RunRecord, StageRecord
from astrodriz_core.records.verification import Verification
from astrodriz_io.outputs.recordfile import dump_record, load_record
from record_strategies import records


def run_records():
    # One stage at the most: it alone has some two hundred fields.
    return records(
        RunRecord, schema_version=st.just(SCHEMA_VERSION), stages=st.lists(records(StageRecord), max_size=1).map(tuple)
    )


slow = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)


@slow
@given(data=st.data())
def test_a_record_is_read_back_equal(tmp_path, data):
    record = data.draw(run_records())
    path = tmp_path / "x_decisions.json"
    path.write_text(dump_record(record), encoding="utf-8")
    assert load_record(path) == record


@slow
@given(data=st.data())
def test_the_same_record_gives_the_same_text(data):
    record = data.draw(run_records())
    assert dump_record(record) == dump_record(record)


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
    return association_record()


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda tree: tree.update(surplus=1), "surplus"),
        (lambda tree: tree.pop("stages"), "stages"),
        (lambda tree: tree.update(outcome="lost"), "outcome"),
        (lambda tree: tree["settings"].update(policy="mine"), "policy"),
        (lambda tree: tree["products"][0].update(exptime="long"), "exptime"),
        (lambda tree: tree.update(schema_version=99), "schema version"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(tmp_path, record, change, place):
    path = tmp_path / "x_decisions.json"
    path.write_text(damaged(record, change), encoding="utf-8")
    with pytest.raises(InputError, match=place):
        load_record(path)


def test_what_is_not_json_is_refused(tmp_path):
    path = tmp_path / "x_decisions.json"
    path.write_bytes(b"\xff\xfe{")
    with pytest.raises(InputError, match="not JSON"):
        load_record(path)
