"""Sources on synthetic chips whose stars stand at known places."""

from __future__ import annotations

import numpy as np
import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from photutils.segmentation import detect_sources
from scipy.spatial import cKDTree
from scipy.special import erf

from astrodriz_core.align.psf import bright_peaks, dao_positions, measure_psf
from astrodriz_core.align.sources import (
    SEGMENT_MIN_PIXELS,
    ChipImage,
    Sources,
    _segments,
    find_sources,
    measure_background,
)
from astrodriz_core.errors import InputError, MeasurementError
from astrodriz_core.measure.centroids import stamps, windowed_moments
from astrodriz_core.parameters.alignment import alignment_parameters
from astrodriz_core.records.astrometry import PsfOrigin

PARAMETERS = alignment_parameters("ACS", "WFC").sources
SIGMA = 0.85
"""Pixels. A star of FWHM 2.0 pixels, about that of ACS/WFC."""
NOISE, SKY = 5.0, 40.0
SHAPE = (300, 340)


def stars(shape, places, fluxes, sigma=SIGMA):
    """Gaussian stars integrated over each pixel."""

    def profile(count, centres):
        edges = (np.arange(count + 1) - 0.5 - centres[:, None]) / (np.sqrt(2) * sigma)
        return np.diff(erf(edges), axis=1) / 2

    return np.einsum("n,ny,nx->yx", fluxes, profile(shape[0], places[:, 1]), profile(shape[1], places[:, 0]))


def grid(shape, rng, spacing=25):
    """Places far enough apart, each at a random phase of its pixel."""
    y, x = np.meshgrid(*(np.arange(spacing, n - spacing / 2, spacing) for n in shape), indexing="ij")
    return np.column_stack([x.ravel(), y.ravel()]) + rng.uniform(-0.5, 0.5, (x.size, 2))


def chip(seed=0, snr=100.0, shape=SHAPE, sigma=SIGMA):
    """A chip of equally bright stars on a noisy sky, and their places."""
    rng = np.random.default_rng(seed)
    places = grid(shape, rng)
    flux = snr * NOISE * np.sqrt(np.pi * (1.5 * 2.355 * sigma) ** 2)
    image = stars(shape, places, np.full(len(places), flux), sigma) + SKY + rng.normal(0, NOISE, shape)
    return image.astype(np.float32), places, flux


def matched(sources, places, reach=1.0):
    """Errors in x and y of the sources that stand near a true place, and which these are."""
    distance, nearest = map(np.asarray, cKDTree(places).query(np.column_stack([sources.x, sources.y])))
    near = distance < reach
    return np.column_stack([sources.x, sources.y])[near] - places[nearest[near]], nearest[near], near


@pytest.mark.parametrize("sigma", [0.75, 0.85, 1.1])
def test_centroids_at_a_signal_to_noise_of_50_are_good_to_003_pixel(sigma):
    image, places, _ = chip(snr=50.0, sigma=sigma)
    sources, _ = find_sources(ChipImage(image), PARAMETERS)
    errors, found, _ = matched(sources, places)
    assert len(set(found)) >= 0.95 * len(places)
    assert errors.std(axis=0).max() < 0.03
    assert np.abs(errors.mean(axis=0)).max() < 0.01


def test_blended_stars_are_one_source_unless_deblending_is_asked_for():
    image, places, flux = chip()
    companion = np.array([[places[40, 0] + 4.0, places[40, 1]]])
    image = image + stars(SHAPE, companion, np.array([0.5 * flux])).astype(np.float32)
    together, _ = find_sources(ChipImage(image), PARAMETERS)
    apart, _ = find_sources(ChipImage(image), evolve(PARAMETERS, deblend=True))
    assert len(apart) == len(together) + 1
    assert len(matched(together, companion)[0]) == 0
    assert len(matched(apart, companion)[0]) == 1


def test_the_stated_precision_is_the_scatter_of_the_centroids():
    image, places, _ = chip(seed=1, snr=40.0)
    sources, _ = find_sources(ChipImage(image), PARAMETERS)
    errors, _, near = matched(sources, places)
    assert np.sqrt((errors**2).mean()) == pytest.approx(np.sqrt((sources.sigma[near] ** 2).mean()), rel=0.35)


def test_fluxes_and_signal_to_noise_are_those_put_in():
    image, places, flux = chip(seed=2, snr=100.0)
    error = np.full(SHAPE, NOISE, dtype=np.float32)
    sources, _ = find_sources(ChipImage(image, error), PARAMETERS)
    _, _, near = matched(sources, places)
    assert np.median(sources.flux[near]) == pytest.approx(flux, rel=0.03)
    assert np.median(sources.snr[near]) == pytest.approx(100.0, rel=0.15)


def test_sources_come_brightest_first_and_no_more_than_asked_for():
    image, _, _ = chip(snr=60.0)
    sources, counts = find_sources(ChipImage(image), evolve(PARAMETERS, max_sources=17))
    assert len(sources) == counts.kept == 17
    assert (np.diff(sources.flux) <= 0).all()


