"""Sinc interpolation: exact on pixels, accurate between them, well behaved at edges and beyond."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from astrodriz_core.combine import sinc
from astrodriz_core.combine.sinc import sinc_interpolate
from astrodriz_core.errors import MeasurementError

SHAPE = (40, 44)
Y, X = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(float)
INSIDE = np.s_[10:-10, 10:-10]

offsets = st.floats(-0.5, 0.5)


def positions(dx=0.0, dy=0.0):
    return np.stack([X + dx, Y + dy], axis=-1)


def waves(x, y):
    """A well sampled image: no wave shorter than 20 pixels."""
    return 100.0 + 10.0 * np.sin(x / 5.0) + 7.0 * np.cos(y / 6.0)


@given(dx=offsets, dy=offsets)
def test_a_well_sampled_image_is_recovered_between_its_pixels(dx, dy):
    values = sinc_interpolate(waves(X, Y), positions(dx, dy))
    assert np.abs(values - waves(X + dx, Y + dy))[INSIDE].max() < 2e-3


def test_on_a_pixel_the_value_is_that_of_the_pixel():
    image = np.random.default_rng(1).normal(size=SHAPE).astype(np.float32)
    np.testing.assert_allclose(sinc_interpolate(image, positions()), image, atol=1e-6)


@given(dx=offsets, dy=offsets, scale=st.floats(0.5, 2.0))
def test_a_constant_image_stays_constant_up_to_its_edge(dx, dy, scale):
    values = sinc_interpolate(np.full(SHAPE, 3.0), positions(dx, dy), scale)
    np.testing.assert_allclose(values[1:-1, 1:-1], 3.0, rtol=1e-5)


def test_weights_follow_the_formula():
    image = np.zeros(SHAPE)
    image[20, 22] = 1.0
    values = sinc_interpolate(image, np.array([[22.3, 20.0]]))
    pixel = np.arange(-7, 8)
    weights = np.sinc(0.3 - pixel) * np.cos(np.pi * pixel / 14) ** 2
    assert values[0] == pytest.approx(weights[7] / weights.sum(), abs=1e-3)


def test_a_wider_function_smooths_noise():
    image = np.random.default_rng(2).normal(size=SHAPE)
    values = sinc_interpolate(image, positions(), scale=2.0)
    assert values[INSIDE].std() < 0.7 * image[INSIDE].std()


@given(dx=offsets, dy=offsets)
def test_both_axes_are_treated_alike(dx, dy):
    image = np.random.default_rng(3).normal(size=SHAPE)
    turned = sinc_interpolate(image.T, positions(dx, dy).swapaxes(0, 1)[..., ::-1])
    np.testing.assert_allclose(turned.T, sinc_interpolate(image, positions(dx, dy)), atol=1e-5)


@pytest.mark.parametrize("outside", [(-0.6, 5.0), (5.0, -0.6), (43.6, 5.0), (5.0, 39.6), (np.nan, 5.0), (np.inf, 5.0)])
def test_outside_the_image_the_value_is_0(outside):
    assert sinc_interpolate(waves(X, Y), np.array(outside)) == 0.0


def test_nan_spreads_over_the_width_of_the_function_only():
    image = waves(X, Y)
    image[20, 22] = np.nan
    bad = np.isnan(sinc_interpolate(image, positions(0.25, 0.25)))
    rows, columns = np.nonzero(bad)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (13, 27, 15, 29)


def test_the_result_does_not_depend_on_the_blocks(monkeypatch):
    image = np.random.default_rng(4).normal(size=SHAPE)
    whole = sinc_interpolate(image, positions(0.2, -0.3))
    monkeypatch.setattr(sinc, "BLOCK_POSITIONS", 37)
    np.testing.assert_array_equal(sinc_interpolate(image, positions(0.2, -0.3)), whole)


def test_inputs_are_not_modified():
    image, places = waves(X, Y), positions(0.3, 0.1)
    before = image.copy(), places.copy()
    sinc_interpolate(image, places)
    np.testing.assert_array_equal(image, before[0])
    np.testing.assert_array_equal(places, before[1])


@pytest.mark.parametrize(
    ("image", "places", "scale"),
    [
        (np.zeros(5), np.zeros((1, 2)), 1.0),
        (np.zeros((0, 5)), np.zeros((1, 2)), 1.0),
        (np.zeros((5, 5)), np.zeros((1, 3)), 1.0),
        (np.zeros((5, 5)), np.zeros((1, 2)), 0.0),
    ],
)
def test_what_cannot_be_sampled_is_refused(image, places, scale):
    with pytest.raises(MeasurementError):
        sinc_interpolate(image, places, scale)
