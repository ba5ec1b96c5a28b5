"""Cosmic rays of one chip, by comparison with the blotted median and its derivative.

The derivative allows for what a shift of a fraction of a pixel, or a slightly different PSF, does near
a star. Two passes: pixels that deviate strongly, then, close to those, pixels that deviate less. See
Fruchter & Hook 2002, PASP 114, 144, section 5.
"""

from __future__ import annotations

from enum import Enum

import numpy as np
from attrs import field, frozen
from attrs.validators import ge, gt
from scipy.ndimage import maximum_filter

from astrodriz_core.arrays import Image, Mask
from astrodriz_core.errors import MeasurementError

__all__ = ["ChipNoise", "CosmicRayParameters", "CteTail", "absolute_derivative", "find_cosmic_rays"]


NEIGHBOURHOOD = 3
"""Side, in pixels, of the square around a strong deviation in which the second pass looks."""


class CteTail(Enum):
    """Where charge transfer leaves the tail of a cosmic ray: away from the readout amplifier."""

    NONE = "none"
    TOWARDS_LARGER_Y = "towards larger y"
    TOWARDS_SMALLER_Y = "towards smaller y"


@frozen
class CosmicRayParameters:
    """Parameters of the search, ``driz_cr_*`` of the drizzle parameters.

    Attributes
    ----------
    snr : tuple of float
        Deviation in units of the noise: for the first pass, for the second.
    scale : tuple of float
        What part of the derivative is allowed for: in the first pass, in the second.
    grow : int
        Side, in pixels, of the square that each cosmic ray is grown to; 1 = not grown. A square of
        even side reaches one pixel further towards larger x and y.
    ctegrow : int
        Length, in pixels, of the tail that is flagged with each cosmic ray.
    """

    snr: tuple[float, float] = (3.5, 3.0)
    scale: tuple[float, float] = (1.2, 0.7)
    grow: int = field(default=1, validator=ge(0))
    ctegrow: int = field(default=0, validator=ge(0))


@frozen
class ChipNoise:
    """Noise of one chip.

    Attributes
    ----------
    read_noise : float
        Electrons.
    sky : float
        Added to the blotted image when its noise is estimated, in the units of the images. AstroDrizzle adds
        the sky to an image that contains it already; that allows for the noise of the median, whose
        background is as uncertain as that of an exposure or a little less. Without it several times as many
        good pixels are flagged.
    gain : float
        Electrons in one unit of the images: 1 for images in electrons.
    """

    read_noise: float = field(validator=ge(0.0))
    sky: float = 0.0
    gain: float = field(default=1.0, validator=gt(0.0))


def absolute_derivative(image: Image) -> Image:
    """Largest absolute difference between each pixel and its neighbours above, below, left and right.

    At the edge of the array only the neighbours that exist count.

    Parameters
    ----------
    image : ndarray
        [y, x]. A NaN makes its own derivative and that of its neighbours NaN.

    Returns
    -------
    ndarray
        Same shape and dtype.
    """
    derivative = np.zeros_like(image)
    for axis in (0, 1):
        difference = np.abs(np.diff(image, axis=axis))
        after = _shifted(derivative, axis, 1)
        before = _shifted(derivative, axis, -1)
        np.maximum(after, difference, out=after)
        np.maximum(before, difference, out=before)
    return derivative


def find_cosmic_rays(
    science: Image,
    blotted: Image,
    noise: ChipNoise,
    parameters: CosmicRayParameters,
    tail: CteTail = CteTail.NONE,
    *,
    good: Mask | None = None,
    derivative: Image | None = None,
) -> Mask:
    """Pixels that a cosmic ray hit.

    With the deviation ``D = |science - blotted|``, the noise
    ``N = sqrt(gain * |blotted + sky| + read_noise^2) / gain`` and the derivative G of the blotted image,
    a pixel is hit if ``D > scale[1] * G + snr[1] * N`` and if ``D > scale[0] * G + snr[0] * N`` holds for
    it or one of its eight neighbours. Then every hit grows to a square and gets its tail.

    Parameters
    ----------
    science : ndarray
        SCI array [y, x] of the chip.
    blotted : ndarray
        The median, resampled to the chip, in the units of `science` and with the same sky.
    noise : ChipNoise
        Noise of the chip.
    parameters : CosmicRayParameters
        Thresholds and growth.
    tail : CteTail
        Direction of the tail.
    good : ndarray of bool, optional
        Pixels outside it are neither hit nor do they support their neighbours; growth and tails may
        cover them. By default all are good.
    derivative : ndarray, optional
        G, where more is known of the sky than the chip sees: at the edges of the chip the derivative of
        `blotted` lacks the neighbours beyond. By default `absolute_derivative` of `blotted`.

    Returns
    -------
    ndarray of bool
        True = cosmic ray. NaN in either image is never a hit.

    Raises
    ------
    MeasurementError
        The shapes differ.
    """
    derivative = absolute_derivative(blotted) if derivative is None else derivative
    shapes = {array.shape for array in (science, blotted, good, derivative) if array is not None}
    if len(shapes) != 1:
        raise MeasurementError(f"images and masks of different shapes cannot be compared: {sorted(shapes)}")
    deviation = np.abs(science - blotted)
    sigma = np.sqrt(noise.gain * np.abs(blotted + noise.sky) + noise.read_noise**2) / noise.gain
    strong, weak = (
        deviation > scale * derivative + snr * sigma
        for scale, snr in zip(parameters.scale, parameters.snr, strict=True)
    )
    if good is not None:
        strong, weak = strong & good, weak & good
    hit = weak & maximum_filter(strong, size=NEIGHBOURHOOD, mode="constant", cval=False)
    return _grow(hit, parameters.grow) | _tails(hit, parameters.ctegrow, tail)


def _shifted(image: Image, axis: int, by: int) -> Image:
    """View of all rows (axis 0) or columns but the first (by = 1) or the last one (by = -1)."""
    part = slice(1, None) if by > 0 else slice(None, -1)
    return image[part] if axis == 0 else image[:, part]


def _grow(hit: Mask, grow: int) -> Mask:
    if grow < 2:
        return hit
    return np.asarray(maximum_filter(hit, size=grow, mode="constant", cval=False))


def _tails(hit: Mask, length: int, tail: CteTail) -> Mask:
    tails = np.zeros_like(hit)
    for step in range(1, min(length, len(hit) - 1) + 1):
        if tail is CteTail.TOWARDS_LARGER_Y:
            tails[step:] |= hit[:-step]
        elif tail is CteTail.TOWARDS_SMALLER_Y:
            tails[:-step] |= hit[step:]
    return tails