@pytest.mark.parametrize(
    ("bit", "reason"),
    [(256, "saturated"), (4096, "cosmic_ray"), (8192, "cosmic_ray"), (4, "bad_pixel"), (16, "bad_pixel")],
)
def test_a_star_with_a_flag_in_its_core_is_left_out_and_counted(bit, reason):
    image, places, _ = chip()
    dq = np.zeros(SHAPE, dtype=np.int32)
    column, row = np.rint(places[7]).astype(int)
    dq[row, column] = bit
    sources, counts = find_sources(ChipImage(image, dq=dq), PARAMETERS)
    whole, _ = find_sources(ChipImage(image), PARAMETERS)
    assert 7 not in matched(sources, places)[1]
    assert 7 in matched(whole, places)[1]
    # A masked pixel can keep the star from being detected at all.
    assert getattr(counts, reason) == 1 or not bit & PARAMETERS.good_bits


def test_the_cosmic_ray_bit_can_be_ignored():
    image, places, _ = chip()
    dq = np.zeros(SHAPE, dtype=np.int32)
    for column, row in np.rint(places).astype(int):
        dq[row - 1 : row + 2, column - 1 : column + 2] = 4096
    honoured, _ = find_sources(ChipImage(image, dq=dq), PARAMETERS)
    ignored, _ = find_sources(ChipImage(image, dq=dq), evolve(PARAMETERS, ignore_cosmic_ray_bit=True))
    assert len(matched(honoured, places)[1]) == 0
    assert len(set(matched(ignored, places)[1])) >= 0.95 * len(places)


def test_hits_of_single_pixels_are_not_taken_for_stars():
    image, _, flux = chip(seed=4)
    rng = np.random.default_rng(9)
    rows, columns = rng.integers(10, SHAPE[0] - 10, 150), rng.integers(10, SHAPE[1] - 10, 150)
    image[rows, columns] += flux
    sources, _ = find_sources(ChipImage(image), PARAMETERS)
    distance, _ = map(
        np.asarray, cKDTree(np.column_stack([columns, rows])).query(np.column_stack([sources.x, sources.y]))
    )
    hits = distance < 0.7
    assert hits.sum() <= 0.02 * len(hits) + 1


@given(st.integers(-8, 8), st.integers(-8, 8))
@settings(max_examples=8, deadline=None)
def test_a_shift_by_whole_pixels_shifts_the_sources(dx, dy):
    image, _, _ = chip(seed=5, snr=150.0)
    moved = np.roll(image, (dy, dx), axis=(0, 1))
    first, _ = find_sources(ChipImage(image), PARAMETERS)
    second, _ = find_sources(ChipImage(moved), PARAMETERS)
    offset = matched(second, np.column_stack([first.x, first.y]) + np.array([dx, dy]))[0]
    assert len(offset) > 0.8 * len(first)
    assert np.abs(np.median(offset, axis=0)).max() < 0.01


@pytest.mark.parametrize("factor", [1e-3, 50.0])
def test_the_unit_of_the_image_does_not_matter(factor):
    image, _, _ = chip()
    first, _ = find_sources(ChipImage(image), PARAMETERS)
    second, _ = find_sources(ChipImage((image * factor).astype(np.float32)), PARAMETERS)
    assert len(first) == len(second)
    assert np.allclose(first.x, second.x, atol=1e-3)
    assert np.allclose(first.snr, second.snr, rtol=1e-3)


def test_a_gradient_of_the_sky_does_not_displace_the_centroids():
    image, places, _ = chip(seed=6)
    slope = np.linspace(0, 500, SHAPE[1], dtype=np.float32)
    errors, _, _ = matched(find_sources(ChipImage(image + slope), PARAMETERS)[0], places)
    assert np.abs(errors.mean(axis=0)).max() < 0.01


def test_inputs_are_not_changed():
    image, _, _ = chip()
    dq = np.full(SHAPE, 4096, dtype=np.int32)
    image[0, 0] = np.nan
    before = image.copy(), dq.copy()
    find_sources(ChipImage(image, np.ones(SHAPE, np.float32), dq), evolve(PARAMETERS, ignore_cosmic_ray_bit=True))
    assert np.array_equal(image, before[0], equal_nan=True)
    assert (dq == before[1]).all()


@pytest.mark.parametrize(
    "image",
    [
        np.full(SHAPE, np.nan, np.float32),
        np.zeros(SHAPE, np.float32),
        np.random.default_rng(0).normal(SKY, NOISE, SHAPE).astype(np.float32),
    ],
)
def test_a_chip_without_sources_gives_none(image):
    sources, counts = find_sources(ChipImage(image), PARAMETERS)
    assert len(sources) == counts.kept == 0


def test_a_chip_whose_pixels_are_all_bad_gives_none():
    image, _, _ = chip()
    sources, _ = find_sources(ChipImage(image, dq=np.full(SHAPE, 4, np.int16)), PARAMETERS)
    assert len(sources) == 0


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1), st.floats(0.0, 0.9))
def test_segments_are_those_of_photutils(seed, filling):
    rng = np.random.default_rng(seed)
    bright = rng.uniform(size=(40, 30)) < filling
    bright[0, :4] = True
    mine = _segments(bright)
    theirs = detect_sources(bright.astype(float), 0.5, SEGMENT_MIN_PIXELS).data
    assert np.array_equal(np.unique(mine, return_inverse=True)[1], np.unique(theirs, return_inverse=True)[1])


