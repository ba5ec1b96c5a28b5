"""Combination of the separately drizzled images into one that is free of cosmic rays.

All images are in electrons per second on the output grid. Every pixel is combined by itself.
"""

from __future__ import annotations

import numpy as np
from attrs import field, frozen
from attrs.validators import ge

from astrodriz_core.arrays import Array, Image, Mask, Stack
from astrodriz_core.errors import MeasurementError
from astrodriz_core.parameters.choices import CombineType

__all__ = ["CombineParameters", "check_stack", "mean_combine", "median_combine", "ranked_value", "sum_combine"]


FIRST_WHERE_MASKED = (CombineType.IMEDIAN, CombineType.IMEAN)


@frozen
class CombineParameters:
    """Parameters of the combination, ``combine_*`` of the drizzle parameters.

    Attributes
    ----------
    combine_type : CombineType
        Method.
    nlow, nhigh : int
        Number of lowest and highest values of each pixel left out by median and mean.
    lthresh, hthresh : float or None
        Values below `lthresh`, and `hthresh` and above it, count as masked in median, mean and sum; in
        electrons per second.
    nsigma : tuple of float
        Minmed takes the minimum where the median exceeds it by so many standard deviations: far from,
        and near, another pixel of that kind.
    grow : int
        What near means: pixels in each direction.
    """

    combine_type: CombineType = CombineType.MINMED
    nlow: int = field(default=0, validator=ge(0))
    nhigh: int = field(default=0, validator=ge(0))
    lthresh: float | None = None
    hthresh: float | None = None
    nsigma: tuple[float, float] = (4.0, 3.0)
    grow: int = field(default=1, validator=ge(0))


def median_combine(images: Image, masked: Mask, parameters: CombineParameters) -> Stack:
    """Median of each pixel over the exposures, after masks, thresholds and rejection.

    With n good values in ascending order the median is the value at rank ``(n - 1 + nlow - nhigh) / 2``,
    counted from 0 and kept within 0 and n - 1; for a half rank the mean of its two neighbours. For
    n > nlow + nhigh that is the median of what rejection leaves; for fewer, rejection gives way and the
    value nearest to it is kept.

    Parameters
    ----------
    images : ndarray
        Stack [exposure, y, x], electrons per second.
    masked : ndarray of bool
        Same shape, True = not used. NaN and infinite values are not used either.
    parameters : CombineParameters
        Rejection, thresholds, and what stands where no exposure is good.

    Returns
    -------
    ndarray of float32
        [y, x]. 0 where no exposure is good; for `CombineType.IMEDIAN` the value of the first exposure.

    Raises
    ------
    MeasurementError
        The shapes differ, there is no exposure, or `nlow` + `nhigh` would reject every exposure.
    """
    _check_rejection(images, masked, parameters)
    unusable = _unusable(images, masked, parameters)
    return _fill(ranked_value(images, unusable, parameters.nlow, parameters.nhigh), images, unusable, parameters)


def mean_combine(images: Image, masked: Mask, parameters: CombineParameters) -> Stack:
    """Mean of each pixel over the exposures, after masks, thresholds and rejection.

    Parameters, returns and errors are those of `median_combine`, but a pixel with no more good values
    than `nlow` + `nhigh` counts as one where no exposure is good.
    """
    _check_rejection(images, masked, parameters)
    unusable = _unusable(images, masked, parameters)
    ordered = np.sort(np.where(unusable, np.inf, images), axis=0)
    rank = np.arange(len(images)).reshape(-1, 1, 1)
    kept = (rank >= parameters.nlow) & (rank < (~unusable).sum(axis=0) - parameters.nhigh)
    total = np.sum(ordered, axis=0, where=kept, dtype=np.float64)
    count = kept.sum(axis=0)
    mean = np.divide(total, count, out=np.zeros(total.shape), where=count > 0)
    return _fill(mean.astype(np.float32), images, unusable, parameters)


def sum_combine(images: Image, masked: Mask, parameters: CombineParameters) -> Stack:
    """Sum of the good values of each pixel; 0 where there are none. Rejection plays no part."""
    check_stack(images, masked)
    good = ~_unusable(images, masked, parameters)
    total: Array = np.sum(images, axis=0, where=good, dtype=np.float64)
    return np.asarray(total, dtype=np.float32)


def ranked_value(images: Image, unusable: Mask, nlow: int, nhigh: int) -> Stack:
    """Value of each pixel at the rank that `median_combine` describes.

    Parameters
    ----------
    images : ndarray
        Stack [exposure, y, x].
    unusable : ndarray of bool
        Same shape, True = not used; True wherever `images` is not finite.
    nlow, nhigh : int
        Number of lowest and highest values left out.

    Returns
    -------
    ndarray of float32
        [y, x]; 0 where no value is usable.
    """
    ordered = np.sort(np.where(unusable, np.inf, images), axis=0)
    count = (~unusable).sum(axis=0)
    twice = np.clip(count - 1 + nlow - nhigh, 0, np.maximum(2 * (count - 1), 0))
    lower = np.take_along_axis(ordered, twice[np.newaxis] // 2, axis=0)[0]
    upper = np.take_along_axis(ordered, (twice[np.newaxis] + 1) // 2, axis=0)[0]
    middle = 0.5 * (lower.astype(np.float64) + upper)
    return np.where(count > 0, middle, 0.0).astype(np.float32)


def check_stack(images: Image, masked: Mask, weights: Image | None = None) -> None:
    """Raise `MeasurementError` unless the arrays are stacks [exposure, y, x] of one shape, not empty."""
    if images.ndim != 3 or len(images) == 0:
        raise MeasurementError(f"the combination needs a stack [exposure, y, x], not shape {images.shape}")
    if any(other.shape != images.shape for other in (masked, weights) if other is not None):
        raise MeasurementError("the combination needs masks and weights of the shape of the images")


def _unusable(images: Image, masked: Mask, parameters: CombineParameters) -> Mask:
    unusable: Mask = masked | ~np.isfinite(images)
    if parameters.lthresh is not None:
        unusable |= images < parameters.lthresh
    if parameters.hthresh is not None:
        unusable |= images >= parameters.hthresh
    return unusable


def _fill(combined: Stack, images: Image, unusable: Mask, parameters: CombineParameters) -> Stack:
    if parameters.combine_type not in FIRST_WHERE_MASKED:
        return combined
    first = np.where(np.isfinite(images[0]), images[0], 0.0)
    return np.where(unusable.all(axis=0), first, combined).astype(np.float32)


def _check_rejection(images: Image, masked: Mask, parameters: CombineParameters) -> None:
    check_stack(images, masked)
    if parameters.nlow + parameters.nhigh >= len(images):
        raise MeasurementError(
            f"combine_nlow {parameters.nlow} and combine_nhigh {parameters.nhigh}"
            f" reject every one of {len(images)} exposures",
            remedy="Lower combine_nlow or combine_nhigh.",
        )
