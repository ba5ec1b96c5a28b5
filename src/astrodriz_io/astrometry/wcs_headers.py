"""WCS solutions in the headers of exposures: archived, replaced, restored, all exactly.

stwcs keeps the solutions (alternates, HDRLET extensions, the WCSCORR table). It writes them through wcslib,
which rounds to 12 decimals; here the keywords of the linear terms are then copied as they stood, so that a
solution comes back bit for bit.
"""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from astropy.io import fits
from stwcs.wcsutil import altwcs, wcscorr

from astrodriz_core.errors import InputError
from astrodriz_io.library_warnings import library_warnings
from astrodriz_io.outputs.disk import storage_errors
from astrodriz_io.places import place
from astrodriz_io.stwcs_calls import STWCS_FAILURES, quiet_stwcs

__all__ = [
    "archive_primary",
    "copy_linear_terms",
    "edit_together",
    "failing_as_input",
    "primary_wcsname",
    "quiet_stwcs",
    "restore_wcs",
    "science_extensions",
    "update_wcscorr",
]

LINEAR_KEYWORDS = ("CRPIX1", "CRPIX2", "CRVAL1", "CRVAL2", "CD1_1", "CD1_2", "CD2_1", "CD2_2")
"""The terms of a solution that are copied exactly; the distortion is that of the IDCTAB."""

ROUNDING = 1e-12
"""Relative difference of two terms that is rounding: less than a microarcsecond in a position."""

DECIMALS = 11
"""Decimals of a degree to which two solutions in WCSCORR are compared: some tens of nanoarcseconds."""

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
def edit_together(files: Sequence[Path], edit: Callable[[int, fits.HDUList], None]) -> None:
    """Edit several exposures, all of them or none.

    Each file is copied to a private folder beside it and edited there; only when all edits have succeeded are
    the copies renamed over the files.

    Parameters
    ----------
    files : sequence of Path
    edit : callable
        Takes the index of the file and its HDUList, opened for update, and changes it.

    Raises
    ------
    InputError
        stwcs cannot work with an exposure; all files are as they were.
    StorageError
        A copy cannot be written; all files are as they were.
    """
    with ExitStack() as stack:
        copies = []
        for index, path in enumerate(files):
            with storage_errors(path.name):
                folder = stack.enter_context(tempfile.TemporaryDirectory(prefix=".wcs-", dir=path.parent))
                copy = Path(shutil.copyfile(path, place(Path(folder), path.name)))
            with fits.open(copy, mode="update", do_not_scale_image_data=True) as hdulist:
                with quiet_stwcs(path.name), failing_as_input(path.name):
                    edit(index, hdulist)
                with storage_errors(path.name):
                    hdulist.flush(output_verify="silentfix+ignore")
            copies.append(copy)
        for copy, path in zip(copies, files, strict=True):
            with storage_errors(path.name):
                copy.replace(path)


@contextmanager
def failing_as_input(file_name: str) -> Iterator[None]:
    """Turn what stwcs raises on an exposure that it cannot work with into an `InputError`."""
    try:
        yield
    except STWCS_FAILURES as failure:
        problem = f"its WCS solutions cannot be changed ({type(failure).__name__}: {failure})."
        raise InputError(problem, where=file_name, remedy="Calibrate or fetch the exposure again.") from failure


def science_extensions(hdulist: fits.HDUList) -> list[tuple[str, int]]:
    """``("SCI", extver)`` of every chip, in the order of the file."""
    return [("SCI", hdu.ver) for hdu in hdulist[1:] if hdu.name == "SCI"]


def primary_wcsname(hdulist: fits.HDUList) -> str:
    """WCSNAME of the primary WCS of the first chip; empty where it has none."""
    return str(hdulist[science_extensions(hdulist)[0]].header.get("WCSNAME", "")).strip()


