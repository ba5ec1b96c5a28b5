"""Whether the WCS of a stage stays: from verdicts and measured offsets alone."""

from typing import Any

from attrs import evolve
from golden_runs import golden_record
from hypothesis import given, settings
from hypothesis import strategies as st

from astrodriz_core.decide.keep import LIMITS, judge_stage, worsenings
from astrodriz_core.records.common import Verdict
from astrodriz_core.records.verification import ProductComparison, RegistrationMethod, Verification
from astrodriz_core.testing import records
from astrodriz_core.verify.verification import judge

VERDICTS = st.sampled_from(list(Verdict))
NOT_ALIGNED = st.sampled_from([Verdict.MISALIGNED, Verdict.UNDETERMINED])
few = settings(max_examples=15, deadline=None)

OFFSETS = ((0.004, 0.002), (-0.006, -0.008), (-0.003, -0.003), (0.005, 0.009))
"""Pixels: four exposures that are aligned, whose errors are all the same."""
KNOWN: dict[str, Any] = {
    "sigma_pix": 0.005, "rotation_deg": 0.0005, "rotation_sigma_deg": 0.0006, "lever_arm_pix": 400.0, "n_sources": 330,
}  # fmt: skip
MEASURED = golden_record("aligned").stages[1].verification.measurements
ROOTS = tuple(each.rootname for each in MEASURED.registration)


def judged(registration):
    """The judgement on a real product, had its exposures been measured so."""
    return judge(evolve(MEASURED, registration=tuple(registration)))


GOOD = judged(
    evolve(each, dx_pix=dx, dy_pix=dy, **KNOWN) for each, (dx, dy) in zip(MEASURED.registration, OFFSETS, strict=True)
)
NOTHING = golden_record("undetermined").stages[1].verification.measurements.registration[0]
UNKNOWN = judged(evolve(NOTHING, rootname=rootname) for rootname in ROOTS)


def test_the_judgements_are_what_their_names_say():
    assert GOOD.verdict is Verdict.ALIGNED
    assert UNKNOWN.verdict is Verdict.UNDETERMINED


@few
@given(records(Verification), st.none() | records(ProductComparison), st.none() | records(Verification), st.booleans())
def test_a_misaligned_product_never_stays(verification, comparison, default, stands):
    bad = evolve(verification, verdict=Verdict.MISALIGNED)
    decision = judge_stage(bad, comparison, default, default if stands else None)
    assert not decision.keep
    assert verification.reason in decision.reason


@few
@given(records(ProductComparison), VERDICTS)
def test_another_picture_than_a_good_default_product_does_not_stay(comparison, verdict):
    different = evolve(comparison, verdict=Verdict.MISALIGNED)
    default = evolve(GOOD, verdict=verdict)
    decision = judge_stage(GOOD, different, default, None)
    assert decision.keep is (verdict is Verdict.MISALIGNED)


@few
@given(records(ProductComparison), VERDICTS, st.sampled_from(list(RegistrationMethod)))
def test_a_product_without_the_sources_of_an_aligned_default_product_does_not_stay(comparison, verdict, method):
    open_ = evolve(comparison, verdict=Verdict.UNDETERMINED)
    default = changed(evolve(GOOD, verdict=verdict), method=method)
    decision = judge_stage(GOOD, open_, default, None)
    assert decision.keep is not (verdict is Verdict.ALIGNED and method is RegistrationMethod.SOURCES)
    assert decision.keep or comparison.check.reason in decision.reason


@few
@given(records(Verification), records(ProductComparison), records(Verification), VERDICTS, NOT_ALIGNED)
def test_where_the_standing_wcs_is_not_known_to_be_good_what_nothing_speaks_against_stays(
    verification, comparison, standing, verdict, stands
):
    new = evolve(verification, verdict=Verdict.UNDETERMINED if verdict is Verdict.MISALIGNED else verdict)
    same = evolve(comparison, verdict=Verdict.ALIGNED)
    assert judge_stage(new, same, None, None).keep
    assert judge_stage(new, same, None, evolve(standing, verdict=stands)).keep


