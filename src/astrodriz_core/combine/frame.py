"""The grid of a product: square pixels on a tangent plane, changed as the user asks."""

from __future__ import annotations

import math

import numpy as np

from astrodriz_core.arrays import Array
from astrodriz_core.errors import UsageError
from astrodriz_core.parameters.choices import FrameRequest
from astrodriz_core.records.drizzling import OutputFrame
from astrodriz_core.units import ARCSEC_PER_DEGREE

__all__ = ["adjust_frame", "frame_orientation", "square_cd"]

PAIRS = (("outnx", "outny"), ("ra", "dec"), ("crpix1", "crpix2"))
"""Parts of a request that mean something only together."""

SAME_SCALE = 1e-12
"""Relative difference below which a requested pixel scale is the one that the frame has."""

ROUNDING = 1e-6
"""Part of a pixel that is rounding error and needs no further row or column."""


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
    cosine, sine = scale / ARCSEC_PER_DEGREE * math.cos(angle), scale / ARCSEC_PER_DEGREE * math.sin(angle)
    return (-cosine, sine), (sine, cosine)


def frame_orientation(frame: OutputFrame) -> float:
    """Position angle of the frame's y axis, degrees east of north in (-180, 180]."""
    (_, cd12), (_, cd22) = frame.cd
    return math.degrees(math.atan2(cd12, cd22))


def adjust_frame(frame: OutputFrame, request: FrameRequest) -> OutputFrame:
    """Change a frame as requested, keeping all of the sky that it covers unless a size is given.

    Parameters
    ----------
    frame : OutputFrame
        With square pixels, as `square_cd` makes them.
    request : FrameRequest
        What to change; its ``refimage`` is the caller's business.

    Returns
    -------
    OutputFrame
        The frame itself where nothing is requested. With a given size the reference pixel is the centre,
        unless it is given too. The rules are those of AstroDrizzle's ``final_wcs`` parameters.

    Raises
    ------
    UsageError
        One of a pair is given without the other.
    """
    _check_pairs(request)
    scale = _new_scale(frame, request.scale)
    present = frame_orientation(frame)
    orientation = present if request.rot is None else request.rot
    cd = square_cd(scale, orientation)
    shape, crpix = _size(frame, cd, turned=orientation != present)
    if request.outnx is not None and request.outny is not None:
        shape, crpix = (request.outny, request.outnx), ((request.outnx + 1) / 2, (request.outny + 1) / 2)
    if request.crpix1 is not None and request.crpix2 is not None:
        crpix = request.crpix1, request.crpix2
    crval = frame.crval
    if request.ra is not None and request.dec is not None:
        crval = request.ra, request.dec
    same_cd = request.scale is None and request.rot is None
    return OutputFrame(shape=shape, crval=crval, crpix=crpix, cd=frame.cd if same_cd else cd)


def _check_pairs(request: FrameRequest) -> None:
    for pair in PAIRS:
        given = [name for name in pair if getattr(request, name) is not None]
        if len(given) == 1:
            asked = f"driz_sep_{given[0]} or final_{given[0]}"
            raise UsageError(
                f"an output frame has {given[0]} alone ({asked}).",
                remedy=f"Give {' and '.join(pair)} together, or neither.",
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
        ratio = frame.pixel_scale_arcsec / math.sqrt(abs(np.linalg.det(np.array(cd)))) / ARCSEC_PER_DEGREE
        if math.isclose(ratio, 1.0, rel_tol=SAME_SCALE):
            return frame.shape, frame.crpix
        shape = max(1, math.ceil(ratio * ny - ROUNDING)), max(1, math.ceil(ratio * nx - ROUNDING))
        return shape, (1 + ratio * (frame.crpix[0] - 1), 1 + ratio * (frame.crpix[1] - 1))
    corners = _corners(frame) @ (np.linalg.inv(np.array(cd)) @ np.array(frame.cd)).T
    low, high = corners.min(axis=0), corners.max(axis=0)
    width, height = np.ceil(high - low).astype(int)
    return (max(1, int(height)), max(1, int(width))), (float(0.5 - low[0]), float(0.5 - low[1]))


def _corners(frame: OutputFrame) -> Array:
    """Outer corners of the frame from its reference pixel, pixels, shape (4, 2)."""
    ny, nx = frame.shape
    outer = np.array([(x, y) for x in (0.5, nx + 0.5) for y in (0.5, ny + 0.5)])
    corners: Array = outer - np.array(frame.crpix)
    return corners
