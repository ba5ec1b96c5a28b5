"""Robust fits, chance, and the quality code that they get."""

from __future__ import annotations

import numpy as np
import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from astrodriz_core.align.absolute import CatalogPositions, fit_catalog, hold_out
from astrodriz_core.align.fit_quality import CONSISTENCY, FitEvidence, check_fit, check_gain, fit_quality
from astrodriz_core.align.fitting import LinearTransform, excess_scatter, fit_linear, geometries
from astrodriz_core.align.linking import ExposurePositions, link_exposures, source_density
from astrodriz_core.align.matching import chance_probability, match_nearest, offset_peak
from astrodriz_core.align.merging import MergedSources
from astrodriz_core.errors import AlignmentError
from astrodriz_core.parameters.alignment import FitParameters
from astrodriz_core.parameters.choices import FitGeometry
from astrodriz_core.records.astrometry import FitCheck, FitQuality, HoldOut, MatchMethod, RegistrationChange

PARAMETERS = FitParameters()
GOOD = FitEvidence(
    matches=40,
    catalog_sources=60,
    rms_mas=8.0,
    offset_arcsec=0.3,
    correction_mas=300.0,
    correction_error_mas=2.0,
    chance_probability=1e-30,
    magnitude_correlation=0.99,
)
HOLD_OUT = HoldOut(folds=5, matches=40, before_mas=300.0, after_mas=9.0, gain_sigma=20.0)


def rotated(angle_deg, scale, shift):
    angle = np.deg2rad(angle_deg)
    matrix = scale * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return LinearTransform(matrix, np.array(shift))


def field(rng, count, extent=60.0):
    return rng.uniform(-extent, extent, (count, 2))


def code(**changes):
    evidence = evolve(GOOD, **changes)
    return fit_quality(check_fit(evidence, PARAMETERS), evidence, PARAMETERS)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, FitQuality.VALID),
        ({"matches": 5, "magnitude_correlation": 0.1}, FitQuality.COMPROMISED),
        ({"matches": 5, "magnitude_correlation": -0.9}, FitQuality.COMPROMISED),
        ({"rms_mas": 60.0}, FitQuality.LARGE_RMS),
        ({"rms_mas": 60.0, "matches": 5, "magnitude_correlation": 0.1}, FitQuality.COMPROMISED_LARGE_RMS),
        ({"rms_mas": 151.0}, FitQuality.NOT_VALID),
        ({"matches": 2}, FitQuality.NOT_VALID),
        ({"chance_probability": 0.1}, FitQuality.NOT_VALID),
        ({"matches": 4, "offset_arcsec": 20.0}, FitQuality.NOT_VALID),
    ],
)
def test_the_quality_code_follows_from_the_checks(changes, expected):
    assert code(**changes) is expected


def test_a_fit_that_one_exposure_disagrees_with_is_not_valid():
    disagreeing = FitCheck(CONSISTENCY, 20.0, 10.0, False, "one by itself is 20 mas from the catalogue")
    assert fit_quality((*check_fit(GOOD, PARAMETERS), disagreeing), GOOD, PARAMETERS) is FitQuality.NOT_VALID


@given(st.floats(0.1, 200.0), st.floats(0.1, 200.0))
def test_a_greater_rms_never_has_a_better_code(a, b):
    low, high = sorted((a, b))
    assert code(rms_mas=low).value <= code(rms_mas=high).value


def test_every_check_holds_its_value_and_its_threshold():
    by_name = {check.name: check for check in check_fit(GOOD, PARAMETERS)}
    assert by_name["RMS within limit"].value == GOOD.rms_mas
    assert by_name["RMS within limit"].threshold == PARAMETERS.rms_limit_mas
    assert by_name["radial offset"].value == pytest.approx(0.36 * 42)
    assert by_name["radial offset"].threshold == pytest.approx(0.8, abs=1e-6)


def test_a_fit_that_predicts_the_left_out_matches_worse_than_before_gains_nothing():
    worse = evolve(HOLD_OUT, after_mas=301.0)
    assert all(check.passed for check in check_gain(GOOD, HOLD_OUT, None))
    assert [c.name for c in check_gain(GOOD, worse, None) if not c.passed] == ["held-out residual"]


def test_a_correction_within_its_error_gains_nothing():
    small = evolve(GOOD, correction_mas=2.0, correction_error_mas=2.0)
    assert [c.name for c in check_gain(small, HOLD_OUT, None) if not c.passed] == ["significant correction"]


