"""Sinc interpolation of an image at given positions: accurate where the image is well sampled, and slow.

The interpolant is that of IRAF: a sinc function over 15 pixels on each axis, damped by a cosine bell,
its weights normalised to a sum of 1.
"""

from __future__ import annotations

import numpy as np

from astrodriz_core.arrays import Array, Float32Image, Image, Indices
from astrodriz_core.errors import MeasurementError

__all__ = ["sinc_interpolate"]


HALF_WIDTH = 7
"""Pixels on either side of the nearest one that have a weight; NSINC in IRAF."""

COSINE = (1.0, -0.49670, 0.03705)
"""Coefficients of cos(x) in powers of x^2 on [0, pi/2]: Abramowitz & Stegun 1964, 4.3.97, as in IRAF."""

BLOCK_POSITIONS = 2**15
"""Positions that are computed at a time: their weights, 4 MB, stay in the processor's cache."""


def sinc_interpolate(image: Image, positions: Array, scale: float = 1.0) -> Float32Image:
    """Values of an image at positions between its pixels.

    On each axis, with the nearest pixel n and the offset ``d = x - n``, pixel ``n + k`` has the weight

        w(k) = sinc((d - k) / scale) * taper(k) / sum(w),   taper(k) = cos^2(pi k / 14),   k = -7 ... 7

    with sinc(t) = sin(pi t) / (pi t); the weights of both axes are multiplied. Beyond its edge the image is
    continued with its outermost pixels.

    Parameters
    ----------
    image : ndarray
        [y, x].
    positions : ndarray of float64, shape (..., 2)
        x and y, 0-based, integers at pixel centres.
    scale : float
        Width of the sinc function in pixels (parameter ``blot_sinscl``); above 1 it smooths the image.

    Returns
    -------
    ndarray of float32
        Shape of `positions` without its last axis. 0 where the nearest pixel lies outside the image and where
        a position is not finite; NaN and infinities of the image spread over the width of the function.

    Raises
    ------
    MeasurementError
        The image is not two-dimensional or empty, the positions are not pairs, or the scale is not positive.

    References
    ----------
    IRAF, task ``iminterp``, function type ``sinc``.
    """
    if image.ndim != 2 or image.size == 0 or positions.ndim < 1 or positions.shape[-1] != 2:
        raise MeasurementError(f"an image {image.shape} cannot be sampled at positions {positions.shape}")
    if not scale > 0.0:
        raise MeasurementError(f"the width of the sinc function must be positive, not {scale}")
    padded = np.pad(np.asarray(image, dtype=np.float32), HALF_WIDTH, mode="edge")
    flat = positions.reshape(-1, 2)
    result = np.zeros(len(flat), dtype=np.float32)
    for start in range(0, len(flat), BLOCK_POSITIONS):
        block = slice(start, start + BLOCK_POSITIONS)
        result[block] = _interpolate_block(padded, flat[block], scale)
    return result.reshape(positions.shape[:-1])


def _interpolate_block(padded: Float32Image, positions: Array, scale: float) -> Float32Image:
    """Values at positions, shape (n, 2), in an image that was padded on all sides."""
    ny, nx = (side - 2 * HALF_WIDTH for side in padded.shape)
    nearest = np.rint(positions)
    inside = ((nearest >= 0) & (nearest < (nx, ny))).all(axis=1)
    pixel, values = nearest[inside].astype(np.intp), np.zeros(len(positions), dtype=np.float32)
    offset = positions[inside] - pixel
    # The corner of the padded image that belongs to weight 0 of both axes has the index of the pixel itself.
    corner = pixel[:, 1] * padded.shape[1] + pixel[:, 0]
    values[inside] = _convolve(padded, corner, _weights(offset[:, 0], scale), _weights(offset[:, 1], scale))
    return values


def _convolve(padded: Float32Image, corner: Indices, weights_x: Float32Image, weights_y: Float32Image) -> Float32Image:
    pixels, width = padded.ravel(), padded.shape[1]
    total = np.zeros(len(corner), dtype=np.float32)
    for row, weight_y in enumerate(weights_y):
        along_x = np.zeros(len(corner), dtype=np.float32)
        for column, weight_x in enumerate(weights_x):
            along_x += weight_x * pixels[corner + (row * width + column)]
        total += weight_y * along_x
    return total


def _weights(offset: Array, scale: float) -> Float32Image:
    """Weights of the pixels -7 ... 7 from the nearest one, shape (15, n)."""
    pixel = np.arange(-HALF_WIDTH, HALF_WIDTH + 1)[:, np.newaxis]
    squared = (np.pi / 2 * pixel / HALF_WIDTH) ** 2
    taper = np.polynomial.polynomial.polyval(squared, COSINE) ** 2
    weights = np.sinc((offset - pixel) / scale) * taper
    return np.asarray(weights / weights.sum(axis=0), dtype=np.float32)
