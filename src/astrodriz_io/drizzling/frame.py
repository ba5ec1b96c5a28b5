"""The output frame of a set of exposures, and its WCS object."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from astropy.wcs import WCS
from stwcs.distortion.utils import output_wcs
from stwcs.wcsutil import HSTWCS

from astrodriz_core.combine.frame import FrameRequest, adjust_frame, square_cd
from astrodriz_core.parameters import DrizzleParameters
from astrodriz_core.records.drizzling import OutputFrame
from astrodriz_io.drizzling.chips import DrizzleExposure

__all__ = ["common_frame", "final_frame", "frame_wcs"]


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
        cd=square_cd(wcs.pscale, wcs.orientat),
    )


def final_frame(frame: OutputFrame, parameters: DrizzleParameters) -> OutputFrame:
    """The frame of the final product: the common frame, changed by the ``final_*`` parameters."""
    shape = None
    if parameters.final_outnx is not None and parameters.final_outny is not None:
        shape = (parameters.final_outny, parameters.final_outnx)
    crval = None
    if parameters.final_ra is not None and parameters.final_dec is not None:
        crval = (parameters.final_ra, parameters.final_dec)
    request = FrameRequest(
        scale=parameters.final_scale, rotation=parameters.final_rot, shape=shape, crval=crval
    )
    return adjust_frame(frame, request)


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