@given(st.floats(0.0, 10.0), st.floats(0.0, 10.0), st.floats(0.01, 2.0))
def test_the_exposures_may_not_drift_apart_by_more_than_the_error(before, after, error):
    checks = check_gain(GOOD, HOLD_OUT, RegistrationChange(before, after, error))
    assert checks[-1].passed == (after <= before + error)


@given(
    st.integers(0, 2**32 - 1),
    st.floats(-0.05, 0.05),
    st.floats(-5.0, 5.0),
    st.floats(-5.0, 5.0),
    st.sampled_from([(FitGeometry.RSHIFT, 1.0), (FitGeometry.RSCALE, 1.0002), (FitGeometry.GENERAL, 0.9999)]),
)
@settings(max_examples=40)
def test_a_fit_recovers_a_known_transform_in_spite_of_outliers(seed, angle, dx, dy, kind):
    geometry, scale = kind
    rng = np.random.default_rng(seed)
    truth = rotated(angle, scale, (dx, dy))
    xy = field(rng, 40)
    reference = truth.apply(xy)
    reference[:4] += rng.uniform(0.3, 1.0, (4, 2))
    fit = fit_linear(xy, reference, np.full(40, 0.001), geometry, 3.5)
    assert not fit.used[:4].any()
    assert np.allclose(fit.transform.matrix, truth.matrix, atol=1e-9)
    assert np.allclose(fit.transform.shift, truth.shift, atol=1e-7)
    assert fit.transform.rotation_deg == pytest.approx(angle, abs=1e-7)
    assert fit.transform.scale == pytest.approx(scale, abs=1e-9)


@pytest.mark.parametrize("geometry", list(FitGeometry))
def test_the_errors_of_the_parameters_are_those_of_repeated_measurements(geometry):
    rng = np.random.default_rng(3)
    xy, sigma = field(rng, 50), 0.01
    fits = []
    for _ in range(300):
        measured = xy + rng.normal(0, sigma, xy.shape)
        fits.append(fit_linear(measured, xy, np.full(50, sigma), geometry, 5.0))
    shifts = np.array([fit.transform.shift for fit in fits])
    predicted = np.sqrt(np.mean([np.diag(fit.covariance)[:2] for fit in fits], axis=0))
    assert np.allclose(shifts.std(axis=0), predicted, rtol=0.15)


def test_a_shift_lacks_nothing_and_an_absent_rotation_is_not_significant():
    rng = np.random.default_rng(5)
    xy = field(rng, 60)
    measured = xy + rng.normal(0, 0.01, xy.shape)
    shift = fit_linear(measured, xy, np.full(60, 0.01), FitGeometry.SHIFT, 3.5)
    turned = fit_linear(measured, rotated(0.05, 1.0, (0, 0)).apply(xy), np.full(60, 0.01), FitGeometry.RSHIFT, 3.5)
    still = fit_linear(measured, xy, np.full(60, 0.01), FitGeometry.RSHIFT, 3.5)
    assert shift.extra_significance == np.inf
    assert turned.extra_significance > 10 > 4 > still.extra_significance


def test_inputs_of_a_fit_are_not_changed():
    rng = np.random.default_rng(1)
    xy = field(rng, 10)
    reference, sigma = xy + 1.0, np.full(10, 0.1)
    copies = xy.copy(), reference.copy(), sigma.copy()
    fit_linear(xy, reference, sigma, FitGeometry.RSCALE, 3.0)
    assert all((a == b).all() for a, b in zip((xy, reference, sigma), copies, strict=True))


def test_too_few_matches_for_a_geometry_are_an_error():
    with pytest.raises(AlignmentError):
        fit_linear(np.zeros((1, 2)), np.ones((1, 2)), np.ones(1), FitGeometry.RSCALE, 3.0)


