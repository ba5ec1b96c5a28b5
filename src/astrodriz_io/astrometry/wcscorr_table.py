"""WCSCORR, the table in which an exposure keeps the history of its WCS solutions."""

from __future__ import annotations

from astropy.io import fits
from stwcs.wcsutil import wcscorr

from astrodriz_core.astrometry.wcsnames import without_counter
from astrodriz_io.astrometry.linear_terms import LINEAR_KEYWORDS, LinearTerms, same_terms
from astrodriz_io.stwcs_calls import stwcs_call

__all__ = ["drop_repeated_rows", "update_wcscorr"]

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
        drop_repeated_rows(hdulist["WCSCORR"])


def drop_repeated_rows(table: fits.BinTableHDU) -> None:
    """Leave each solution of each chip once in the table, where it stands first, and one empty row.

    stwcs adds a solution again whenever its headerlet has another name, and empty rows with it; it needs one of them.
    """
    rows = table.data
    seen: dict[tuple[str, int], list[LinearTerms]] = {}
    kept, empty = [], []
    for index, row in enumerate(rows):
        name, terms = str(row["WCS_ID"]).strip(), _terms(row, rows.names)
        if name in EMPTY:
            empty.append(index)
            continue
        known = seen.setdefault((without_counter(name).upper(), int(row["EXTVER"])), [])
        if not any(same_terms(terms, other) for other in known):
            kept.append(index)
            known.append(terms)
    if len(kept) + 1 < len(rows):
        table.data = rows[kept + empty[:1]]
        table.header["TROWS"] = len(kept)


def _terms(row: fits.FITS_record, columns: list[str]) -> LinearTerms:
    return tuple(float(row[keyword]) if keyword in columns else 0.0 for keyword in LINEAR_KEYWORDS)
