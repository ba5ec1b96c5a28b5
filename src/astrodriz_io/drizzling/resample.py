"""Drizzle and blot of one chip through the ``drizzle`` package, in electrons/s for each output pixel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeAlias, TypeVar

import numpy as np
from drizzle.resample import Drizzle, blot_image
from numpy.typing import NDArray

from astrodriz_core.arrays import Array, Float32Image, Indices, Mask
from astrodriz_core.combine.sinc import sinc_interpolate
from astrodriz_core.parameters.choices import BlotInterpolation
from astrodriz_io.drizzling.placed import MAP_BORDER, PlacedChip

__all__ = ["CHIPS_IN_PLANE", "add_chip", "blot_chip", "flagged_places", "new_drizzle", "without_margin"]

CHIPS_IN_PLANE = 32
"""Bits of a pixel of the context image; further chips get further planes."""

READ_BEYOND = {"nearest": 2, "poly3": 2}
"""Rows and columns beyond the image that interpolants of the package read; the others, with images of few pixels."""
LEAST_SIDE = 8
"""Pixels: no interpolant of the package but the Lanczos ones reaches further."""

Scalar = TypeVar("Scalar", bound=np.generic)
Interpolate: TypeAlias = Callable[[Float32Image, Array, float], Float32Image]
"""Values of an image at positions (ny, nx, 2), with the width of a sinc function; 0 outside the image."""


def new_drizzle(
    shape: tuple[int, int], kernel: str, fill: float | None, chips: int, *, context: bool = True
) -> Drizzle:
    """An empty output image.

    Parameters
    ----------
    shape : tuple of int
        (ny, nx).
    kernel : str
        Name of the kernel.
    fill : float or None
        Value of pixels without data; None for NaN.
    chips : int
        How many chips will be added, for the planes of the context image.
    context : bool
        Whether a context image is made.
    """
    return Drizzle(
        kernel=kernel,
        fillval="nan" if fill is None else str(fill),
        out_shape=shape,
        max_ctx_id=max(chips - 1, 0),
        disable_ctx=not context,
    )


def add_chip(
    drizzle: Drizzle,
    chip: PlacedChip,
    rate: Float32Image,
    weight: Float32Image,
    pixel_map: Array,
    pixfrac: float,
) -> None:
    """Drizzle one chip onto an output image.

    Parameters
    ----------
    drizzle : Drizzle
        The output, changed in place.
    chip : PlacedChip
        For its exposure time and scale.
    rate : ndarray of float32, shape of the chip
        Electrons/s for each detector pixel, sky subtracted. Values of zero weight do not matter.
    weight : ndarray of float32
        Weight for each detector pixel; 0 leaves it out.
    pixel_map : ndarray of float64, shape (ny + 2, nx + 2, 2)
        From `PlacedChip.pixel_map`, with a border of `MAP_BORDER` pixels.
    pixfrac : float
        Side of the drop, in detector pixels.
    """
    drizzle.add_image(
        np.pad(rate, MAP_BORDER),
        exptime=chip.exptime,
        pixmap=pixel_map,
        weight_map=np.pad(weight, MAP_BORDER),
        iscale=chip.scale_ratio**2,
        pixel_scale_ratio=chip.scale_ratio,
        pixfrac=pixfrac,
        in_units="cps",
    )


def blot_chip(
    image: Float32Image,
    scale_ratio: float,
    pixel_map: Array,
    interpolation: BlotInterpolation,
    sinscl: float = 1.0,
) -> Float32Image:
    """Resample a drizzled image back onto the pixels of a chip.

    Parameters
    ----------
    image : ndarray of float32, shape of the frame
        Electrons/s for each output pixel.
    scale_ratio : float
        Side of a pixel of the image over the side of the chip's.
    pixel_map : ndarray of float64, shape (ny, nx, 2)
        Where the pixels of the chip lie on the image; see `PlacedChip`.
    interpolation : BlotInterpolation
        How the image is sampled at the centres of the chip's pixels.
    sinscl : float
        Width of the sinc function, pixels; the other interpolants do not look at it.

    Returns
    -------
    ndarray of float32, shape of the chip
        Electrons/s for each detector pixel; 0 outside the image.
    """
    image = np.asarray(image, dtype=np.float32)
    blotted = INTERPOLANTS[interpolation](image, pixel_map, sinscl)
    blotted *= np.float32(1.0 / scale_ratio**2)
    return blotted


def _by_package(name: str, image: Float32Image, pixel_map: Array, sinscl: float) -> Float32Image:
    """Interpolant of the ``drizzle`` package, which up to version 3.0.0 reads memory beyond some images.

    It is given rows and columns to read there. They continue the image as the package itself does within it, linearly.
    """
    ny, nx = image.shape
    beyond = READ_BEYOND.get(name, 0) if min(ny, nx) >= LEAST_SIDE else LEAST_SIDE
    if beyond == LEAST_SIDE:
        image = np.pad(image, (0, beyond), mode="edge")
    elif beyond:
        image = np.pad(image, (0, beyond), mode="reflect", reflect_type="odd")
    values: Float32Image = blot_image(image, pixmap=pixel_map, interp=name)
    if beyond:
        values[(pixel_map[..., 0] >= nx) | (pixel_map[..., 1] >= ny)] = 0
    return values


def _normalised(name: str, image: Float32Image, pixel_map: Array, sinscl: float) -> Float32Image:
    """Interpolant of the package whose weights do not add up to 1, divided by their sum."""
    values = _by_package(name, image, pixel_map, sinscl)
    weights = _by_package(name, np.ones_like(image), pixel_map, sinscl)
    return np.divide(values, weights, out=values, where=weights > 0)


INTERPOLANTS: Mapping[BlotInterpolation, Interpolate] = {
    BlotInterpolation.NEAREST: partial(_by_package, "nearest"),
    BlotInterpolation.LINEAR: partial(_by_package, "linear"),
    BlotInterpolation.POLY3: partial(_by_package, "poly3"),
    BlotInterpolation.POLY5: partial(_by_package, "poly5"),
    BlotInterpolation.LAN3: partial(_normalised, "lanczos3"),
    BlotInterpolation.LAN5: partial(_normalised, "lanczos5"),
    BlotInterpolation.SINC: sinc_interpolate,
}


def flagged_places(flags: Mask, pixel_map: Array, shape: tuple[int, int]) -> Indices:
    """The output pixels nearest to flagged detector pixels.

    Parameters
    ----------
    flags : ndarray of bool, shape of the chip
        Flagged detector pixels.
    pixel_map : ndarray of float64, shape (ny, nx, 2)
        Their positions in the frame.
    shape : tuple of int
        (ny, nx) of the frame.

    Returns
    -------
    ndarray of int
        Indices into the ravelled frame; what lies beyond the frame is left out.
    """
    positions = pixel_map[flags]
    x, y = np.rint(positions[np.isfinite(positions).all(axis=1)]).astype(np.intp).T
    ny, nx = shape
    inside = (x >= 0) & (x < nx) & (y >= 0) & (y < ny)
    places: Indices = y[inside] * nx + x[inside]
    return places


def without_margin(image: NDArray[Scalar], margin: int) -> NDArray[Scalar]:
    """Cut off what `padded_frame` has added on the last two axes."""
    if margin == 0:
        return image
    return np.ascontiguousarray(image[..., margin:-margin, margin:-margin])
