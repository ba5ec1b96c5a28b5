"""Static mask: pixels of one chip that lie far below the background in at least one exposure."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from attrs import frozen

from astrodriz_core.arrays import Image, Mask
from astrodriz_core.combine.statistics import ClippingParameters, estimate_level, iraf_statistics
from astrodriz_core.errors import MeasurementError
from astrodriz_core.parameters.choices import SkyStatistic

__all__ = ["StaticMaskStatistics", "static_mask"]


CLIPPING = ClippingParameters(nclip=3, lsigma=3.0, usigma=3.0, binwidth=0.1)
"""Clipping before the mode and the noise are measured; fixed, no parameter of the run."""


@frozen
class StaticMaskStatistics:
    """What one exposure brought to the static mask of its chip.

    Attributes
    ----------
    mode, stddev : float
        Mode and standard deviation of the clipped pixels, in the units of the image.
    threshold : float
        ``mode - sigma * stddev``: pixels below it are bad.
    pixels : int
        Number of pixels of this exposure below the threshold.
    """

    mode: float
    stddev: float
    threshold: float
    pixels: int


def static_mask(images: Iterable[Image], sigma: float) -> tuple[Mask, tuple[StaticMaskStatistics | None, ...]]:
    """Pixels far below the mode in any exposure of one chip.

    A pixel is bad where ``image < mode - sigma * stddev`` in at least one exposure, mode and standard
    deviation after three passes of clipping at 3 standard deviations. Flags of the DQ array play no part.

    Parameters
    ----------
    images : iterable of ndarray
        SCI arrays of the same chip, [y, x], all of one shape, each in its own units. They are taken one
        after the other, so a generator keeps memory at one image.
    sigma : float
        Distance below the mode, in standard deviations (parameter ``static_sig``).

    Returns
    -------
    mask : ndarray of bool
        True = bad. NaN is never bad here.
    statistics : tuple of StaticMaskStatistics or None
        One for each image, in their order; None where the image is constant or has no finite value: it
        then brings nothing to the mask.

    Raises
    ------
    MeasurementError
        There is no image, or the shapes differ.
    """
    mask: Mask | None = None
    statistics = []
    for image in images:
        if mask is None:
            mask = np.zeros(image.shape, dtype=bool)
        if image.shape != mask.shape:
            raise MeasurementError(f"the static mask needs images of one shape, not {mask.shape}, {image.shape}")
        below, found = _far_below(image, sigma)
        mask |= below
        statistics.append(found)
    if mask is None:
        raise MeasurementError("the static mask needs at least one image")
    return mask, tuple(statistics)


def _far_below(image: Image, sigma: float) -> tuple[Mask, StaticMaskStatistics | None]:
    finite = np.isfinite(image)
    sample = np.ravel(image) if finite.all() else image[finite]
    clipped = iraf_statistics(sample, CLIPPING)
    if clipped is None or clipped.minimum == clipped.maximum:
        return np.zeros(image.shape, dtype=bool), None
    mode = estimate_level(sample, clipped, SkyStatistic.MODE, CLIPPING.binwidth)
    threshold = mode - sigma * clipped.stddev
    below = image < threshold
    return below, StaticMaskStatistics(mode, clipped.stddev, threshold, int(np.count_nonzero(below)))