@pytest.mark.parametrize(
    ("matches", "richest", "expected"),
    [
        (2, FitGeometry.RSCALE, ()),
        (3, FitGeometry.RSCALE, (FitGeometry.SHIFT,)),
        (6, FitGeometry.RSCALE, (FitGeometry.RSHIFT, FitGeometry.SHIFT)),
        (12, FitGeometry.RSCALE, (FitGeometry.RSCALE, FitGeometry.RSHIFT, FitGeometry.SHIFT)),
        (30, FitGeometry.RSCALE, (FitGeometry.RSCALE, FitGeometry.RSHIFT, FitGeometry.SHIFT)),
        (30, FitGeometry.GENERAL, (FitGeometry.GENERAL, FitGeometry.RSCALE, FitGeometry.RSHIFT, FitGeometry.SHIFT)),
        (30, FitGeometry.SHIFT, (FitGeometry.SHIFT,)),
    ],
)
def test_the_geometry_falls_back_with_the_number_of_matches(matches, richest, expected):
    assert geometries(matches, richest, PARAMETERS) == expected


@given(st.integers(0, 1000), st.floats(0.1, 5.0))
@settings(max_examples=30)
def test_excess_scatter_is_what_makes_the_residuals_gaussian(seed, extra):
    rng = np.random.default_rng(seed)
    sigma = rng.uniform(0.05, 0.2, 4000)
    total = np.hypot(sigma, extra)
    distance = np.hypot(*(rng.normal(0, 1, (2, 4000)) * total))
    assert excess_scatter(distance, sigma) == pytest.approx(extra, rel=0.1)


def test_there_is_no_excess_scatter_in_residuals_smaller_than_their_errors_or_in_none():
    assert excess_scatter(np.full(9, 0.1), np.full(9, 1.0)) == 0.0
    assert excess_scatter(np.zeros(0), np.zeros(0)) == 0.0


@given(st.integers(0, 10_000), st.floats(-20.0, 20.0), st.floats(-20.0, 20.0))
@settings(max_examples=40)
def test_the_histogram_finds_an_offset_among_unrelated_sources(seed, dx, dy):
    rng = np.random.default_rng(seed)
    common = field(rng, 25)
    first = np.vstack([common + rng.normal(0, 0.02, common.shape), field(rng, 60)])
    second = np.vstack([common + np.array([dx, dy]), field(rng, 40)])
    peak = offset_peak(first, second, 30.0, 0.25)
    assert (peak.dx, peak.dy) == (pytest.approx(dx, abs=0.05), pytest.approx(dy, abs=0.05))
    assert peak.pairs >= 25 > peak.expected


def test_no_pair_in_the_window_gives_no_peak():
    assert offset_peak(np.zeros((3, 2)), np.full((2, 2), 99.0), 5.0, 0.5) is None
    assert offset_peak(np.zeros((0, 2)), np.zeros((2, 2)), 5.0, 0.5) is None


def test_matches_are_mutually_nearest_and_within_the_tolerance():
    first = np.array([[0.0, 0.0], [0.4, 0.0], [10.0, 0.0]])
    second = np.array([[0.1, 0.0], [11.0, 0.0]])
    a, b = match_nearest(first, second, 0.5)
    assert (a.tolist(), b.tolist()) == ([0], [0])
    assert len(match_nearest(first, np.zeros((0, 2)), 1.0)[0]) == 0


@given(st.integers(0, 30), st.integers(1, 60), st.floats(1e-5, 0.05), st.floats(0.01, 1.0), st.floats(1.0, 1e6))
def test_chance_is_a_probability_that_falls_with_the_matches(matches, sources, density, radius, trials):
    fewer = chance_probability(matches, sources, density, radius, trials, 1)
    more = chance_probability(matches + 1, sources, density, radius, trials, 1)
    assert 0.0 <= more <= fewer * (1 + 1e-9) <= 1.0 + 1e-9


def test_the_matches_that_a_fit_makes_by_itself_prove_nothing():
    assert chance_probability(2, 50, 0.01, 0.1, 1.0, 2) == 1.0


def test_unrelated_catalogues_reach_the_observed_matches_about_as_often_as_the_bound_allows():
    rng = np.random.default_rng(11)
    sources, worst = field(rng, 200), 0
    density = 200 / 120.0**2
    for _ in range(200):
        catalog = field(rng, 30)
        first, _ = match_nearest(catalog, sources, 1.0)
        worst += chance_probability(len(first), 30, density, 1.0, 1.0, 0) < 0.01
    assert worst <= 8