def test_a_single_exposure_keeps_its_new_wcs():
    decision = judge_stage(None, None, None, None)
    assert decision.keep
    assert "one exposure" in decision.reason


def test_known_good_is_not_given_up_for_unknown():
    assert judge_stage(UNKNOWN, None, GOOD, UNKNOWN).keep
    decision = judge_stage(UNKNOWN, None, GOOD, GOOD)
    assert not decision.keep
    assert decision.reason.startswith(
        "the WCS that stands is measured to be aligned, and this one is not as good: i00101a1q"
    )
    assert NOTHING.reason in decision.reason


def changed(new, number=2, **values):
    """A verification with other numbers for one exposure; its verdict stays."""
    registration = list(new.measurements.registration)
    registration[number] = evolve(registration[number], **values)
    return evolve(new, measurements=evolve(new.measurements, registration=tuple(registration)))


@given(st.floats(0, 0.08), st.sampled_from([Verdict.ALIGNED, Verdict.UNDETERMINED]))
def test_an_offset_may_grow_by_the_tolerated_scatter_and_half_its_error(offset, verdict):
    before = changed(GOOD, dx_pix=0.006, dy_pix=0.0)
    new = changed(evolve(GOOD, verdict=verdict), dx_pix=0.0, dy_pix=-offset)
    allowed = 0.006 + 0.02 + 0.5 * 0.005
    worse = worsenings(new, before)
    assert judge_stage(new, None, GOOD, before).keep is (worse == ()) is (offset <= allowed)
    if worse:
        assert worse == (f"{ROOTS[2]}: offset {offset:.3f} +- 0.005 pixel, 0.006 +- 0.005 before",)


def test_the_limit_of_the_growth_is_that_of_the_calibrated_policy():
    assert LIMITS.growth_pix == 0.02


@given(st.floats(0.002, 0.05))
def test_an_error_may_grow_twofold_where_the_new_wcs_is_not_measured_to_be_aligned(sigma):
    new = changed(GOOD, sigma_pix=sigma)
    assert worsenings(new, GOOD) == ()
    open_ = changed(evolve(GOOD, verdict=Verdict.UNDETERMINED), sigma_pix=sigma)
    worse = worsenings(open_, GOOD)
    assert bool(worse) == (sigma > 2 * 0.005)
    assert all(text == f"{ROOTS[2]}: the error of its offset is {sigma:.3f} pixel, 0.005 before" for text in worse)


def test_a_rotation_counts_by_what_it_moves_the_sources():
    turned = changed(GOOD, rotation_deg=-0.01)
    (text,) = worsenings(turned, GOOD)
    assert text.startswith(f"{ROOTS[2]}: displacement by rotation 0.070 +- 0.004 pixel, 0.003 +- 0.004 before")
    assert worsenings(changed(turned, rotation_deg=None), GOOD) == ()
    assert worsenings(turned, changed(GOOD, rotation_sigma_deg=None)) == ()


def test_an_exposure_that_takes_no_part_any_more_is_missed():
    fewer = judged(GOOD.measurements.registration[:3])
    assert worsenings(fewer, GOOD) == (f"{ROOTS[3]}: its offset was measured before and cannot be now",)


def test_what_was_not_measured_before_is_not_asked_for():
    standing = evolve(UNKNOWN, verdict=Verdict.ALIGNED)
    assert worsenings(GOOD, standing) == worsenings(UNKNOWN, standing) == ()
    assert worsenings(GOOD, GOOD) == ()


def test_a_wcs_that_leaves_an_exposure_without_a_place_does_not_stay():
    assert not judge_stage(GOOD, None, None, None, lost=("i00101a2q",)).keep
    assert "i00101a2q" in judge_stage(None, None, None, None, lost=("i00101a2q",)).reason
