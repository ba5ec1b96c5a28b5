"""The tangent plane, proper motions, and the checks of a priori solutions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from astropy.wcs import WCS
from attrs import evolve
from hypothesis import assume, given
from hypothesis import strategies as st

from astrodriz_core.measure.tangent import TangentPlane, sky_centre
from astrodriz_core.records.common import ChipWcs
from astrodriz_core.solutions.proper_motion import CatalogColumns, move_to_epoch
from astrodriz_core.solutions.ranking import (
    SipTerms,
    SolutionTerms,
    check_solution,
    common_solutions,
    separation_deg,
)

RA, DEC = st.floats(0.0, 360.0, exclude_max=True), st.floats(-89.0, 89.0)
OFFSETS = st.floats(-600.0, 600.0)


@given(RA, DEC, OFFSETS, OFFSETS)
def test_projecting_undoes_the_deprojecting_of_astropy(ra, dec, x, y):
    gnomonic = WCS(naxis=2)
    gnomonic.wcs.ctype, gnomonic.wcs.crval, gnomonic.wcs.cdelt = ["RA---TAN", "DEC--TAN"], [ra, dec], [1 / 3600] * 2
    sky = gnomonic.all_pix2world([[x, y]], 1)
    assert np.allclose(TangentPlane(ra, dec).project(*sky.T), [[x, y]], atol=1e-6)


@given(RA, DEC)
def test_the_plane_counts_east_and_north_in_arcsec_from_the_tangent_point(ra, dec):
    plane = TangentPlane(ra, dec)
    assume(abs(dec) < 88)
    north = plane.project(np.array([ra]), np.array([dec + 1 / 3600]))[0]
    east = plane.project(np.array([ra + 1 / 3600 / math.cos(math.radians(dec))]), np.array([dec]))[0]
    assert np.allclose(north, [0, 1], atol=1e-4)
    assert np.allclose(east, [1, 0], atol=1e-3)


def test_the_other_side_of_the_sky_has_no_place_in_the_plane():
    assert np.isnan(TangentPlane(0.0, 0.0).project(np.array([180.0]), np.array([0.0]))).all()


@given(DEC)
def test_the_centre_of_positions_on_both_sides_of_the_meridian_lies_on_it(dec):
    ra, middle = sky_centre(np.array([359.9, 0.1]), np.array([dec, dec]))
    assert min(ra, 360 - ra) < 1e-9
    assert middle == pytest.approx(dec, abs=1e-3)


@given(RA, DEC, RA, DEC)
def test_separation_is_symmetric_and_bounded(a, b, c, d):
    assert separation_deg((a, b), (c, d)) == pytest.approx(separation_deg((c, d), (a, b)))
    assert 0.0 <= separation_deg((a, b), (c, d)) <= 180.0


def columns(**changes):
    values = {
        "ra": [10.0, 10.01],
        "dec": [-70.0, -70.01],
        "mag": [15.0, 16.0],
        "sigma": [0.3, 0.4],
        "pmra": [100.0, np.nan],
        "pmdec": [-50.0, np.nan],
        "pm_sigma": [0.5, np.nan],
        "epoch": [2016.0, 2016.0],
        **changes,
    }
    return CatalogColumns(**{name: np.array(value, dtype=float) for name, value in values.items()})


def test_a_star_moves_by_its_proper_motion_on_the_sky():
    moved = move_to_epoch(columns(), 2006.0)
    east, north = TangentPlane(10.0, -70.0).project(moved.ra, moved.dec)[0]
    assert (east, north) == (pytest.approx(-1.0, abs=1e-6), pytest.approx(0.5, abs=1e-4))
    assert moved.moved.tolist() == [True, False]


def test_the_error_of_the_motion_grows_with_the_years():
    assert move_to_epoch(columns(), 2006.0).sigma[0] == pytest.approx(math.hypot(0.3, 5.0))
    assert move_to_epoch(columns(), 2016.0).sigma[0] == pytest.approx(0.3)


def test_a_star_of_unknown_motion_stays_and_is_as_uncertain_as_the_others_move():
    known = columns(
        ra=[10.0] * 4, dec=[0.0] * 4, mag=[15.0] * 4, sigma=[0.3] * 4, epoch=[2016.0] * 4,
        pmra=[10, -10, 10, np.nan], pmdec=[10, 10, -10, np.nan], pm_sigma=[0.1, 0.1, 0.1, np.nan],
    )  # fmt: skip
    moved = move_to_epoch(known, 2006.0)
    assert (moved.ra[3], moved.dec[3]) == (10.0, 0.0)
    assert moved.sigma[3] == pytest.approx(math.hypot(0.3, 100.0))


@given(st.floats(1990, 2030))
def test_moving_there_and_back_again_changes_nothing(epoch):
    start = columns()
    there = move_to_epoch(start, epoch)
    back = move_to_epoch(columns(ra=there.ra, dec=there.dec, epoch=[epoch, epoch]), 2016.0)
    assert np.allclose(back.ra, start.ra, atol=1e-9)
    assert np.allclose(back.dec, start.dec, atol=1e-9)


def test_a_position_of_unknown_epoch_is_not_moved():
    moved = move_to_epoch(columns(epoch=[np.nan, 2016.0]), 1990.0)
    assert (moved.ra[0], moved.moved[0]) == (10.0, False)


SCALE = 0.05 / 3600


def chip(extver=1, crval=(150.0, 2.0), scale=SCALE, turn=0.0):
    c, s = scale * math.cos(math.radians(turn)), scale * math.sin(math.radians(turn))
    return ChipWcs(extver, crval, (2048.0, 1024.0), ((-c, s), (s, c)), (4096, 2048), "IDC_x")


SIP = SipTerms({(2, 0): 8e-6, (1, 1): 0.0, (0, 3): 1e-10}, {(0, 2): 5e-6, (2, 1): -3e-10})
DEFAULT = SolutionTerms((chip(1), chip(2, (150.01, 2.01))), (SIP, SIP))
TARGET = (150.0, 2.0)


def refused(solution, target=TARGET):
    return [check.name for check in check_solution(solution, DEFAULT, target) if not check.passed]


@given(st.floats(-1e-3, 1e-3), st.floats(-1e-3, 1e-3), st.floats(-0.5, 0.5), st.floats(-1e-3, 1e-3))
def test_corrections_of_arcseconds_and_small_rolls_pass(dra, ddec, turn, scale):
    moved = tuple(
        chip(c.extver, (c.crval[0] + dra, c.crval[1] + ddec), SCALE * (1 + scale), turn) for c in DEFAULT.chips
    )
    assert refused(evolve(DEFAULT, chips=moved)) == []


@pytest.mark.parametrize(
    ("solution", "failed"),
    [
        (evolve(DEFAULT, chips=DEFAULT.chips[:1], sip=DEFAULT.sip[:1]), ["all chips"]),
        (evolve(DEFAULT, chips=(chip(crval=(math.nan, 2.0)), DEFAULT.chips[1])), ["finite"]),
        (evolve(DEFAULT, chips=(evolve(chip(), cd=((0, 0), (0, 0))), DEFAULT.chips[1])), ["finite"]),
        (evolve(DEFAULT, chips=tuple(chip(c.extver, (151.0, 2.0)) for c in DEFAULT.chips)), ["reach"]),
        (evolve(DEFAULT, chips=tuple(chip(c.extver, c.crval, 1.01 * SCALE) for c in DEFAULT.chips)), ["scale"]),
        (evolve(DEFAULT, chips=tuple(chip(c.extver, c.crval, turn=3.0) for c in DEFAULT.chips)), ["rotation"]),
        (evolve(DEFAULT, sip=(SIP, SipTerms({}, SIP.b))), ["SIP complete"]),
        (evolve(DEFAULT, sip=(SipTerms(SIP.a, {(0, 2): 5e-6}), SIP)), ["SIP complete"]),
        (evolve(DEFAULT, sip=(SipTerms({**SIP.a, (3, 1): 1e-12}, SIP.b), SIP)), ["SIP complete"]),
        (evolve(DEFAULT, sip=(SipTerms({**SIP.a, (2, 0): math.nan}, SIP.b), SIP)), ["SIP complete"]),
        (evolve(DEFAULT, sip=(SipTerms({**SIP.a, (1, 1): math.inf}, SIP.b), SIP)), ["SIP complete"]),
    ],
)
def test_a_solution_that_is_wrong_in_one_way_fails_that_check(solution, failed):
    assert refused(solution) == failed


def test_a_term_of_0_may_be_left_out_and_rounding_passes():
    without = {key: value for key, value in SIP.a.items() if value != 0}
    rounded = {key: value * (1 + 1e-9) for key, value in SIP.b.items()}
    assert refused(evolve(DEFAULT, sip=(SipTerms(without, rounded), SipTerms({**without, (4, 0): 0.0}, SIP.b)))) == []


def test_a_skewed_solution_fails():
    skewed = evolve(chip(), cd=((-SCALE, 0.01 * SCALE), (0.0, SCALE)))
    assert "skew" in refused(evolve(DEFAULT, chips=(skewed, DEFAULT.chips[1])))


def test_where_the_exposure_itself_is_far_from_its_target_the_place_before_counts():
    assert refused(DEFAULT, target=(10.0, 10.0)) == []
    assert refused(DEFAULT, target=None) == []


def test_only_families_that_all_exposures_have_are_common_in_the_order_of_the_first():
    ranked = {"a": ("HSC30", "GSC242", "GSC240"), "b": ("GSC240", "HSC30"), "c": ("GSC240", "HSC31", "HSC30")}
    assert common_solutions(ranked) == ("HSC30", "GSC240")
    assert common_solutions({"a": ("HSC30",), "b": ()}) == ()
    assert common_solutions({}) == ()
