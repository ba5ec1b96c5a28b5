"""Similarity of an exposure to the product, of a product to another, and the region they are compared in."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from astrodriz_core.errors import MeasurementError
from astrodriz_core.measure.footprint import coverage_map, largest_count, maximum_overlap, overlap_region
from astrodriz_core.measure.images import DrizzledImage
from astrodriz_core.records.common import Verdict
from astrodriz_core.testing import PARAMETERS, star_association, star_field, star_places
from astrodriz_core.verify.comparison import compare_products
from astrodriz_core.verify.measurement import measure_alignment
from astrodriz_core.verify.scan import contaminated, find_peaks
from astrodriz_core.verify.similarity import (
    DifferenceSums,
    exposure_similarity,
    hamming_distance,
    mean_squared_error_index,
    similarity_measurements,
)

SHAPE = (64, 80)


def image_pair(shift: float, noise: float = 0.0, scale: float = 1.0, seed: int = 0):
    rng = np.random.default_rng(seed)
    places = star_places(SHAPE, rng)
    fluxes = 10 ** rng.uniform(2.5, 4, len(places))
    one = star_field(SHAPE, places, fluxes, 1.0) + rng.normal(0, noise, SHAPE)
    other = star_field(SHAPE, places + np.array([shift, 0]), fluxes, 1.0) + rng.normal(0, noise, SHAPE)
    return scale * one, scale * other


def sums_of(one, other, threshold=20.0, compared=None):
    everywhere = np.ones(SHAPE, bool) if compared is None else compared
    return DifferenceSums.of_strip(one, other, one > threshold, other > threshold, everywhere)


def test_an_image_equals_itself():
    one, _ = image_pair(0.0, noise=1.0)
    sums = sums_of(one, one)
    assert hamming_distance(sums) == 0
    assert mean_squared_error_index(sums) == 0


@settings(max_examples=20)
@given(st.floats(0.05, 1.5), st.floats(0.1, 1.0), st.floats(0.0, 2.0))
def test_a_pure_shift_raises_the_mean_squared_error(shift, more, noise):
    near = mean_squared_error_index(sums_of(*image_pair(shift, noise)))
    far = mean_squared_error_index(sums_of(*image_pair(shift + more, noise)))
    assert 0 < near < far


def test_a_pure_shift_raises_the_hamming_distance():
    distances = [hamming_distance(sums_of(*image_pair(shift))) for shift in (0.0, 0.5, 1.0, 2.0, 4.0)]
    assert distances == sorted(distances)
    assert distances[0] == 0
    assert distances[-1] > 1


def test_mean_squared_error_is_one_where_as_much_differs_as_is_there():
    one, _ = image_pair(0.0)
    other = np.zeros_like(one)
    sums = DifferenceSums.of_strip(one, other, one > 20, other > 20, np.ones(SHAPE, bool))
    assert mean_squared_error_index(sums) == pytest.approx(2.0)
    half = DifferenceSums.of_strip(one, one / (1 + np.sqrt(2 / 3)), one > 20, other > 20, np.ones(SHAPE, bool))
    ratio = 1 / (1 + np.sqrt(2 / 3))
    assert mean_squared_error_index(half) == pytest.approx(2 * (1 - ratio) ** 2 / (1 + ratio**2), rel=1e-6)


@settings(max_examples=20)
@given(st.floats(0.0, 3.0), st.floats(0.01, 100))
def test_indices_do_not_change_with_the_flux_unit(shift, scale):
    plain = sums_of(*image_pair(shift, 1.0))
    one, other = image_pair(shift, 1.0, scale)
    scaled = sums_of(one, other, threshold=20.0 * scale)
    assert mean_squared_error_index(scaled) == pytest.approx(mean_squared_error_index(plain), rel=1e-6)
    assert hamming_distance(scaled) == pytest.approx(hamming_distance(plain), abs=0.01)


@given(st.floats(0.0, 3.0))
def test_mean_squared_error_is_symmetric(shift):
    one, other = image_pair(shift, 1.0)
    forth, back = sums_of(one, other), sums_of(other, one)
    assert mean_squared_error_index(forth) == pytest.approx(mean_squared_error_index(back), rel=1e-9)


def test_noise_alone_adds_little():
    noisy = mean_squared_error_index(sums_of(*image_pair(0.0, noise=5.0)))
    assert noisy < 0.01


def test_sums_add_up_over_strips():
    one, other = image_pair(0.4, 1.0)
    top, bottom = (
        DifferenceSums.of_strip(
            one[part], other[part], one[part] > 20, other[part] > 20, np.ones(one[part].shape, bool)
        )
        for part in (slice(0, 30), slice(30, None))
    )
    whole = sums_of(one, other)
    assert (top + bottom).differing_pixels == whole.differing_pixels
    assert (top + bottom).squared_difference == pytest.approx(whole.squared_difference)
    assert (top + bottom).squared_signal == pytest.approx(whole.squared_signal)


def test_pixels_outside_the_region_and_missing_ones_count_nowhere():
    one, other = image_pair(0.0)
    spoiled = other.copy()
    spoiled[:20] += 1000
    spoiled[20:30] = np.nan
    inside = np.ones(SHAPE, bool)
    inside[:20] = False
    assert mean_squared_error_index(sums_of(one, spoiled, compared=inside)) == pytest.approx(0.0, abs=1e-12)


def test_no_source_gives_no_index():
    empty = sums_of(np.zeros(SHAPE), np.zeros(SHAPE))
    assert hamming_distance(empty) is None
    assert mean_squared_error_index(empty) is None
    assert exposure_similarity("a", empty, 1.0).index is None
    assert similarity_measurements([exposure_similarity("a", empty, 1.0)]).index is None


def test_hamming_distance_scales_with_exposure_time_and_the_smaller_index_counts():
    sums = sums_of(*image_pair(4.0))
    full, tenth = exposure_similarity("a", sums, 1.0), exposure_similarity("b", sums, 0.1)
    assert tenth.hamming == pytest.approx(0.1 * full.hamming)
    assert full.index == min(full.hamming, full.mean_squared_error)
    assert tenth.index == tenth.hamming
    assert similarity_measurements([full, tenth]).index == full.index


def test_coverage_counts_finite_pixels_with_weight():
    sci, wht = np.zeros((4, 5)), np.ones((4, 5))
    sci[0, 0] = np.nan
    wht[1, 1] = 0
    wht[2, 2] = np.nan
    count = coverage_map((DrizzledImage("a", sci, wht, 1.0), DrizzledImage("b", sci, np.ones((4, 5)), 1.0)))
    assert (count[0, 0], count[1, 1], count[2, 2], count[3, 3]) == (0, 1, 1, 2)


def test_region_of_maximum_overlap_and_its_fallback():
    coverage = np.zeros((20, 30), int)
    coverage[2:10, 3:20] = 1
    coverage[4:9, 5:18] = 2
    coverage[5:8, 6:12] = 3
    inside = coverage >= 1
    assert largest_count(coverage) == 3
    assert np.array_equal(maximum_overlap(coverage, inside), coverage == 3)
    misses = inside.copy()
    misses[:, :12] = False
    assert np.array_equal(maximum_overlap(coverage, misses), (coverage == 2) & misses)
    alone = np.zeros_like(inside)
    alone[2, 3] = True
    assert not maximum_overlap(coverage, alone).any()
    region = overlap_region(coverage)
    assert (region.y_start, region.y_stop, region.x_start, region.x_stop) == (5, 8, 6, 12)
    assert (region.n_pixels, region.n_exposures) == (18, 3)
    assert overlap_region(np.zeros((3, 3), int)) is None


def test_a_flagged_pixel_on_a_source_is_not_taken_for_a_cosmic_ray():
    flags, sources = np.zeros((30, 30), bool), np.zeros((30, 30), bool)
    flags[5, 5] = flags[20, 20] = True
    sources[19:22, 19:22] = True
    image = DrizzledImage("a", np.zeros((30, 30)), np.ones((30, 30)), 1.0, cosmic_rays=flags)
    spoiled = contaminated(image, sources)
    assert spoiled[5, 5]
    assert spoiled[5, 7]
    assert not spoiled[18:23, 18:23].any()
    assert not contaminated(attrs.evolve(image, cosmic_rays=None), sources).any()


def test_flagged_cosmic_rays_hardly_raise_the_similarity_index():
    product, singles = star_association([(0, 0)] * 3, cosmic_rays=60, noise=3.0)
    flagged = measure_alignment(product, singles, PARAMETERS).similarity
    unknown = [attrs.evolve(single, cosmic_rays=None) for single in singles]
    blind = measure_alignment(product, unknown, PARAMETERS).similarity
    assert flagged.index < 0.5 * blind.index


def test_a_displaced_exposure_raises_the_similarity_index():
    indices = [
        measure_alignment(*star_association([(0, 0)] * 3 + [(shift, 0)]), PARAMETERS).similarity.index
        for shift in (0.0, 0.5, 1.0, 2.0)
    ]
    assert indices == sorted(indices)
    assert indices[0] < 0.02
    assert indices[-1] > 0.5


def moved(image: DrizzledImage, dx: float, dy: float, rotation_deg: float = 0.0) -> DrizzledImage:
    turn = np.deg2rad(rotation_deg)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    centre = (np.array(image.shape) - 1) / 2
    offset = centre - matrix @ (centre + np.array([dy, dx]))
    sci = ndimage.affine_transform(image.sci, matrix, offset, order=5, mode="nearest")
    return attrs.evolve(image, sci=sci.astype(np.float32))


@pytest.mark.parametrize(("dx", "dy", "turn"), [(0, 0, 0), (0.4, -0.3, 0), (7.3, -4.6, 0), (2.2, 1.1, 0.2)])
def test_the_intended_motion_of_the_frame_is_measured_and_removed(dx, dy, turn):
    product, _ = star_association([(0, 0)] * 3, shape=(240, 256))
    record = compare_products(moved(product, dx, dy, turn), product, PARAMETERS)
    assert record.verdict is Verdict.ALIGNED
    assert record.index < 0.02
    assert record.rotation_deg == pytest.approx(turn, abs=0.02)
    if turn == 0:
        assert (record.dx_pix, record.dy_pix) == pytest.approx((dx, dy), abs=0.02)


def test_a_product_whose_exposures_disagree_differs_from_the_reference():
    product, _ = star_association([(0, 0)] * 3)
    other = moved(product, 3.0, 0.0)
    doubled = attrs.evolve(product, sci=(product.sci + other.sci) / 2)
    index = compare_products(doubled, product, PARAMETERS).index
    assert index > 0.2
    assert index > 10 * compare_products(product, product, PARAMETERS).index


def test_products_without_common_sources_are_undetermined():
    product, _ = star_association([(0, 0)] * 3)
    rng = np.random.default_rng(9)
    blank = attrs.evolve(product, sci=rng.normal(size=product.shape).astype(np.float32))
    record = compare_products(blank, product, PARAMETERS)
    assert record.verdict is Verdict.UNDETERMINED
    assert record.index is None
    assert record.check.reason


def test_products_on_different_grids_are_an_error():
    product, _ = star_association([(0, 0)] * 2)
    smaller = DrizzledImage("b", product.sci[:-1], product.wht[:-1], 1.0)
    with pytest.raises(MeasurementError, match="not on one grid"):
        compare_products(product, smaller, PARAMETERS)


@pytest.mark.parametrize(("away", "reason"), [(1, "bulk motion"), (3, "stands out")])
def test_products_whose_sources_miss_a_pixel_are_undetermined(away, reason):
    product, _ = star_association([(0, 0)] * 3)
    sci = product.sci.copy()
    for x, y in np.rint(find_peaks(product, PARAMETERS).positions).astype(int):
        sci[y, min(x + away, sci.shape[1] - 1)] = np.nan
    record = compare_products(attrs.evolve(product, sci=sci), product, PARAMETERS)
    assert record.verdict is Verdict.UNDETERMINED
    assert reason in record.check.reason
