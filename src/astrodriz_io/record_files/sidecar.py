"""What is too large for the JSON record: a ZIP archive of pieces, each named by the SHA-256 of its content.

The same mask or header is kept once, however many stages have it. ``unzip -l`` lists the pieces.
"""

from __future__ import annotations

import hashlib
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path

from astrodriz_core.errors import MissingFilesError, RecordError
from astrodriz_core.records.run import FileDigest
from astrodriz_io.storage.digests import check_digest, sha256_of
from astrodriz_io.storage.disk import storage_errors
from astrodriz_io.storage.places import place

__all__ = ["Piece", "SidecarReader", "SidecarWriter", "read_sidecar"]

MADE = (1980, 1, 1, 0, 0, 0)
"""Time of every piece, the earliest that ZIP knows: the same pieces give the same archive."""

ZIP_FAILURES = (zipfile.BadZipFile, zlib.error, KeyError, ValueError, EOFError, RuntimeError, struct.error)
"""What zipfile raises on damaged archives."""

LARGEST_PIECE = 1 << 28
"""Bytes; twice the data of the largest extension, 4096 x 4096 pixels of 8 bytes."""


class Piece(Enum):
    """What a piece is; its folder in the archive."""

    MASK = "masks"
    """Bits of a mask, as `astrodriz_core.combine.masks` packs them."""
    HEADER = "headers"
    """One header of a FITS file, with its padding."""
    DATA = "data"
    """Data of one unit of a FITS file, with their padding."""
    STATE = "exposures"
    """An `ExposureState` as JSON."""


class SidecarWriter:
    """A sidecar file that is being written.

    Parameters
    ----------
    path : Path
        The archive; it must not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: set[str] = set()
        with storage_errors(path.name):
            self._archive = zipfile.ZipFile(path, "x", zipfile.ZIP_DEFLATED)

    def add(self, piece: Piece, content: bytes) -> str:
        """Keep a piece, unless it is there already; returns its SHA-256."""
        sha256 = hashlib.sha256(content).hexdigest()
        name = f"{piece.value}/{sha256}"
        if name not in self._known:
            self._known.add(name)
            entry = zipfile.ZipInfo(name, MADE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            with storage_errors(self._path.name):
                self._archive.writestr(entry, content)
        return sha256

    def close(self) -> FileDigest:
        """End the archive, and say what it is."""
        with storage_errors(self._path.name):
            self._archive.close()
            return FileDigest(self._path.name, sha256_of(self._path))


class SidecarReader:
    """A sidecar file that is being read; made by `read_sidecar`."""

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        self._archive = archive
        self._name = name

    def get(self, piece: Piece, sha256: str) -> bytes:
        """The content of a piece.

        Raises
        ------
        RecordError
            There is no such piece, or its content is another one.
        """
        name = f"{piece.value}/{sha256}"
        try:
            if self._archive.getinfo(name).file_size > LARGEST_PIECE:
                raise zipfile.BadZipFile(f"{name} is larger than {LARGEST_PIECE} bytes")
            content = self._archive.read(name)
        except ZIP_FAILURES as error:
            raise RecordError(f"A piece of it cannot be read ({error}).", where=self._name, remedy=REMEDY) from error
        if hashlib.sha256(content).hexdigest() != sha256:
            raise RecordError(f"The piece {sha256} has another content.", where=self._name, remedy=REMEDY)
        return content


REMEDY = "Take the record and the sidecar file that one run wrote."


@contextmanager
def read_sidecar(folder: Path, digest: FileDigest) -> Iterator[SidecarReader]:
    """Open the sidecar of a record.

    Raises
    ------
    MissingFilesError
        It is not there.
    DifferentInputError
        It is another file than the record says.
    RecordError
        It is no ZIP archive.
    """
    path = place(folder, digest.name)
    if not path.is_file():
        raise MissingFilesError("The sidecar file of the record is missing.", files=(digest.name,), where=digest.name)
    with storage_errors(path.name):
        check_digest(path, digest)
        try:
            archive = zipfile.ZipFile(path)
        except ZIP_FAILURES as error:
            raise RecordError(f"It is no ZIP archive ({error}).", where=path.name, remedy=REMEDY) from error
        with archive:
            yield SidecarReader(archive, path.name)
