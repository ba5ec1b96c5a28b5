"""The columns of astrometric catalogues, by the names that each service gives them."""

from __future__ import annotations

import numpy as np
from astropy.table import Table

from astrodriz_core.arrays import Array
from astrodriz_core.errors import CatalogError
from astrodriz_core.solutions.proper_motion import CatalogColumns

__all__ = ["REFERENCE_EPOCHS", "columns_of"]

NAMES = {
    "ra": ("ra", "raj2000", "ra_deg"),
    "dec": ("dec", "dej2000", "dec_deg"),
    "mag": ("mag", "phot_g_mean_mag"),
    "ra_error": ("ra_error", "raerr", "rameanerr"),
    "dec_error": ("dec_error", "decerr", "decmeanerr"),
    "pmra": ("pmra", "rapm"),
    "pmdec": ("pmdec", "decpm"),
    "pmra_error": ("pmra_error", "rapmerr"),
    "pmdec_error": ("pmdec_error", "decpmerr"),
    "epoch": ("epoch", "ref_epoch"),
    "jdate": ("jdate",),
    "mjd": ("epochmean",),
}
"""Our name of each column, and the names under which it is found, in lower case."""

REFERENCE_EPOCHS = {"GAIADR1": 2015.0, "GAIADR2": 2015.5, "GAIAEDR3": 2016.0, "GAIADR3": 2016.0}
"""Decimal year of the positions of catalogues that have one epoch."""

TYPICAL_ERRORS_MAS = {"2MASS": 80.0, "GSC": 30.0, "PS1": 15.0, "GAIADR1": 2.0}
"""Position error where the catalogue gives none; by the beginning of its name."""

BEST_ERROR_MAS = 0.5
"""The same for other catalogues: a faint star of Gaia."""

MAX_ERROR_MAS = 1000.0
"""A greater error says that the position is good for nothing."""


def columns_of(table: Table, name: str, where: str, *, required: tuple[str, ...] = ()) -> CatalogColumns:
    """Columns of a catalogue's table, rows without a position left out.

    Parameters
    ----------
    table : Table
    name : str
        Name of the catalogue; it gives the epoch and the errors where the table has none.
    where : str
        File or service, for messages.
    required : tuple of str
        Columns that this catalogue has to have beside ra and dec, such as pmra: without them the proper motion
        would be lost without a word.

    Raises
    ------
    CatalogError
        A required column is missing, or one holds no numbers, or positions are out of range.
    """
    found = {column.lower(): column for column in table.colnames}
    present = {ours: next((found[n] for n in theirs if n in found), None) for ours, theirs in NAMES.items()}
    missing = [ours for ours in ("ra", "dec", *required) if present[ours] is None]
    if missing:
        raise CatalogError(
            f"{name} has no column {', '.join(missing)}.",
            where=where,
            remedy="It needs ra, dec and mag; pmra, pmdec and ref_epoch are optional in a file.",
        )

    def values(ours: str) -> Array:
        return _numbers(table, present[ours], name, where)

    columns = CatalogColumns(
        ra=values("ra"),
        dec=values("dec"),
        mag=values("mag"),
        sigma=_position_errors(values("ra_error"), values("dec_error"), name),
        pmra=values("pmra"),
        pmdec=values("pmdec"),
        pm_sigma=np.hypot(values("pmra_error"), values("pmdec_error")) / np.sqrt(2),
        epoch=_epochs(values("epoch"), values("jdate"), values("mjd"), name),
    )
    usable = np.isfinite(columns.ra) & np.isfinite(columns.dec)
    if (np.abs(columns.dec[usable]) > 90).any() or (np.abs(columns.ra[usable]) > 360.0).any():
        raise CatalogError(f"{name} has positions that are not on the sky.", where=where)
    return columns.select(usable & (columns.sigma <= MAX_ERROR_MAS))


def _numbers(table: Table, column: str | None, name: str, where: str) -> Array:
    """A column as floats, NaN for what is masked or missing."""
    if column is None:
        return np.full(len(table), np.nan)
    try:
        numbers = np.ma.filled(np.ma.asarray(table[column]).astype(np.float64), np.nan)
    except (ValueError, TypeError) as error:
        raise CatalogError(f"Column {column} of {name} holds what is not a number.", where=where) from error
    if numbers.ndim != 1:
        raise CatalogError(f"Column {column} of {name} holds arrays, not numbers.", where=where)
    return numbers


def _position_errors(ra_error: Array, dec_error: Array, name: str) -> Array:
    """Errors along one axis, mas; the typical one of the catalogue where it gives none."""
    starts = [start for start in TYPICAL_ERRORS_MAS if name.upper().startswith(start)]
    typical = TYPICAL_ERRORS_MAS[starts[0]] if starts else BEST_ERROR_MAS
    error = np.hypot(ra_error, dec_error) / np.sqrt(2)
    return np.where(np.isfinite(error) & (error > 0), error, typical)


def _epochs(epoch: Array, jdate: Array, mjd: Array, name: str) -> Array:
    """Decimal years, from whichever column has them, or from what is known of the catalogue."""
    year = np.where(np.isfinite(epoch), epoch, 2000.0 + (jdate - 2451545.0) / 365.25)
    year = np.where(np.isfinite(year), year, 2000.0 + (mjd - 51544.5) / 365.25)
    return np.where(np.isfinite(year), year, REFERENCE_EPOCHS.get(name.upper(), np.nan))
