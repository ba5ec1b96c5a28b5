"""Sigma-clipped statistics of a sample of pixels: mean, median, and two estimates from a histogram.

The estimators are those of IRAF's ``gstatistics``, which HST's drizzle products have always been made
with. The static mask and the sky share them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from attrs import field, frozen
from attrs.validators import ge, gt
from numpy.typing import NDArray

from astrodriz_core.arrays import Sample
from astrodriz_core.parameters.choices import SkyStatistic

__all__ = ["ClippingParameters", "IrafStatistics", "estimate_level", "iraf_statistics"]

SMALLEST_BIN = 10.0 * float(np.finfo(np.float32).eps)
"""A histogram with narrower bins, or over a narrower range, says nothing about float32 data."""


@frozen
class ClippingParameters:
    """How a sample is clipped before it is measured.

    Attributes
    ----------
    lower, upper : float or None
        Limits, inclusive, that hold in every pass; None for no limit.
    nclip : int
        Number of times that the limits are set anew from mean and standard deviation.
    lsigma, usigma : float
        Distance of those limits from the mean, in standard deviations.
    binwidth : float
        Width of a bin of the histogram, in standard deviations.
    """

    lower: float | None = None
    upper: float | None = None
    nclip: int = field(default=5, validator=ge(0))
    lsigma: float = field(default=4.0, validator=gt(0.0))
    usigma: float = field(default=4.0, validator=gt(0.0))
    binwidth: float = field(default=0.1, validator=gt(0.0))


@frozen
class IrafStatistics:
    """What the last pass of clipping left.

    Attributes
    ----------
    npix : int
        Number of values left.
    mean, stddev : float
        Their mean and their standard deviation; the standard deviation with n - 1, and 0 for one value.
    minimum, maximum : float
        The least and the greatest of those values.
    lower, upper : float
        Inclusive limits of the last pass.
    """

    npix: int
    mean: float
    stddev: float
    minimum: float
    maximum: float
    lower: float
    upper: float


def iraf_statistics(sample: Sample, parameters: ClippingParameters) -> IrafStatistics | None:
    """Mean and standard deviation of a sample after iterative sigma clipping.

    Every pass takes all values within the present limits, inclusive, so a value that one pass left out
    can come back in the next. The limits never pass `parameters.lower` and `parameters.upper`.

    Parameters
    ----------
    sample : ndarray
        Values of any shape. NaN is left out; the sums are float64.
    parameters : ClippingParameters
        Limits and number of passes.

    Returns
    -------
    IrafStatistics or None
        None if no value is left in some pass: empty sample, all NaN, limits outside the data.
    """
    values = np.ravel(sample)
    lowest = -np.inf if parameters.lower is None else parameters.lower
    highest = np.inf if parameters.upper is None else parameters.upper
    found = _measure(values, lowest, highest)
    for _ in range(parameters.nclip):
        if found is None:
            return None
        lower = max(lowest, found.mean - parameters.lsigma * found.stddev)
        upper = min(highest, found.mean + parameters.usigma * found.stddev)
        found = _measure(values, lower, upper)
    return found


def estimate_level(sample: Sample, clipped: IrafStatistics, statistic: SkyStatistic, binwidth: float) -> float:
    """Level of a clipped sample, by the estimator asked for.

    Parameters
    ----------
    sample : ndarray
        The values that `clipped` was measured on.
    clipped : IrafStatistics
        Result of `iraf_statistics`.
    statistic : SkyStatistic
        Estimator.
    binwidth : float
        Width of a bin of the histogram in units of ``clipped.stddev``; only for mode and midpt.

    Returns
    -------
    float
        The level, in the units of the sample. Where the clipped values are so alike that a histogram
        has one bin, mode and midpt are the middle of that bin.

    Notes
    -----
    The histogram runs from the smallest to the largest clipped value; its bins are stretched so that
    their number is whole. Positions are nevertheless counted in bins of the width asked for, as
    ``gstatistics`` has it: mode and midpt come out low by less than one such bin, 0.1 standard deviations.
    """
    return ESTIMATORS[statistic](np.ravel(sample), clipped, binwidth)


def _measure(values: Sample, lower: float, upper: float) -> IrafStatistics | None:
    kept = values[(values >= lower) & (values <= upper)]
    if kept.size == 0:
        return None
    mean = float(kept.mean(dtype=np.float64))
    stddev = float(kept.std(dtype=np.float64, ddof=1)) if kept.size > 1 else 0.0
    return IrafStatistics(kept.size, mean, stddev, float(kept.min()), float(kept.max()), lower, upper)


def _mean(values: Sample, clipped: IrafStatistics, binwidth: float) -> float:
    return clipped.mean


def _median(values: Sample, clipped: IrafStatistics, binwidth: float) -> float:
    return float(np.median(values[(values >= clipped.lower) & (values <= clipped.upper)]))


def _mode(values: Sample, clipped: IrafStatistics, binwidth: float) -> float:
    counts = _histogram(values, clipped, binwidth)
    width = binwidth * clipped.stddev
    peak = int(np.argmax(counts))
    if counts.size == 2 and counts[0] == counts[1]:
        return clipped.minimum + width
    return clipped.minimum + (peak + 0.5 + _parabola_offset(counts, peak)) * width


def _parabola_offset(counts: NDArray[np.int64], peak: int) -> float:
    """Peak of the parabola through three bins, as an offset from the middle one, in bins."""
    if peak in (0, counts.size - 1):
        return 0.0
    left = int(counts[peak] - counts[peak - 1])
    right = int(counts[peak] - counts[peak + 1])
    return 0.5 * (left - right) / (left + right) if left + right else 0.0


def _midpt(values: Sample, clipped: IrafStatistics, binwidth: float) -> float:
    counts = _histogram(values, clipped, binwidth)
    below = np.cumsum(counts) / counts.sum()
    half = int(np.argmax(below >= 0.5))
    before = float(below[half - 1]) if half else 0.0
    inside = (0.5 - before) / (float(below[half]) - before)
    return clipped.minimum + (half + inside) * binwidth * clipped.stddev


def _histogram(values: Sample, clipped: IrafStatistics, binwidth: float) -> NDArray[np.int64]:
    """Count values in bins from the smallest clipped value, in float32 as the data are."""
    span, width = clipped.maximum - clipped.minimum, binwidth * clipped.stddev
    if width < SMALLEST_BIN or span < SMALLEST_BIN or width > span:
        return np.array([clipped.npix])
    bins = int(span / width) + 1
    stretched = np.float32(span / (bins - 1))
    start = np.float32(clipped.minimum)
    inside = values[(values >= start) & (values < start + stretched * np.float32(bins))]
    index = ((inside.astype(np.float32, copy=False) - start) / stretched).astype(np.int64)
    return np.bincount(np.minimum(index, bins - 1), minlength=bins)


ESTIMATORS: dict[SkyStatistic, Callable[[Sample, IrafStatistics, float], float]] = {
    SkyStatistic.MEAN: _mean,
    SkyStatistic.MEDIAN: _median,
    SkyStatistic.MODE: _mode,
    SkyStatistic.MIDPT: _midpt,
}
