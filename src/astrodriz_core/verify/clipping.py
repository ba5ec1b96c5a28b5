"""Sigma-clipped statistics of many millions of pixels."""

from __future__ import annotations

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

__all__ = ["ClippedStatistics", "clipped_statistics", "exact_median"]

#: The median is first looked for between two quantiles of about this many pixels.
SAMPLE = 50_000
#: Half the width of that bracket, as a fraction of the pixels; many times the sampling error.
BRACKET = 0.02


@frozen
class ClippedStatistics:
    """Mean, median and population standard deviation of the values that the clipping left.

    They have the precision of the values: what is compared with a float32 image is float32.
    """

    mean: np.floating
    median: np.floating
    sigma: np.floating


def clipped_statistics(values: NDArray[np.floating], limit: float, rounds: int | None) -> ClippedStatistics:
    """Statistics after clipping around the median.

    Equal to ``astropy.stats.sigma_clipped_stats(values, sigma=limit, maxiters=rounds)`` to the last bit,
    so that a threshold made of it selects the same pixels, and faster by the search for the median.

    Parameters
    ----------
    values : numpy.ndarray of float
        At least one value, all finite. Not modified.
    limit : float
        Values farther from the median than this many standard deviations are clipped.
    rounds : int or None
        Rounds of clipping, at most; None clips until nothing changes. Below 1 nothing is clipped.
    """
    kept = values.ravel()
    done = 0
    while rounds is None or done < rounds:
        statistics = _statistics(kept)
        reach = statistics.sigma * limit
        low, high = statistics.median - reach, statistics.median + reach
        inside = (kept >= low) & (kept <= high)
        if inside.all():
            return statistics
        kept = kept[inside]
        done += 1
    return _statistics(kept)


def _statistics(values: NDArray[np.floating]) -> ClippedStatistics:
    """Mean, median and standard deviation."""
    return ClippedStatistics(values.mean(), exact_median(values), values.std())


def exact_median(values: NDArray[np.floating]) -> np.floating:
    """Median of a one-dimensional array without NaN, equal to ``numpy.median``.

    A sample brackets the middle; only what lies in the bracket is sorted. Where the bracket misses the
    middle, the whole array is.
    """
    sample = np.sort(values[:: max(1, len(values) // SAMPLE)])
    places = np.array([0.5 - BRACKET, 0.5 + BRACKET]) * (len(sample) - 1)
    low, high = sample[int(places[0])], sample[int(np.ceil(places[1]))]
    below = int(np.count_nonzero(values < low))
    first, second = (len(values) - 1) // 2 - below, len(values) // 2 - below
    if low == high:
        among = np.full(int(np.count_nonzero(values == low)), low) if first >= 0 else values[:0]
    else:
        among = values[(values >= low) & (values <= high)]
    if first < 0 or second >= len(among):
        return values.dtype.type(np.median(values))
    if low != high:
        among = np.partition(among, (first, second))
    return values.dtype.type(np.mean(among[[first, second]]))
