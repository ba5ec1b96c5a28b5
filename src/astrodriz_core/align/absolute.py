"""The one fit of the association to a catalogue."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from astrodriz_core.align.fit_quality import FitEvidence
from astrodriz_core.align.fitting import PARAMETER_COUNT, LinearFit, LinearTransform, fit_linear, geometries
from astrodriz_core.align.linking import source_density
from astrodriz_core.align.matching import chance_probability, match_nearest, offset_peak
from astrodriz_core.align.merging import MergedSources
from astrodriz_core.arrays import Array, Indices
from astrodriz_core.errors import AlignmentError
from astrodriz_core.parameters.alignment import FitParameters
from astrodriz_core.parameters.choices import FitGeometry
from astrodriz_core.records.astrometry import AbsoluteFit, HoldOut, MatchMethod
from astrodriz_core.sentences import counted
from astrodriz_core.units import MAS_PER_ARCSEC

__all__ = ["CatalogPositions", "FittedCatalog", "fit_catalog", "hold_out"]


REFINEMENTS = 4
"""Matching and fitting in turn settles after two or three rounds."""

NEEDED_SIGNIFICANCE = {
    FitGeometry.GENERAL: 5.0,
    FitGeometry.RSCALE: 4.0,
    FitGeometry.RSHIFT: 2.0,
    FitGeometry.SHIFT: 0.0,
}
"""Errors that the last terms of a geometry have to be away from none. Rolls are often off by more than the
matches can measure; the scale is known to one part in a hundred thousand, and the axes' angle likewise."""


@frozen(eq=False)
class CatalogPositions:
    """Rows of a catalogue in the common tangent plane, at the epoch of the exposures.

    Attributes
    ----------
    xy : ndarray of float, shape (N, 2)
        Arcsec.
    sigma : ndarray of float, shape (N,)
        Errors along one axis, arcsec, that of the proper motion included.
    mag : ndarray of float, shape (N,)
        NaN where unknown.
    """

    xy: Array
    sigma: Array
    mag: Array

    def __len__(self) -> int:
        return len(self.xy)


@frozen(eq=False)
class FittedCatalog:
    """A fit, and everything that its quality is judged by.

    Attributes
    ----------
    transform : LinearTransform
        From the exposures, relative corrections applied, to the catalogue.
    record : AbsoluteFit
    candidates : int
        Matches before outliers were left out.
    holdout : HoldOut
    evidence : FitEvidence
    """

    transform: LinearTransform
    record: AbsoluteFit
    candidates: int
    holdout: HoldOut
    evidence: FitEvidence


def fit_catalog(
    merged: MergedSources,
    catalog: CatalogPositions,
    method: MatchMethod,
    parameters: FitParameters,
    pixel_arcsec: float,
) -> FittedCatalog:
    """Match the association with a catalogue and fit it.

    The geometry is the richest that the number of matches carries and whose last terms are significant: a rotation
    or scale that the matches do not show would carry their noise to the edges of the field.

    Parameters
    ----------
    merged : MergedSources
    catalog : CatalogPositions
        Those rows that lie on the exposures.
    method : MatchMethod
    parameters : FitParameters
    pixel_arcsec : float
        Size of a pixel, arcsec.

    Raises
    ------
    AlignmentError
        There are too few matches for any geometry.
    """
    first, second = _match_and_fit(merged, catalog, method, parameters, pixel_arcsec)
    fits = (
        _fit(merged, catalog, first, second, geometry, parameters)
        for geometry in geometries(len(first), parameters.geometry, parameters)
    )
    fit = next(fit for fit in fits if fit.extra_significance >= NEEDED_SIGNIFICANCE[fit.geometry])
    holdout = hold_out(merged, catalog, first[fit.used], second[fit.used], fit.geometry, parameters)
    evidence = _evidence(merged, catalog, fit, first, second, _search(method, parameters) * pixel_arcsec)
    return FittedCatalog(fit.transform, _record(fit, merged.xy[first]), len(first), holdout, evidence)


def hold_out(
    merged: MergedSources,
    catalog: CatalogPositions,
    first: Indices,
    second: Indices,
    geometry: FitGeometry,
    parameters: FitParameters,
) -> HoldOut:
    """Residuals of matches that are left out of the fit in turn (k-fold cross-validation).

    Parameters
    ----------
    merged, catalog : MergedSources, CatalogPositions
    first, second : ndarray of int
        The matches.
    geometry : FitGeometry
    parameters : FitParameters
        ``folds`` parts; each match is a part of its own where there are few.
    """
    n = len(first)
    smallest = int(np.ceil(PARAMETER_COUNT[geometry] / 2))
    folds = n if n < 2 * parameters.folds else parameters.folds
    part = np.arange(n) % max(folds, 1)
    before = ((catalog.xy[second] - merged.before[first]) ** 2).sum(axis=1)
    after = np.full(n, np.inf)
    for k in range(folds):
        rest, left = part != k, part == k
        if rest.sum() < smallest:
            continue
        fit = _fit(merged, catalog, first[rest], second[rest], geometry, parameters)
        after[left] = ((catalog.xy[second[left]] - fit.transform.apply(merged.xy[first[left]])) ** 2).sum(axis=1)
    return _compare(before, after, folds)


