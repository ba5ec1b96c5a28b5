"""WCSCORR, the table in which an exposure keeps the history of its WCS solutions."""

from __future__ import annotations

import math
from pathlib import Path

from astropy.io import fits
from stwcs.wcsutil import wcscorr

from astrodriz_core.errors import InputError
from astrodriz_core.solutions.wcsnames import without_counter
from astrodriz_io.fits.files import keyword_text
from astrodriz_io.fits.tables import column_cells, column_names
from astrodriz_io.wcs.linear_terms import LINEAR_KEYWORDS, LinearTerms, linear_terms, same_terms
from astrodriz_io.wcs.stwcs_calls import stwcs_call

__all__ = ["drop_repeated_rows", "is_listed", "update_wcscorr"]

REMEDY = "Remove the extension: a new one is made."

EMPTY = ("", "0.0")
"""WCS_ID of a row that is not in use."""


def update_wcscorr(hdulist: fits.HDUList) -> None:
    """Add the solutions of the exposure that are not yet in its WCSCORR table, which is made if need be.

    Raises
    ------
    InputError
        stwcs cannot work with the table or with a WCS of the exposure.
    """
    with stwcs_call(hdulist):
        wcscorr.init_wcscorr(hdulist)
        wcscorr.update_wcscorr(hdulist)
    if "WCSCORR" in hdulist:
        drop_repeated_rows(hdulist)


def is_listed(hdulist: fits.HDUList) -> bool:
    """Whether the WCSCORR table of an exposure has the primary WCS of each of its chips.

    Raises
    ------
    InputError
        The table is damaged, or is not the one of stwcs.
    """
    if "WCSCORR" not in hdulist:
        return False
    rows = _solutions(hdulist["WCSCORR"], _place(hdulist))
    return all(
        any(
            (without_counter(name).upper(), extver) == _title(hdu) and same_terms(terms, linear_terms(hdu.header))
            for name, extver, terms in rows
        )
        for hdu in hdulist
        if hdu.name == "SCI"
    )


def _title(hdu: fits.ImageHDU) -> tuple[str, int]:
    return without_counter(keyword_text(hdu.header, "WCSNAME")).upper(), hdu.ver


def _place(hdulist: fits.HDUList) -> str:
    return f"{Path(hdulist.filename() or '').name}[WCSCORR]"


def drop_repeated_rows(hdulist: fits.HDUList) -> None:
    """Leave each solution of each chip once in the table, where it stands first, and one empty row.

    stwcs adds a solution again whenever its headerlet has another name, and empty rows with it; it needs one of them.

    Parameters
    ----------
    hdulist : HDUList
        Opened for update; its table is changed.

    Raises
    ------
    InputError
        The table is damaged, or is not the one of stwcs.
    """
    table = hdulist["WCSCORR"]
    solutions = _solutions(table, _place(hdulist))
    seen: dict[tuple[str, int], list[LinearTerms]] = {}
    kept, empty = [], []
    for index, (name, extver, terms) in enumerate(solutions):
        if name in EMPTY:
            empty.append(index)
            continue
        known = seen.setdefault((without_counter(name).upper(), extver), [])
        if not any(same_terms(terms, other) for other in known):
            kept.append(index)
            known.append(terms)
    if len(kept) + 1 < len(solutions):
        table.data = table.data[kept + empty[:1]]
        table.header["TROWS"] = len(kept)


def _solutions(table: fits.BinTableHDU, where: str) -> list[tuple[str, int, LinearTerms]]:
    """Name, EXTVER and linear terms of each row; terms for which there is no column are 0."""
    if not isinstance(table, fits.BinTableHDU):
        raise InputError("this is no table.", where=where, remedy=REMEDY)
    names = [str(cell).strip() for cell in column_cells(table, "WCS_ID", where)]
    chips = [int(number) for number in _numbers(table, "EXTVER", where)]
    present = {name.upper() for name in column_names(table, where)}
    missing = [0.0] * len(names)
    terms = [_numbers(table, keyword, where) if keyword in present else missing for keyword in LINEAR_KEYWORDS]
    return list(zip(names, chips, zip(*terms, strict=True), strict=True))


def _numbers(table: fits.BinTableHDU, column: str, where: str) -> list[float]:
    """The cells of a column of numbers, 0 for what is not finite."""
    cells = column_cells(table, column, where)
    if not all(isinstance(cell, (int, float)) for cell in cells):
        raise InputError("its cells are no numbers.", where=f"{where}: {column}", remedy=REMEDY)
    return [float(cell) if math.isfinite(float(cell)) else 0.0 for cell in cells]
