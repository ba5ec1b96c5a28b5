"""Astrometric catalogues behind one interface: rows on a part of the sky, at the epoch of the exposures."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np
from astropy.table import Table
from attrs import frozen

from astrodriz_core.arrays import Array, Mask
from astrodriz_core.errors import CatalogError, InputError, StorageError
from astrodriz_core.measure.tangent import unit_vectors
from astrodriz_core.records.astrometry import CatalogProvenance
from astrodriz_core.solutions.proper_motion import CatalogColumns, MovedPositions, move_to_epoch
from astrodriz_io.catalogs.columns import columns_of
from astrodriz_io.fits.files import FITS_FAILURES
from astrodriz_io.fits.scan import check_counts_of_file
from astrodriz_io.storage.regular_files import check_regular

__all__ = ["Catalog", "CatalogRows", "FileCatalog", "Footprint", "catalog_rows", "read_table"]

FORMATS: Mapping[str, str] = {
    ".ecsv": "ascii.ecsv",
    ".csv": "ascii.csv",
    ".fits": "fits",
    ".fit": "fits",
    ".parquet": "parquet",
    ".parq": "parquet",
}
"""How a table is read, by the suffix of its name in lower case."""

REMEDY = "Give a catalogue as .ecsv, .csv, .fits or .parquet."

logger = logging.getLogger(__name__)


@frozen
class Footprint:
    """A circle on the sky.

    Attributes
    ----------
    ra, dec : float
        Its centre, ICRS degrees.
    radius_deg : float
        Degrees.
    """

    ra: float
    dec: float
    radius_deg: float

    def contains(self, ra: Array, dec: Array) -> Mask:
        """Which positions lie inside."""
        centre = unit_vectors(np.array([self.ra]), np.array([self.dec]))
        chord = np.linalg.norm(unit_vectors(ra, dec) - centre, axis=1)
        return np.asarray(2 * np.arcsin(np.clip(chord / 2, 0, 1)) <= np.deg2rad(self.radius_deg))


@frozen(eq=False)
class CatalogRows:
    """The rows of one query at one epoch.

    Attributes
    ----------
    positions : MovedPositions
    mag : ndarray of float
    provenance : CatalogProvenance
    """

    positions: MovedPositions
    mag: Array
    provenance: CatalogProvenance

    def __len__(self) -> int:
        return len(self.mag)


class Catalog(Protocol):
    """A source of astrometric reference positions."""

    @property
    def name(self) -> str:
        """Its name, as WCSNAME will have it."""
        ...

    def query(self, footprint: Footprint, epoch: float) -> CatalogRows:
        """Rows inside a circle, moved to an epoch in decimal years.

        Raises
        ------
        CatalogError
            There is no usable answer. A field without sources is one, with no rows.
        """
        ...


@frozen
class FileCatalog:
    """A file of the user's: ECSV, CSV, FITS or Parquet with ra, dec, mag, optionally pmra, pmdec, ref_epoch.

    Attributes
    ----------
    path : Path
    name : str
        What WCSNAME calls it.
    """

    path: Path
    name: str = "GAIAeDR3"

    def query(self, footprint: Footprint, epoch: float) -> CatalogRows:
        """Read the rows of a field from the file."""
        columns = columns_of(read_table(self.path), self.name, self.path.name)
        return catalog_rows(columns, footprint, epoch, self.name, f"file {self.path.name}")


def catalog_rows(columns: CatalogColumns, footprint: Footprint, epoch: float, name: str, origin: str) -> CatalogRows:
    """Rows inside a footprint at an epoch, with their provenance."""
    positions = move_to_epoch(columns, epoch)
    inside = footprint.contains(positions.ra, positions.dec)
    kept = columns.select(inside)
    positions = MovedPositions(
        positions.ra[inside], positions.dec[inside], positions.sigma[inside], positions.moved[inside]
    )
    epochs = kept.epoch[np.isfinite(kept.epoch)]
    provenance = CatalogProvenance(
        name=name,
        origin=origin,
        rows=len(kept),
        sha256=_hash(kept),
        epoch=epoch,
        reference_epoch=float(np.median(epochs)) if len(epochs) else None,
        with_proper_motion=int(positions.moved.sum()),
    )
    logger.info("%s (%s): %d rows, %d with proper motion", name, origin, len(kept), provenance.with_proper_motion)
    if len(kept) and not provenance.with_proper_motion:
        logger.warning("%s (%s) has no proper motions: its positions are not moved to the exposures", name, origin)
    return CatalogRows(positions, kept.mag, provenance)


def read_table(path: Path) -> Table:
    """Read a table file by its suffix.

    Raises
    ------
    CatalogError
        It does not exist, has an unknown suffix, or is damaged.
    """
    kind = FORMATS.get(path.suffix.lower())
    if kind is None:
        raise CatalogError(f"{path.suffix!r} is no kind of table.", where=path.name, remedy=REMEDY)
    try:
        check_regular(path)
        if kind == "fits":
            check_counts_of_file(path)
    except (InputError, StorageError) as error:
        raise CatalogError(error.problem, where=error.where or path.name, remedy=REMEDY) from error
    return _read_parquet(path) if kind == "parquet" else _read_table(path, kind)


def _read_table(path: Path, kind: str) -> Table:
    """A file in one of astropy's formats."""
    with _reading_table(path):
        table: Table = Table.read(path, format=kind)
    return table


def _read_parquet(path: Path) -> Table:
    """A Parquet file, through pyarrow."""
    try:
        import pyarrow.parquet
    except ImportError as error:
        remedy = "Install the extra: pip install astrodriz[catalogs]."
        raise CatalogError("Parquet files need pyarrow.", where=path.name, remedy=remedy) from error
    with _reading_table(path):
        table = pyarrow.parquet.read_table(path)
    with _reading_table(path):
        columns = {name: table.column(name).to_numpy() for name in table.column_names}
    return Table(columns)


@contextmanager
def _reading_table(path: Path) -> Iterator[None]:
    """Turn what one call of a library raises on a damaged table into a `CatalogError`."""
    try:
        yield
    except FITS_FAILURES as error:
        problem = str(error).replace(str(path), path.name)
        raise CatalogError(f"cannot be read ({problem}).", where=path.name, remedy=REMEDY) from error


def _hash(columns: CatalogColumns) -> str:
    """SHA-256 of the rows as the catalogue has them."""
    rows = np.column_stack(
        [columns.ra, columns.dec, columns.mag, columns.pmra, columns.pmdec, columns.sigma, columns.epoch]
    )
    return hashlib.sha256(np.ascontiguousarray(rows, dtype="<f8").tobytes()).hexdigest()
