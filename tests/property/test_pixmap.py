"""Coordinate maps between tangent planes, against the WCS of astropy."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.wcs import WCS
from hypothesis import given, settings
from hypothesis import strategies as st

from astrodriz_core.combine.pixmap import (
    TanWcs,
    apply_homography,
    coordinate_map,
    tangent_plane_homography,
    undistorted_pixels,
)
from astrodriz_core.errors import MeasurementError
from astrodriz_core.testing import tan_wcses

SCALE = 0.05 / 3600.0
"""Degrees. A pixel of HST's cameras."""

ASTROPY_ERROR = 2e-8
"""Pixels. Right ascensions near 360 degrees carry rounding of 6e-14 degrees through astropy's two steps,
which is some 4e-9 pixel in each."""


def plane(ra: float, dec: float, angle: float = 0.0, scale: float = SCALE) -> TanWcs:
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    cd = ((-scale * cos, scale * sin), (scale * sin, scale * cos))
    return TanWcs((ra % 360.0, dec), (2048.0, 1024.5), cd)


def astropy_wcs(of: TanWcs) -> WCS:
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix, wcs.wcs.cd = of.crval, of.crpix, of.cd
    if of.lonpole != 180.0:
        wcs.wcs.lonpole = of.lonpole
    wcs.wcs.set()
    return wcs


def pixels() -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[0:2048:512, 0:4096:512].astype(np.float64)
    return x.ravel(), y.ravel()


def through_the_sky(first: TanWcs, second: TanWcs) -> tuple[np.ndarray, np.ndarray]:
    sky = astropy_wcs(first).wcs_pix2world(*pixels(), 0)
    return astropy_wcs(second).wcs_world2pix(*sky, 0)


def assert_same_as_astropy(first: TanWcs, second: TanWcs) -> None:
    ours = apply_homography(tangent_plane_homography(first, second), *pixels())
    np.testing.assert_allclose(ours, through_the_sky(first, second), rtol=0.0, atol=ASTROPY_ERROR)


@settings(max_examples=60)
@given(
    ra=st.floats(0.0, 360.0),
    dec=st.floats(-85.0, 85.0),
    step=st.floats(-0.05, 0.05),
    angles=st.tuples(st.floats(0.0, 360.0), st.floats(0.0, 360.0)),
)
def test_equals_astropy_anywhere(ra: float, dec: float, step: float, angles: tuple[float, float]):
    assert_same_as_astropy(plane(ra, dec, angles[0]), plane(ra + step, dec - step, angles[1], 0.8 * SCALE))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((359.999, 10.0), (0.001, 10.0)),
        ((0.0, 0.0), (359.99, -0.01)),
        ((12.0, 89.99), (200.0, 89.995)),
        ((300.0, -89.999), (120.0, -89.98)),
    ],
)
def test_equals_astropy_across_right_ascension_zero_and_the_poles(
    first: tuple[float, float], second: tuple[float, float]
):
    assert_same_as_astropy(plane(*first, 33.0), plane(*second, 210.0))


def test_equals_astropy_with_another_lonpole():
    first = plane(150.0, 2.0)
    turned = TanWcs(first.crval, first.crpix, first.cd, lonpole=150.0)
    assert_same_as_astropy(turned, plane(150.01, 2.01, 45.0))
    assert_same_as_astropy(first, turned)


@given(one=tan_wcses())
def test_same_plane_is_the_identity(one: TanWcs):
    x, y = pixels()
    ours = apply_homography(tangent_plane_homography(one, one), x, y)
    np.testing.assert_allclose(ours, (x, y), rtol=0.0, atol=1e-8)


@given(angle=st.floats(0.0, 360.0), dec=st.floats(-89.9, 89.9))
def test_there_and_back(angle: float, dec: float):
    one, two = plane(10.0, dec), plane(10.02, dec, angle, 2.0 * SCALE)
    there = apply_homography(tangent_plane_homography(one, two), *pixels())
    back = apply_homography(tangent_plane_homography(two, one), *there)
    np.testing.assert_allclose(back, pixels(), rtol=0.0, atol=1e-8)


def test_behind_the_plane_and_nan_give_nan():
    wide = plane(0.0, 0.0, scale=0.01)
    x, y = apply_homography(tangent_plane_homography(wide, plane(180.0, 0.0)), [2047.0, 0.0], [1023.0, 0.0])
    assert np.isnan(x).all()
    assert np.isnan(y).all()
    x, y = apply_homography(tangent_plane_homography(wide, wide), [np.nan, 1.0], [1.0, 1.0])
    assert np.isnan(x).tolist() == [True, False]
    assert np.isnan(y).tolist() == [True, False]


def test_singular_cd_of_the_output_is_an_error():
    flat = TanWcs((0.0, 0.0), (1.0, 1.0), ((SCALE, SCALE), (SCALE, SCALE)))
    with pytest.raises(MeasurementError, match="singular"):
        tangent_plane_homography(plane(0.0, 0.0), flat)


def bend(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return x + 1e-6 * x * y, y - 2e-6 * x**2


def test_map_bends_first_and_projects_then(monkeypatch: pytest.MonkeyPatch):
    homography = tangent_plane_homography(plane(5.0, -72.0), plane(5.01, -72.01, 30.0))
    whole = coordinate_map(undistorted_pixels((40, 30), bend), homography)
    y, x = np.mgrid[:40, :30].astype(np.float64)
    expected = np.stack(apply_homography(homography, *bend(x, y)), axis=-1)
    np.testing.assert_array_equal(whole, expected)
    monkeypatch.setattr("astrodriz_core.combine.pixmap.BLOCK_PIXELS", 90)
    np.testing.assert_array_equal(coordinate_map(undistorted_pixels((40, 30), bend), homography), whole)


def test_map_of_a_detector_equals_all_of_astropy():
    distorted = astropy_wcs(plane(80.0, -60.0, 12.0))
    header = distorted.to_header()
    header["CTYPE1"], header["CTYPE2"] = "RA---TAN-SIP", "DEC--TAN-SIP"
    header.update(A_ORDER=2, B_ORDER=2, A_2_0=3e-6, A_1_1=-2e-6, B_0_2=4e-6, B_1_1=1e-6)
    wcs = WCS(header)
    (a, b), (c, d) = wcs.pixel_scale_matrix
    chip = TanWcs(tuple(wcs.wcs.crval), tuple(wcs.wcs.crpix), ((a, b), (c, d)))
    output = plane(80.01, -60.005, 40.0)
    pixmap = coordinate_map(
        undistorted_pixels((64, 48), lambda x, y: wcs.pix2foc(x, y, 0)), tangent_plane_homography(chip, output)
    )
    y, x = np.mgrid[:64, :48].astype(np.float64)
    sky = wcs.all_pix2world(x, y, 0)
    np.testing.assert_allclose(
        pixmap, np.stack(astropy_wcs(output).wcs_world2pix(*sky, 0), axis=-1), rtol=0.0, atol=ASTROPY_ERROR
    )
