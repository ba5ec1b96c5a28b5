"""Cells of FITS tables as plain Python values."""

from __future__ import annotations

from typing import Any

from astropy.io import fits

from astrodriz_core.errors import InputError
from astrodriz_io.fits.files import reading

__all__ = ["column_cells", "column_names"]


def column_names(hdu: fits.BinTableHDU, where: str) -> tuple[str, ...]:
    """Names of the columns, as the table has them.

    Raises
    ------
    InputError
        The table is damaged.
    """
    with reading(where):
        names = hdu.columns.names
    return tuple(str(name) for name in names)


def column_cells(hdu: fits.BinTableHDU, name: str, where: str) -> list[str | int | float | bool]:
    """The cells of a column, one value for each row.

    Parameters
    ----------
    hdu : BinTableHDU
        The table.
    name : str
        Name of the column, in any case.
    where : str
        File and extension, for the message.

    Returns
    -------
    list
        Empty for a table without rows.

    Raises
    ------
    InputError
        There is no such column, it is damaged, or its cells are no single values.
    """
    known = {column.upper(): column for column in column_names(hdu, where)}
    if name.upper() not in known:
        raise InputError(f"the table has no column {name}.", where=where, remedy="Check that it is the right table.")
    with reading(f"{where}: {name}"):
        cells: list[Any] = hdu.data[known[name.upper()]].tolist()
    if not all(isinstance(cell, (str, int, float)) for cell in cells):
        raise InputError("its cells are no texts and no numbers.", where=f"{where}: {name}")
    return cells
