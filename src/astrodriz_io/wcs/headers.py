"""WCS solutions in the headers of exposures: archived, replaced, restored, all exactly.

stwcs keeps the solutions (alternates, HDRLET extensions, the WCSCORR table). It writes them through wcslib,
which rounds to 12 decimals; here the keywords of the linear terms are then copied as they stood, so that a
solution comes back bit for bit.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from astropy.io import fits

from astrodriz_core.errors import InputError
from astrodriz_io.fits.header_cards import LENIENT
from astrodriz_io.runtime.library_warnings import library_warnings
from astrodriz_io.storage.disk import storage_errors
from astrodriz_io.storage.replacing import replacing_together
from astrodriz_io.wcs.alternates import add_alternate, alternate_key, free_key, has_alternate
from astrodriz_io.wcs.linear_terms import copy_linear_terms
from astrodriz_io.wcs.stwcs_calls import quiet_stwcs
from astrodriz_io.wcs.wcscorr_table import is_listed, update_wcscorr

__all__ = [
    "archive_primary",
    "edit_together",
    "primary_wcsname",
    "remove_fit_keywords",
    "restore_wcs",
    "science_extensions",
]

FIT_KEYWORDS = (
    "WCSTYPE",
    "HDRNAME",
    "NMATCHES",
    "RMS_RA",
    "RMS_DEC",
    "CRDER1",
    "CRDER2",
    "FITGEOM",
    "CATALOG",
)
"""Keywords that describe where a solution comes from; one without them is not a fit."""

RELATIVE_KEYWORDS = ("RELGEOM", "RELMATCH", "RELRMS_R", "RELRMS_D", "RELREFIM")
"""Keywords of the fit of the exposures to each other."""


@library_warnings()
def edit_together(
    files: Sequence[Path], edit: Callable[[int, fits.HDUList], None], *, remove_checksums: bool = False
) -> None:
    """Edit several exposures, all of them or none.

    Each file is copied to a private folder beside it and edited there; only when all edits have succeeded are
    the copies renamed over the files.

    Parameters
    ----------
    files : sequence of Path
    edit : callable
        Takes the index of the file and its HDUList, opened for update, and changes it.
    remove_checksums : bool
        Take CHECKSUM and DATASUM out of all headers.

    Raises
    ------
    InputError
        stwcs cannot work with an exposure; all files are as they were.
    StorageError
        A copy cannot be written; all files are as they were.
    """
    checksum = "remove" if remove_checksums else False
    with replacing_together(files) as copies:
        for index, (path, copy) in enumerate(zip(files, copies, strict=True)):
            with storage_errors(path.name):
                shutil.copyfile(path, copy)
            options = {"do_not_scale_image_data": True, "checksum": checksum, "output_verify": LENIENT}
            with fits.open(copy, mode="update", **options) as hdulist:
                with quiet_stwcs(path.name):
                    edit(index, hdulist)
                with storage_errors(path.name):
                    hdulist.flush(LENIENT)


def science_extensions(hdulist: fits.HDUList) -> list[tuple[str, int]]:
    """``("SCI", extver)`` of every chip, in the order of the file."""
    return [("SCI", hdu.ver) for hdu in hdulist[1:] if hdu.name == "SCI"]


def primary_wcsname(hdulist: fits.HDUList) -> str:
    """WCSNAME of the primary WCS of the first chip; empty where it has none."""
    return str(hdulist[science_extensions(hdulist)[0]].header.get("WCSNAME", "")).strip()


def archive_primary(hdulist: fits.HDUList) -> bool:
    """Keep the primary WCS of every chip as an alternate, exactly; nothing is done where it is one already.

    An alternate with the same name and other values stays too: the new one then gets a counter in its name.

    Returns
    -------
    bool
        False where no letter is left for it; then it is not kept.

    Raises
    ------
    InputError
        stwcs cannot work with the exposure.
    """
    if not is_listed(hdulist):
        update_wcscorr(hdulist)
    extensions = science_extensions(hdulist)
    if has_alternate(hdulist, extensions):
        return True
    key = free_key(hdulist[extensions[0]].header)
    if key is not None:
        add_alternate(hdulist, extensions, key)
    return key is not None


def restore_wcs(hdulist: fits.HDUList, wcsname: str) -> None:
    """Make an alternate WCS the primary one again, exactly; the primary one is kept as an alternate.

    Parameters
    ----------
    hdulist : HDUList
        Opened for update.
    wcsname : str
        WCSNAME of the alternate.

    Raises
    ------
    InputError
        The exposure has no such alternate.
    """
    extensions = science_extensions(hdulist)
    if primary_wcsname(hdulist).upper() == wcsname.upper():
        return
    key = alternate_key(hdulist[extensions[0]].header, wcsname)
    if key is None:
        raise InputError(f"there is no alternate WCS with the name {wcsname}.", where=_name(hdulist))
    archive_primary(hdulist)
    for extension in extensions:
        header = hdulist[extension].header
        remove_fit_keywords(header)
        copy_linear_terms(header, header, from_key=key)
        for keyword in ("WCSNAME", *FIT_KEYWORDS):
            if keyword + key in header:
                header[keyword] = header[keyword + key]
        header["ORIENTAT"] = math.degrees(math.atan2(header["CD1_2"], header["CD2_2"]))


def remove_fit_keywords(header: fits.Header) -> None:
    """Take away what describes the fit of a primary WCS that is about to be replaced."""
    for keyword in (*FIT_KEYWORDS, *RELATIVE_KEYWORDS):
        header.remove(keyword, ignore_missing=True)


def _name(hdulist: fits.HDUList) -> str:
    return Path(hdulist.filename() or "").name
