"""Which WCS a run ends with, and the judgement that holds of its products."""

from __future__ import annotations

from itertools import permutations, product

import pytest
from attrs import evolve
from golden_runs import GOLDEN_RUNS, golden_record

from astrodriz_core.decide.selection import select_wcs, standing_stage, standing_verification
from astrodriz_core.errors import MeasurementError
from astrodriz_core.records.common import Stage, Verdict, WcsOrigin
from astrodriz_core.records.run import StageOutcome

RECORD = golden_record("mended")
"""Of a run that turned the a priori solution down and kept the fit."""
DISTORTION, DEFAULT, PRIORI, POSTERIORI, FINAL = RECORD.stages
OUTCOMES = (StageOutcome.KEPT, StageOutcome.REVERTED)


def with_outcomes(apriori, aposteriori):
    """A run whose alignment stages ended so, with a judgement of its own for each."""
    stages = (
        evolve(DEFAULT, verification=evolve(DEFAULT.verification, reason="of the default")),
        evolve(PRIORI, outcome=apriori, verification=evolve(PRIORI.verification, reason="of the first")),
        evolve(POSTERIORI, outcome=aposteriori, verification=evolve(POSTERIORI.verification, reason="of the second")),
    )
    return evolve(RECORD, stages=(DISTORTION, *stages, FINAL), selection=select_wcs(stages))


@pytest.mark.parametrize(("apriori", "aposteriori"), list(product(OUTCOMES, OUTCOMES)))
def test_the_last_stage_that_was_kept_wins_and_its_judgement_holds(apriori, aposteriori):
    record = with_outcomes(apriori, aposteriori)
    kept = [stage for stage in record.stages[1:4] if stage.outcome is not StageOutcome.REVERTED]
    assert standing_stage(record) == kept[-1]
    assert standing_verification(record) == kept[-1].verification
    assert record.selection.wcsname == kept[-1].wcs[0].chips[0].wcsname


def test_the_order_in_which_stages_are_given_does_not_matter():
    for order in permutations(RECORD.stages):
        assert select_wcs(order) == RECORD.selection


def test_every_candidate_stands_in_the_record_the_preferred_one_first():
    origins = [candidate.origin for candidate in RECORD.selection.candidates]
    assert origins == [WcsOrigin.A_POSTERIORI, WcsOrigin.A_PRIORI, WcsOrigin.PIPELINE_DEFAULT]
    assert [candidate.kept for candidate in RECORD.selection.candidates] == [True, False, True]


def test_stages_that_were_turned_down_are_passed_over_and_the_reason_is_said():
    selection = with_outcomes(StageOutcome.REVERTED, StageOutcome.REVERTED).selection
    assert selection.chosen is WcsOrigin.PIPELINE_DEFAULT
    assert PRIORI.reason in selection.reason
    assert POSTERIORI.reason in selection.reason


def test_a_stage_that_made_no_product_is_no_candidate():
    skipped = golden_record("misaligned").stages[3]
    assert len(select_wcs([DEFAULT, PRIORI, skipped]).candidates) == 2


def test_offsets_are_told_in_mas_with_the_largest_error():
    (candidate,) = select_wcs([DEFAULT]).candidates
    measured = DEFAULT.verification.measurements
    scale = 1000 * measured.pixel_scale_arcsec
    largest = max(each.sigma_pix for each in measured.registration)
    assert candidate.registration_mas == pytest.approx(DEFAULT.verification.worst.offset_pix * scale)
    assert candidate.registration_error_mas == pytest.approx(largest * scale)


@pytest.mark.parametrize("name", ["single", "undetermined"])
def test_products_that_were_not_measured_are_undetermined_without_numbers(name):
    candidates = golden_record(name).selection.candidates
    assert len(candidates) > 1
    for candidate in candidates:
        assert candidate.verdict is Verdict.UNDETERMINED
        assert candidate.registration_mas is candidate.registration_error_mas is None


def test_a_single_exposure_has_a_standing_stage_and_no_judgement():
    record = golden_record("single")
    assert standing_stage(record).stage is Stage.A_POSTERIORI
    assert standing_verification(record) is None


def test_a_run_that_was_left_out_has_no_standing_stage():
    omitted = golden_record("omitted")
    assert standing_stage(omitted) is None
    assert standing_verification(omitted) is None
    assert standing_stage(evolve(RECORD, stages=())) is None


@pytest.mark.parametrize("name", [name for name in GOLDEN_RUNS if name != "omitted"])
def test_what_a_run_chose_follows_from_its_stages(name):
    record = golden_record(name)
    assert select_wcs(record.stages) == record.selection


@pytest.mark.parametrize("stages", [[], [DISTORTION, FINAL], [PRIORI], [DEFAULT, DEFAULT]])
def test_no_kept_stage_or_two_of_one_kind_cannot_be_decided(stages):
    with pytest.raises(MeasurementError):
        select_wcs(stages)
