"""Residual offsets of exposures: from matched sources, and from cross-correlation where there are few."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from astrodriz_core.errors import MeasurementError
from astrodriz_core.measure.clipping import SAMPLE, sigma_clipped_statistics
from astrodriz_core.measure.footprint import coverage_map, overlap_region
from astrodriz_core.measure.images import DrizzledImage, check_common_grid
from astrodriz_core.records.verification import GuidingOutcome, RegistrationMethod
from astrodriz_core.testing import PARAMETERS, StarExposure, star_association, star_field, star_places
from astrodriz_core.verify import registration
from astrodriz_core.verify.calibration import small_sample_factor
from astrodriz_core.verify.correlation import correlate_with_others, offset_from_blocks
from astrodriz_core.verify.guiding import check_guiding
from astrodriz_core.verify.matching import bulk_offset, matched_pairs
from astrodriz_core.verify.measurement import measure_alignment
from astrodriz_core.verify.motion import Motion, fit_positions
from astrodriz_core.verify.registration import SourceTable, consensus, register, solve_motions
from astrodriz_core.verify.sharpness import concentration, exposure_sharpness
from astrodriz_core.verify.source_table import without_spikes
from astrodriz_core.verify.sources import Peaks, cut_out, parabola_top, windowed_centroids

OFFSETS = st.tuples(st.floats(-3, 3), st.floats(-3, 3))


def table_of(positions: np.ndarray, error: float = 0.05) -> SourceTable:
    return SourceTable(positions, np.full(positions.shape[:2], error))


def measured(offsets, **kwargs):
    product, singles = star_association(offsets, **kwargs)
    return measure_alignment(product, singles, PARAMETERS)


def offsets_of(measurements) -> np.ndarray:
    return np.array([(r.dx_pix, r.dy_pix) for r in measurements.registration])


@settings(max_examples=8)
@given(OFFSETS)
def test_the_offset_of_one_exposure_is_recovered_within_its_error(offset):
    records = measured([(0, 0), (0, 0), (0, 0), offset], noise=2.0).registration
    for record, truth in zip(records, [(0, 0), (0, 0), (0, 0), offset], strict=True):
        error = np.hypot(record.dx_pix - truth[0], record.dy_pix - truth[1])
        reference = 0.0 if np.hypot(*offset) > 0.1 else np.hypot(*offset) / 3
        assert error < 5 * record.sigma_pix + reference
        assert record.sigma_pix < 0.01
        assert record.method is RegistrationMethod.SOURCES


def test_offsets_in_arcsec_are_those_in_pixels_times_the_scale():
    record = measured([(0, 0), (0, 0), (1.0, -0.5)]).registration[2]
    assert record.dx_arcsec == pytest.approx(0.05 * record.dx_pix)
    assert record.dy_arcsec == pytest.approx(0.05 * record.dy_pix)


def test_offsets_of_two_exposures_are_opposite():
    first, second = offsets_of(measured([(0, 0), (0.6, -0.4)]))
    assert first == pytest.approx(-second, abs=1e-6)
    assert second == pytest.approx((0.6, -0.4), abs=0.02)


def test_a_shift_of_all_exposures_changes_nothing():
    plain = offsets_of(measured([(0, 0), (0.05, 0), (0, 0.3)]))
    shifted = offsets_of(measured([(1.3, -0.7), (1.35, -0.7), (1.3, -0.4)]))
    assert shifted == pytest.approx(plain, abs=0.02)


def test_a_rotation_is_recovered():
    records = measured([(0, 0)] * 3 + [StarExposure(rotation_deg=0.3)], shape=(240, 256), noise=0.5).registration
    assert records[3].rotation_deg == pytest.approx(0.3, abs=5 * records[3].rotation_sigma_deg)
    assert abs(records[0].rotation_deg) < 5 * records[0].rotation_sigma_deg
    assert 40 < records[3].lever_arm_pix < 150


@settings(max_examples=5)
@given(st.permutations(range(4)))
def test_the_order_of_the_exposures_does_not_matter(order):
    product, singles = star_association([(0, 0), (0.05, 0.02), (0, -0.03), (0.8, 0.4)], cosmic_rays=60)
    plain = measure_alignment(product, singles, PARAMETERS)
    permuted = measure_alignment(product, [singles[i] for i in order], PARAMETERS)
    for place, index in enumerate(order):
        one, other = permuted.registration[place], plain.registration[index]
        assert one.rootname == other.rootname
        assert (one.dx_pix, one.dy_pix) == pytest.approx((other.dx_pix, other.dy_pix), abs=0.0005)
        assert permuted.focus.exposures[place] == plain.focus.exposures[index]
        assert permuted.similarity.exposures[place] == plain.similarity.exposures[index]


@pytest.mark.parametrize(("scale", "sky"), [(0.01, 0.0), (37.0, 0.0), (1.0, 250.0)])
def test_flux_scale_and_constant_sky_do_not_matter(scale, sky):
    product, singles = star_association([(0, 0), (0, 0.1), (0.5, 0)], cosmic_rays=60)
    plain = measure_alignment(product, singles, PARAMETERS)
    changed = [attrs.evolve(image, sci=(image.sci * scale + sky).astype(np.float32)) for image in (product, *singles)]
    other = measure_alignment(changed[0], changed[1:], PARAMETERS)
    assert offsets_of(other) == pytest.approx(offsets_of(plain), abs=0.002)
    assert other.similarity.index == pytest.approx(plain.similarity.index, rel=0.02, abs=1e-4)
    for one, two in zip(other.sharpness, plain.sharpness, strict=True):
        assert one.log_ratio == pytest.approx(two.log_ratio, abs=0.002)


def test_inputs_are_not_modified():
    product, singles = star_association([(0, 0), (0.2, 0), (0, 0)], cosmic_rays=50)
    planes = [p for i in (product, *singles) for p in (i.sci, i.wht, i.cosmic_rays) if p is not None]
    before = [plane.copy() for plane in planes]
    for plane in planes:
        plane.setflags(write=False)
    measure_alignment(product, singles, PARAMETERS)
    assert all(np.array_equal(*pair) for pair in zip(planes, before, strict=True))


def test_arrays_in_the_byte_order_of_fits_and_memory_maps_are_measured_alike(tmp_path):
    product, singles = star_association([(0, 0), (0.4, 0), (0, 0)], cosmic_rays=50)
    plain = measure_alignment(product, singles, PARAMETERS)
    mapped = []
    for image in (product, *singles):
        file = tmp_path / f"{image.name}.raw"
        image.sci.astype(">f4").tofile(file)
        mapped.append(attrs.evolve(image, sci=np.memmap(file, ">f4", "r", shape=image.shape)))
    assert measure_alignment(mapped[0], mapped[1:], PARAMETERS) == plain


def test_an_exposure_whose_sources_are_all_flagged_is_still_measured():
    product, singles = star_association([(0, 0), (0, 0), (0, 0), (2.5, 1.0)])
    bright = singles[3].sci > 20
    flagged = attrs.evolve(singles[3], cosmic_rays=ndimage.binary_dilation(bright))
    records = measure_alignment(product, [*singles[:3], flagged], PARAMETERS)
    assert offsets_of(records)[3] == pytest.approx((2.5, 1.0), abs=0.02)
    assert records.sharpness[3].core_flagged > 0.9
    assert records.sharpness[0].core_flagged < 0.1


def test_cosmic_rays_do_not_move_the_offsets():
    clean = offsets_of(measured([(0, 0), (0, 0), (0.3, 0.3)]))
    hit = offsets_of(measured([(0, 0), (0, 0), (0.3, 0.3)], cosmic_rays=280))
    assert hit == pytest.approx(clean, abs=0.02)


def test_hot_pixels_that_coincide_do_not_outvote_the_stars():
    product, singles = star_association([(0, 0), (0, 0), (0, 0), (2.0, -1.5)])
    rng = np.random.default_rng(7)
    hot = np.zeros(product.shape, np.float32)
    hot.flat[rng.choice(hot.size, 400, replace=False)] = rng.uniform(50, 900, 400)
    spotted = [attrs.evolve(image, sci=image.sci + hot) for image in (product, *singles)]
    offsets = offsets_of(measure_alignment(spotted[0], spotted[1:], PARAMETERS))
    assert offsets[3] == pytest.approx((2.0, -1.5), abs=0.1)


def test_spikes_are_dropped_and_stars_and_galaxies_kept():
    places = np.array([[20.0, 20.2], [60.3, 20.0], [20.1, 60.0]])
    sci = star_field((81, 81), places[:1], np.array([2000.0]), 0.95)
    sci += star_field((81, 81), places[1:2], np.array([9000.0]), 2.5)
    sci[60, 20] = 500
    image = DrizzledImage("a", sci, np.ones((81, 81)), 1.0)
    kept = without_spikes(image, Peaks(places, np.ones(3)), PARAMETERS)
    assert kept.positions.tolist() == places[:2].tolist()


def test_saturated_sources_are_left_out():
    product, singles = star_association([(0, 0)] * 3)
    full = measure_alignment(product, singles, PARAMETERS).registration[0].n_sources
    saturated = [attrs.evolve(s, saturated=np.asarray(s.sci > 200)) for s in singles]
    fewer = measure_alignment(product, saturated, PARAMETERS).registration[0].n_sources
    assert 0 < fewer < full


def test_empty_sky_gives_no_offset_and_says_why():
    rng = np.random.default_rng(3)
    images = [rng.normal(size=(120, 120)).astype(np.float32) for _ in range(4)]
    ones = np.ones((120, 120), np.float32)
    product, *singles = (DrizzledImage(f"image{i}", image, ones, 1.0) for i, image in enumerate(images))
    registration = measure_alignment(product, singles, PARAMETERS).registration
    assert len(registration) == 3
    for record in registration:
        assert record.dx_pix is None
        assert record.sigma_pix is None
        assert record.method is None
        assert record.n_sources == 0
        assert record.reason


def test_blank_images_and_images_without_coverage_are_measured_as_nothing():
    zeros, ones = np.zeros((60, 60), np.float32), np.ones((60, 60), np.float32)
    for weight in (ones, zeros):
        blank = [DrizzledImage(f"image{i}", zeros, weight, 1.0) for i in range(3)]
        result = measure_alignment(blank[0], blank[1:], PARAMETERS)
        assert result.similarity.index is None
        assert all(record.dx_pix is None for record in result.registration)
    assert result.region is None
    assert result.focus.product.value is None


def test_an_exposure_that_shows_nothing_does_not_hide_the_others():
    product, singles = star_association([(0, 0), (0.3, 0), (0, 0), (0, 0)])
    noise = np.random.default_rng(1).normal(size=product.shape).astype(np.float32)
    lost = attrs.evolve(singles[3], sci=noise)
    *seen, missed = measure_alignment(product, [*singles[:3], lost], PARAMETERS).registration
    assert [record.n_sources > 30 for record in seen] == [True, True, True]
    assert seen[1].dx_pix == pytest.approx(0.3, abs=0.02)
    assert missed.dx_pix is None
    assert missed.reason


def test_one_exposure_or_two_grids_are_an_error():
    product, singles = star_association([(0, 0), (0, 0)])
    with pytest.raises(MeasurementError, match="fewer than two"):
        measure_alignment(product, singles[:1], PARAMETERS)
    smaller = DrizzledImage("small", product.sci[:, :-1], product.wht[:, :-1], 1.0)
    with pytest.raises(MeasurementError, match="not on one grid"):
        measure_alignment(smaller, singles, PARAMETERS)


def test_the_joint_solution_bridges_a_mosaic():
    rng = np.random.default_rng(5)
    places = rng.uniform(0, 1000, (120, 2))
    shifts = np.array([[0, 0], [0.5, 0], [0, 0.0]])
    positions = places[:, None] + shifts + rng.normal(0, 0.02, (120, 3, 2))
    positions[:40, 2] = np.nan
    positions[80:, 0] = np.nan
    records = register(["a", "b", "c"], table_of(positions, 0.02), np.zeros((3, 2)), PARAMETERS)
    found = np.array([(r.dx_pix, r.dy_pix) for r in records])
    assert found == pytest.approx(np.array([[0, 0], [0.5, 0], [0, 0]]), abs=0.03)


@pytest.mark.parametrize("number", [2, 3, 8])
def test_the_joint_solution_settles_at_once_and_does_not_drift(number, monkeypatch):
    rng = np.random.default_rng(number)
    places = rng.uniform(0, 600, (40, 1, 2))
    positions = places + rng.normal(0, 0.1, (40, number, 2))
    positions[rng.uniform(size=(40, number)) < 0.1] += rng.uniform(-1, 1, 2)
    positions[rng.uniform(size=(40, number)) < 0.1] = np.nan
    start = np.zeros((number, 2))
    _, motions = solve_motions(table_of(positions), start)
    shifts = np.array([motion.shift for motion in motions])
    assert shifts.mean(0) == pytest.approx((0, 0), abs=1e-12)
    assert np.mean([motion.rotation for motion in motions]) == pytest.approx(0, abs=1e-15)
    monkeypatch.setattr(registration, "SOLUTION_ROUNDS", 20)
    _, early = solve_motions(table_of(positions), start)
    assert np.array([motion.shift for motion in early]) == pytest.approx(shifts, abs=1e-4)


def test_an_exposure_without_common_sources_is_left_unmeasured():
    places = np.random.default_rng(1).uniform(0, 500, (30, 2))
    positions = np.repeat(places[:, None], 3, axis=1)
    positions[:, 2] = np.nan
    start = np.array([[0, 0], [0, 0], [np.nan, np.nan]])
    *seen, missed = register(["a", "b", "c"], table_of(positions), start, PARAMETERS)
    assert all(record.n_sources == 30 for record in seen)
    assert missed.dx_pix is None


@settings(max_examples=20)
@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(-1e-3, 1e-3), st.integers(0, 1000))
def test_a_fit_recovers_a_known_motion_among_wrong_matches(dx, dy, rotation, seed):
    rng = np.random.default_rng(seed)
    places = rng.uniform(-500, 500, (200, 2))
    truth = Motion(np.array([dx, dy]), rotation)
    difference = truth.displacement(places) + rng.normal(0, 0.03, places.shape)
    difference[:40] += rng.uniform(-2, 2, (40, 2))
    fit = fit_positions(difference, places, Motion(np.zeros(2), 0.0))
    assert np.hypot(*(fit.motion.shift - truth.shift)) < 6 * fit.shift_error
    assert abs(fit.motion.rotation - rotation) < 6 * fit.rotation_error
    assert fit.shift_error < 0.004


def test_the_stated_error_is_the_scatter_of_repeated_fits():
    rng = np.random.default_rng(11)
    places = rng.uniform(-500, 500, (60, 2))
    fits = [fit_positions(rng.normal(0, 0.05, places.shape), places, Motion(np.zeros(2), 0.0)) for _ in range(300)]
    shifts = np.array([fit.motion.shift for fit in fits])
    turns = np.array([fit.motion.rotation for fit in fits])
    assert shifts.std() == pytest.approx(np.mean([fit.shift_error for fit in fits]), rel=0.12)
    assert turns.std() == pytest.approx(np.mean([fit.rotation_error for fit in fits]), rel=0.15)


@pytest.mark.parametrize(("number", "spread"), [(5, 0.0), (12, 0.0), (12, 1.6), (40, 1.6)])
def test_the_error_of_few_or_unequal_sources_covers_what_it_says(number, spread):
    """The length of an offset exceeds 3.03 standard errors in 1 % of all cases, whatever the sources."""
    rng = np.random.default_rng(number)
    lengths = []
    for _ in range(500):
        errors = np.hypot(0.04, 0.1 * np.exp(spread * rng.normal(size=number)))
        difference = errors[:, None] * rng.standard_t(4, (number, 2)) / np.sqrt(2)
        places = rng.uniform(-300, 300, (number, 2))
        fit = fit_positions(difference, places, Motion(np.zeros(2), 0.0), 1 / errors**2)
        assert fit.effective <= number + 1e-9
        stated = fit.shift_error * small_sample_factor(fit.effective)
        lengths.append(np.hypot(*fit.local_shift) / stated)
    assert np.mean(np.array(lengths) > 3.03) < 0.03


def test_too_few_sources_give_no_fit_and_few_no_rotation():
    places = np.random.default_rng(0).uniform(0, 100, (9, 2))
    assert fit_positions(places[:3] * 0, places[:3], Motion(np.zeros(2), 0.0)) is None
    assert fit_positions(places * 0, places, Motion(np.zeros(2), 0.0)).rotation_error is None


def test_consensus_is_the_largest_group_and_all_where_none_agree():
    assert consensus(np.array([[0, 0], [0.02, 0], [1, 1], [0, 0.03]])).tolist() == [True, True, False, True]
    assert consensus(np.array([[0, 0], [1, 0]])).all()
    assert consensus(np.array([[0, 0], [1, 0], [0, 1]])).all()


@settings(max_examples=20)
@given(st.floats(-30, 30), st.floats(-30, 30), st.integers(0, 100))
def test_the_bulk_offset_is_found_among_cosmic_rays(dx, dy, seed):
    rng = np.random.default_rng(seed)
    stars = rng.uniform(0, 1000, (60, 2))
    seen = np.concatenate([stars + np.array([dx, dy]), rng.uniform(0, 1000, (300, 2))])
    reference = np.concatenate([stars, rng.uniform(0, 1000, (300, 2))])
    offset = bulk_offset(Peaks(seen, np.ones(360)), Peaks(reference, np.ones(360)), 40.0, 1.5)
    assert offset == pytest.approx((dx, dy), abs=0.2)


def test_random_peaks_have_no_bulk_offset():
    rng = np.random.default_rng(2)
    one, other = (Peaks(rng.uniform(0, 1000, (400, 2)), np.ones(400)) for _ in range(2))
    assert bulk_offset(one, other, 40.0, 1.5) is None
    assert bulk_offset(Peaks.joined([]), other, 40.0, 1.5) is None


def test_matches_are_mutual_nearest_neighbours():
    own, other = matched_pairs(np.array([[0.0, 0], [0.4, 0], [9, 9]]), np.array([[0.1, 0], [5, 5]]), 1.0)
    assert own.tolist() == [0]
    assert other.tolist() == [0]


@settings(max_examples=20)
@given(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5))
def test_centroids_are_right_to_a_hundredth_of_a_pixel(dx, dy):
    place = np.array([[15.0 + dx, 15.0 + dy]])
    sci = star_field((31, 31), place, np.array([5000.0]), 0.95) + 7.0
    image = DrizzledImage("a", sci, np.ones((31, 31)), 1.0)
    found = windowed_centroids(cut_out(image, np.rint(place), 5), np.rint(place), PARAMETERS)
    assert found == pytest.approx(place, abs=0.01)


def test_a_missing_pixel_spoils_a_source_in_its_middle_only():
    sci = star_field((31, 31), np.array([[15.0, 15.0]]), np.array([5000.0]), 0.95)
    places = np.array([[15.0, 15.0]])
    for y, x, spoiled in ((15, 16, True), (11, 11, False)):
        wht = np.ones((31, 31))
        wht[y, x] = 0
        cutouts = cut_out(DrizzledImage("a", sci, wht, 1.0), places, 5)
        assert np.isnan(windowed_centroids(cutouts, places, PARAMETERS)).all() == spoiled


def test_the_top_of_a_parabola():
    assert parabola_top(np.array([-(1.3**2), -(0.3**2), -(0.7**2)])) == pytest.approx(0.3)
    assert parabola_top(np.array([1.0, 1.0, 1.0])) == 0


@settings(max_examples=10)
@given(st.floats(-6, 6), st.floats(-6, 6))
def test_cross_correlation_recovers_a_shift_of_diffuse_structure(dx, dy):
    rng = np.random.default_rng(4)
    smooth = ndimage.gaussian_filter(rng.normal(size=(420, 420)), 2.0) * 30
    moved = ndimage.shift(smooth, (dy, dx), order=5)
    noise = rng.normal(size=(2, *smooth.shape))
    one, other = (
        (plane + n)[20:404, 20:404].astype(np.float32) for plane, n in zip((moved, smooth), noise, strict=True)
    )
    (x, y), sigma, n_blocks = offset_from_blocks(one, other, 10)
    assert n_blocks == 9
    assert (x, y) == pytest.approx((dx, dy), abs=0.1)
    assert 0 < sigma < 0.1


def test_cross_correlation_of_noise_finds_nothing():
    rng = np.random.default_rng(6)
    one, other = rng.normal(size=(2, 400, 400)).astype(np.float32)
    assert offset_from_blocks(one, other, 10) is None


def test_cross_correlation_measures_an_exposure_against_the_others():
    product, singles = star_association([(0, 0), (0, 0), (0, 0), (1.7, -0.8)], shape=(400, 400), cosmic_rays=200)
    region = overlap_region(coverage_map(singles))
    sources = ndimage.binary_dilation(product.sci > 15, iterations=2)
    records = correlate_with_others(singles, [0, 3], region, sources, PARAMETERS)
    assert sorted(records) == [0, 3]
    assert (records[3].dx_pix, records[3].dy_pix) == pytest.approx((1.7, -0.8), abs=0.06)
    assert (records[0].dx_pix, records[0].dy_pix) == pytest.approx((0, 0), abs=0.06)
    assert records[3].method is RegistrationMethod.CROSS_CORRELATION
    assert records[3].rotation_deg is None


def test_a_field_without_compact_sources_is_measured_by_cross_correlation():
    rng = np.random.default_rng(8)
    shape = (420, 420)
    y, x = np.indices(shape)
    scene = sum(
        rng.uniform(30, 90)
        * np.exp(
            -0.5
            * (
                ((x - cx) * np.cos(t) + (y - cy) * np.sin(t)) ** 2 / 90
                + ((y - cy) * np.cos(t) - (x - cx) * np.sin(t)) ** 2 / 12
            )
        )
        for cx, cy, t in rng.uniform((0, 0, 0), (420, 420, 3.14), (60, 3))
    )
    frames = [ndimage.shift(scene, (0, s), order=5) + rng.normal(0, 4, shape) for s in (0, 0, 0, 2.0)]
    ones = np.ones(shape, np.float32)
    singles = [DrizzledImage(f"e{i}", f.astype(np.float32), ones, 1.0) for i, f in enumerate(frames)]
    product = DrizzledImage("p", np.median(frames, axis=0).astype(np.float32), ones, 4.0)
    record = measure_alignment(product, singles, PARAMETERS).registration[3]
    assert record.dx_pix == pytest.approx(2.0, abs=4 * record.sigma_pix)


@settings(max_examples=20)
@given(st.floats(0.9, 1.6), st.floats(0.05, 0.8))
def test_concentration_falls_with_the_width_of_a_source(width, more):
    place = np.array([[20.3, 19.8]])
    values = [
        concentration(
            cut_out(
                DrizzledImage("a", star_field((41, 41), place, np.array([1e4]), w), np.ones((41, 41)), 1.0),
                np.rint(place),
                8,
            ),
            place,
            1.0,
        )[0]
        for w in (width, width + more)
    ]
    assert values[1] < values[0]


def test_sharpness_is_relative_to_the_other_exposures():
    table = np.zeros((20, 3)) + np.linspace(-1, 1, 20)[:, None]
    table[:, 1] -= 0.2
    assert exposure_sharpness("b", 1, table, None).log_ratio == pytest.approx(-0.2)
    assert exposure_sharpness("a", 0, table, None).log_ratio == pytest.approx(0.1)
    assert exposure_sharpness("a", 0, table[:2], None).log_ratio is None


def test_a_blurred_exposure_is_less_sharp_than_the_others():
    ratios = [
        measured([(0, 0)] * 3 + [StarExposure(star_sigma=width)]).sharpness[3].log_ratio for width in (0.95, 1.1, 1.38)
    ]
    assert ratios == sorted(ratios, reverse=True)
    assert abs(ratios[0]) < 0.02
    assert ratios[2] < -0.3


@pytest.mark.parametrize(("length", "angle", "expected"), [(0, 0, "good"), (3, 30, "trailed"), (4, 120, "trailed")])
def test_trailed_sources_show_in_their_common_elongation(length, angle, expected):
    rng = np.random.default_rng(12)
    shape = (320, 320)
    places = star_places(shape, rng)
    fluxes = 10 ** rng.uniform(3, 4, len(places))
    steps = np.linspace(-0.5, 0.5, 21) * length
    along = np.array([np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))])
    sci = sum(star_field(shape, places + s * along, fluxes / len(steps), 0.95) for s in steps)
    sci = sci + rng.normal(0, 1, shape)
    record = check_guiding(DrizzledImage("a", sci, np.ones(shape), 1.0), PARAMETERS)
    assert record.outcome is GuidingOutcome(expected)
    if length:
        assert record.position_angle_deg == pytest.approx(angle, abs=4)
        assert record.elongation > record.threshold


def test_guiding_is_undetermined_without_sources():
    noise = np.random.default_rng(0).normal(size=(100, 100))
    record = check_guiding(DrizzledImage("a", noise, np.ones((100, 100)), 1.0), PARAMETERS)
    assert record.outcome is GuidingOutcome.UNDETERMINED
    assert record.elongation is None


@given(
    st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=200), st.floats(0.1, 4.0), st.integers(0, 4)
)  # fmt: skip
def test_clipped_statistics_equal_clipping_step_by_step(numbers, limit, rounds):
    kept = array = np.array(numbers, np.float32)
    for _ in range(rounds):
        reach = kept.std() * limit
        inside = (kept >= np.median(kept) - reach) & (kept <= np.median(kept) + reach)
        kept = kept[inside] if inside.any() else kept
    found = sigma_clipped_statistics(array, limit, rounds)
    assert (found.mean, found.median, found.sigma) == (kept.mean(), np.median(kept), kept.std())


@pytest.mark.parametrize("rounds", [None, -1, 1, 3])
def test_clipped_statistics_equal_astropy_to_the_last_bit(rounds):
    from astropy.stats import sigma_clipped_stats

    rng = np.random.default_rng(1)
    array = rng.normal(3, 1, (170, 230)).astype(np.float32)
    array[rng.uniform(size=array.shape) < 0.03] += 40
    expected = sigma_clipped_stats(array, sigma=3.0, maxiters=rounds)
    found = sigma_clipped_statistics(array, 3.0, rounds)
    assert (found.mean, found.median, found.sigma) == expected


def test_a_median_whose_bracket_misses_the_middle_is_right():
    values = np.zeros(4 * SAMPLE + 1)
    values[1::4], values[2::4], values[3::4] = 1.0, 2.0, 3.0
    assert sigma_clipped_statistics(values, 3.0, 0).median == np.median(values)


def test_no_image_at_all_is_an_error():
    with pytest.raises(MeasurementError, match="no single-drizzled image"):
        check_common_grid(())


def test_nothing_matches_nothing():
    nothing, something = np.empty((0, 2)), np.zeros((1, 2))
    for pair in ((nothing, something), (something, nothing)):
        assert all(len(found) == 0 for found in matched_pairs(*pair, 1.0))


@pytest.mark.parametrize("plane", ["saturated", "cosmic_rays"])
def test_guiding_is_judged_without_flagged_sources(plane):
    _, (image, _) = star_association([(0, 0)] * 2)
    flagged = attrs.evolve(image, saturated=None, cosmic_rays=None)
    assert check_guiding(flagged, PARAMETERS).outcome is not GuidingOutcome.UNDETERMINED
    planes: dict[str, Any] = {plane: np.ones(image.shape, bool)}
    everywhere = attrs.evolve(flagged, **planes)
    assert check_guiding(everywhere, PARAMETERS).outcome is GuidingOutcome.UNDETERMINED