def _compare(before: Array, after: Array, folds: int) -> HoldOut:
    """RMS of both sets of squared residuals, and the significance of their difference."""
    gain = before - after
    error = gain.std(ddof=1) / np.sqrt(len(gain)) if len(gain) > 1 else np.inf
    sigma = float(gain.mean() / error) if np.isfinite(error) and error > 0 else 0.0
    return HoldOut(
        folds=folds,
        matches=len(gain),
        before_mas=float(np.sqrt(before.mean())) * MAS_PER_ARCSEC,
        after_mas=float(np.sqrt(after.mean())) * MAS_PER_ARCSEC,
        gain_sigma=sigma,
    )


def _match_and_fit(
    merged: MergedSources,
    catalog: CatalogPositions,
    method: MatchMethod,
    parameters: FitParameters,
    pixel_arcsec: float,
) -> tuple[Indices, Indices]:
    """Match from the most common offset, fit, and match again with the fit until nothing changes."""
    tolerance = parameters.tolerance_pixels * pixel_arcsec
    peak = offset_peak(merged.xy, catalog.xy, _search(method, parameters) * pixel_arcsec, tolerance)
    if peak is None:
        raise AlignmentError("No source lies within the search radius of any catalogue source.")
    transform = LinearTransform(np.eye(2), np.array([peak.dx, peak.dy]))
    for _ in range(REFINEMENTS):
        first, second = match_nearest(transform.apply(merged.xy), catalog.xy, tolerance)
        allowed = geometries(len(first), parameters.geometry, parameters)
        if not allowed:
            needed = min(count for _, count in parameters.min_matches)
            verb = "is" if len(first) == 1 else "are"
            raise AlignmentError(f"There {verb} {counted(len(first), 'match', 'matches')}; a fit needs {needed}.")
        transform = _fit(merged, catalog, first, second, allowed[0], parameters).transform
    return first, second


def _search(method: MatchMethod, parameters: FitParameters) -> float:
    """How far an offset is searched, pixels."""
    wide = method is MatchMethod.HISTOGRAM
    return parameters.absolute_search_pixels if wide else parameters.default_search_pixels


def _fit(
    merged: MergedSources,
    catalog: CatalogPositions,
    first: Indices,
    second: Indices,
    geometry: FitGeometry,
    parameters: FitParameters,
) -> LinearFit:
    """Fit these matches."""
    sigma = np.hypot(merged.sigma[first], catalog.sigma[second])
    return fit_linear(merged.xy[first], catalog.xy[second], sigma, geometry, parameters.clip_sigma)


def _evidence(
    merged: MergedSources,
    catalog: CatalogPositions,
    fit: LinearFit,
    first: Indices,
    second: Indices,
    window_arcsec: float,
) -> FitEvidence:
    """The figures by which the fit is judged; matches were looked for as far as the window."""
    used = fit.used
    radius = float(np.hypot(*fit.residuals[used].T).max())
    density = source_density(merged.xy)
    free = int(np.ceil(PARAMETER_COUNT[fit.geometry] / 2))
    pairs = len(catalog) * density * (2 * window_arcsec) ** 2
    chance = chance_probability(int(used.sum()), len(catalog), density, radius, pairs**free, free)
    correction = fit.transform.apply(merged.xy[first]) - merged.before[first]
    error = np.sqrt(np.mean(fit.position_variance(merged.xy[first][used])))
    return FitEvidence(
        matches=int(used.sum()),
        catalog_sources=len(catalog),
        rms_mas=float(np.hypot(*fit.rms)) * MAS_PER_ARCSEC,
        offset_arcsec=float(np.hypot(*np.median(correction, axis=0))),
        correction_mas=float(np.sqrt(np.mean((correction**2).sum(axis=1)))) * MAS_PER_ARCSEC,
        correction_error_mas=float(error) * MAS_PER_ARCSEC,
        chance_probability=chance,
        magnitude_correlation=_correlation(merged.mag[first][used], catalog.mag[second][used]),
    )


def _correlation(a: Array, b: Array) -> float | None:
    """Pearson's correlation of two lists of magnitudes; None for fewer than 3 or a constant list."""
    known = np.isfinite(a) & np.isfinite(b)
    if known.sum() < 3 or np.ptp(a[known]) == 0 or np.ptp(b[known]) == 0:
        return None
    return float(np.corrcoef(a[known], b[known])[0, 1])


def _record(fit: LinearFit, xy: Array) -> AbsoluteFit:
    """The fit as a record, its shift taken at the centre of the matches."""
    transform, errors = fit.transform, np.sqrt(np.clip(np.diag(fit.covariance), 0, None))
    centre = xy[fit.used].mean(axis=0)
    shift = transform.apply(centre[None])[0] - centre
    turns, scales = fit.geometry is not FitGeometry.SHIFT, fit.geometry is FitGeometry.RSCALE
    simple = fit.geometry is not FitGeometry.GENERAL
    rms_ra, rms_dec = fit.rms
    return AbsoluteFit(
        geometry=fit.geometry,
        matches=int(fit.used.sum()),
        clipped=int((~fit.used).sum()),
        east_mas=float(shift[0]) * MAS_PER_ARCSEC,
        north_mas=float(shift[1]) * MAS_PER_ARCSEC,
        rotation_deg=transform.rotation_deg,
        scale=transform.scale,
        skew_deg=transform.skew_deg,
        east_error_mas=float(errors[0]) * MAS_PER_ARCSEC,
        north_error_mas=float(errors[1]) * MAS_PER_ARCSEC,
        rotation_error_deg=float(np.rad2deg(errors[2])) if turns and simple else None,
        scale_error=float(errors[3]) if scales else None,
        rms_ra_mas=rms_ra * MAS_PER_ARCSEC,
        rms_dec_mas=rms_dec * MAS_PER_ARCSEC,
    )
