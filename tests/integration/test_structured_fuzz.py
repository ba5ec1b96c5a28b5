"""Whatever one card, cell, branch or option says: success, or one line of an error that names its file."""

import json
import random
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import frozen
from hostile import oracle
from hostile.cases import Case, Mutation, Place, draw
from hostile.keywords import keywords_of_runs, known_keywords
from hostile.oracle import CommandError, judge
from hostile.sources import all_sources
from hostile.tally import BLOCK, Tally, judged_block, merged, minimal, pairs_of, pairs_tried
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from astrodriz import AstrodrizError
from astrodriz_core.errors import InputError

CASES = 150
SLOW_CASES = 10_000
QUICK = ("opened", "read", "explain", "diff", "service", "loopback")
REFUSED = {"options": "exit 5"}
"""The file of this source is not there, so that its words are read and nothing else."""

FOUND = (
    Case("headers ACS/SBC", "opened", (Mutation(Place("xabc01aaq_flt.fits[3:DQ,1]", "NAXIS2"), "negative"),)),
    Case("headers ACS/WFC", "opened", (Mutation(Place("xabc01aaq_flc.fits[6:DQ,2]", "NAXIS"), "missing"),)),
    Case("headers ACS/WFC", "run", (Mutation(Place("xabc01aaq_flc.fits[4:SCI,2]", "LONPOLE"), "huge"),)),
    Case("headerlet", "apply", (Mutation(Place("xabc01abq_flt_hlet.fits[0:PRIMARY]", "UPWCSVER"), "lower case"),)),
    Case("headerlet", "apply", (Mutation(Place("xabc01abq_flt_hlet.fits[0:PRIMARY]", "BITPIX"), "as HIERARCH too"),)),
    Case("headers WFPC2/PC", "opened", (Mutation(Place("xabc01aaq_c0m.fits[1:SCI,1]", "EXTVER"), "text: address"),)),
    Case("parameters TOML", "read", (Mutation(Place("TOML", "final_refimage"), "deep"),)),
    Case("MDRIZTAB rows", "run", (Mutation(Place("x_mdz.fits row 0", "final_refimage"), "carriage return"),)),
    Case("parameters -p", "read", (Mutation(Place("-p", "final_refimage"), "thousands of digits"),)),
    Case("MDRIZTAB rows", "run", (Mutation(Place("x_mdz.fits row 0", "final_ra"), "NaN"),)),
    Case("IDCTAB rows", "run", (Mutation(Place("a1b2c_idc.fits row 0", "CX20"), "large"),)),
    Case(
        "IDCTAB rows",
        "run",
        (
            Mutation(Place("a1b2c_idc.fits row 0", "CX20"), "large"),
            Mutation(Place("a1b2c_idc.fits row 0", "V2REF"), "a half"),
        ),
    ),
    Case("record", "replay", (Mutation(Place("xabc01010_decisions.json", '["inputs", 1, "name"]'), "text: reserved"),)),
    Case("headers ACS/WFC", "run", (Mutation(Place("xabc01aaq_flc.fits[0:PRIMARY]", "EQUINOX"), "END with a value"),)),
    Case(
        "headers WFPC2/PC", "opened", (Mutation(Place("xabc01aaq_c0m.fits[4:SCI,4]", "DETECTOR"), "exponent with D"),)
    ),
    Case("IDCTAB rows", "run", (Mutation(Place("a1b2c_idc.fits row 0", "CX21"), "large"),)),
)
"""What was not told as it should be, when a million cases were tried."""

FIELDS = tuple(Place("a.txt", name) for name in "xyz")


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    return all_sources(tmp_path_factory.mktemp("sound"))


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("scratch")


def test_what_is_sound_is_read(sources, scratch):
    for source in sources:
        for depth in set(source.depths) & set(QUICK):
            outcome = judge(source, Case(source.name, depth, ()), scratch)
            assert (outcome.ending, outcome.finding) == (REFUSED.get(source.name, "done"), None), source.name


@pytest.mark.slow
def test_what_is_sound_is_processed(sources, scratch):
    for source in sources:
        for depth in set(source.depths) - set(QUICK):
            outcome = judge(source, Case(source.name, depth, ()), scratch)
            assert (outcome.ending, outcome.finding) == ("done", None), (source.name, depth)


