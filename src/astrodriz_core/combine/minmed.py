"""Minmed: the median of a few exposures, or the minimum where a cosmic ray has raised the median."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attrs import frozen
from scipy.ndimage import binary_dilation

from astrodriz_core.arrays import Array, Image, Mask, Stack
from astrodriz_core.combine.median import CombineParameters, check_stack, ranked_value
from astrodriz_core.errors import MeasurementError

__all__ = ["ExposureNoise", "minmed_combine"]


@frozen
class ExposureNoise:
    """What minmed has to know about one exposure.

    Attributes
    ----------
    exptime : float
        Exposure time, s.
    sky : float
        Subtracted sky, electrons in one detector pixel.
    read_noise : float
        Read noise, electrons.
    """

    exptime: float
    sky: float
    read_noise: float


def minmed_combine(
    images: Image,
    weights: Image,
    masked: Mask,
    noise: Sequence[ExposureNoise],
    parameters: CombineParameters,
) -> Stack:
    """Median of each pixel, or the minimum where the median is too high to be believed.

    The median leaves out the highest good value (two exposures: the mean of both). With the total
    weight W = sum(weights), the noise in electrons of the whole stack is

        sigma^2 = max(median * W + sum(weight * sky / exptime) + sum over good(read_noise^2), 0)

    and the minimum stands where ``minimum * W < median * W - nsigma * sigma``, with the first value of
    `nsigma`, or the second one within `grow` pixels (a square) of a pixel that the first one selects.

    A row of the result depends on `grow` rows of the input on either side; pixels beyond the edge of
    the array select nothing. See `row_blocks`.

    Parameters
    ----------
    images, weights : ndarray
        Stacks [exposure, y, x]: electrons per second, and seconds.
    masked : ndarray of bool
        Same shape, True = not used. NaN and infinite values of `images` are not used either.
    noise : sequence of ExposureNoise
        One for each exposure.
    parameters : CombineParameters
        `nsigma` and `grow`; the other fields play no part.

    Returns
    -------
    ndarray of float32
        [y, x]. 0 where no exposure is good.

    Raises
    ------
    MeasurementError
        The shapes or numbers differ, there is no exposure, or an exposure time is not positive.

    References
    ----------
    DrizzlePac Handbook, section on ``createMedian``.
    """
    check_stack(images, masked, weights)
    _check_noise(noise, len(images))
    unusable = masked | ~np.isfinite(images)
    minimum = np.min(np.where(unusable, np.inf, images), axis=0)
    minimum = np.where(np.isfinite(minimum), minimum, 0).astype(np.float32)
    median = ranked_value(images, unusable, 0, 0 if len(images) == 2 else 1)
    total = np.sum(weights, axis=0)
    sigma = _stack_noise(median * total, weights, unusable, noise)
    lower, level = minimum * total, median * total
    chosen = lower < level - sigma * parameters.nsigma[0]
    if parameters.grow > 0:
        near = _grow(chosen, parameters.grow)
        chosen = lower < level - sigma * np.where(near, parameters.nsigma[1], parameters.nsigma[0])
    return np.where(chosen, minimum, median)


def _stack_noise(level: Image, weights: Image, unusable: Mask, noise: Sequence[ExposureNoise]) -> Array:
    sky_rates = np.array([each.sky / each.exptime for each in noise])
    read_variances = np.array([each.read_noise**2 for each in noise])
    background = np.tensordot(sky_rates, weights, axes=1)
    readout = np.tensordot(read_variances, ~unusable, axes=1)
    variance: Array = np.maximum(level + background + readout, 0.0)
    return np.sqrt(variance)


def _grow(chosen: Mask, grow: int) -> Mask:
    size = 2 * grow + 1
    grown: Mask = binary_dilation(chosen, np.ones((size, 1), dtype=bool))
    return np.asarray(binary_dilation(grown, np.ones((1, size), dtype=bool)))


def _check_noise(noise: Sequence[ExposureNoise], count: int) -> None:
    if len(noise) != count:
        raise MeasurementError(f"minmed needs the noise of {count} exposures and got {len(noise)}")
    if any(not each.exptime > 0.0 for each in noise):
        raise MeasurementError("minmed needs positive exposure times", remedy="Leave such exposures out.")
