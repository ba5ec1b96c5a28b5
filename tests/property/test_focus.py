"""Focus index, its Z-score, and the Laplacian of Gaussian under them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import ndimage
from scipy.stats import norm

from astrodriz_core.errors import MeasurementError
from astrodriz_core.measure.footprint import usable_everywhere
from astrodriz_core.measure.images import DrizzledImage
from astrodriz_core.measure.laplacian import kernel_radius, laplacian_of_gaussian, laplacian_strips
from astrodriz_core.testing import images, star_field, star_places
from astrodriz_core.verify.focus import focus_index, focus_measurements, z_score
from astrodriz_core.verify.sharpness import focus_distribution

IMAGES = images(most=40, value=100.0, holes=False, double=True)
SIGMAS = st.floats(0.5, 3.0)


def stars(shape: tuple[int, int] = (96, 120), sigma: float = 1.0, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    places = star_places(shape, rng)
    return star_field(shape, places, 10 ** rng.uniform(2, 4, len(places)), sigma)


@given(IMAGES, SIGMAS)
def test_laplacian_equals_scipy_in_double_precision(image, sigma):
    expected = ndimage.gaussian_laplace(image, sigma)
    assert np.allclose(laplacian_of_gaussian(image, sigma), expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize("sigma", [1.5, 2.0, 3.0])
def test_laplacian_equals_scipy_to_a_millionth_and_keeps_the_dtype(sigma):
    image = stars().astype(np.float32)
    expected = ndimage.gaussian_laplace(image.astype(np.float64), sigma)
    response = laplacian_of_gaussian(image, sigma)
    assert response.dtype == np.float32
    assert np.abs(response - expected).max() < 1e-6 * np.abs(expected).max()


def test_strips_overlap_by_the_rows_asked_for_and_cover_the_image():
    image = np.random.default_rng(0).normal(size=(2000, 150)).astype(np.float32)
    whole = laplacian_of_gaussian(image, 1.5)
    seen = np.zeros(len(image), int)
    for first_row, strip in laplacian_strips(image, 1.5, overlap=2):
        assert np.allclose(strip, whole[first_row : first_row + len(strip)], atol=1e-6)
        seen[first_row : first_row + len(strip)] += 1
    assert seen.min() == 1
    assert seen.max() == 2


@given(IMAGES, SIGMAS)
def test_focus_value_equals_scipy_to_a_millionth(image, sigma):
    peak = focus_index(image, sigma)
    expected = np.abs(ndimage.gaussian_laplace(image, sigma))
    assert peak.value == pytest.approx(expected.max(), rel=1e-6, abs=1e-9)
    assert expected[peak.y, peak.x] == pytest.approx(peak.value, rel=1e-6, abs=1e-9)


def test_focus_of_float32_on_a_high_sky_equals_scipy_to_a_millionth():
    image = (stars() + 30_000).astype(np.float32)
    expected = np.abs(ndimage.gaussian_laplace(image, 1.5)).max()
    assert focus_index(image, 1.5).value == pytest.approx(float(expected), rel=1e-6)


@given(IMAGES, SIGMAS)
def test_focus_does_not_change_its_input_and_repeats_itself(image, sigma):
    before = image.copy()
    assert focus_index(image, sigma) == focus_index(image, sigma)
    assert np.array_equal(image, before)


@given(IMAGES, SIGMAS, st.floats(0.1, 1000), st.floats(-1e3, 1e3))
def test_focus_scales_with_flux_and_ignores_a_constant_sky(image, sigma, scale, sky):
    value = focus_index(image, sigma).value
    leak = abs(float(ndimage.gaussian_laplace(np.full((60, 60), 1.0), sigma)[30, 30]))
    assert focus_index(image * scale, sigma).value == pytest.approx(value * scale, rel=1e-9, abs=1e-9)
    assert focus_index(image + sky, sigma).value == pytest.approx(value, abs=1e-8 + 1.01 * leak * abs(sky))


@settings(max_examples=20)
@given(st.floats(0.4, 2.0), st.floats(0.1, 1.0))
def test_blurring_lowers_the_focus_index(blur, more):
    image = stars()
    less_blurred = focus_index(ndimage.gaussian_filter(image, blur), 1.5).value
    more_blurred = focus_index(ndimage.gaussian_filter(image, blur + more), 1.5).value
    assert more_blurred < less_blurred < focus_index(image, 1.5).value


def test_focus_is_found_at_the_brightest_star():
    image = star_field((50, 70), np.array([[20.0, 31.0], [55.0, 12.0]]), np.array([100.0, 300.0]), 1.0)
    peak = focus_index(image, 1.5)
    assert (peak.y, peak.x) == (12, 55)


def test_mask_limits_where_the_maximum_is_taken_and_keep_what_the_filter_sees():
    image = star_field((50, 70), np.array([[20.0, 31.0], [55.0, 12.0]]), np.array([100.0, 300.0]), 1.0)
    left = np.zeros(image.shape, bool)
    left[:, :40] = True
    masked, kept = focus_index(image, 1.5, mask=left), focus_index(image, 1.5, keep=left)
    assert (masked.y, masked.x) == (kept.y, kept.x) == (31, 20)
    assert focus_index(image, 1.5, mask=np.zeros(image.shape, bool)) is None


def test_pixels_that_are_not_finite_count_as_zero():
    image = stars()
    holes = image.copy()
    image[40:50, 60:70] = 0
    holes[40:45, 60:70] = np.nan
    holes[45:50, 60:70] = np.inf
    assert focus_index(holes, 1.5) == focus_index(image, 1.5)


@pytest.mark.parametrize("bad", [np.zeros((0, 3)), np.zeros(5), np.zeros((2, 3, 4))])
def test_an_image_without_pixels_or_of_another_dimension_is_an_error(bad):
    with pytest.raises(MeasurementError):
        focus_index(bad, 1.5)


def test_a_filter_without_width_is_an_error():
    with pytest.raises(MeasurementError):
        focus_index(np.zeros((5, 5)), 0.0)


def test_kernel_ends_at_four_sigma():
    assert (kernel_radius(1.5), kernel_radius(2.0)) == (6, 8)


@given(st.floats(-7, 7), st.floats(-100, 100), st.floats(0.01, 100))
def test_z_score_equals_the_published_form_where_that_is_finite(z, mean, sigma):
    value = mean + z * sigma
    published = norm.ppf(norm.cdf(value, loc=mean, scale=sigma))
    assume(np.isfinite(published))
    tail = norm.sf(abs(z))
    assert z_score(value, mean, sigma) == pytest.approx(published, abs=1e-9 + 1e-15 / tail)


def test_z_score_is_right_where_the_published_form_is_infinite():
    assert z_score(50.0, 0.0, 1.0) == 50.0
    assert z_score(-50.0, 0.0, 1.0) == -50.0


@pytest.mark.parametrize(
    ("value", "mean", "sigma", "expected"),
    [
        (3.0, 3.0, 0.0, 0.0),
        (4.0, 3.0, 0.0, np.inf),
        (2.0, 3.0, 0.0, -np.inf),
        (np.inf, 3.0, 1.0, np.inf),
        (-np.inf, 3.0, 1.0, -np.inf),
    ],
)
def test_z_score_at_sigma_zero_and_for_infinite_values(value, mean, sigma, expected):
    assert z_score(value, mean, sigma) == expected


@pytest.mark.parametrize(
    "arguments",
    [(np.nan, 0, 1), (0, np.nan, 1), (0, 0, np.nan), (0, 0, -1), (0, np.inf, 1), (0, 0, np.inf)],
)
def test_z_score_is_not_a_number_without_a_distribution(arguments):
    assert np.isnan(z_score(*arguments))


def test_focus_record_has_none_for_what_is_not_finite_and_one_exposure_has_sigma_zero():
    nothing = focus_distribution(np.empty(0), np.empty((0, 1)))
    product, single = focus_index(2 * stars(), 1.5), focus_index(stars(), 1.5)
    record = focus_measurements(["product", "a"], [product, single], 1.5, nothing)
    assert record.sigma == 0.0
    assert record.mean == single.value
    assert record.exposures[0].z_score == 0.0
    assert record.product.z_score is None
    empty = focus_measurements(["product", "a"], [product, None], 1.5, nothing)
    assert empty.mean is None
    assert empty.exposures[0].value is None


def test_focus_distribution_is_one_for_equal_images_and_falls_with_the_product():
    peaks = np.random.default_rng(0).uniform(1, 9, 50)
    singles = np.column_stack([peaks, peaks])
    assert focus_distribution(peaks, singles).median == 1.0
    blurred = focus_distribution(0.8 * peaks, singles)
    assert blurred.first_quartile == pytest.approx(0.8)
    assert blurred.third_quartile == pytest.approx(0.8)
    assert blurred.n_sources == 50


@settings(max_examples=20)
@given(st.integers(0, 9), st.integers(0, 2**32 - 1))
def test_usable_pixels_stay_away_from_holes_and_saturation(iterations, seed):
    rng = np.random.default_rng(seed)
    shape = (40, 50)
    sci = rng.normal(size=shape)
    wht = (rng.uniform(size=shape) > 0.003).astype(float)
    saturated = rng.uniform(size=shape) > 0.997
    image = DrizzledImage("a", sci, wht, 1.0, saturated=saturated)
    good = (wht > 0) & ~saturated
    expected = ndimage.binary_erosion(good, iterations=iterations) if iterations else good
    assert np.array_equal(usable_everywhere((image,), iterations), expected)
