"""Pictures of a product: reduced, stretched, with arrows that point where they say."""

from __future__ import annotations

import io

import numpy as np
from matplotlib.image import imread

from astrodriz_core.records.drizzling import OutputFrame
from astrodriz_io.report.previews import product_picture, reduced, weight_picture

FRAME = OutputFrame((120, 150), (53.1, -27.7), (75.5, 60.5), ((-3.6e-5, 0.0), (0.0, 3.6e-5)))


def test_reduced_is_the_mean_of_finite_pixels() -> None:
    image = np.array([[1, 3, 5], [np.nan, 5, np.inf], [7, 9, np.nan]], np.float32)
    np.testing.assert_array_equal(reduced(image, 2), np.array([[3, 5], [8, np.nan]], np.float32))
    np.testing.assert_array_equal(reduced(image[:2, :2], 1), image[:2, :2])


def test_product_without_a_pixel_has_a_picture() -> None:
    empty = np.full((20, 30), np.nan, np.float32)
    assert product_picture(empty, np.zeros_like(empty), FRAME).png.startswith(b"\x89PNG")
    assert weight_picture(np.zeros_like(empty)).high == 1.0


def test_pictures_are_transparent_outside_the_field() -> None:
    image = np.random.default_rng(1).normal(0, 1, (450, 450)).astype(np.float32)
    image[200, 200], weights = 1e6, np.ones_like(image)
    image[:, :40], weights[:, 410:] = np.nan, 0
    for picture, left in ((product_picture(image, weights, FRAME), 0), (weight_picture(weights), 1)):
        shown = imread(io.BytesIO(picture.png))
        opacity = shown[20, :, 3]
        assert set(opacity[:40]) == {left}
        assert set(opacity[40:410]) == {1}
        assert set(opacity[410:]) == {0}


def test_large_product_is_reduced_to_900_pixels() -> None:
    large = np.zeros((10, 2000), np.float32)
    picture = product_picture(large, np.ones_like(large), FRAME)
    assert (picture.factor, picture.width, picture.height) == (3, 667, 4)


def test_arrows_point_to_north_and_east() -> None:
    upright, turned = (_bright_centre(cd) for cd in (((-1e-5, 0), (0, 1e-5)), ((1e-5, 0), (0, -1e-5))))
    # From the same start, north is up and east left, or north down and east right.
    assert upright[0] > turned[0]
    assert upright[1] < turned[1]


def _bright_centre(cd: tuple[tuple[float, float], tuple[float, float]]) -> tuple[float, float]:
    """Mean (y, x) of the white pixels in the right half of a picture of nothing, y upwards."""
    flat = np.zeros((300, 450), np.float32)
    flat[0, 0] = -1
    picture = product_picture(flat, np.ones_like(flat), OutputFrame(flat.shape, (10, 10), (1, 1), cd))
    shown = imread(io.BytesIO(picture.png))[::-1, :, 0]
    y, x = np.nonzero(shown[:, shown.shape[1] // 2 :] > 0.95)
    return float(y.mean()), float(x.mean())
