"""Sigma-clipped statistics of many millions of pixels."""

from __future__ import annotations

import numpy as np
from attrs import evolve, frozen

from astrodriz_core.arrays import Sample

__all__ = ["SigmaClippedStatistics", "sigma_clipped_statistics"]

#: The median is first looked for between two quantiles of about this many pixels.
SAMPLE = 50_000
#: Half the width of that bracket, as a fraction of the pixels; many times the sampling error.
BRACKET = 0.02


@frozen
class SigmaClippedStatistics:
    """Mean, median and population standard deviation of the values that the clipping left.

    They have the precision of the values: what is compared with a float32 image is float32.
    """

    mean: np.floating
    median: np.floating
    sigma: np.floating


def sigma_clipped_statistics(values: Sample, limit: float, rounds: int | None) -> SigmaClippedStatistics:
    """Statistics after clipping around the median.

    Equal to ``astropy.stats.sigma_clipped_stats(values, sigma=limit, maxiters=rounds)`` to the last bit,
    so that a threshold made of it selects the same pixels, and faster by the search for the median.

    Parameters
    ----------
    values : numpy.ndarray of float
        At least one value, all finite. Not modified.
    limit : float
        Values farther from the median than this many standard deviations are clipped. A round that would
        clip them all (squares that underflow) is not made.
    rounds : int or None
        Rounds of clipping, at most; None clips until nothing changes. Below 1 nothing is clipped.
    """
    kept = values.ravel()
    middle = _middle(kept)
    done = 0
    while rounds is None or done < rounds:
        statistics = _statistics(kept, middle)
        reach = statistics.sigma * limit
        low, high = statistics.median - reach, statistics.median + reach
        inside = kept >= low
        too_low = len(kept) - int(np.count_nonzero(inside))
        inside &= kept <= high
        if inside.all() or not inside.any():
            return statistics
        kept = kept[inside]
        middle = middle.without(too_low) if low <= middle.lowest and middle.highest <= high else _middle(kept)
        done += 1
    return _statistics(kept, middle)


@frozen(eq=False)
class Middle:
    """Values around the median, which stay those around the median when others are clipped.

    Attributes
    ----------
    below : int
        How many values are smaller than all of these.
    lowest, highest : floating
        Limits, both values of the array.
    ties : int
        How many values equal the lowest. They are many where half of an image is empty.
    above : numpy.ndarray, shape (n,)
        The others, in ascending order.
    """

    below: int
    lowest: np.floating
    highest: np.floating
    ties: int
    above: Sample

    def median(self, number: int) -> np.floating | None:
        """Median of `number` values in all; None where it is not among these."""
        places = np.array([(number - 1) // 2, number // 2]) - self.below
        if places[0] < 0 or places[1] >= self.ties + len(self.above):
            return None
        pair = [self.lowest if place < self.ties else self.above[place - self.ties] for place in places]
        return self.above.dtype.type(np.mean(pair))

    def without(self, too_low: int) -> Middle:
        """The bracket when so many of the smaller values are gone."""
        return evolve(self, below=self.below - too_low)


def _middle(values: Sample) -> Middle:
    """Values between two quantiles of a sample on either side of its median."""
    sample = np.sort(values[:: max(1, len(values) // SAMPLE)])
    places = np.array([0.5 - BRACKET, 0.5 + BRACKET]) * (len(sample) - 1)
    low, high = sample[int(places[0])], sample[int(np.ceil(places[1]))]
    reached = int(np.count_nonzero(values >= low))
    inside = values > low
    ties = reached - int(np.count_nonzero(inside))
    inside &= values <= high
    return Middle(len(values) - reached, low, high, ties, np.sort(values[inside]))


def _median(values: Sample, middle: Middle) -> np.floating:
    """Median, equal to that of numpy; where the middle misses it, the whole array is looked through."""
    found = middle.median(len(values))
    return values.dtype.type(np.median(values)) if found is None else found


def _statistics(values: Sample, middle: Middle) -> SigmaClippedStatistics:
    """Mean, median and standard deviation."""
    mean = values.mean()
    return SigmaClippedStatistics(mean, _median(values, middle), values.std(mean=mean))
