"""What the record of every run fulfils, and what contradicts itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import evolve
from golden_runs import golden_record

from astrodriz_core.decide.invariants import check_record
from astrodriz_core.decide.selection import select_wcs
from astrodriz_core.errors import RecordError
from astrodriz_core.records.common import Verdict, WcsOrigin
from astrodriz_core.records.run import FileDigest, StageOutcome
from astrodriz_io.record_files.record import read_record, write_record

RECORDS = Path(__file__).parents[1] / "integration" / "records"
RECORD = golden_record("mended")
"""Of a run that turned the a priori solution down and kept the fit."""
OMITTED = golden_record("omitted")
DEFAULT, PRIORI, POSTERIORI, FINAL = 1, 2, 3, 4


def with_stage(number, record=RECORD, **changes):
    stages = list(record.stages)
    stages[number] = evolve(stages[number], **changes)
    return evolve(record, stages=tuple(stages))


def with_verification(number, **changes):
    return with_stage(number, verification=evolve(RECORD.stages[number].verification, **changes))


@pytest.mark.parametrize("path", sorted(RECORDS.glob("**/*.json")), ids=lambda path: path.stem)
def test_records_of_real_runs_of_every_version_are_read(path):
    assert check_record(read_record(path)) == ()


def test_a_product_that_was_combined_after_the_verdict_was_not_verified():
    afresh = evolve(RECORD.stages[FINAL].drizzle, cosmic_rays_from="the final combination")
    old = with_stage(FINAL, drizzle=afresh, verification=None)
    assert check_record(old) == ()
    assert check_record(with_stage(FINAL, drizzle=afresh)) == (
        "record.stages[4].verification: not that of what is delivered",
    )


def gone_back(**changes):
    """The record of a run whose a priori solution stood, aligned, and whose fit was turned down."""
    given = golden_record("aligned")
    stages = list(given.stages)
    stages[POSTERIORI] = evolve(stages[POSTERIORI], outcome=StageOutcome.REVERTED, comparison=None, **changes)
    stood = stages[PRIORI]
    stages[FINAL] = evolve(stages[FINAL], wcs=stood.wcs, drizzle=stood.drizzle, verification=stood.verification)
    return evolve(given, stages=tuple(stages), selection=select_wcs(stages))


UNSHOWN = ("record.stages[3].outcome: reverted, and no verification or comparison shows why",)


def test_a_wcs_that_surpasses_another_is_enough_to_go_back():
    assert check_record(gone_back()) == ()
    assert check_record(gone_back(verification=None)) == UNSHOWN


def test_an_exposure_that_has_no_place_any_more_is_enough_to_go_back():
    drizzle = golden_record("aligned").stages[POSTERIORI].drizzle
    fewer = evolve(drizzle, exposures=drizzle.exposures[1:])
    assert check_record(gone_back(verification=None, drizzle=fewer)) == ()
    assert check_record(gone_back(verification=None, drizzle=drizzle)) == UNSHOWN


SHOWN = {"verification": None, "comparison": None}
DEFAULT_RECORD = evolve(RECORD, selection=evolve(RECORD.selection, chosen=WcsOrigin.PIPELINE_DEFAULT))
SIDECAR = FileDigest("another_decisions.zip", "0" * 64)
OTHER = evolve(RECORD.stages[FINAL].drizzle, exposures=("another",))

CONTRADICTIONS = [
    (evolve(OMITTED, products=RECORD.products), "record.products: the run was left out"),
    (evolve(OMITTED, stages=RECORD.stages), "record.stages: the run was left out"),
    (evolve(OMITTED, selection=RECORD.selection), "record.selection: the run was left out"),
    (evolve(RECORD, stages=RECORD.stages[1:]), "record.stages: they are not distortion, default products"),
    (with_stage(DEFAULT, outcome=StageOutcome.SKIPPED), "the stage default products is never skipped"),
    (with_stage(PRIORI, reason=""), "record.stages[2].reason: none is given"),
    (with_stage(PRIORI, outcome=StageOutcome.FAILED), "record.stages[2].drizzle: the stage was failed"),
    (with_stage(PRIORI, outcome=StageOutcome.SKIPPED), "record.stages[2].wcs: the stage was skipped"),
    (with_stage(POSTERIORI, drizzle=None), "record.stages[3].verification: there is no product"),
    (with_stage(PRIORI, outcome=StageOutcome.KEPT), "a WCS that misaligns the exposures is never kept"),
    (with_stage(PRIORI, **SHOWN), "record.stages[2].outcome: reverted, and no verification or comparison"),
    (with_verification(PRIORI, policies=()), "record.stages[2].verification.policies: 0 of the policy"),
    (with_verification(PRIORI, verdict=Verdict.UNDETERMINED), "record.stages[2].verification.verdict: not that"),
    (with_stage(FINAL, companions_verification=RECORD.stages[1].verification), "stages[4].companions_verification"),
    (with_stage(DEFAULT, drizzle=OTHER), "record.stages[1].verification.measurements.registration: not of"),
    (evolve(RECORD, selection=None), "record.selection: none"),
    (DEFAULT_RECORD, "record.selection: the last WCS that was kept is the a posteriori one"),
    (evolve(RECORD, selection=evolve(RECORD.selection, candidates=())), "record.selection.candidates: not what"),
    (with_stage(FINAL, wcs=RECORD.stages[1].wcs), "record.stages[4].wcs: not that of the stage a posteriori"),
    (with_stage(FINAL, drizzle=RECORD.stages[1].drizzle), "stages[4].drizzle: not the combination of the stage a post"),
    (with_stage(FINAL, verification=None), "record.stages[4].verification: not that of what is delivered"),
    (evolve(RECORD, products=()), "record.products: the run made none"),
    (with_stage(FINAL, companions=OTHER), "record.products: 1 of them"),
    (evolve(RECORD, products=(evolve(RECORD.products[0], exposures=()),)), "record.products[0].exposures: not those"),
    (
        evolve(RECORD, excluded=golden_record("excluded").excluded),
        "record.products[0].exposures: i00101a3q was left out",
    ),
    (evolve(RECORD, sidecar=SIDECAR), "record.files: another_decisions.zip is missing"),
    (evolve(RECORD, files=RECORD.files * 2), "record.files: i00101010.tra is there twice"),
    (with_stage(DEFAULT, wcs=()), "record.stages: no WCS can be chosen from them"),
]


@pytest.mark.parametrize(("record", "finding"), CONTRADICTIONS, ids=[finding for _, finding in CONTRADICTIONS])
def test_a_contradiction_is_found_with_its_place_and_the_record_refused(record, finding, tmp_path):
    findings = check_record(record)
    assert any(finding in one for one in findings), findings
    path = tmp_path / "x_decisions.json"
    write_record(record, path)
    with pytest.raises(RecordError, match="contradicts itself") as failure:
        read_record(path)
    assert failure.value.places == findings
    assert failure.value.where == path.name
