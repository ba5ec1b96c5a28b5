"""Does every exposure by itself agree with the catalogue to which all were fitted together?"""

from __future__ import annotations

import numpy as np

from astrodriz_core.align.absolute import CatalogPositions
from astrodriz_core.align.fit_quality import CONSISTENCY
from astrodriz_core.align.fitting import LinearTransform
from astrodriz_core.align.linking import ExposurePositions
from astrodriz_core.align.matching import match_nearest
from astrodriz_core.arrays import Array
from astrodriz_core.measure.robust import DEVIATION_OF_MEDIAN_ABSOLUTE, MEDIAN_ERROR
from astrodriz_core.records.astrometry import FitCheck
from astrodriz_core.units import MAS_PER_ARCSEC

__all__ = ["check_consistency"]


MIN_MATCHES = 3
"""Fewer matches of one exposure than this say nothing about it."""

SIGNIFICANCE = 5.0
"""Standard errors by which an exposure has to be off."""

ALIGNED_PIXELS = 0.1
"""Exposures closer than this are well aligned (published), however small the error is."""


def check_consistency(
    exposures: tuple[ExposurePositions, ...],
    transforms: tuple[LinearTransform, ...],
    catalog: CatalogPositions,
    pixel_arcsec: float,
    tolerance_pixels: float,
) -> FitCheck:
    """Check the shifts of the exposures against each other, each measured from the catalogue.

    The offset of an exposure is the median of its residuals, its error their scatter over the root of their number
    times `MEDIAN_ERROR`. The worst exposure counts.

    Parameters
    ----------
    exposures : tuple of ExposurePositions
    transforms : tuple of LinearTransform
        The whole motion of each exposure.
    catalog : CatalogPositions
    pixel_arcsec : float
    tolerance_pixels : float
        Reach of a match.

    Returns
    -------
    FitCheck
        Passed, without a value, where no exposure has three matches.
    """
    reach, least = tolerance_pixels * pixel_arcsec, ALIGNED_PIXELS * pixel_arcsec
    measured = [
        (exposure.rootname, found[0] * MAS_PER_ARCSEC, max(SIGNIFICANCE * found[1], least) * MAS_PER_ARCSEC)
        for exposure, transform in zip(exposures, transforms, strict=True)
        if (found := _offset(transform.apply(exposure.xy), catalog.xy, reach)) is not None
    ]
    if not measured:
        return FitCheck(CONSISTENCY, None, None, True, "No exposure has enough matches of its own.")
    name, offset, limit = max(measured, key=lambda each: each[1] / each[2])
    text = f"{name} by itself is {offset:.2f} mas from the catalogue, at most {limit:.2f} mas."
    return FitCheck(CONSISTENCY, offset, limit, offset <= limit, text)


def _offset(xy: Array, catalog: Array, reach: float) -> tuple[float, float] | None:
    """Median offset from the catalogue and its error, arcsec; None for too few matches."""
    first, second = match_nearest(xy, catalog, reach)
    if len(first) < MIN_MATCHES:
        return None
    residual = catalog[second] - xy[first]
    middle = np.median(residual, axis=0)
    scatter = DEVIATION_OF_MEDIAN_ABSOLUTE * np.median(np.abs(residual - middle), axis=0)
    error = MEDIAN_ERROR * np.hypot(*scatter) / np.sqrt(len(first))
    return float(np.hypot(*middle)), float(error)