def copy_linear_terms(source: fits.Header, target: fits.Header, from_key: str = "", to_key: str = "") -> None:
    """Copy CRPIX, CRVAL and CD of one WCS as they stand; the keys are empty for the primary one."""
    for keyword in LINEAR_KEYWORDS:
        if keyword + from_key in source:
            target[keyword + to_key] = source[keyword + from_key]


def archive_primary(hdulist: fits.HDUList) -> None:
    """Keep the primary WCS of every chip as an alternate, exactly; nothing is done where it is one already.

    An alternate with the same name and other values stays too: the new one then gets a counter in its name.
    """
    update_wcscorr(hdulist)
    extensions = science_extensions(hdulist)
    name = primary_wcsname(hdulist)
    key = _alternate_key(hdulist[extensions[0]].header, name)
    if key is not None and all(_same_terms(hdulist[e].header, key) for e in extensions):
        return
    key, _ = altwcs.archive_wcs(hdulist, extensions, wcsname=name or None, mode=altwcs.ArchiveMode.AUTO_RENAME)
    for extension in extensions:
        copy_linear_terms(hdulist[extension].header, hdulist[extension].header, to_key=key)


def restore_wcs(hdulist: fits.HDUList, wcsname: str) -> None:
    """Make an alternate WCS the primary one again, exactly; the primary one is kept as an alternate.

    Parameters
    ----------
    hdulist : HDUList
        Opened for update.
    wcsname : str
        Of the alternate.

    Raises
    ------
    InputError
        The exposure has no such alternate.
    """
    extensions = science_extensions(hdulist)
    if primary_wcsname(hdulist).upper() == wcsname.upper():
        return
    key = _alternate_key(hdulist[extensions[0]].header, wcsname)
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


def update_wcscorr(hdulist: fits.HDUList) -> None:
    """Add the solutions of the exposure that are not yet in its WCSCORR table, which is made if need be."""
    wcscorr.init_wcscorr(hdulist)
    wcscorr.update_wcscorr(hdulist)
    _drop_repeated_rows(hdulist["WCSCORR"])


def _drop_repeated_rows(table: fits.BinTableHDU) -> None:
    """Leave each solution of each chip once in the table, where it stands first; empty rows stay, stwcs needs one.

    stwcs adds a solution again whenever its headerlet has another name, so the table would grow with every run.
    """
    rows = table.data
    solutions = zip(rows["WCS_ID"], rows["EXTVER"], rows["CRVAL1"], rows["CRVAL2"], strict=True)
    seen: set[tuple[str, int, float, float]] = set()
    kept, empty = [], []
    for index, (name, chip, ra, dec) in enumerate(solutions):
        solution = (str(name).strip().upper(), int(chip), round(float(ra), DECIMALS), round(float(dec), DECIMALS))
        if solution[0] in ("", "0.0"):
            empty.append(index)
        elif solution not in seen:
            kept.append(index)
        seen.add(solution)
    if len(kept) + len(empty) < len(rows):
        table.data = rows[kept + empty]
        table.header["TROWS"] = len(kept)


def _alternate_key(header: fits.Header, wcsname: str) -> str | None:
    """Key of the alternate WCS with a name, in any case; the last one where several have it."""
    keys = [k[7:] for k, v in header["WCSNAME?"].items() if str(v).strip().upper() == wcsname.strip().upper()]
    return max(keys, default=None)


def _same_terms(header: fits.Header, key: str) -> bool:
    """Whether an alternate has the linear terms of the primary WCS, but for what stwcs rounds off.

    stwcs keeps the WCS of the telescope with 15 digits, so the pipeline default that it makes from that in
    a later run differs in the last ones.
    """
    pairs = [(header.get(keyword), header.get(keyword + key)) for keyword in LINEAR_KEYWORDS]
    return all(
        one is not None and other is not None and math.isclose(one, other, rel_tol=ROUNDING) for one, other in pairs
    )


def _name(hdulist: fits.HDUList) -> str:
    return Path(hdulist.filename() or "").name
