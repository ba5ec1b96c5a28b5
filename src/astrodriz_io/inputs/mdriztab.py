"""MDRIZTAB: the calibration table with drizzle parameters for each filter and number of exposures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from astropy.io import fits
from attrs import fields_dict, frozen

from astrodriz_core.errors import InputError, ReferenceFileError
from astrodriz_core.parameters import DrizzleParameters
from astrodriz_io.inputs.fitsfiles import open_fits, reading

__all__ = ["MdriztabRow", "read_mdriztab"]

_ANY_FILTER = "ANY"
_RENAMED: Mapping[str, tuple[str, ...]] = {
    "subsky": ("skysub",),
    "crbitval": ("crbit",),
    "bits": ("driz_sep_bits", "final_bits"),
    "refimage": ("driz_sep_refimage", "final_refimage"),
    "ra": ("driz_sep_ra", "final_ra"),
    "dec": ("driz_sep_dec", "final_dec"),
}
"""Columns of older tables, and the parameters that they are called now."""
_NO_COEFFICIENTS = frozenset({"", "INDEF", "NONE", "NO"})


@frozen
class MdriztabRow:
    """The row of an MDRIZTAB that holds for an association.

    Attributes
    ----------
    row : int
        Its number, counted from 1.
    values : tuple of (str, str)
        Parameters and their values as text; columns without a value are left out.
    ignored : tuple of str
        Columns with a value that name no parameter of the drizzle steps (file names, clean-up and such).
    """

    row: int
    values: tuple[tuple[str, str], ...]
    ignored: tuple[str, ...]


def read_mdriztab(path: Path, filters: Sequence[str], n_exposures: int) -> MdriztabRow:
    """Take the row for these filters and this number of exposures.

    Of the rows for the filters, or of those for ``ANY`` where there is none, the one with the largest
    ``numimages`` that is not above the number of exposures.

    Parameters
    ----------
    path : Path
        The table.
    filters : sequence of str
        Optical elements of the exposures; the table joins them by a comma.
    n_exposures : int
        Number of exposures to be combined.

    Returns
    -------
    MdriztabRow
        The row's parameters.

    Raises
    ------
    ReferenceFileError
        The file is no MDRIZTAB, or has no row for so few exposures.
    """
    try:
        with open_fits(path) as hdulist, reading(path.name):
            table = hdulist[1].data
            row = _matching_row(table, ",".join(filters).upper(), n_exposures)
            values, ignored = _parameters(table, row) if row is not None else ({}, ())
    except InputError as failure:
        raise ReferenceFileError(failure.problem, where=failure.where, remedy=failure.remedy) from failure
    if row is None:
        problem = f"the table has no row for {n_exposures} exposures with {','.join(filters) or 'no filter'}."
        raise ReferenceFileError(problem, where=path.name, remedy="Take another MDRIZTAB.")
    return MdriztabRow(row=row + 1, values=tuple(values.items()), ignored=ignored)


def _matching_row(table: fits.FITS_rec, filters: str, n_exposures: int) -> int | None:
    names = [str(name).strip().upper() for name in table["filter"]]
    wanted = filters if filters in names else _ANY_FILTER
    fitting = {
        row: int(limit)
        for row, (name, limit) in enumerate(zip(names, table["numimages"], strict=True))
        if name == wanted and limit <= n_exposures
    }
    return max(fitting, key=lambda row: fitting[row], default=None)


def _parameters(table: fits.FITS_rec, row: int) -> tuple[dict[str, str], tuple[str, ...]]:
    known = fields_dict(DrizzleParameters)
    values: dict[str, str] = {}
    ignored = []
    for column, text in _cells(table, row):
        names = _RENAMED.get(column, (column,))
        if column == "coeffs":
            text = "no" if text.upper() in _NO_COEFFICIENTS else "yes"
        if all(name in known for name in names):
            values |= dict.fromkeys(names, text)
        else:
            ignored.append(column)
    return values, tuple(ignored)


def _cells(table: fits.FITS_rec, row: int) -> Iterator[tuple[str, str]]:
    """Columns with a value, the two that only select the row left out."""
    for name in table.names:
        column, text = name.lower(), _cell_text(table[name][row])
        if column not in ("filter", "numimages") and text:
            yield column, text


def _cell_text(value: object) -> str:
    # The shortest text of a float32 is what stood in the table; as a double 0.1 would be 0.10000000149.
    return str(value.item()) if isinstance(value, (np.bool_, np.integer)) else str(value).strip()
