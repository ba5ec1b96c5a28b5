"""The association table: which exposures belong together, and what their product is called.

What a table says is data: a name is checked before a path is built from it.
"""

from __future__ import annotations

from pathlib import Path

from astropy.io import fits
from attrs import frozen

from astrodriz_core.errors import InputError
from astrodriz_core.names import Rootname, rootname
from astrodriz_io.fits.files import keyword_text, open_fits
from astrodriz_io.fits.tables import column_cells

__all__ = ["AsnTable", "read_asn_table"]

_PRODUCT_PREFERENCE = ("PROD-DTH", "PROD-RPT", "PROD-CRJ", "PROD")


@frozen
class AsnTable:
    """What an association table says.

    Attributes
    ----------
    instrument : str
        INSTRUME, upper case; empty where the header has none.
    product : str or None
        Lower-case root of the product's name; None where the table has no PROD-* row.
    members : tuple of (str, str)
        Lower-case root and MEMTYPE of every exposure that is present, in the order of the table.
    """

    instrument: str
    product: Rootname | None
    members: tuple[tuple[Rootname, str], ...]


@frozen
class _Row:
    name: str
    member_type: str
    present: bool
    where: str


def read_asn_table(path: Path) -> AsnTable:
    """Read ``<root>_asn.fits``.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    AsnTable
        Names in lower case, without blanks and NULs. Members are the rows of type EXP-* with MEMPRSNT true;
        one that is listed twice counts once. The product is the dithered one where there are several.

    Raises
    ------
    MissingFilesError
        There is no such file.
    InputError
        It has no association table, the table has no exposure, or a name cannot be that of a file; the
        message names the row.
    """
    with open_fits(path) as hdulist:
        instrument = keyword_text(hdulist[0].header, "INSTRUME").upper()
        rows = _rows(hdulist, path.name)
    members = {_root(row): row.member_type for row in rows if row.present and row.member_type[:3] == "EXP"}
    if not members:
        problem = "no row has a MEMTYPE of EXP-* and MEMPRSNT true, so there is nothing to process."
        raise InputError(problem, where=f"{path.name}[ASN]", remedy="Check the association table.")
    return AsnTable(instrument, _product(rows), tuple(members.items()))


def _rows(hdulist: fits.HDUList, file_name: str) -> tuple[_Row, ...]:
    hdu, where = _table(hdulist, file_name), f"{file_name}[ASN]"
    cells = zip(*(column_cells(hdu, name, where) for name in ("MEMNAME", "MEMTYPE", "MEMPRSNT")), strict=True)
    return tuple(
        _Row(_text(name), _text(kind).upper(), bool(present), f"{where} row {number}")
        for number, (name, kind, present) in enumerate(cells, start=1)
    )


def _table(hdulist: fits.HDUList, file_name: str) -> fits.BinTableHDU:
    for hdu in hdulist:
        if isinstance(hdu, fits.BinTableHDU) and hdu.name in ("ASN", ""):
            return hdu
    raise InputError("the file has no ASN table extension.", where=file_name)


def _text(value: object) -> str:
    """Text up to a NUL, which ends it as in C, without blanks."""
    return str(value).split("\0", 1)[0].strip()


def _root(row: _Row) -> Rootname:
    return rootname(row.name, row.where)


def _product(rows: tuple[_Row, ...]) -> Rootname | None:
    for wanted in _PRODUCT_PREFERENCE:
        for row in rows:
            if row.member_type.startswith(wanted):
                return _root(row)
    return None
