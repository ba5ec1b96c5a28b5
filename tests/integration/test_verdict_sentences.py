"""What the verdict says in cases that no golden run has."""

import pytest
from attrs import evolve
from golden_runs import golden_record

from astrodriz import Policy, StageOutcome, Verdict
from astrodriz_core.decide.selection import standing_verification
from astrodriz_core.records.astrometry import AlignmentOutcome, AprioriOutcome
from astrodriz_core.records.verification import CheckOutcome, GuidingOutcome
from astrodriz_core.tell.agreement import agreement
from astrodriz_core.tell.kinds import fit_in_use, kind_of_wcs
from astrodriz_core.tell.verdict import alignment_sentence, verdict, wcs_sentence

DEFAULT, PRIORI, POSTERIORI = 1, 2, 3


def judged(name, **changes):
    """The standing judgement of a run, the result of its policy changed."""
    verification = standing_verification(golden_record(name))
    policies = tuple(evolve(r, **changes) if r.policy is verification.policy else r for r in verification.policies)
    return evolve(verification, policies=policies)


def with_stage(record, number, **changes):
    stages = list(record.stages)
    stages[number] = evolve(stages[number], **changes)
    return evolve(record, stages=tuple(stages))


def test_a_verdict_by_another_policy_names_it():
    aligned = evolve(judged("aligned"), policy=Policy.DOCUMENTED)
    assert agreement(aligned) == "Exposures are aligned by policy documented; largest offset 2.4 +- 2.1 mas."
    off = evolve(judged("misaligned"), policy=Policy.DOCUMENTED, reason="similarity index 1.2 (a), limit 1")
    assert agreement(off) == "Exposures are NOT aligned, by policy documented: similarity index 1.2 (a), limit 1."


def test_an_alignment_without_any_measured_offset_says_so():
    unmeasured = evolve(judged("undetermined"), verdict=Verdict.ALIGNED, policy=Policy.DRIZZLEPAC)
    assert agreement(unmeasured) == "Exposures are aligned by policy drizzlepac; largest offset not measured."


def test_of_two_exposures_that_disagree_none_is_blamed():
    verification = judged("misaligned", misaligned=("a1", "a2"))
    two = evolve(verification, worst=evolve(verification.worst, ambiguous=True))
    expected = "Exposures are NOT aligned: a1 and a2 are 257.8 +- 1.7 mas apart, and nothing tells which is off."
    assert agreement(two) == expected


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (("a1", "a2"), "a1 and a2"),
        (("a1", "a2", "a3", "a4"), "a1, a2, a3 and a4"),
        (("a1", "a2", "a3", "a4", "a5"), "a1, a2, a3 and 2 more"),
    ],
)
def test_several_exposures_that_are_off_are_named_up_to_four(names, shown):
    expected = f"Exposures are NOT aligned: {shown} are off by up to 257.8 +- 1.7 mas."
    assert agreement(judged("misaligned", misaligned=names)) == expected


def test_an_offset_without_an_error_is_told_alone():
    verification = judged("aligned")
    measured = verification.measurements
    bare = tuple(evolve(each, sigma_pix=None) for each in measured.registration)
    without = evolve(verification, measurements=evolve(measured, registration=bare))
    assert agreement(without) == "Exposures agree to 2.4 mas."


def test_reasons_that_differ_are_told_each_and_many_are_counted():
    check = standing_verification(golden_record("undetermined")).checks[0]
    assert check.outcome is CheckOutcome.UNDETERMINED
    five = tuple(evolve(check, rootname=f"a{n}", reason=f"a{n}: {n} sources.") for n in range(1, 6))
    begin = "Alignment undetermined: a1: 1 sources; a2: 2 sources"
    assert agreement(judged("undetermined", checks=five[:2])) == f"{begin}."
    assert agreement(judged("undetermined", checks=five)) == f"{begin}; a3: 3 sources; and 2 more."


def test_a_run_without_a_wcs_has_no_sentence_about_one():
    omitted = golden_record("omitted")
    assert (wcs_sentence(omitted), kind_of_wcs(omitted), fit_in_use(omitted)) == ("", "", None)
    assert alignment_sentence(omitted) == "Not drizzled: omitted by DRIZCORR."


@pytest.mark.parametrize(
    ("wcsname", "kind"),
    [
        ("IDC_abc-GSC240", "a priori, position from the Guide Star Catalog"),
        ("IDC_abc-FIT_REL_GAIADR2", "a priori, an earlier fit to Gaia"),
        ("IDC_abc-FIT_IMG_2MASS", "a priori, an earlier fit to 2MASS"),
        ("MINE", "a priori"),
    ],
)
def test_an_a_priori_solution_is_called_by_what_its_position_rests_on(wcsname, kind):
    record = golden_record("no-fit")
    assert kind_of_wcs(evolve(record, selection=evolve(record.selection, wcsname=wcsname))) == kind


def test_a_fit_of_the_exposures_to_each_other_is_not_called_one_to_a_catalogue():
    record = golden_record("mended")
    fit = evolve(record.stages[POSTERIORI].aposteriori, chosen=None)
    relative = with_stage(record, POSTERIORI, aposteriori=fit)
    assert kind_of_wcs(relative) == "exposures fitted to each other, not to a catalogue"


def test_what_was_mended_is_told_without_its_size_where_that_was_not_measured():
    record = golden_record("mended")
    before = evolve(record.stages[DEFAULT].verification, worst=None)
    assert "The fit mended a misalignment." in verdict(with_stage(record, DEFAULT, verification=before))


def test_stages_that_failed_are_told():
    record = golden_record("no-service")
    for number in (PRIORI, POSTERIORI):
        record = with_stage(record, number, outcome=StageOutcome.FAILED, reason="too bad.")
    assert "The a priori stage failed: too bad. The fit failed: too bad." in verdict(record)


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (AprioriOutcome.NONE_OFFERED, "No a priori solution: none was offered."),
        (AprioriOutcome.REFUSED, "No a priori solution: none passed its checks for every exposure."),
    ],
)
def test_why_there_is_no_a_priori_solution_is_told(outcome, words):
    record = golden_record("no-service")
    apriori = evolve(record.stages[PRIORI].apriori, outcome=outcome)
    assert words in verdict(with_stage(record, PRIORI, apriori=apriori))


def test_a_fit_that_is_no_better_is_told_as_such():
    record = golden_record("no-fit")
    fit = evolve(record.stages[POSTERIORI].aposteriori, outcome=AlignmentOutcome.NOT_BETTER)
    words = "No fit to Gaia: it would have been no better than the WCS before."
    assert words in verdict(with_stage(record, POSTERIORI, aposteriori=fit))


def test_a_record_without_the_alignment_stages_says_nothing_of_them():
    record = golden_record("no-service")
    told = verdict(evolve(record, stages=(record.stages[DEFAULT],)))
    assert "No a priori" not in told
    assert "No fit" not in told


def test_a_trailed_exposure_that_stays_is_told_and_so_are_several_that_are_left_out():
    record = golden_record("trailed")
    bad = tuple(evolve(check, outcome=GuidingOutcome.TRAILED) for check in record.guiding)
    told = verdict(evolve(record, guiding=bad[1:3]))
    assert "i00101a3q is left out: trailed. i00101a2q is trailed, and in the product." in told
    gone = golden_record("excluded").excluded[0]
    both = verdict(evolve(record, excluded=(evolve(gone, rootname="i00101a4q"),)))
    assert "i00101a4q and i00101a3q are left out." in both
