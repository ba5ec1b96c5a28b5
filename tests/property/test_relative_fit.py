"""The fit of exposures to each other: it recovers what was put in, and leaves alone what is not significant."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from astrodriz_core.align.absolute import CatalogPositions
from astrodriz_core.align.consistency import check_consistency
from astrodriz_core.align.fitting import LinearTransform
from astrodriz_core.align.linking import ExposurePositions, link_exposures
from astrodriz_core.align.merging import merge_sources
from astrodriz_core.align.relative import judge_relative, registration_change
from astrodriz_core.align.relative_solution import solve_relative
from astrodriz_core.parameters.alignment import FitParameters

PARAMETERS = FitParameters()
PIXEL = 0.1
"""Arcsec."""
SIGMA = 0.002
"""Arcsec; error of one position."""


def association(offsets, *, seed=0, count=120, own=20, rotations=None, sigma=SIGMA):
    """Exposures of one field, each dithered and displaced, with sources (hits) of its own beside the shared ones."""
    rng = np.random.default_rng(seed)
    truth = rng.uniform(-50, 50, (count, 2))
    mag = rng.uniform(18, 24, count)
    made = []
    for i, offset in enumerate(np.asarray(offsets, dtype=float)):
        seen = rng.uniform(size=count) < 0.9
        angle = 0.0 if rotations is None else np.deg2rad(rotations[i])
        matrix = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        xy = truth[seen] @ matrix.T + offset + rng.normal(0, sigma, (seen.sum(), 2))
        xy = np.vstack([xy, rng.uniform(-50, 50, (own, 2))])
        mags = np.concatenate([mag[seen], rng.uniform(18, 24, own)])
        made.append(ExposurePositions(f"exposure{i}", xy, np.full(len(xy), sigma), mags))
    return tuple(made)


def fitted(exposures):
    links = link_exposures(exposures, PARAMETERS, PIXEL)
    solution = solve_relative(exposures, links, PARAMETERS.clip_sigma)
    change = registration_change(exposures, links, PARAMETERS.clip_sigma)
    transforms, record = judge_relative(tuple(e.rootname for e in exposures), solution, change)
    return transforms, record, links


def residual(transforms, offsets):
    """Spread of the exposures after the correction, mas."""
    left = np.array([t.shift for t in transforms]) + np.asarray(offsets)
    return 1000.0 * np.sqrt(((left - left.mean(axis=0)) ** 2).sum(axis=1).mean())


@given(st.integers(0, 500), st.integers(0, 3), st.floats(0.0, 20.0), st.floats(0.0, 6.28))
@settings(max_examples=15, deadline=None)
def test_one_exposure_off_its_place_by_up_to_20_pixels_is_brought_back(seed, which, pixels, direction):
    offsets = np.zeros((4, 2))
    offsets[which] = pixels * PIXEL * np.array([np.cos(direction), np.sin(direction)])
    transforms, _, _ = fitted(association(offsets, seed=seed))
    assert residual(transforms, offsets) < 1.0


def test_exposures_in_their_place_are_moved_by_half_of_what_was_measured():
    offsets = np.zeros((4, 2))
    moved, measured = [], []
    for seed in range(30):
        transforms, record, _ = fitted(association(offsets, seed=seed))
        shifts = [np.array([one.east_mas, one.north_mas]) / 1000.0 for one in record.exposures]
        moved.append(residual(transforms, offsets) ** 2)
        measured.append(residual([LinearTransform(np.eye(2), shift) for shift in shifts], offsets) ** 2)
    assert np.sqrt(np.mean(moved)) < 0.6 * np.sqrt(np.mean(measured))


def test_what_is_far_beyond_its_error_is_applied_almost_wholly():
    offsets = np.array([[0, 0], [0, 0], [0.02, -0.01], [0, 0]])
    _, record, _ = fitted(association(offsets))
    assert record.exposures[2].fraction > 0.99
    assert record.exposures[2].east_mas == pytest.approx(-20.0, abs=1.0)
    assert record.exposures[2].north_mas == pytest.approx(10.0, abs=1.0)
    assert record.before_mas > 5 * record.after_mas


def test_the_others_stay_where_they_are_when_one_is_off():
    offsets = np.array([[0, 0], [2.0, 1.0], [0, 0], [0, 0], [0, 0]])
    transforms, _, _ = fitted(association(offsets))
    assert all(np.hypot(*transforms[i].shift) < 0.002 for i in (0, 2, 3, 4))


def test_the_stated_error_is_that_of_repeated_measurements():
    shifts, errors = [], []
    for seed in range(40):
        exposures = association(np.zeros((3, 2)), seed=seed)
        links = link_exposures(exposures, PARAMETERS, PIXEL)
        solution = solve_relative(exposures, links, PARAMETERS.clip_sigma)
        shifts.append(solution.shift - solution.shift.mean(axis=0))
        errors.append(np.trace(solution.covariance, axis1=1, axis2=2) / 2)
    assert np.std(shifts) == pytest.approx(np.sqrt(np.mean(errors)), rel=0.2)


def test_a_rotation_of_one_exposure_is_found_and_small_ones_of_the_others_are_not_invented():
    rotations = [0.0, 0.02, 0.0, 0.0]
    transforms, record, _ = fitted(association(np.zeros((4, 2)), rotations=rotations))
    assert [e.rotation_applied for e in record.exposures] == [False, True, False, False]
    assert transforms[1].rotation_deg == pytest.approx(-0.02, abs=1e-3)


def test_hits_that_only_one_exposure_has_do_not_matter():
    offsets = np.array([[0, 0], [0.3, 0.2], [-0.1, 0.0]])
    transforms, _, _ = fitted(association(offsets, own=400, count=60))
    assert residual(transforms, offsets) < 2.0


def test_an_exposure_of_another_field_is_not_linked_and_not_moved():
    exposures = association(np.zeros((3, 2)))
    stranger = ExposurePositions(
        "stranger",
        np.random.default_rng(7).uniform(-50, 50, (100, 2)),
        np.full(100, SIGMA),
        np.full(100, 20.0),
    )
    transforms, record, links = fitted((*exposures, stranger))
    assert links.transforms[3] is None
    assert record.exposures[3].matches == 0
    assert np.array_equal(transforms[3].apply(stranger.xy), stranger.xy)


@pytest.mark.parametrize("exposures", [association(np.zeros((1, 2))), association(np.zeros((2, 2)), count=0, own=3)])
def test_without_shared_sources_nothing_is_measured(exposures):
    transforms, record, _ = fitted(exposures)
    assert record.before_mas is None
    assert record.registration is None
    assert all(np.array_equal(t.matrix, np.eye(2)) and not t.shift.any() for t in transforms)


def test_an_exposure_without_sources_is_carried_along():
    empty = ExposurePositions("empty", np.zeros((0, 2)), np.zeros(0), np.zeros(0))
    transforms, record, _ = fitted((*association(np.zeros((2, 2))), empty))
    assert len(transforms) == len(record.exposures) == 3


def test_the_registration_is_measured_on_sources_that_took_no_part():
    offsets = np.array([[0, 0], [0.05, 0], [0, 0.05], [0, 0]])
    exposures = association(offsets)
    change = registration_change(exposures, link_exposures(exposures, PARAMETERS, PIXEL), PARAMETERS.clip_sigma)
    assert change.before_mas == pytest.approx(residual([LinearTransform.identity()] * 4, offsets), rel=0.1)
    assert change.after_mas < 3 * change.error_mas


def test_merged_positions_are_weighted_means_and_more_precise_than_any():
    exposures = association(np.zeros((4, 2)), own=0)
    links = link_exposures(exposures, PARAMETERS, PIXEL)
    merged = merge_sources(exposures, links, tuple(LinearTransform.identity() for _ in exposures))
    assert 115 <= len(merged) <= 125
    assert np.median(merged.sigma) < 0.7 * SIGMA
    assert np.allclose(merged.before, merged.xy)


def test_inputs_are_not_changed():
    exposures = association(np.array([[0, 0], [0.5, 0]]))
    copies = [(e.xy.copy(), e.sigma.copy()) for e in exposures]
    fitted(exposures)
    assert all((e.xy == xy).all() and (e.sigma == s).all() for e, (xy, s) in zip(exposures, copies, strict=True))


def catalog_of(exposure, count=40):
    """A catalogue of the first sources of an exposure, where it sees them."""
    return CatalogPositions(exposure.xy[:count].copy(), np.full(count, 0.001), np.full(count, 20.0))


STILL = LinearTransform.identity()


def test_exposures_that_agree_with_the_catalogue_are_consistent():
    exposures = association(np.zeros((3, 2)))
    check = check_consistency(exposures, (STILL,) * 3, catalog_of(exposures[0]), PIXEL, 2.0)
    assert check.passed
    assert check.value < check.threshold


def test_an_exposure_that_is_off_by_more_than_a_tenth_of_a_pixel_is_named():
    exposures = association(np.array([[0, 0], [0, 0.02], [0, 0]]))
    check = check_consistency(exposures, (STILL,) * 3, catalog_of(exposures[0]), PIXEL, 2.0)
    assert not check.passed
    assert "exposure1" in check.reason
    assert check.value == pytest.approx(20.0, abs=2.0)


def test_without_matches_there_is_nothing_to_be_inconsistent():
    exposures = association(np.zeros((2, 2)))
    nothing = CatalogPositions(np.zeros((0, 2)), np.zeros(0), np.zeros(0))
    check = check_consistency(exposures, (STILL,) * 2, nothing, PIXEL, 2.0)
    assert (check.passed, check.value) == (True, None)
