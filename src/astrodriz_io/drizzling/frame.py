"""The output frame of a set of exposures, and its WCS object."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import cast

import numpy as np
from astropy.io.fits import Header
from astropy.wcs import WCS
from attrs import evolve
from stwcs.distortion.utils import output_wcs

from astrodriz_core.combine.frame import adjust_frame, square_cd
from astrodriz_core.errors import InputError, MissingFilesError
from astrodriz_core.parameters.choices import FrameRequest
from astrodriz_core.records.drizzling import OutputFrame
from astrodriz_io.drizzling.chips import DrizzleChip, DrizzleExposure
from astrodriz_io.drizzling.placed import KERNEL_REACH, MAP_BORDER
from astrodriz_io.fits.files import open_fits, reading
from astrodriz_io.storage.regular_files import check_regular
from astrodriz_io.wcs.stwcs_calls import STWCS_FAILURES

__all__ = [
    "chip_scale_ratio",
    "common_frame",
    "drizzle_margin",
    "frame_wcs",
    "padded_frame",
    "requested_frame",
]

GRID_SIDE = 9
"""Points along each side of the grid on which the distortion of a chip is sampled."""


def common_frame(exposures: Iterable[DrizzleExposure]) -> OutputFrame:
    """The smallest frame that holds every chip: orientation and scale of the first chip, undistorted.

    This is AstroDrizzle's default: centre, size and orientation from ``stwcs``, then square pixels.

    Raises
    ------
    InputError
        There is none: with the distortion of a chip, a corner of it has no place in the tangent plane.
    """
    wcs = _output_wcs(tuple(exposures))
    nx, ny = wcs.pixel_shape
    return OutputFrame(
        shape=(ny, nx),
        crval=(float(wcs.wcs.crval[0]), float(wcs.wcs.crval[1])),
        crpix=(float(wcs.wcs.crpix[0]), float(wcs.wcs.crpix[1])),
        cd=square_cd(float(wcs.pscale), float(wcs.orientat)),
    )


def _output_wcs(exposures: Sequence[DrizzleExposure]) -> WCS:
    chips = [chip.wcs for exposure in exposures for chip in exposure.chips]
    where = ", ".join(exposure.exposure.path.name for exposure in exposures)
    try:
        wcs = cast(WCS, output_wcs(chips, undistort=any(chip.sip is not None for chip in chips)))
    except STWCS_FAILURES as failure:
        raise _no_frame(f"share no tangent plane ({type(failure).__name__}: {failure})", where) from failure
    if wcs.pixel_shape is None:
        raise _no_frame("cover no pixel of a tangent plane", where)
    return wcs


def _no_frame(what: str, where: str) -> InputError:
    remedy = "Check the IDCTAB that the headers name."
    return InputError(f"their WCS, with the distortion, {what}.", where=where, remedy=remedy)


def requested_frame(frame: OutputFrame, request: FrameRequest | None) -> OutputFrame:
    """The common frame, or the reference image's, changed as the user asked.

    Raises
    ------
    InputError
        The reference image cannot be read, or no extension of it has a WCS.
    """
    if request is None:
        return frame
    base = frame if request.refimage is None else _reference_frame(Path(request.refimage))
    return adjust_frame(base, request)


def _reference_frame(path: Path) -> OutputFrame:
    """Frame of the first extension of an image that has a WCS."""
    try:
        check_regular(path)
    except MissingFilesError as failure:
        problem = f"The reference image {path.name} is not there."
        remedy = "Give the path of another as driz_sep_refimage or final_refimage, or none."
        raise MissingFilesError(problem, files=(path.name,), remedy=remedy) from failure
    with open_fits(path) as hdus:
        for index, hdu in enumerate(hdus):
            if "CRVAL1" in hdu.header and hdu.header.get("NAXIS") == 2:
                return _frame_of_header(hdu.header, hdu.shape, f"{path.name}[{hdu.name or index}]")
    raise InputError("no extension of the reference image has a WCS.", where=path.name, remedy="Give a drizzled image.")


def _frame_of_header(header: Header, shape: tuple[int, int], where: str) -> OutputFrame:
    with reading(where):
        wcs = WCS(header)
    (cd11, cd12), (cd21, cd22) = wcs.pixel_scale_matrix.tolist()
    numbers = (*wcs.wcs.crval, *wcs.wcs.crpix, cd11, cd12, cd21, cd22)
    tangent = [axis[:8] for axis in wcs.wcs.ctype] == ["RA---TAN", "DEC--TAN"]
    if min(shape) < 1 or not tangent or not np.isfinite(numbers).all() or cd11 * cd22 == cd12 * cd21:
        problem = "the WCS of the reference image is no tangent plane with north and east."
        raise InputError(problem, where=where, remedy="Give a drizzled image.")
    return OutputFrame(
        shape=shape,
        crval=tuple(wcs.wcs.crval.tolist()),
        crpix=tuple(wcs.wcs.crpix.tolist()),
        cd=((cd11, cd12), (cd21, cd22)),
    )


def frame_wcs(frame: OutputFrame) -> WCS:
    """The frame as an `astropy.wcs.WCS`."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.cunit = ["deg", "deg"]
    wcs.wcs.radesys = "ICRS"
    wcs.wcs.crval = frame.crval
    wcs.wcs.crpix = frame.crpix
    wcs.wcs.cd = np.array(frame.cd)
    wcs.pixel_shape = frame.shape[::-1]
    wcs.wcs.set()
    return wcs


