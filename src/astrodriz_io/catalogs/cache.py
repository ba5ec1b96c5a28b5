"""A local cache of astrometric catalogues: Parquet files, one for each HEALPix pixel (needs the extra ``catalogs``).

<cache>/<name>/catalog.json     order of the pixels, number of rows
<cache>/<name>/<pixel>.parquet  rows of one pixel, nested ordering
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import Table, vstack
from attrs import asdict, fields, frozen

from astrodriz_core.errors import CatalogError
from astrodriz_core.solutions.proper_motion import CatalogColumns
from astrodriz_io.catalogs.columns import columns_of
from astrodriz_io.catalogs.files import CatalogRows, Footprint, catalog_rows, read_table
from astrodriz_io.storage.disk import storage_errors
from astrodriz_io.storage.json_files import read_json_object
from astrodriz_io.storage.locking import locked
from astrodriz_io.storage.places import place
from astrodriz_io.storage.replacing import replacing

__all__ = ["CacheCatalog", "CacheEntry", "add_catalog", "catalog_names", "list_catalogs"]

ORDER = 5
"""Order of new caches: 12288 pixels of 1.8 degrees, of which an exposure touches one to four."""

MAX_ORDER = 12
"""Pixels of 0.9 arcmin; with smaller ones a field would be spread over hundreds of files."""

DAMAGED = "The description is damaged: make the catalogue again with astrodriz catalog add."
"""What a user can do about a cache that cannot be read."""

DESCRIPTION = "catalog.json"

STORED_NAMES = {"sigma": ("ra_error", "dec_error"), "pm_sigma": ("pmra_error", "pmdec_error")}
"""Names in the files of columns that are called otherwise here."""

REMEDY = "Install the extra: pip install astrodriz[catalogs]."


@frozen
class CacheEntry:
    """One catalogue of a cache.

    Attributes
    ----------
    name : str
    order : int
        HEALPix order of its pixels.
    pixels, rows : int
        How many files and rows it has.
    """

    name: str
    order: int
    pixels: int
    rows: int


@frozen
class CacheCatalog:
    """A catalogue in a cache, as the alignment asks it.

    Attributes
    ----------
    cache : Path
    name : str
    """

    cache: Path
    name: str

    def query(self, footprint: Footprint, epoch: float) -> CatalogRows:
        """Read the rows of a field from the cache.

        Raises
        ------
        CatalogError
            The cache does not have this catalogue, or no part of the footprint, or is damaged; or the extra is not
            installed.
        """
        folder = place(self.cache, self.name)
        entry = _entry(folder)
        healpix = _healpix(entry.order)
        wanted = healpix.cone_search_lonlat(
            footprint.ra * u.deg, footprint.dec * u.deg, radius=(footprint.radius_deg + _reach(entry.order)) * u.deg
        )
        files = [path for pixel in np.sort(wanted) if (path := _pixel_file(folder, int(pixel))).exists()]
        if not files:
            remedy = "Add rows of this part of the sky with astrodriz catalog add."
            raise CatalogError(f"The cache of {self.name} does not cover the field.", where=self.name, remedy=remedy)
        columns = columns_of(vstack([read_table(path) for path in files]), self.name, self.name)
        return catalog_rows(columns, footprint, epoch, self.name, f"local cache, HEALPix order {entry.order}")


def add_catalog(cache: Path, source: Path, name: str, order: int = ORDER) -> CacheEntry:
    """Add the rows of a table file to a catalogue of the cache, which is made if need be.

    Rows that are there already (same position and epoch) are not doubled. Each file is replaced when complete.

    Parameters
    ----------
    cache : Path
        Folder of the cache; made if need be.
    source : Path
        ECSV, CSV, FITS or Parquet.
    name : str
        Name of the catalogue, such as GAIAeDR3.
    order : int
        HEALPix order of a new catalogue; an existing one keeps its own.

    Raises
    ------
    CatalogError
        The file is not a catalogue, or the extra is not installed.
    LockedError
        Another process adds rows to the same catalogue.
    StorageError
        The cache cannot be written.
    """
    columns = columns_of(read_table(source), name, source.name)
    folder = place(cache, name)
    with storage_errors(folder.name):
        folder.mkdir(parents=True, exist_ok=True)
    with locked(folder, ("catalog",)):
        return _add(folder, columns, order)


def _add(folder: Path, columns: CatalogColumns, order: int) -> CacheEntry:
    """Add rows to the catalogue in a folder that nobody else writes to."""
    order = _entry(folder).order if (folder / DESCRIPTION).exists() else order
    pixels = _healpix(order).lonlat_to_healpix(columns.ra * u.deg, columns.dec * u.deg)
    for pixel in np.unique(pixels):
        _add_rows(_pixel_file(folder, int(pixel)), columns.select(pixels == pixel))
    counts = [len(read_table(path)) for path in sorted(folder.glob("*.parquet"))]
    entry = CacheEntry(folder.name, order, len(counts), sum(counts))
    with storage_errors(DESCRIPTION), replacing(folder / DESCRIPTION) as working:
        working.write_text(json.dumps(asdict(entry), indent=1) + "\n", encoding="utf-8")
    return entry


def list_catalogs(cache: Path) -> tuple[CacheEntry, ...]:
    """Catalogues of a cache by name; none for a folder that does not exist."""
    return tuple(_entry(place(cache, name)) for name in catalog_names(cache))


def catalog_names(cache: Path) -> tuple[str, ...]:
    """Names of the catalogues of a cache."""
    return tuple(path.parent.name for path in sorted(cache.glob(f"*/{DESCRIPTION}")))


def _entry(folder: Path) -> CacheEntry:
    path = folder / DESCRIPTION
    if not path.exists():
        remedy = "List what it has with astrodriz catalog list."
        raise CatalogError(f"The cache has no catalogue {folder.name}.", where=folder.name, remedy=remedy)
    values = read_json_object(path, CatalogError, DAMAGED)
    counts = [values.get(name) for name in ("order", "pixels", "rows")]
    order, pixels, rows = (count if type(count) is int else -1 for count in counts)
    if min(pixels, rows) < 0 or not 0 <= order <= MAX_ORDER:
        raise CatalogError(f"is damaged ({counts}).", where=f"{folder.name}/{DESCRIPTION}", remedy=DAMAGED)
    return CacheEntry(folder.name, order, pixels, rows)


def _add_rows(path: Path, columns: CatalogColumns) -> None:
    """Write the rows of one pixel together with those that it has."""
    new = Table({name: getattr(columns, ours) for ours, name in _stored_names()})
    table = vstack([read_table(path), new]) if path.exists() else new
    keys = np.column_stack([table["ra"], table["dec"], np.nan_to_num(table["epoch"])])
    table = table[np.sort(np.unique(keys, axis=0, return_index=True)[1])]
    arrow, parquet = _pyarrow()
    with storage_errors(path.name), replacing(path) as working:
        parquet.write_table(arrow.table({name: np.asarray(table[name]) for name in table.colnames}), working)


def _stored_names() -> Iterator[tuple[str, str]]:
    """Our columns and their names in the files; an error along one axis stands for both."""
    for field in fields(CatalogColumns):
        yield from ((field.name, name) for name in STORED_NAMES.get(field.name, (field.name,)))


def _pixel_file(folder: Path, pixel: int) -> Path:
    return place(folder, f"{pixel}.parquet")


def _reach(order: int) -> float:
    """Degrees from the centre of a pixel to its farthest corner, at most."""
    return float(1.5 * np.rad2deg(np.sqrt(np.pi / 3.0)) / 2**order)


def _healpix(order: int) -> Any:
    """The pixelisation of a cache."""
    try:
        from astropy_healpix import HEALPix
    except ImportError as error:
        raise CatalogError("The catalogue cache needs astropy-healpix.", remedy=REMEDY) from error
    return HEALPix(nside=2**order, order="nested")


def _pyarrow() -> tuple[ModuleType, ModuleType]:
    """Pyarrow and its Parquet module."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise CatalogError("The catalogue cache needs pyarrow.", remedy=REMEDY) from error
    return pyarrow, pyarrow.parquet
