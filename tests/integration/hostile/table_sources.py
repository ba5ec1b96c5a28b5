"""Binary tables whose cells and rows are wrong: associations, MDRIZTAB, IDCTAB, catalogues."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from astropy.io import fits
from attrs import evolve, field, frozen
from degenerate_files import Case as Degenerate
from degenerate_files import nothing, write_case
from tiny_files import write_mdriztab

from astrodriz_io.catalogs.files import FileCatalog, Footprint
from astrodriz_io.inputs.association import read_association
from hostile.acting import run_command, run_until
from hostile.cards import Hdu, join, with_card
from hostile.cases import Case, Mutation, Place
from hostile.exposure_sources import hdus_of
from hostile.values import BEYOND_LATIN, ODD_TEXTS, TEXTS

__all__ = ["TableSource", "table_sources"]

SIZE = 8
WIDTH = 80
"""Bytes of the names in an association table; more than the 14 of the archive's, so that anything fits."""

MEMBERS = {
    "another member": "XABC01AAQ",
    "the product": "XABC01010",
    "no file": "XABC01ZZQ",
    "lower case": "xabc01abq",
    "with its suffix": "xabc01abq_flt.fits",
    "longest": "a" * 64,
    "product type": "PROD-DTH",
    "repeat type": "EXP-RPT1",
    "wavelength type": "EXP-GWAVE",
}
FLOATS = {
    "NaN": float("nan"), "infinite": float("inf"), "minus infinite": float("-inf"), "huge": 1.7e308,
    "huge negative": -1.7e308, "large": 1e20, "tiny": 1e-320, "negative": -1.0, "zero": 0.0, "one": 1.0, "a half": 0.5,
}  # fmt: skip
INTEGERS = {
    "largest": 2147483647, "least": -2147483648, "IRAF's indefinite": -2147483647, "negative": -1, "zero": 0, "one": 1,
    "many": 1000000,
}  # fmt: skip
LOGICALS = {"true": b"T", "false": b"F", "NUL": b"\0", "another letter": b"X", "beyond ASCII": b"\xff"}
ROWS = ("missing", "doubled", "a hundred times", "first", "no other")

Act = Callable[[Case, Path], object]


@frozen
class Column:
    """Where the cells of a column lie in a row, and what they hold: A, L, J or D."""

    start: int
    width: int
    kind: str


@frozen(eq=False, repr=False)
class TableSource:
    """A file set of which one binary table has wrong cells and rows."""

    name: str
    weight: float
    depths: Mapping[str, float]
    table: str
    sound: Mapping[str, bytes]
    hdus: tuple[Hdu, ...]
    columns: Mapping[str, Column]
    rows: tuple[bytes, ...]
    action: Act
    exposures: tuple[str, ...] = ()
    names_files: bool = False
    places: tuple[Place, ...] = field()

    @places.default
    def _every_cell(self) -> tuple[Place, ...]:
        rows = [str(number) for number in range(len(self.rows))]
        return tuple(Place(f"{self.table} row {row}", name) for row in rows for name in (*self.columns, "the row"))

    def hows(self, place: Place) -> Sequence[str]:
        """By the kind of the column."""
        return ROWS if place.name == "the row" else tuple(CELLS[self.columns[place.name].kind])

    def files(self, case: Case) -> Mapping[str, bytes]:
        """The sound files and the table."""
        rows: list[tuple[bytes, ...]] = [(row,) for row in self.rows]
        for mutation in case.mutations:
            self._spoil(rows, mutation)
        data = b"".join(row for several in rows for row in several)
        count = sum(map(len, rows))
        header = with_card(self.hdus[1], "NAXIS2", count)
        table = evolve(header, data=data + bytes(-len(data) % 2880))
        return {**self.sound, self.table: join((self.hdus[0], table, *self.hdus[2:]))}

    def _spoil(self, rows: list[tuple[bytes, ...]], mutation: Mutation) -> None:
        at = int(mutation.place.file.rsplit(" ", 1)[1])
        if mutation.place.name == "the row":
            _spoil_row(rows, at, mutation.how)
            return
        column = self.columns[mutation.place.name]
        new = CELLS[column.kind][mutation.how](column.width)
        rows[at] = tuple(row[: column.start] + new + row[column.start + column.width :] for row in rows[at])

    def act(self, case: Case, folder: Path) -> None:
        """Read the table."""
        self.action(case, folder)

    def may_change(self, case: Case) -> Sequence[str]:
        """The exposures, which a run updates."""
        return self.exposures if case.depth == "run" else ()

    def told(self, case: Case) -> Sequence[str]:
        """The roots of all files, and the parameter that names one."""
        return ("refimage", "final_", *{name.split("_")[0].split(".")[0] for name in self.sound})


def _spoil_row(rows: list[tuple[bytes, ...]], at: int, how: str) -> None:
    if how == "missing":
        rows[at] = ()
    elif how in ("doubled", "a hundred times"):
        rows[at] = rows[at] * (2 if how == "doubled" else 100)
    elif how == "first":
        rows[0], rows[at] = rows[at] + rows[0] if at else rows[0], ()
    else:
        rows[:] = [row if index == at else () for index, row in enumerate(rows)]


def _text_cell(text: str) -> Callable[[int], bytes]:
    return lambda width: text.encode("utf-8", "surrogatepass")[:width].ljust(width, b"\0")


def _as_it_is(cell: bytes) -> Callable[[int], bytes]:
    return lambda width: cell


def _packed(form: str, value: float) -> Callable[[int], bytes]:
    return lambda width: struct.pack(form, value)