def test_a_chip_without_segments_has_none():
    assert not _segments(np.zeros((5, 6), bool)).any()


def test_arrays_of_different_shapes_are_refused():
    with pytest.raises(MeasurementError, match="dq"):
        ChipImage(np.zeros((4, 4)), dq=np.zeros((4, 5), int))


def test_a_background_without_a_good_pixel_is_refused():
    with pytest.raises(MeasurementError):
        measure_background(np.zeros((40, 40), np.float32), np.ones((40, 40), bool), PARAMETERS)


def test_the_background_follows_the_sky_and_not_the_stars():
    image, _, _ = chip(seed=7)
    level, scatter = measure_background(image, np.zeros(SHAPE, bool), PARAMETERS)
    assert np.abs(np.median(level) - SKY) < 0.5
    assert np.median(scatter) == pytest.approx(NOISE, rel=0.15)


@pytest.mark.parametrize("sigma", [0.8, 1.0, 1.3])
def test_the_psf_kernel_has_the_width_of_the_stars(sigma):
    image, _, _ = chip(seed=8, snr=200.0, sigma=sigma)
    psf = measure_psf(image - SKY, np.zeros(SHAPE, bool), NOISE, PARAMETERS.fallback_fwhm)
    assert psf.origin is PsfOrigin.IMAGE
    assert psf.kernel.sum() == pytest.approx(1.0)
    # A pixel widens the star by a twelfth in variance.
    assert psf.fwhm == pytest.approx(2.355 * np.hypot(sigma, np.sqrt(1 / 12)), rel=0.05)


def test_with_too_few_stars_the_published_width_stands_in():
    _, places, _ = chip()
    few = stars(SHAPE, places[:3], np.full(3, 1e5)).astype(np.float32)
    psf = measure_psf(few, np.zeros(SHAPE, bool), NOISE, 2.6)
    assert (psf.origin, psf.fwhm) == (PsfOrigin.PUBLISHED, 2.6)


def test_the_windowed_width_is_exact_for_a_gaussian():
    places = np.array([[20.3, 20.7], [50.0, 21.5]])
    image = stars((44, 72), places, np.array([1e4, 1e4]), sigma=1.2)
    moments = windowed_moments(image, places[:, 0] + 0.4, places[:, 1] - 0.3, 1.5)
    assert np.allclose(moments.x, places[:, 0], atol=1e-3)
    assert np.allclose(moments.y, places[:, 1], atol=1e-3)
    assert np.allclose(moments.variance, 1.2**2 + 1 / 12, rtol=0.01)


def test_a_place_without_flux_has_no_centroid():
    moments = windowed_moments(np.zeros((30, 30)), np.array([15.0]), np.array([15.0]), 1.0)
    assert np.isnan(moments.x).all()


def test_of_a_flat_top_one_pixel_counts_and_peaks_come_brightest_first():
    image = np.zeros((20, 20))
    image[5, 5:7] = 9.0
    image[12, 14] = 30.0
    assert bright_peaks(image, 1.0).tolist() == [[14, 12], [6, 5]]


def test_stamps_beyond_the_edge_are_zero():
    squares, columns, rows = stamps(np.ones((5, 5)), np.array([0.2]), np.array([4.4]), 1)
    assert squares[0].tolist() == [[0, 1, 1], [0, 1, 1], [0, 0, 0]]
    assert (columns[0], rows[0]) == (0, 4)


def test_selecting_keeps_the_columns_together():
    sources = Sources(*(np.arange(4.0) + 10 * i for i in range(5)))
    chosen = sources.select(np.array([2, 0]))
    assert (chosen.x.tolist(), chosen.sigma.tolist()) == ([2.0, 0.0], [42.0, 40.0])


def test_every_known_detector_has_parameters_and_an_unknown_one_has_none():
    assert alignment_parameters("WFC3", "IR").sources.pixel_arcsec == pytest.approx(0.1283, abs=1e-3)
    assert alignment_parameters("acs", "wfc").sources.max_sources == 500
    assert alignment_parameters("WFPC2", "").catalogs[0] == "GAIAeDR3"
    with pytest.raises(InputError):
        alignment_parameters("JWST", "NIRCAM")


def test_a_ramp_cosmic_ray_of_wfc3_ir_is_a_good_pixel():
    parameters = alignment_parameters("WFC3", "IR").sources
    assert parameters.good_bits & 8192
    assert not parameters.cosmic_ray_bits & 8192
    assert parameters.cosmic_ray_bits & 4096


def test_daofind_sees_nothing_in_a_blank_image_and_without_peaks():
    for peaks in (np.array([[10, 10]]), np.zeros((0, 2), dtype=int)):
        x, y = dao_positions(np.zeros((20, 20)), peaks, 2.0)
        assert len(x) == len(y) == 0
