"""Moving the WCS of a whole exposure on the sky, all of its chips together."""

from __future__ import annotations

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS
from attrs import frozen
from stwcs.wcsutil import HSTWCS
from tweakwcs import FITSWCSCorrector

from astrodriz_core.align.fitting import LinearTransform
from astrodriz_core.arrays import Array
from astrodriz_core.errors import AlignmentError
from astrodriz_core.measure.tangent import TangentPlane
from astrodriz_core.units import ARCSEC_PER_DEGREE
from astrodriz_io.wcs.stwcs_calls import read_wcs

__all__ = ["MovedChip", "chip_wcs", "moved_chip", "reference_plane", "write_moved_chip"]

PLANE_PIXELS = 4096
"""Size of the imaginary image of the reference plane; only its pixel scale, 1 arcsec, matters."""


@frozen(eq=False)
class MovedChip:
    """The linear terms of a chip's WCS after a motion.

    Attributes
    ----------
    crval : ndarray of float, shape (2,)
        Degrees.
    cd : ndarray of float, shape (2, 2)
        Degrees for each pixel.
    """

    crval: Array
    cd: Array


def chip_wcs(hdulist: fits.HDUList, extension: tuple[str, int], name: str) -> HSTWCS:
    """Whole WCS of a chip, distortion included.

    Raises
    ------
    InputError
        The header does not describe a celestial WCS.
    """
    return read_wcs(hdulist, extension, name)


def reference_plane(plane: TangentPlane) -> FITSWCSCorrector:
    """The tangent plane as tweakwcs takes it: pixel coordinates are arcsec from the tangent point."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [plane.ra, plane.dec]
    wcs.wcs.crpix = [1.0, 1.0]
    wcs.wcs.cd = np.eye(2) / ARCSEC_PER_DEGREE
    wcs.pixel_shape = (PLANE_PIXELS, PLANE_PIXELS)
    wcs.wcs.set()
    return FITSWCSCorrector(wcs)


def moved_chip(wcs: HSTWCS, plane: FITSWCSCorrector, transform: LinearTransform) -> MovedChip:
    """Linear terms of a chip after a motion of the reference plane.

    Raises
    ------
    AlignmentError
        tweakwcs does not support the WCS of this chip.
    """
    try:
        corrector = FITSWCSCorrector(wcs)
        corrector.set_correction(matrix=transform.matrix, shift=transform.shift, ref_tpwcs=plane)
    except (ValueError, ArithmeticError) as error:
        raise AlignmentError(f"The WCS of a chip cannot be moved ({error}).") from error
    moved = corrector.wcs.wcs
    return MovedChip(np.array(moved.crval, dtype=float), np.array(moved.cd, dtype=float))


def write_moved_chip(header: fits.Header, chip: MovedChip) -> None:
    """Write CRVAL, CD and ORIENTAT of the primary WCS."""
    header["CRVAL1"], header["CRVAL2"] = (float(value) for value in chip.crval)
    for i in (0, 1):
        for j in (0, 1):
            header[f"CD{i + 1}_{j + 1}"] = float(chip.cd[i, j])
    header["ORIENTAT"] = float(np.rad2deg(np.arctan2(chip.cd[0, 1], chip.cd[1, 1])))
