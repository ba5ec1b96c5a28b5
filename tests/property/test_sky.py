"""Sky levels, what is subtracted from whom, and the polygons of overlaps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from astrodriz_core.combine.polygons import convex_overlap, polygon_mask
from astrodriz_core.combine.sky import (
    ChipScale,
    OverlapSky,
    SkyLevel,
    match_sky,
    measure_sky,
    minimum_brightness,
    pool_levels,
    solve_sky,
)
from astrodriz_core.combine.statistics import ClippingParameters, estimate_level, iraf_statistics
from astrodriz_core.errors import MeasurementError
from astrodriz_core.parameters.choices import SkyMethod, SkyStatistic

DEFAULT = ClippingParameters()
LEVELS = st.floats(-10.0, 1000.0)
SQUARE = [(1.0, 2.0), (5.0, 2.0), (5.0, 6.0), (1.0, 6.0)]


def field(level: float = 50.0, seed: int = 3):
    return np.random.default_rng(seed).normal(level, 4.0, (70, 90)).astype(np.float32)


def overlaps_of(levels: list[float], pairs: list[tuple[int, int]], npix: int = 100) -> list[OverlapSky]:
    return [OverlapSky(i, j, levels[i], levels[j], npix, npix) for i, j in pairs]


@pytest.mark.parametrize("statistic", SkyStatistic)
def test_every_statistic_finds_the_level_despite_stars_and_bad_pixels(statistic: SkyStatistic):
    image = field()
    image[10:15, 10:15] += 5000.0
    good = np.ones(image.shape, dtype=bool)
    good[40:50] = False
    image[40:50] = -900.0
    found = measure_sky(image, good, statistic, DEFAULT)
    # The histogram of 5000 values has a peak that wanders by a good part of the noise.
    tolerance = 2.5 if statistic is SkyStatistic.MODE else 0.5
    assert found.value == pytest.approx(50.0, abs=tolerance)
    assert found.npix <= good.sum() - 25


def test_median_of_few_values_is_exact():
    image = np.array([[1.0, 2.0, 9.0]], dtype=np.float32)
    assert measure_sky(image, None, SkyStatistic.MEDIAN, DEFAULT) == SkyLevel(2.0, 3)


def test_limits_hold():
    image = np.array([[-200.0, 1.0, 2.0, 3.0, 900.0]], dtype=np.float32)
    limits = ClippingParameters(lower=-100.0, upper=100.0, nclip=0)
    assert measure_sky(image, None, SkyStatistic.MEDIAN, limits) == SkyLevel(2.0, 3)


def test_nan_does_not_count():
    image = np.array([[np.nan, 1.0, 2.0, 3.0, np.inf]], dtype=np.float32)
    assert measure_sky(image, None, SkyStatistic.MEAN, DEFAULT) == SkyLevel(2.0, 3)


@pytest.mark.parametrize("value", [1.0, np.nan])
def test_no_good_pixel_is_none(value: float):
    image = np.full((4, 4), value, dtype=np.float32)
    good = np.full((4, 4), bool(np.isnan(value)))
    assert measure_sky(image, good, SkyStatistic.MEDIAN, DEFAULT) is None


def test_a_mask_of_another_shape_is_an_error():
    with pytest.raises(MeasurementError, match="shape"):
        measure_sky(field(), np.ones((2, 2), dtype=bool), SkyStatistic.MEDIAN, DEFAULT)


def test_measuring_modifies_nothing():
    image, good = field(), np.ones((70, 90), dtype=bool)
    before = image.copy()
    measure_sky(image, good, SkyStatistic.MODE, DEFAULT)
    np.testing.assert_array_equal(image, before)
    assert good.all()


@given(value=LEVELS, scale=st.floats(0.01, 0.2), exptime=st.none() | st.floats(1.0, 5000.0))
def test_brightness_there_and_back(value: float, scale: float, exptime: float | None):
    chip = ChipScale(scale, exptime)
    assert chip.level(chip.brightness(SkyLevel(value, 5)).value) == pytest.approx(value)


def test_counts_are_divided_by_area_and_time():
    assert ChipScale(0.5, 100.0).brightness(SkyLevel(50.0, 7)) == SkyLevel(2.0, 7)
    assert ChipScale(0.5).brightness(SkyLevel(50.0, 7)) == SkyLevel(200.0, 7)


@pytest.mark.parametrize("bad", [(0.0, None), (0.05, 0.0), (0.05, -1.0)])
def test_a_scale_without_area_or_time_is_refused(bad: tuple[float, float | None]):
    with pytest.raises(ValueError, match="must be"):
        ChipScale(*bad)


def test_pooling_weighs_by_pixels():
    assert pool_levels([SkyLevel(1.0, 30), None, SkyLevel(4.0, 10)]) == SkyLevel(1.75, 40)
    assert pool_levels([None, SkyLevel(9.0, 0)]) is None
    assert pool_levels([]) is None


def test_the_lowest_chip_stands_for_its_exposure():
    assert minimum_brightness([SkyLevel(3.0, 1), None, SkyLevel(2.0, 1)]) == 2.0
    assert minimum_brightness([None]) is None


def test_localmin_and_globalmin():
    minima = [3.0, None, 2.0]
    assert solve_sky(SkyMethod.LOCALMIN, minima) == (3.0, 0.0, 2.0)
    assert solve_sky(SkyMethod.GLOBALMIN, minima) == (2.0, 2.0, 2.0)
    assert solve_sky(SkyMethod.GLOBALMIN, [None, None]) == (0.0, 0.0)


@given(levels=st.lists(LEVELS, min_size=2, max_size=6))
def test_match_recovers_true_differences(levels: list[float]):
    pairs = [(i, i + 1) for i in range(len(levels) - 1)]
    deltas = match_sky(len(levels), overlaps_of(levels, pairs))
    np.testing.assert_allclose(deltas, np.array(levels) - min(levels), atol=1e-6)


@given(levels=st.lists(LEVELS, min_size=3, max_size=5))
def test_matching_then_subtracting_the_minimum_removes_a_uniform_sky(levels: list[float]):
    pairs = [(i, j) for i in range(len(levels)) for j in range(i)]
    solved = solve_sky(SkyMethod.GLOBALMIN_MATCH, levels, overlaps_of(levels, pairs))
    np.testing.assert_allclose(solved, levels, atol=1e-6)


def test_contradicting_overlaps_are_weighed_by_pixels():
    overlaps = [OverlapSky(0, 1, 1.0, 0.0, 300, 300), OverlapSky(0, 1, 2.0, 0.0, 100, 100)]
    # Weights enter squared: (9 * 1 + 1 * 2) / 10.
    assert match_sky(2, overlaps) == (pytest.approx(1.1), 0.0)


def test_isolated_exposures_are_not_matched():
    overlaps = overlaps_of([5.0, 7.0], [(0, 1)])
    assert match_sky(3, overlaps)[2] is None
    assert solve_sky(SkyMethod.MATCH, [5.0, 7.0, 90.0], overlaps) == pytest.approx((0.0, 2.0, 0.0))
    assert solve_sky(SkyMethod.GLOBALMIN_MATCH, [5.0, 7.0, 90.0], overlaps) == pytest.approx((5.0, 7.0, 5.0))


def test_groups_are_shifted_together():
    overlaps = overlaps_of([0.0, 4.0, 0.0, 2.0], [(0, 1), (2, 3)])
    # Each group has mean 0 before the common shift: -2, 2 and -1, 1.
    assert match_sky(4, overlaps) == pytest.approx((0.0, 4.0, 1.0, 3.0))


def test_no_overlap_at_all():
    assert match_sky(2, []) == (None, None)
    assert match_sky(2, [OverlapSky(0, 1, 3.0, 1.0, 0, 50)]) == (None, None)
    assert solve_sky(SkyMethod.MATCH, [3.0]) == (0.0,)
    assert solve_sky(SkyMethod.GLOBALMIN_MATCH, [3.0]) == (3.0,)


@pytest.mark.parametrize("pair", [(0, 0), (0, 3), (-1, 1)])
def test_impossible_overlaps_are_errors(pair: tuple[int, int]):
    with pytest.raises(MeasurementError, match="overlap"):
        match_sky(2, [OverlapSky(*pair, 1.0, 2.0, 5, 5)])


def test_square_covers_its_pixels_with_lower_left_sides():
    mask = polygon_mask(SQUARE, (8, 9))
    expected = np.zeros((8, 9), dtype=bool)
    expected[2:6, 1:5] = True
    np.testing.assert_array_equal(mask, expected)


def test_closed_outline_and_sense_of_rotation_do_not_matter():
    expected = polygon_mask(SQUARE, (8, 9))
    np.testing.assert_array_equal(polygon_mask([*SQUARE, SQUARE[0]], (8, 9)), expected)
    np.testing.assert_array_equal(polygon_mask(SQUARE[::-1], (8, 9)), expected)


@given(cut=st.floats(1.1, 4.9), slope=st.floats(-0.5, 0.5))
def test_polygons_side_by_side_share_no_pixel_and_miss_none(cut: float, slope: float):
    low, high = (cut - slope, 0.0), (cut + slope, 9.0)
    left = polygon_mask([(-3.0, 0.0), low, high, (-3.0, 9.0)], (9, 7))
    right = polygon_mask([low, (20.0, 0.0), (20.0, 9.0), high], (9, 7))
    assert not (left & right).any()
    assert (left | right).all()


def test_vertices_outside_the_array():
    assert polygon_mask([(-50, -50), (50, -50), (50, 50), (-50, 50)], (6, 5)).all()
    assert not polygon_mask([(10, 10), (20, 10), (20, 20)], (6, 5)).any()
    assert not polygon_mask([(1, 1), (3, 3)], (6, 5)).any()


def test_outline_that_crosses_itself_goes_by_odd_crossings():
    twice = [*SQUARE, *SQUARE]
    assert not polygon_mask(twice, (8, 9)).any()


@pytest.mark.parametrize("bad", [[(0.0, np.nan), (1.0, 1.0), (2.0, 0.0)], [1.0, 2.0, 3.0], np.zeros((4, 3))])
def test_bad_vertices_are_errors(bad):
    with pytest.raises(MeasurementError, match="polygon"):
        polygon_mask(bad, (5, 5))


def area(polygon: np.ndarray) -> float:
    x, y = polygon.T
    return 0.5 * abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))


def test_overlap_of_two_squares():
    other = np.array(SQUARE) + 2.0
    overlap = convex_overlap(SQUARE, other)
    assert area(overlap) == pytest.approx(4.0)
    assert overlap.min(axis=0) == pytest.approx([3.0, 4.0])
    assert convex_overlap(SQUARE, np.array(SQUARE) + 10.0).shape == (0, 2)


@given(dx=st.floats(-5.0, 5.0), dy=st.floats(-5.0, 5.0), angle=st.floats(0.0, 6.0))
def test_overlap_is_symmetric_and_fits_in_both(dx: float, dy: float, angle: float):
    cos, sin = np.cos(angle), np.sin(angle)
    other = (np.array(SQUARE) - 3.0) @ [[cos, sin], [-sin, cos]] + [dx + 3.0, dy + 3.0]
    one, two = convex_overlap(SQUARE, other), convex_overlap(other[::-1], SQUARE)
    first, second = (area(polygon) if len(polygon) else 0.0 for polygon in (one, two))
    assert first == pytest.approx(second, abs=1e-9)
    assert first <= 16.0 + 1e-9


def test_overlap_with_itself_is_itself():
    assert area(convex_overlap(SQUARE, SQUARE)) == pytest.approx(16.0)


def test_the_overlap_does_not_depend_on_the_sense_of_rotation():
    square, moved = np.array([(0, 0), (4, 0), (4, 4), (0, 4)]), np.array([(2, 1), (6, 1), (6, 3), (2, 3)])
    for window in (moved, moved[::-1]):
        overlap = convex_overlap(square, window)
        assert {tuple(vertex) for vertex in overlap.tolist()} == {(2, 1), (4, 1), (4, 3), (2, 3)}


def test_the_mode_of_two_equal_bins_lies_between_them():
    values = np.array([0.0, 0.0, 1.0, 1.0])
    clipped = iraf_statistics(values, ClippingParameters(nclip=0))
    width = 1.0 / clipped.stddev
    assert estimate_level(values, clipped, SkyStatistic.MODE, binwidth=0.9 * width) == pytest.approx(0.9)
