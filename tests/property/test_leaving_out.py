"""Which exposures take no part: badly guided ones, empty ones, and those that see another sky."""

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from astrodriz_core.decide.guiding import decide_guiding
from astrodriz_core.decide.viability import (
    PixelContent,
    excluded_by_header,
    excluded_by_place,
    largest_group,
    nothing_left,
)
from astrodriz_core.errors import NoViableDataError
from astrodriz_core.instruments.observation import Condition
from astrodriz_core.records.drizzling import ExclusionReason
from astrodriz_core.records.verification import GuidingOutcome
from astrodriz_core.verify.guiding import unknown_guiding

few = settings(max_examples=60, deadline=None)


def checked(outcomes):
    return [evolve(unknown_guiding(f"root{i}", "few stars"), outcome=outcome) for i, outcome in enumerate(outcomes)]


@few
@given(st.lists(st.sampled_from(list(GuidingOutcome)), min_size=1, max_size=5), st.booleans(), st.booleans())
def test_trailed_exposures_are_left_out_and_then_nothing_is_aligned_unless_it_is_forced(outcomes, force, align):
    trailed = {f"root{i}" for i, outcome in enumerate(outcomes) if outcome is GuidingOutcome.TRAILED}
    if len(trailed) == len(outcomes) and not force:
        with pytest.raises(NoViableDataError, match="-f"):
            decide_guiding(checked(outcomes), force=force, force_alignment=align)
        return
    decision = decide_guiding(checked(outcomes), force=force, force_alignment=align)
    assert decision.left_out == (frozenset() if force else trailed)
    assert decision.may_align is (align or not trailed)
    told = " ".join(decision.warnings)
    assert all(root in told for root in trailed)
    assert bool(decision.warnings) is bool(trailed)
    assert ("-a forces it" in told) is (not decision.may_align)


@given(st.integers(1, 10**7), st.booleans(), st.booleans())
def test_an_exposure_without_a_finite_or_without_a_good_pixel_has_nothing_to_give(pixels, finite, good):
    defect = PixelContent(pixels, finite, good).defect("root0")
    assert (defect is None) is (finite and good)
    if defect is not None:
        assert defect.reason is (ExclusionReason.ALL_FLAGGED if finite else ExclusionReason.NOT_FINITE)
        assert str(pixels) in defect.detail


@given(st.sets(st.sampled_from(list(Condition))))
def test_of_the_conditions_of_headers_only_no_time_and_no_good_pixel_leave_an_exposure_out(conditions):
    found = excluded_by_header("root0", sorted(conditions, key=lambda each: each.name), 0.0)
    fatal = {Condition.ZERO_EXPOSURE_TIME, Condition.NO_GOOD_PIXELS}
    assert (found is None) is not bool(conditions & fatal)


PAIRS = st.integers(1, 7).flatmap(
    lambda count: st.tuples(
        st.just(count), st.sets(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)), max_size=8)
    )
)


def meeting(pairs):
    return lambda one, other: (one, other) in pairs or (other, one) in pairs


def connected(count, pairs):
    """The groups by walking from each exposure, another way than that of the code."""
    groups = []
    for start in range(count):
        seen, front = {start}, [start]
        while front:
            here = front.pop()
            reached = {j for j in range(count) if meeting(pairs)(here, j)} - seen
            seen |= reached
            front += reached
        groups.append(tuple(sorted(seen)))
    return groups


@few
@given(PAIRS)
def test_the_group_hangs_together_none_is_larger_and_none_as_large_begins_earlier(drawn):
    count, pairs = drawn
    group, groups = largest_group(count, meeting(pairs)), connected(count, pairs)
    assert group == max(groups, key=lambda one: (len(one), -min(one)))


@few
@given(PAIRS)
def test_who_is_not_in_the_largest_group_is_left_out_and_told_with_whom_it_does_not_meet(drawn):
    count, pairs = drawn
    roots = [f"root{i}" for i in range(count)]
    group = largest_group(count, meeting(pairs))
    excluded = excluded_by_place(roots, meeting(pairs))
    assert [each.rootname for each in excluded] == [roots[i] for i in range(count) if i not in group]
    assert all(each.reason is ExclusionReason.NO_OVERLAP for each in excluded)
    assert all(roots[i] in each.detail for each in excluded for i in group)


def test_of_no_exposure_there_is_no_group_and_of_two_apart_the_first_is_taken():
    assert largest_group(0, meeting(set())) == ()
    assert largest_group(2, meeting(set())) == (0,)
    assert largest_group(4, meeting({(1, 2), (0, 3)})) == (0, 3)


def test_the_error_says_why_each_exposure_was_left_out():
    excluded = excluded_by_place(["a", "b"], meeting(set()))
    assert "b: it overlaps none" in str(nothing_left(excluded, "x_asn.fits"))
