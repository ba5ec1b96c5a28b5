"""What earlier runs left in the exposures: what this one makes anew is taken away, what others made stays.

An archive processes a folder again and again. What a run adds to an exposure it therefore adds once, however often
it is run: a solution of an earlier run that is made again replaces that one.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from astropy.io import fits

from astrodriz_core.records.common import WcsOrigin
from astrodriz_core.solutions.wcsnames import parse_wcsname
from astrodriz_io.wcs.alternates import has_alternate, remove_repeated_alternates
from astrodriz_io.wcs.attached import attached_headerlets, damaged_headerlets, remove_duplicates
from astrodriz_io.wcs.headers import (
    edit_together,
    primary_wcsname,
    remove_fit_keywords,
    science_extensions,
)
from astrodriz_io.wcs.linear_terms import linear_terms, same_terms
from astrodriz_io.wcs.primary import keep_primary
from astrodriz_io.wcs.wcscorr_table import drop_repeated_rows

__all__ = ["forget_earlier_runs"]

logger = logging.getLogger(__name__)


def forget_earlier_runs(files: Sequence[Path]) -> tuple[str, ...]:
    """Make exposures ready for a run, whatever earlier ones left in them.

    The primary WCS gives way to the pipeline default, which comes next. One that neither a run nor the calibration
    made, and that the exposure has nowhere else, is kept before that. Solutions that are there twice are kept once.
    Checksums are taken away, since they would be made anew at every change, with the time in their comments.

    Parameters
    ----------
    files : sequence of Path
        FLT or FLC files that this run may change; all are changed, or none.

    Returns
    -------
    tuple of str
        For the record: a primary WCS that was kept, and HDRLET extensions that cannot be read.

    Raises
    ------
    InputError
        stwcs cannot work with an exposure.
    StorageError
        A file cannot be written.
    """
    notes: list[str] = []

    def edit(index: int, hdulist: fits.HDUList) -> None:
        notes.extend(f"{text} It stays, and is not used." for text in damaged_headerlets(hdulist, files[index].name))
        notes.extend(_keep_foreign_primary(hdulist, files[index]))
        _remove_repetitions(hdulist, files[index].name)
        for extension in science_extensions(hdulist):
            remove_fit_keywords(hdulist[extension].header)

    edit_together(files, edit, remove_checksums=True)
    return tuple(notes)


def _keep_foreign_primary(hdulist: fits.HDUList, path: Path) -> tuple[str, ...]:
    """Keep a primary WCS that somebody made and that is nowhere else; what was done, in a sentence."""
    extensions, name = science_extensions(hdulist), primary_wcsname(hdulist)
    made = parse_wcsname(name).origin is not WcsOrigin.PIPELINE_DEFAULT
    if not name or not made or has_alternate(hdulist, extensions) or _is_attached(hdulist):
        return ()
    keep_primary(hdulist, path.stem)
    return (f"{path.name}: the WCS {name}, which was in use, is kept beside those of this run",)


def _is_attached(hdulist: fits.HDUList) -> bool:
    """Whether an HDRLET extension has the primary WCS."""
    return any(_has_primary(headerlet, hdulist) for _, headerlet in attached_headerlets(hdulist))


def _has_primary(headerlet: fits.HDUList, hdulist: fits.HDUList) -> bool:
    parts = {(part.header["TG_ENAME"], part.header["TG_EVER"]): part for part in headerlet if part.name == "SIPWCS"}
    terms = {extension: linear_terms(hdulist[extension].header) for extension in science_extensions(hdulist)}
    return all(key in parts and same_terms(own, linear_terms(parts[key].header)) for key, own in terms.items())


def _remove_repetitions(hdulist: fits.HDUList, file_name: str) -> None:
    """Leave each solution once among the alternates, the HDRLET extensions and the rows of WCSCORR."""
    alternates = remove_repeated_alternates(hdulist, science_extensions(hdulist))
    removed = (*alternates, *remove_duplicates(hdulist))
    if "WCSCORR" in hdulist:
        drop_repeated_rows(hdulist)
    if removed:
        logger.info("%s: taken away, since they repeat others: %s", file_name, ", ".join(removed))
