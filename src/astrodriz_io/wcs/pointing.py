"""Where an exposure points, and by how much that changed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from astropy.io import fits
from attrs import frozen

from astrodriz_core.measure.tangent import TangentPlane
from astrodriz_core.units import MAS_PER_ARCSEC
from astrodriz_io.fits.files import open_fits
from astrodriz_io.wcs.headers import primary_wcsname, science_extensions
from astrodriz_io.wcs.motion import chip_wcs

__all__ = ["Pointing", "pointing", "pointing_change", "read_pointing"]


@frozen
class Pointing:
    """Centre and orientation of the first chip of an exposure.

    Attributes
    ----------
    wcsname : str
    ra, dec : float
        Degrees.
    orientation_deg : float
        Position angle of the y axis there, east of north.
    """

    wcsname: str
    ra: float
    dec: float
    orientation_deg: float


def pointing(path: Path) -> Pointing:
    """Where an exposure points, by its primary WCS."""
    with open_fits(path) as hdulist:
        return read_pointing(hdulist, path.name)


def read_pointing(hdulist: fits.HDUList, name: str) -> Pointing:
    """Read the pointing of an open exposure."""
    wcs = chip_wcs(hdulist, science_extensions(hdulist)[0], name)
    nx, ny = wcs.pixel_shape
    x, y = (nx - 1) / 2, (ny - 1) / 2
    (ra, dec), (up_ra, up_dec) = wcs.all_pix2world(np.array([[x, y], [x, y + 10.0]]), 0)
    east, north = TangentPlane(float(ra), float(dec)).project(np.array([up_ra]), np.array([up_dec]))[0]
    return Pointing(primary_wcsname(hdulist), float(ra), float(dec), float(np.rad2deg(np.arctan2(east, north))))


def pointing_change(before: Pointing, after: Pointing) -> tuple[float, float, float]:
    """Motion east and north, mas, and rotation, degrees, from one pointing to another."""
    east, north = TangentPlane(before.ra, before.dec).project(np.array([after.ra]), np.array([after.dec]))[0]
    turn = (after.orientation_deg - before.orientation_deg + 180.0) % 360.0 - 180.0
    return float(east) * MAS_PER_ARCSEC, float(north) * MAS_PER_ARCSEC, float(turn)
