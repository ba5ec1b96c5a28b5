"""Which a priori solutions an exposure gets, and which family an association: from names and checks alone."""

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from astrodriz_core.decide.apriori import plan_apriori
from astrodriz_core.decide.offers import (
    GUIDE_STARS_IN_GAIA_FRAME,
    Recipient,
    judge_checks,
    judge_content,
    judge_kind,
    judge_name,
    needs_guide_stars,
    rank_candidates,
    was_pointed_with_gaia,
)
from astrodriz_core.names import Rootname
from astrodriz_core.records.astrometry import AprioriExposure, AprioriOutcome, FitCheck, OfferedSolution, SolutionOrigin
from astrodriz_core.solutions.wcsnames import parse_wcsname

few = settings(max_examples=60, deadline=None)

OWN, FOREIGN = "abc1j", "xyz2j"
FAMILIES = ("HSC30", "GSC240", "GSC242", "OTHER1")
ORIGINS = st.sampled_from(list(SolutionOrigin))
EXPOSURE = Recipient(Rootname("root0"), OWN)


def offered(family, refused=None, origin=SolutionOrigin.FOLDER, attached=True, checks=()):
    return OfferedSolution(f"IDC_{OWN}-{family}", f"hdr-{family}", origin, attached, checks, refused)


def exposure(rootname, *solutions, before=f"IDC_{OWN}", best=None):
    return AprioriExposure(rootname, before, before, best, tuple(solutions))


def named(wcsname, origin=SolutionOrigin.FOLDER):
    return OfferedSolution(wcsname, "", origin, origin is SolutionOrigin.EMBEDDED)


@given(ORIGINS, st.booleans(), st.sampled_from([OWN, OWN.upper(), FOREIGN]))
def test_only_solutions_of_the_distortion_file_are_fetched_unless_all_are_wanted(origin, all_wcs, idctab):
    judged = judge_name(named(f"IDC_{idctab}-HSC30", origin), Recipient(Rootname("root0"), OWN, all_wcs))
    foreign = idctab == FOREIGN and not all_wcs and origin is not SolutionOrigin.EMBEDDED
    assert (judged.refused is not None) is foreign
    assert not foreign or OWN in judged.refused


@pytest.mark.parametrize("name", ["OPUS", "", "made by hand"])
def test_a_name_without_a_distortion_file_is_looked_into(name):
    assert judge_name(named(name), EXPOSURE).refused is None


@given(ORIGINS, st.booleans(), st.sampled_from([OWN, OWN.upper(), FOREIGN]), st.sampled_from(["OPUS", "IDC_q-HSC30"]))
def test_a_solution_of_another_distortion_file_is_attached_where_it_is_wanted_and_is_never_a_candidate(
    origin, all_wcs, idctab, name
):
    judged = judge_content(named(name, origin), Rootname("root0"), idctab, Recipient(Rootname("root0"), OWN, all_wcs))
    same = idctab.lower() == OWN
    assert judged.attached is (same or all_wcs or name == "OPUS" or origin is SolutionOrigin.EMBEDDED)
    assert (judged.refused is None) is same


@given(ORIGINS, st.booleans())
def test_a_solution_that_is_meant_for_another_exposure_is_refused(origin, all_wcs):
    judged = judge_content(
        named("IDC_q-HSC30", origin), Rootname("root1"), OWN, Recipient(Rootname("root0"), OWN, all_wcs)
    )
    assert "root1" in judged.refused
    assert judged.attached is (origin is SolutionOrigin.EMBEDDED)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (f"IDC_{OWN}-HSC30", None),
        (f"IDC_{OWN}-FIT_REL_GAIAeDR3", "a posteriori"),
        (f"IDC_{OWN}", "no a priori"),
        ("OPUS", "no a priori"),
        ("made by hand", "no a priori"),
    ],
)
def test_only_a_priori_solutions_are_candidates(name, words):
    refused = judge_kind(named(name)).refused
    assert refused is None if words is None else words in refused


def test_what_was_refused_before_keeps_its_reason():
    assert judge_kind(evolve(named("OPUS"), refused="damaged")).refused == "damaged"


@given(st.lists(st.booleans(), max_size=4))
def test_a_solution_that_fails_a_check_is_refused_with_its_reason(passed):
    checks = tuple(FitCheck(f"c{i}", None, None, ok, f"reason {i}") for i, ok in enumerate(passed))
    judged = judge_checks(offered("HSC30"), checks)
    assert judged.checks == checks
    assert (judged.refused is None) is all(passed)
    assert all((f"reason {i}" in (judged.refused or "")) is not ok for i, ok in enumerate(passed))


SOLUTIONS = st.lists(
    st.builds(offered, st.sampled_from(FAMILIES), st.none() | st.just("no"), ORIGINS, st.booleans()),
    max_size=5,
)
BEST = st.none() | st.sampled_from([f"IDC_{OWN}-{family}" for family in FAMILIES])


