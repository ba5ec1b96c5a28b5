"""The primary WCS of an exposure, kept before another one takes its place."""

from __future__ import annotations

from astropy.io import fits

from astrodriz_io.wcs.attached import attach_own
from astrodriz_io.wcs.headerlets import AUTHOR, make_headerlet
from astrodriz_io.wcs.headers import archive_primary, primary_wcsname

__all__ = ["keep_primary"]


def keep_primary(hdulist: fits.HDUList, stem: str) -> None:
    """Keep the primary WCS as an alternate, or as an HDRLET extension where all letters are taken.

    Parameters
    ----------
    hdulist : HDUList
        Opened for update.
    stem : str
        Stem of the file's name; it begins the HDRNAME.

    Raises
    ------
    InputError
        stwcs cannot work with the exposure.
    """
    if not archive_primary(hdulist):
        name = f"{stem}_{primary_wcsname(hdulist)}"
        attach_own(hdulist, make_headerlet(hdulist, name, author=AUTHOR, description="WCS before the fit"))
