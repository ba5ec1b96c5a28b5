"""Numbers of the normal distribution, by which medians stand in for means and deviations."""

from __future__ import annotations

__all__ = [
    "DEVIATION_OF_MEDIAN_ABSOLUTE",
    "FWHM_PER_SIGMA",
    "MEDIAN_ABSOLUTE",
    "MEDIAN_ERROR",
]

MEDIAN_ABSOLUTE = 0.6745
"""Median of the absolute deviation, over the standard deviation."""

DEVIATION_OF_MEDIAN_ABSOLUTE = 1.4826
"""Standard deviation over the median of the absolute deviation."""

MEDIAN_ERROR = 1.2533
"""Error of a median over that of a mean: the square root of pi / 2."""

FWHM_PER_SIGMA = 2.3548
"""Full width at half maximum of a Gaussian over its standard deviation."""
