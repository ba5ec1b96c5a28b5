"""The grid of a product: square pixels on a tangent plane, changed as the user asks."""

from __future__ import annotations

import math

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from astrodriz_core.errors import UsageError
from astrodriz_core.records.drizzling import OutputFrame

__all__ = ["FrameRequest", "adjust_frame", "frame_orientation", "square_cd"]

SAME_SCALE = 1e-12
"""Relative difference below which a requested pixel scale is the one that the frame has."""


@frozen
class FrameRequest:
    """What the user fixes of the output frame; None leaves a quantity as it comes out of the exposures.

    Attributes
    ----------
    scale : float or None
        Side of a pixel, arcsec.
    rotation : float or None
        Position angle of the y axis, degrees east of north.
    shape : tuple of int or None
        (ny, nx).
    crval : tuple of float or None
        Right ascension and declination of the reference pixel, degrees.
    crpix : tuple of float or None
        Reference pixel, 1-based.
    """

    scale: float | None = None
    rotation: float | None = None
    shape: tuple[int, int] | None = None
    crval: tuple[float, float] | None = None
    crpix: tuple[float, float] | None = None


def square_cd(scale: float, orientation: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """CD matrix of square pixels with east to the left of north.

    Parameters
    ----------
    scale : float
        Side of a pixel, arcsec.
    orientation : float
        Position angle of the y axis, degrees east of north.

    Returns
    -------
    tuple of tuple of float
        ``((CD1_1, CD1_2), (CD2_1, CD2_2))`` in degrees for each pixel:
        ``scale * [[-cos o, sin o], [sin o, cos o]]``.
    """
    angle = math.radians(orientation)
    cosine, sine = scale / 3600.0 * math.cos(angle), scale / 3600.0 * math.sin(angle)
    return (-cosine, sine), (sine, cosine)


def frame_orientation(frame: OutputFrame) -> float:
    """Position angle of the frame's y axis, degrees east of north in (-180, 180]."""
    (_, cd12), (_, cd22) = frame.cd
    return math.degrees(math.atan2(cd12, cd22))


def adjust_frame(frame: OutputFrame, request: FrameRequest) -> OutputFrame:
    """Change a frame as requested, keeping all of the sky that it covers unless a shape is given.

    Parameters
    ----------
    frame : OutputFrame
        With square pixels, as `square_cd` makes them.
    request : FrameRequest
        What to change.

    Returns
    -------
    OutputFrame
        The frame itself where nothing is requested. With a shape and no ``crpix``, the reference pixel is
        the centre of the new frame. The rules are those of AstroDrizzle's ``final_wcs`` parameters.

    Raises
    ------
    UsageError
        The requested scale or a side of the requested shape is not positive.
    """
    _check(request)
    if request == FrameRequest():
        return frame
    scale = _new_scale(frame, request.scale)
    orientation = frame_orientation(frame) if request.rotation is None else request.rotation
    turned = request.rotation is not None and request.rotation != frame_orientation(frame)
    cd = square_cd(scale, orientation)
    shape, crpix = _size(frame, cd, turned=turned)
    if request.shape is not None:
        shape, crpix = request.shape, ((request.shape[1] + 1) / 2, (request.shape[0] + 1) / 2)
    return OutputFrame(shape=shape, crval=request.crval or frame.crval, crpix=request.crpix or crpix, cd=cd)


def _check(request: FrameRequest) -> None:
    sides = (request.scale,) if request.shape is None else (request.scale, *request.shape)
    if any(side is not None and not side > 0 for side in sides):
        raise UsageError(
            f"The output frame cannot have the scale {request.scale} and the shape {request.shape}.",
            remedy="Give positive values of scale, outnx and outny.",
        )


def _new_scale(frame: OutputFrame, requested: float | None) -> float:
    present = frame.pixel_scale_arcsec
    if requested is None or math.isclose(requested, present, rel_tol=SAME_SCALE):
        return present
    return requested


def _size(
    frame: OutputFrame, cd: tuple[tuple[float, float], tuple[float, float]], *, turned: bool
) -> tuple[tuple[int, int], tuple[float, float]]:
    """Shape and reference pixel that keep the frame's whole area on a new CD matrix."""
    ny, nx = frame.shape
    if not turned:
        ratio = frame.pixel_scale_arcsec / math.sqrt(abs(np.linalg.det(np.array(cd)))) / 3600.0
        if math.isclose(ratio, 1.0, rel_tol=SAME_SCALE):
            return frame.shape, frame.crpix
        shape = max(1, math.ceil(ratio * ny)), max(1, math.ceil(ratio * nx))
        return shape, (1 + ratio * (frame.crpix[0] - 1), 1 + ratio * (frame.crpix[1] - 1))
    corners = _corners(frame) @ (np.linalg.inv(np.array(cd)) @ np.array(frame.cd)).T
    low, high = corners.min(axis=0), corners.max(axis=0)
    width, height = np.ceil(high - low).astype(int)
    return (max(1, int(height)), max(1, int(width))), (float(0.5 - low[0]), float(0.5 - low[1]))


def _corners(frame: OutputFrame) -> NDArray[np.float64]:
    """Outer corners of the frame from its reference pixel, pixels, shape (4, 2)."""
    ny, nx = frame.shape
    outer = np.array([(x, y) for x in (0.5, nx + 0.5) for y in (0.5, ny + 0.5)])
    corners: NDArray[np.float64] = outer - np.array(frame.crpix)
    return corners