def chip_scale_ratio(frame: OutputFrame, chip: DrizzleChip) -> float:
    """Side of an output pixel over the side of the chip's undistorted pixel."""
    return frame.pixel_scale_arcsec / chip.pixel_scale_arcsec


def drizzle_margin(frame: OutputFrame, chips: Iterable[DrizzleChip]) -> int:
    """Pixels to add on each side of a frame so that drizzling onto it loses nothing at its edges.

    The ``drizzle`` package looks only at pixels of a chip within the straight-edged polygon where the
    chip's four corners and the frame overlap. The true edges are curved, so that the border of the frame gets
    too little. With all corners inside the frame nothing is cut; where the frame is a small part of the
    chips, it is enough that the cut is further away than the edges are curved and the kernel reaches.

    Returns
    -------
    int
        0 where all corners lie inside.
    """
    return max((_chip_margin(frame, chip) for chip in chips), default=0)


def _chip_margin(frame: OutputFrame, chip: DrizzleChip) -> int:
    ny, nx = chip.chip.shape
    fraction = np.linspace(0.0, 1.0, GRID_SIDE)
    x, y = (
        axis.ravel()
        for axis in np.meshgrid(
            fraction * (nx + 2 * MAP_BORDER) - MAP_BORDER - 0.5,
            fraction * (ny + 2 * MAP_BORDER) - MAP_BORDER - 0.5,
        )
    )
    places = np.stack(chip.positions(x, y, frame), axis=-1)
    if not np.isfinite(places).all():
        return 0
    corners = places.reshape(GRID_SIDE, GRID_SIDE, 2)[:: GRID_SIDE - 1, :: GRID_SIDE - 1]
    outside = max(0.0, float((-0.5 - corners).max()), float((corners + 0.5 - frame.shape[::-1]).max()))
    affine = np.stack([np.ones_like(x), x, y], axis=-1)
    bent = np.abs(places - affine @ np.linalg.lstsq(affine, places, rcond=None)[0]).max()
    # A straight line bends by no more than twice the largest departure from an affine map.
    needed = 2.0 * float(bent) + KERNEL_REACH / chip_scale_ratio(frame, chip)
    return math.ceil(min(outside, needed)) + 1 if outside > 0.0 else 0


def padded_frame(frame: OutputFrame, margin: int) -> OutputFrame:
    """The frame with `margin` more pixels on each side; pixels of the sky stay where they are."""
    ny, nx = frame.shape
    return evolve(
        frame,
        shape=(ny + 2 * margin, nx + 2 * margin),
        crpix=(frame.crpix[0] + margin, frame.crpix[1] + margin),
    )
