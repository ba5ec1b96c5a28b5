"""The WCS with which an exposure came from the telescope, kept to the last digit while stwcs works with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from astropy.io import fits
from stwcs.wcsutil import altwcs

from astrodriz_io.wcs.alternates import TELESCOPE_KEY, remove_alternate
from astrodriz_io.wcs.linear_terms import copy_linear_terms, linear_terms
from astrodriz_io.wcs.stwcs_calls import stwcs_call

__all__ = ["exact_telescope_wcs"]


@contextmanager
def exact_telescope_wcs(hdulist: fits.HDUList) -> Iterator[None]:
    """Let stwcs begin from the exact WCS of the telescope, the first time and every time after it.

    stwcs keeps that WCS as the alternate O, rounded, and begins the next time from there; the CD matrix of a chip,
    which it takes from small differences, then comes out another one with each rounding.

    Parameters
    ----------
    hdulist : HDUList
        Opened for update; the block applies a distortion model to it.
    """
    extensions = [index for index, hdu in enumerate(hdulist) if index and hdu.name == "SCI"]
    for extension in extensions:
        _restore(hdulist, extension)
    originals = [hdulist[extension].header.copy() for extension in extensions]
    yield
    for extension, original in zip(extensions, originals, strict=True):
        header = hdulist[extension].header
        if f"WCSNAME{TELESCOPE_KEY}" in header:
            copy_linear_terms(original, header, to_key=TELESCOPE_KEY)


def _restore(hdulist: fits.HDUList, extension: int) -> None:
    """Make the alternate O of a chip, where it is complete, its primary WCS, and take it away."""
    header = hdulist[extension].header
    if None in linear_terms(header, TELESCOPE_KEY):
        return
    with stwcs_call(hdulist):
        altwcs.restoreWCS(hdulist, extension, TELESCOPE_KEY)
    copy_linear_terms(header, header, from_key=TELESCOPE_KEY)
    remove_alternate(hdulist, extension, TELESCOPE_KEY)
