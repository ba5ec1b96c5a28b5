"""The output frame of a set of exposures, and its WCS object."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from astropy.wcs import WCS
from stwcs.distortion.utils import output_wcs
from stwcs.wcsutil import HSTWCS

from astrodriz_core.combine.frame import adjust_frame, square_cd
from astrodriz_core.errors import InputError
from astrodriz_core.parameter_choices import FrameRequest
from astrodriz_core.records.drizzling import OutputFrame
from astrodriz_io.drizzling.chips import DrizzleExposure
from astrodriz_io.inputs.fitsfiles import open_fits

__all__ = ["chip_scale_ratio", "common_frame", "frame_wcs", "requested_frame"]


def common_frame(exposures: Iterable[DrizzleExposure]) -> OutputFrame:
    """The smallest frame that holds every chip: orientation and scale of the first chip, undistorted.

    This is AstroDrizzle's default: centre, size and orientation from ``stwcs``, then square pixels.
    """
    wcs = output_wcs([chip.wcs for exposure in exposures for chip in exposure.chips])
    nx, ny = wcs.pixel_shape
    return OutputFrame(
        shape=(ny, nx),
        crval=(float(wcs.wcs.crval[0]), float(wcs.wcs.crval[1])),
        crpix=(float(wcs.wcs.crpix[0]), float(wcs.wcs.crpix[1])),
        cd=square_cd(float(wcs.pscale), float(wcs.orientat)),
    )


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
    with open_fits(path) as hdus:
        for hdu in hdus:
            if "CRVAL1" in hdu.header and hdu.header.get("NAXIS") == 2:
                wcs = WCS(hdu.header)
                (cd11, cd12), (cd21, cd22) = wcs.pixel_scale_matrix.tolist()
                return OutputFrame(
                    shape=hdu.shape,
                    crval=tuple(wcs.wcs.crval.tolist()),
                    crpix=tuple(wcs.wcs.crpix.tolist()),
                    cd=((cd11, cd12), (cd21, cd22)),
                )
    raise InputError(
        "no extension of the reference image has a WCS.", where=path.name, remedy="Give a drizzled image."
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


def chip_scale_ratio(frame: OutputFrame, wcs: HSTWCS) -> float:
    """Side of an output pixel over the side of the chip's undistorted pixel."""
    return frame.pixel_scale_arcsec / float(wcs.idcscale)
