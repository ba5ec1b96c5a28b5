"""Static mask, and the clipped statistics that it shares with the sky."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from astrodriz_core.combine.static_mask import static_mask
from astrodriz_core.combine.statistics import ClippingParameters, estimate_level, iraf_statistics
from astrodriz_core.errors import MeasurementError
from astrodriz_core.parameters.choices import SkyStatistic

NO_CLIPPING = ClippingParameters(nclip=0)


def background(seed: int = 1, shape: tuple[int, int] = (60, 80), level: float = 30.0, sigma: float = 5.0):
    return np.random.default_rng(seed).normal(level, sigma, shape).astype(np.float32)


def test_pixel_far_below_the_mode_in_one_exposure_is_bad():
    first, second = background(1), background(2)
    first[5, 7] = -100.0
    mask, statistics = static_mask([first, second], 4.0)
    assert mask[5, 7]
    assert mask[5, 7] == (first[5, 7] < statistics[0].threshold)
    assert statistics[0].pixels >= 1


def test_mask_is_the_union_over_exposures_and_does_not_know_their_order():
    images = [background(seed) for seed in range(3)]
    mask, _ = static_mask(images, 2.0)
    backwards, _ = static_mask(images[::-1], 2.0)
    alone = [static_mask([image], 2.0)[0] for image in images]
    np.testing.assert_array_equal(mask, np.logical_or.reduce(alone))
    np.testing.assert_array_equal(mask, backwards)


def test_threshold_is_mode_minus_sigma_deviations():
    image = background()
    _, (found,) = static_mask([image], 3.0)
    assert found.threshold == found.mode - 3.0 * found.stddev
    # The peak of a histogram of 4800 values wanders by a good part of the noise.
    assert found.mode == pytest.approx(30.0, abs=2.5)
    assert found.stddev == pytest.approx(5.0, rel=0.05)


def test_bright_pixels_are_never_bad():
    image = background()
    image[10:20, 10:20] += 1e5
    mask, _ = static_mask([image], 4.0)
    assert not mask[10:20, 10:20].any()


@given(low=st.floats(0.5, 3.0), more=st.floats(0.0, 3.0))
def test_a_larger_sigma_masks_no_more(low: float, more: float):
    image = background()
    tight, _ = static_mask([image], low)
    loose, _ = static_mask([image], low + more)
    assert not (loose & ~tight).any()


@given(scale=st.sampled_from([0.25, 2.0, 64.0]), offset=st.sampled_from([-32.0, 0.0, 64.0]))
def test_mask_does_not_depend_on_units(scale: float, offset: float):
    image = np.round(background() * 4.0).astype(np.float32) / 4.0
    image[3, 4] = -80.0
    expected, _ = static_mask([image], 4.0)
    mask, _ = static_mask([image * np.float32(scale) + np.float32(offset)], 4.0)
    np.testing.assert_array_equal(mask, expected)


def test_nan_is_never_bad_and_spoils_nothing():
    image = background()
    image[3, 4] = -500.0
    expected, _ = static_mask([image], 4.0)
    image[20:30, 20] = np.nan
    mask, (found,) = static_mask([image], 4.0)
    assert not mask[20:30, 20].any()
    assert found is not None
    assert mask[3, 4]
    assert expected[3, 4]


@pytest.mark.parametrize("value", [7.0, np.nan])
def test_constant_or_empty_image_brings_nothing(value: float):
    mask, statistics = static_mask([np.full((9, 9), value, dtype=np.float32)], 4.0)
    assert not mask.any()
    assert statistics == (None,)


def test_images_are_not_modified():
    image = background()
    before = image.copy()
    static_mask([image], 4.0)
    np.testing.assert_array_equal(image, before)


def test_no_image_and_different_shapes_are_errors():
    with pytest.raises(MeasurementError, match="at least one"):
        static_mask([], 4.0)
    with pytest.raises(MeasurementError, match="one shape"):
        static_mask([background(), background(shape=(3, 4))], 4.0)


def test_clipping_leaves_out_the_outlier_and_counts():
    sample = np.append(background().ravel(), np.float32(1e6))
    clipped = iraf_statistics(sample, ClippingParameters(nclip=3))
    assert clipped.maximum < 100.0
    assert clipped.mean == pytest.approx(30.0, abs=0.3)
    assert clipped.npix <= sample.size - 1


def test_limits_are_inclusive_and_deviation_has_n_minus_one():
    clipped = iraf_statistics(np.arange(1.0, 6.0), ClippingParameters(lower=2.0, upper=4.0, nclip=0))
    assert (clipped.npix, clipped.mean, clipped.stddev) == (3, 3.0, 1.0)
    assert (clipped.minimum, clipped.maximum) == (2.0, 4.0)


@pytest.mark.parametrize("sample", [[], [np.nan, np.nan], [50.0, 60.0]])
def test_nothing_left_is_none(sample: list[float]):
    assert iraf_statistics(np.array(sample), ClippingParameters(upper=10.0)) is None


def test_one_value_has_no_deviation():
    clipped = iraf_statistics(np.array([3.0]), ClippingParameters())
    assert (clipped.npix, clipped.mean, clipped.stddev) == (1, 3.0, 0.0)


def test_mode_of_a_known_histogram():
    # 0, 1, 2 ... 10 with counts 1, 2, 5, 4, 1, ... : bins of width 1 and the parabola through 2, 5, 4.
    counts = [1, 2, 5, 4, 1, 1, 1, 1, 1, 1, 1]
    sample = np.repeat(np.arange(11.0), counts).astype(np.float32)
    clipped = iraf_statistics(sample, NO_CLIPPING)
    mode = estimate_level(sample, clipped, SkyStatistic.MODE, 1.0 / clipped.stddev)
    assert mode == pytest.approx(2.5 + 0.5 * (3 - 1) / (3 + 1))


def test_midpt_halves_a_known_histogram():
    sample = np.repeat(np.arange(4.0), [1, 1, 2, 2]).astype(np.float32)
    clipped = iraf_statistics(sample, NO_CLIPPING)
    midpt = estimate_level(sample, clipped, SkyStatistic.MIDPT, 1.0 / clipped.stddev)
    assert midpt == pytest.approx(2.5)


def test_alike_values_have_the_middle_of_their_bin():
    sample = np.full(9, 4.0, dtype=np.float32)
    clipped = iraf_statistics(sample, NO_CLIPPING)
    for statistic in SkyStatistic:
        assert estimate_level(sample, clipped, statistic, 0.1) == 4.0


@given(shift=st.floats(-100.0, 100.0), statistic=st.sampled_from(SkyStatistic))
def test_level_follows_an_offset(shift: float, statistic: SkyStatistic):
    sample = background().astype(np.float32)
    moved = sample + np.float32(shift)
    before = iraf_statistics(sample, ClippingParameters())
    after = iraf_statistics(moved, ClippingParameters())
    one = estimate_level(sample, before, statistic, 0.1)
    two = estimate_level(moved, after, statistic, 0.1)
    assert two - one == pytest.approx(shift, abs=0.2 * before.stddev)


@pytest.mark.parametrize("bad", [{"nclip": -1}, {"lsigma": 0.0}, {"usigma": -1.0}, {"binwidth": 0.0}])
def test_bad_clipping_parameters_are_refused(bad: dict[str, Any]):
    with pytest.raises(ValueError, match="must be"):
        ClippingParameters(**bad)