@pytest.mark.parametrize("seed", [209, 369, 534, 1027])
def test_the_luckiest_of_many_catalogues_of_noise_are_not_valid(seed):
    """Of 1500 these have the most and the closest matches."""
    rng = np.random.default_rng(seed)
    xy, sigma = rng.uniform(-65, 65, (200, 2)), np.full(200, 0.0015)
    merged = MergedSources(xy, xy, sigma, rng.uniform(15, 20, 200))
    catalog = CatalogPositions(rng.uniform(-75, 75, (200, 2)), np.full(200, 0.0005), rng.uniform(15, 20, 200))
    fitted = fit_catalog(merged, catalog, MatchMethod.DEFAULT, PARAMETERS, 0.1283)
    assert fitted.evidence.chance_probability < 1e-2
    checks = check_fit(fitted.evidence, PARAMETERS)
    assert fit_quality(checks, fitted.evidence, PARAMETERS) is FitQuality.NOT_VALID


def merged_and_catalog(rng, count=30, matrix=None, mag=None):
    """Sources, and a catalogue that a transform of them gives, without errors to speak of."""
    xy = field(rng, count)
    mags = rng.uniform(18, 22, count)
    matrix = np.eye(2) if matrix is None else matrix
    sigma = np.full(count, 1e-4)
    catalog = CatalogPositions(xy @ matrix.T, sigma, mags if mag is None else np.full(count, mag))
    return MergedSources(xy, xy, sigma, mags), catalog


def test_a_catalogue_of_one_magnitude_has_no_correlation():
    merged, catalog = merged_and_catalog(np.random.default_rng(1), mag=20.0)
    fitted = fit_catalog(merged, catalog, MatchMethod.HISTOGRAM, PARAMETERS, 0.1)
    assert fitted.evidence.magnitude_correlation is None


def test_a_catalogue_out_of_reach_is_an_error():
    merged, catalog = merged_and_catalog(np.random.default_rng(1))
    far = evolve(catalog, xy=catalog.xy + 1e4)
    with pytest.raises(AlignmentError, match="search radius"):
        fit_catalog(merged, far, MatchMethod.HISTOGRAM, PARAMETERS, 0.1)


@pytest.mark.parametrize(("count", "words"), [(1, "There is 1 match; a fit"), (2, "There are 2 matches; a fit")])
def test_too_few_matches_for_a_fit_are_counted_in_words(count, words):
    merged, catalog = merged_and_catalog(np.random.default_rng(1), count=count)
    with pytest.raises(AlignmentError, match=words):
        fit_catalog(merged, catalog, MatchMethod.HISTOGRAM, PARAMETERS, 0.1)


def test_a_single_match_predicts_nothing_when_it_is_left_out():
    merged, catalog = merged_and_catalog(np.random.default_rng(1))
    one = np.array([0])
    held = hold_out(merged, catalog, one, one, FitGeometry.SHIFT, PARAMETERS)
    assert (held.matches, held.after_mas, held.gain_sigma) == (1, np.inf, 0.0)


@pytest.mark.parametrize(
    ("geometry", "matrix", "significant"),
    [
        (FitGeometry.RSCALE, np.eye(2), False),
        (FitGeometry.RSCALE, 1.0001 * np.eye(2), True),
        (FitGeometry.GENERAL, 1.0001 * np.eye(2), False),
        (FitGeometry.GENERAL, np.diag([1.0001, 0.9999]), True),
        (FitGeometry.GENERAL, np.array([[1.0, 0.0002], [0.0, 1.0]]), True),
    ],
)
def test_the_terms_of_a_geometry_are_significant_where_they_are_there(geometry, matrix, significant):
    rng = np.random.default_rng(5)
    xy = field(rng, 40)
    sigma = np.full(40, 1e-3)
    fit = fit_linear(xy, xy @ matrix.T + rng.normal(0, 1e-3, xy.shape), sigma, geometry, 3.0)
    assert (fit.extra_significance > 4) is significant


def test_clipping_ends_where_the_residuals_never_settle():
    rng = np.random.default_rng(3)
    xy = field(rng, 400)
    heavy = xy + np.clip(rng.standard_cauchy(xy.shape), -50, 50)
    fit = fit_linear(xy, heavy, np.full(400, 1e-3), FitGeometry.SHIFT, 1.8)
    assert 50 < fit.used.sum() < 200


def test_exposures_without_sources_are_linked_to_nothing():
    empty = ExposurePositions("a", np.zeros((0, 2)), np.zeros(0), np.zeros(0))
    links = link_exposures((empty, empty), PARAMETERS, 0.1)
    assert [len(labels) for labels in links.labels] == [0, 0]


def test_one_source_has_no_density():
    assert source_density(np.zeros((1, 2))) == 0.0