@settings(max_examples=CASES, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
@given(chance=st.randoms(use_true_random=False))
def test_what_is_wrong_is_told_in_one_line(sources, scratch, chance):
    case = draw(sources, chance, depths=QUICK)
    outcome = judge(next(one for one in sources if one.name == case.source), case, scratch)
    assert outcome.finding is None, f"{case}: {outcome.finding.kind}\n{outcome.finding.trace}"


@pytest.mark.slow
def test_what_is_wrong_is_told_in_one_line_however_deep_it_is_read(sources, scratch):
    for start in range(1, SLOW_CASES, BLOCK):
        tally = judged_block(sources, range(start, start + BLOCK), scratch)
        assert not tally.findings, json.dumps(tally.findings, indent=1)


@pytest.mark.parametrize("case", FOUND, ids=str)
def test_what_was_found_once_is_told_in_one_line(sources, scratch, case):
    outcome = judge(next(one for one in sources if one.name == case.source), case, scratch)
    assert outcome.finding is None, outcome.finding.trace


def test_a_seed_gives_the_same_case_and_the_same_files(sources):
    by_name = {source.name: source for source in sources}
    for seed in range(200):
        first, second = (draw(sources, random.Random(seed)) for _ in range(2))
        assert first == second
        assert by_name[first.source].files(first) == by_name[second.source].files(second)


def test_every_mutation_of_a_card_changes_its_file(sources):
    source = sources[0]
    place = next(place for place in source.places if place.name == "EXPTIME")
    sound = source.files(Case("", "", ()))
    changed = [how for how in source.hows(place) if source.files(Case("", "", (Mutation(place, how, 1),))) != sound]
    assert set(source.hows(place)) == set(changed)


def test_the_list_of_keywords_has_every_one_that_a_run_looks_up(tmp_path):
    known = known_keywords()
    for extension, words in keywords_of_runs(tmp_path, ["WFC3/IR"]).items():
        assert set(words) <= set(known[extension]), f"python -m benchmarks.fuzz_structured --keywords: {extension}"


@pytest.mark.slow
def test_the_list_of_keywords_is_that_of_runs_of_all_detectors(tmp_path):
    assert keywords_of_runs(tmp_path) == {name: list(words) for name, words in known_keywords().items()}


@frozen(eq=False)
class Planted:
    """A source that does what it must not where its field x is wrong."""

    deed: Callable[[Path], object]
    name: str = "planted"
    weight: float = 1.0
    depths = {"read": 1.0}  # noqa: RUF012
    places = FIELDS
    words: tuple[str, ...] = ()
    names_files = False

    def hows(self, place):
        return ("wrong", "odd")

    def files(self, case):
        return {"a.txt": b"sound"}

    def act(self, case, folder):
        if any(one.place.name == "x" for one in case.mutations):
            self.deed(folder)

    def may_change(self, case):
        return ()

    def told(self, case):
        return self.words


class RawError(InputError):
    def __str__(self):
        return self.args[0]


def raw(text):
    error = RawError("x")
    error.args = (text,)
    return error


def raising(error):
    def deed(folder):
        raise error

    return deed


@pytest.mark.parametrize(
    ("deed", "words", "found"),
    [
        (raising(ValueError("x")), (), "ValueError escapes"),
        (raising(AstrodrizError("x")), (), "exit 70 for a bare error"),
        (raising(InputError(" ")), (), "an error without a problem"),
        (raising(raw("a\nb")), (), "a message that cannot be printed in one line"),
        (raising(raw("x" * 10_000)), (), "a message as long as a page"),
        (raising(InputError("x", where="b.txt")), ("a.txt",), "a message that names no file"),
        (raising(CommandError(70, "Traceback\nx")), (), "exit 70"),
        (raising(CommandError(5, "one\ntwo\n")), (), "2 lines in place of one message"),
        (lambda folder: (folder / "a.txt").write_bytes(b"x"), (), "changes an input"),
        (lambda folder: (folder / "a.txt").unlink(), (), "changes an input"),
        (lambda folder: (folder / ".b").write_bytes(b"x"), (), "leaves hidden files"),
        (lambda folder: (folder.parent / "b").write_bytes(b"x"), (), "writes outside of its folder"),
        (lambda folder: (folder.parent.parent / "b").write_bytes(b"x"), (), "touches what lies outside"),
        (lambda folder: print("x"), (), "speaks out of turn"),  # noqa: T201
        (lambda folder: sys.stderr.write("x"), (), "speaks out of turn"),
        (lambda folder: time.sleep(5), (), "takes too long"),
    ],
)
def test_the_fuzz_sees(scratch, monkeypatch, deed, words, found):
    monkeypatch.setattr(oracle, "WAITING", 0.1)
    source = Planted(deed, words=words)
    case = Case("planted", "read", tuple(Mutation(place, "wrong") for place in FIELDS))
    finding = judge(source, case, scratch).finding
    assert finding is not None and finding.what == found
    assert minimal(source, case, finding, scratch).mutations == (Mutation(FIELDS[0], "wrong"),)


def test_the_fuzz_lets_pass_what_is_told_well(scratch):
    source = Planted(raising(InputError("is damaged.", where="a.txt: EXPTIME")), words=("a.txt",))
    outcome = judge(source, Case("planted", "read", (Mutation(FIELDS[0], "wrong"),)), scratch)
    assert (outcome.ending, outcome.finding) == ("InputError", None)


def test_the_fuzz_sees_what_is_left_in_the_process(scratch):
    ended = threading.Event()
    source = Planted(lambda folder: threading.Thread(target=ended.wait, daemon=True).start())
    tally = judged_block([source], range(20), scratch)
    ended.set()
    assert any("threads" in kind for kind in tally.findings)


def test_a_block_is_written_and_read_again(scratch):
    tally = judged_block([Planted(raising(ValueError("x")))], range(100, 140), scratch)
    assert Tally.from_line(tally.as_line(100)) == (100, tally)
    assert merged([tally, tally]).cases == 2 * tally.cases == 80
    assert [number for number, _ in tally.findings.values()] == [tally.endings["planted | read | escape"]]


def test_pairs_that_were_tried_are_counted():
    source = Planted(None)
    assert pairs_of([source]) == {"planted": 6}
    assert pairs_tried([source], range(100)) == {"planted": (6, 3)}
