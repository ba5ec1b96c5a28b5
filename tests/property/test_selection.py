"""Which WCS wins."""

from __future__ import annotations

from itertools import permutations

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from astrodriz_core.astrometry.selection import select_wcs
from astrodriz_core.errors import MeasurementError
from astrodriz_core.records.astrometry import WcsCandidate
from astrodriz_core.records.common import Verdict, WcsOrigin


def candidate(origin, verdict=Verdict.ALIGNED, *, kept=True, registration=1.0):
    return WcsCandidate(origin, f"NAME-{origin.name}", verdict, kept, registration, 0.1, "because")


DEFAULT = candidate(WcsOrigin.PIPELINE_DEFAULT)
PRIORI = candidate(WcsOrigin.A_PRIORI)
POSTERIORI = candidate(WcsOrigin.A_POSTERIORI)

ANY = st.builds(candidate, st.just(WcsOrigin.A_PRIORI), st.sampled_from(Verdict), kept=st.booleans())


def test_the_last_stage_that_was_kept_wins_in_any_order_of_the_candidates():
    for order in permutations([DEFAULT, PRIORI, POSTERIORI]):
        assert select_wcs(order).chosen is WcsOrigin.A_POSTERIORI


def test_a_stage_that_was_not_kept_is_passed_over_and_the_reason_is_said():
    selection = select_wcs([DEFAULT, PRIORI, evolve(POSTERIORI, kept=False, reason="worse than before")])
    assert selection.chosen is WcsOrigin.A_PRIORI
    assert "worse than before" in selection.reason


def test_a_misaligned_favourite_yields_to_an_aligned_one():
    selection = select_wcs([DEFAULT, evolve(PRIORI, verdict=Verdict.MISALIGNED)])
    assert selection.chosen is WcsOrigin.PIPELINE_DEFAULT


def test_where_all_are_misaligned_the_best_registered_wins():
    bad = [evolve(c, verdict=Verdict.MISALIGNED) for c in (DEFAULT, PRIORI, POSTERIORI)]
    bad[1] = evolve(bad[1], registration_mas=0.2)
    assert select_wcs(bad).chosen is WcsOrigin.A_PRIORI


@given(ANY)
def test_the_pipeline_default_is_chosen_only_where_the_other_is_refused_or_misaligned(other):
    chosen = select_wcs([DEFAULT, other]).chosen
    expected = other.kept and other.verdict is not Verdict.MISALIGNED
    assert (chosen is WcsOrigin.A_PRIORI) == expected


@given(ANY)
def test_every_candidate_stands_in_the_record_the_preferred_one_first(other):
    assert select_wcs([DEFAULT, other]).candidates == (other, DEFAULT)


def test_a_single_candidate_wins_even_if_it_was_not_kept():
    assert select_wcs([evolve(PRIORI, kept=False)]).chosen is WcsOrigin.A_PRIORI


@pytest.mark.parametrize("candidates", [[], [DEFAULT, DEFAULT]])
def test_no_candidate_or_two_of_one_origin_cannot_be_decided(candidates):
    with pytest.raises(MeasurementError):
        select_wcs(candidates)
