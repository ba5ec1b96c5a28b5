"""MDRIZTAB: the calibration table with drizzle parameters for each filter and number of exposures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from astropy.io import fits
from attrs import fields_dict, frozen

from astrodriz_core.errors import InputError, ReferenceFileError
from astrodriz_core.parameters.drizzle import DrizzleParameters
from astrodriz_io.fits.files import open_fits, reading
from astrodriz_io.fits.tables import column_cells, column_names

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
_Table: TypeAlias = Mapping[str, list[str]]
"""Texts of all cells, by the lower-case name of their column."""

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
        with open_fits(path) as hdulist:
            table = _columns(hdulist, path.name)
        row = _matching_row(table, ",".join(filters).upper(), n_exposures, path.name)
        values, ignored = _parameters(table, row) if row is not None else ({}, ())
    except InputError as failure:
        raise ReferenceFileError(failure.problem, where=failure.where, remedy=failure.remedy) from failure
    if row is None:
        problem = f"the table has no row for {n_exposures} exposures with {','.join(filters) or 'no filter'}."
        raise ReferenceFileError(problem, where=path.name, remedy="Take another MDRIZTAB.")
    return MdriztabRow(row=row + 1, values=tuple(values.items()), ignored=ignored)


def _columns(hdulist: fits.HDUList, file_name: str) -> _Table:
    """The table of the first extension, by lower-case names of its columns."""
    hdu = hdulist[1] if len(hdulist) > 1 else None
    if not isinstance(hdu, fits.BinTableHDU):
        raise InputError("the first extension is no table.", where=file_name, remedy="Take another MDRIZTAB.")
    where = f"{file_name}[1]"
    return {name.lower(): _texts(hdu, name, where) for name in column_names(hdu, where)}


def _texts(hdu: fits.BinTableHDU, name: str, where: str) -> list[str]:
    """The cells of a column as text; those of single precision as short as they stood in the table."""
    with reading(f"{where}: {name}"):
        kind = hdu.data[name].dtype
    cells = column_cells(hdu, name, where)
    # As a double, 0.1 in single precision would be 0.10000000149.
    return [str(kind.type(cell) if kind.kind == "f" else cell).strip() for cell in cells]


def _matching_row(table: _Table, filters: str, n_exposures: int, file_name: str) -> int | None:
    for column in ("filter", "numimages"):
        if column not in table:
            raise InputError(f"the table has no column {column}.", where=file_name, remedy="Take another MDRIZTAB.")
    names = [name.upper() for name in table["filter"]]
    limits = [_limit(text, file_name) for text in table["numimages"]]
    wanted = filters if filters in names else _ANY_FILTER
    fitting = {row: limit for row, limit in enumerate(limits) if names[row] == wanted and limit <= n_exposures}
    return max(fitting, key=lambda row: fitting[row], default=None)


def _limit(text: str, file_name: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,9}", text):
        raise InputError(f"{text[:20]!r} is no number of images.", where=f"{file_name}: numimages")
    return int(text)


def _parameters(table: _Table, row: int) -> tuple[dict[str, str], tuple[str, ...]]:
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


def _cells(table: _Table, row: int) -> Iterator[tuple[str, str]]:
    """Columns with a value, the two that only select the row left out."""
    for column, texts in table.items():
        if column not in ("filter", "numimages") and texts[row]:
            yield column, texts[row]