CELLS: Mapping[str, Mapping[str, Callable[[int], bytes]]] = {
    "A": {how: _text_cell(text) for how, text in (TEXTS | ODD_TEXTS | BEYOND_LATIN | MEMBERS).items()}
    | {"bytes that are no text": lambda width: b"\xff\xfe"[:width].ljust(width, b"\x80")},
    "L": {how: _as_it_is(one) for how, one in LOGICALS.items()},
    "J": {how: _packed(">i", value) for how, value in INTEGERS.items()},
    "D": {how: _packed(">d", value) for how, value in FLOATS.items()},
}


def table_sources(folder: Path) -> tuple[TableSource, ...]:
    """All tables; `folder` receives the sound files."""
    return (_asn_source(folder / "asn"), _mdriztab_source(folder / "mdz"), _idctab_source(folder / "idc"),
            _catalogue_source(folder / "catalogue"))  # fmt: skip


def _asn_source(folder: Path) -> TableSource:
    sound = _exposures(folder, 2)
    columns = [
        fits.Column("MEMNAME", f"{WIDTH}A", array=["XABC01AAQ", "XABC01ABQ", "XABC01010"]),
        fits.Column("MEMTYPE", f"{WIDTH}A", array=["EXP-DTH", "EXP-DTH", "PROD-DTH"]),
        fits.Column("MEMPRSNT", "L", array=[True, True, True]),
    ]
    primary = fits.PrimaryHDU(header=fits.Header({"INSTRUME": "WFC3"}))
    path = folder / "xabc01010_asn.fits"
    fits.HDUList([primary, fits.BinTableHDU.from_columns(columns, name="ASN")]).writeto(path, overwrite=True)
    depths = {"read": 0.89, "opened": 0.1, "prepared": 0.007, "run": 0.003}
    return _source("association rows", 10, depths, path, sound, _run_on(path.name))


def _mdriztab_source(folder: Path) -> TableSource:
    sound = _exposures(folder, 1, MDRIZTAB="iref$x_mdz.fits")
    row = {"filter": "ANY" + " " * 40, "numimages": 1, "driz_sep_bits": 16, "final_bits": 64, "final_scale": 0.1,
           "final_pixfrac": 0.8, "final_kernel": "square" + " " * 40, "final_rot": 0.0, "skysub": True,
           "final_wcs": True, "combine_type": "minmed" + " " * 40, "driz_cr_snr": "5.0 4.0" + " " * 40,
           "final_outnx": 12, "final_outny": 12, "final_ra": 30.0, "final_dec": -20.0,
           "final_fillval": "INDEF" + " " * 40, "final_refimage": " " * 40, "skywidth": 0.3,
           "skystat": "median" + " " * 40}  # fmt: skip
    path = write_mdriztab(folder / "x_mdz.fits", [row, {**row, "numimages": 2}])
    depths = {"prepared": 0.9, "run": 0.1}
    return _source("MDRIZTAB rows", 0.15, depths, path, sound, _run_on("xabc01aaq_flt.fits"))


def _idctab_source(folder: Path) -> TableSource:
    sound = _exposures(folder, 1)
    depths = {"prepared": 0.9, "run": 0.1}
    path = folder / "a1b2c_idc.fits"
    return _source("IDCTAB rows", 0.15, depths, path, sound, _run_on("xabc01aaq_flt.fits"))


def _catalogue_source(folder: Path) -> TableSource:
    folder.mkdir()
    values = {"ra": (30.0, 30.0001), "dec": (-20.0, -20.0001), "mag": (18.0, 19.0), "pmra": (1.0, -2.0),
              "pmdec": (0.5, 1.5), "ref_epoch": (2016.0, 2016.0),
              "ra_error": (0.1, 0.2), "dec_error": (0.1, 0.2)}  # fmt: skip
    columns = [fits.Column(name, "D", array=array) for name, array in values.items()]
    path = folder / "stars.fits"
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns(columns)]).writeto(path)

    def query(case: Case, folder: Path) -> None:
        FileCatalog(folder / "stars.fits").query(Footprint(30.0, -20.0, 0.1), 2015.2)

    return _source("catalogue rows", 4, {"read": 1.0}, path, {}, query)


def _exposures(folder: Path, count: int, **primary: object) -> Mapping[str, bytes]:
    folder.mkdir()
    tiny = write_case(folder, "WFC3/IR", Degenerate(nothing, size=SIZE, count=count))
    for path in tiny.exposures:
        for keyword, value in primary.items():
            fits.setval(path, keyword, value=value)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def _run_on(entry: str) -> Act:
    def act(case: Case, folder: Path) -> None:
        if case.depth == "run":
            run_command(folder / entry, {"iref": str(folder), "ASTROMETRY_COMPUTE_APOSTERIORI": "off",
                                         "ASTROMETRY_APPLY_APRIORI": "off"})  # fmt: skip
        elif case.depth == "read":
            read_association(folder / entry)
        else:
            run_until(case.depth, folder / entry, {"iref": str(folder)})

    return act


def _source(
    name: str, weight: float, depths: Mapping[str, float], path: Path, sound: Mapping[str, bytes], action: Act
) -> TableSource:
    data = path.read_bytes()
    hdus = hdus_of(data)
    with fits.open(path) as hdulist:
        table = hdulist[1]
        length, count = table.header["NAXIS1"], table.header["NAXIS2"]
        columns, start = {}, 0
        for column in table.columns:
            kind, width = column.format[-1], column.dtype.itemsize
            columns[column.name] = Column(start, width, kind)
            start += width
    rows = tuple(hdus[1].data[at : at + length] for at in range(0, length * count, length))
    exposures = tuple(each for each in sound if each.endswith("_flt.fits"))
    everything = {**sound, path.name: data}
    return TableSource(name, weight, depths, path.name, everything, hdus, columns, rows, action, exposures)