@few
@given(SOLUTIONS, BEST)
def test_candidates_are_what_nothing_speaks_against_the_best_of_the_source_first(solutions, best):
    ranked = rank_candidates(solutions, best)
    assert sorted(ranked) == [i for i, one in enumerate(solutions) if one.refused is None]
    names = [solutions[i].wcsname for i in ranked]
    if best in names:
        assert names[0] == best
    rest = [name.split("-")[1] for name in names if name != best]
    order = ("HSC30", "GSC242", "GSC240", "OTHER1")
    assert rest == sorted(rest, key=order.index)


@few
@given(SOLUTIONS)
def test_guide_stars_are_asked_where_there_is_no_candidate(solutions):
    assert needs_guide_stars(solutions) is (rank_candidates(solutions, None) == ())


def test_from_october_2017_on_guide_stars_are_in_the_frame_of_gaia():
    day = GUIDE_STARS_IN_GAIA_FRAME
    assert [was_pointed_with_gaia(start) for start in (None, day - 1, day, day + 1)] == [False, False, True, True]


BEFORE = st.sampled_from([f"IDC_{OWN}", f"IDC_{OWN}-HSC30", f"IDC_{OWN}-GSC240"])
EXPOSURES = st.lists(st.tuples(SOLUTIONS, BEFORE, BEST), min_size=1, max_size=4).map(
    lambda drawn: [exposure(f"root{i}", *s, before=b, best=best) for i, (s, b, best) in enumerate(drawn)]
)


def candidates(each):
    return {parse_wcsname(each.offered[i].wcsname).family for i in rank_candidates(each.offered, each.best)}


@few
@given(EXPOSURES)
def test_all_exposures_end_with_one_family_or_none_is_changed(exposures):
    plan = plan_apriori(exposures)
    record, common = plan.record, set.intersection(*map(candidates, exposures))
    assert (record.family is None) is (not common)
    assert record.family is None or record.family in common
    for was, now, solutions in zip(exposures, record.exposures, plan.exposures, strict=True):
        if record.family is None:
            assert (now, solutions.primary) == (was, None)
            continue
        assert parse_wcsname(now.after).family == record.family
        if parse_wcsname(was.before).family == record.family:
            assert (solutions.primary, now.after) == (None, was.before)
        else:
            assert was.offered[solutions.primary].refused is None
            assert now.after == was.offered[solutions.primary].wcsname


@few
@given(EXPOSURES)
def test_the_family_is_the_first_in_the_order_of_the_first_exposure_that_all_can_have(exposures):
    family, first = plan_apriori(exposures).record.family, exposures[0]
    ranked = [parse_wcsname(first.offered[i].wcsname).family for i in rank_candidates(first.offered, first.best)]
    common = set.intersection(*map(candidates, exposures))
    assert family == next((one for one in ranked if one in common), None)


@few
@given(EXPOSURES)
def test_what_was_judged_so_is_attached_once_whatever_comes_of_the_stage(exposures):
    plan = plan_apriori(exposures)
    for each, solutions in zip(exposures, plan.exposures, strict=True):
        new = [i for i, one in enumerate(each.offered) if one.attached and one.origin is not SolutionOrigin.EMBEDDED]
        assert list(solutions.attach) == new
    assert plan.writes is (plan.record.family is not None or any(each.attach for each in plan.exposures))


@few
@given(EXPOSURES)
def test_the_outcome_is_applied_where_the_primary_wcs_of_an_exposure_changes(exposures):
    plan = plan_apriori(exposures)
    changed = any(each.primary is not None for each in plan.exposures)
    assert (plan.record.outcome is AprioriOutcome.APPLIED) is changed
    already = plan.record.family is not None and not changed
    assert (plan.record.outcome is AprioriOutcome.ALREADY_PRIMARY) is already


FAILED = offered("HSC30", "refused: too far", checks=(FitCheck("reach", 1.0, 0.05, False, "too far"),))


@pytest.mark.parametrize(
    ("exposures", "problems", "outcome", "words"),
    [
        ([exposure("a", FAILED)], ["status 500"], AprioriOutcome.REFUSED, "too far"),
        ([exposure("a")], ["status 500", "status 500"], AprioriOutcome.UNAVAILABLE, "status 500"),
        ([exposure("a", offered("HSC30")), exposure("b")], [], AprioriOutcome.REFUSED, "b has no solution"),
        (
            [exposure("a", offered("HSC30")), exposure("b", offered("GSC240"))],
            [],
            AprioriOutcome.REFUSED,
            "no kind of solution in common",
        ),
        ([exposure("a"), exposure("b")], [], AprioriOutcome.NONE_OFFERED, "no solution is offered"),
        ([exposure("a", offered("HSC30", "it is meant for b"))], [], AprioriOutcome.NONE_OFFERED, "no solution"),
    ],
)
def test_without_a_family_the_outcome_says_why(exposures, problems, outcome, words):
    record = plan_apriori(exposures, problems).record
    assert record.outcome is outcome
    assert words in record.reason
    assert record.not_tried == ("status 500" if problems else None)
