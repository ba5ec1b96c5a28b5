"""Whether the WCS of a stage stays: from the verdicts alone."""

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from astrodriz_core.keeping import judge_stage
from astrodriz_core.records.common import Verdict
from astrodriz_core.records.verification import ProductComparison, Verification
from record_strategies import records

VERDICTS = st.sampled_from(list(Verdict))
few = settings(max_examples=15, deadline=None)


@few
@given(records(Verification), st.none() | records(ProductComparison), st.none() | records(Verification))
def test_a_misaligned_product_never_stays(verification, comparison, before):
    decision = judge_stage(evolve(verification, verdict=Verdict.MISALIGNED), comparison, before)
    assert not decision.keep
    assert verification.reason in decision.reason


@few
@given(records(Verification), records(ProductComparison), records(Verification), VERDICTS)
def test_another_picture_than_a_good_default_product_does_not_stay(verification, comparison, before, verdict):
    new = evolve(verification, verdict=Verdict.ALIGNED)
    different = evolve(comparison, verdict=Verdict.MISALIGNED)
    decision = judge_stage(new, different, evolve(before, verdict=verdict))
    assert decision.keep is (verdict is Verdict.MISALIGNED)


@few
@given(records(Verification), records(ProductComparison), st.sampled_from([Verdict.ALIGNED, Verdict.UNDETERMINED]))
def test_what_nothing_speaks_against_stays(verification, comparison, verdict):
    same = evolve(comparison, verdict=verdict)
    assert judge_stage(evolve(verification, verdict=verdict), same, None).keep


def test_a_single_exposure_keeps_its_new_wcs():
    decision = judge_stage(None, None, None)
    assert decision.keep
    assert "one exposure" in decision.reason
