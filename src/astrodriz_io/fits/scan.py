"""A look at the headers of a FITS file before astropy parses them.

astropy makes one object for each axis and each column that a header promises, before it knows whether the
file has them: a header of 80 bytes could keep it busy for hours and fill the memory.
"""

from __future__ import annotations

import gzip
import math
import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from attrs import frozen

from astrodriz_core.errors import InputError
from astrodriz_io.storage.disk import storage_errors
from astrodriz_io.storage.regular_files import check_regular

__all__ = ["check_counts", "check_counts_of_file"]

MAX_COUNT = 999
"""Greatest NAXIS and TFIELDS of the FITS standard 4.0 (sections 4.4.1.1 and 7.3.1)."""

MAX_HEADER_BLOCKS = 4096
"""Blocks of 36 cards; the longest headers of HST exposures have some fifty."""

_CARD, _BLOCK, _SHOWN = 80, 2880, 40
_KINDS_OF_PIXELS = frozenset({8, 16, 32, 64, -32, -64})
"""Values of BITPIX (FITS standard 4.0, table 8); astropy refuses others when it writes, not when it reads."""
_COUNTS = frozenset({"NAXIS", "TFIELDS", "ZNAXIS"})
_REMEDY = "Fetch the file again."
_BEGINNINGS, _PADDING = (b"SIMPLE  ", b"XTENSION"), b"\0 "
_GZIP = b"\x1f\x8b"
_SIZE = re.compile(rb"(?:HIERARCH +)?(BITPIX|NAXIS\d*|TFIELDS|PCOUNT|GCOUNT|ZNAXIS) *= (.*)", re.DOTALL | re.IGNORECASE)
_WHOLE = re.compile(rb" *([+-]?\d+) *(?:/.*)?", re.DOTALL)


class Readable(Protocol):
    """A stream of bytes that can be positioned."""

    def read(self, size: int, /) -> bytes:
        """Take the next bytes."""
        ...

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to a place."""
        ...


@frozen
class _Unpacked:
    """A stream that is unpacked as it is read; damage is an `InputError`."""

    stream: Readable
    name: str

    def read(self, size: int, /) -> bytes:
        """Take the next bytes."""
        with self._unpacking():
            return self.stream.read(size)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to a place."""
        with self._unpacking():
            return self.stream.seek(offset, whence)

    @contextmanager
    def _unpacking(self) -> Iterator[None]:
        try:
            yield
        except (gzip.BadGzipFile, EOFError, zlib.error) as failure:
            raise InputError(
                f"this is not FITS, and cannot be unpacked ({failure}).", where=self.name, remedy=_REMEDY
            ) from failure


def check_counts_of_file(path: Path) -> None:
    """Look at the headers of a file, which may be compressed by gzip; see `check_counts`.

    Raises
    ------
    InputError
        It is no regular file, cannot be unpacked, or a header promises too much or has no end.
    MissingFilesError, StorageError
        It is not there, or cannot be read.
    """
    check_regular(path)
    with storage_errors(path.name), path.open("rb") as stream:
        packed = stream.read(len(_GZIP)) == _GZIP
        if not packed:
            check_counts(stream, path.name)
            return
    with storage_errors(path.name), gzip.open(path) as unpacked:
        check_counts(_Unpacked(unpacked, path.name), path.name)


def check_counts(stream: Readable, where: str) -> None:
    """Refuse a file whose headers promise more axes or columns than FITS allows, or have no end.

    Other damage is left to those who read the file. The stream is read from its beginning, and stays where
    the last header ends.

    Raises
    ------
    InputError
        With the number of the extension and the keyword.
    """
    stream.seek(0)
    if stream.read(6) != b"SIMPLE":
        raise InputError("this is not FITS.", where=where, remedy=_REMEDY)
    stream.seek(0)
    extension = 0
    while (counts := _header(stream, f"{where}[{extension}]")) is not None:
        stream.seek(_data_bytes(counts), 1)
        extension += 1


def _header(stream: Readable, where: str) -> Mapping[str, int] | None:
    """The counts in the header that begins here; None where the file ends."""
    counts: dict[str, int] = {}
    for number in range(MAX_HEADER_BLOCKS):
        block = stream.read(_BLOCK)
        if len(block) < _BLOCK or (number == 0 and not block.strip(_PADDING)):
            return None
        if number == 0 and not block.startswith(_BEGINNINGS):
            problem = "no header begins where the data before it end: NAXIS says less than there is, or more."
            raise InputError(problem, where=where, remedy=_REMEDY)
        for at in range(0, _BLOCK, _CARD):
            card = block[at : at + _CARD]
            if card[:8] == b"END     ":
                return counts
            if match := _SIZE.fullmatch(card):
                keyword = match[1].decode().upper()
                value = _whole(match[2], f"{where}: {keyword}")
                _check_count(keyword, value, counts.get(keyword, value), where)
                counts[keyword] = value
    raise InputError("the header has no end.", where=where, remedy=_REMEDY)


def _whole(text: bytes, where: str) -> int:
    match = _WHOLE.fullmatch(text)
    if match is None:
        shown = text.partition(b"/")[0].strip()[:_SHOWN].decode("ascii", "replace")
        raise InputError(f"{shown!r} is no whole number.", where=where, remedy=_REMEDY)
    return int(match[1])


def _check_count(keyword: str, value: int, earlier: int, where: str) -> None:
    """Refuse a number out of range, and one of which the header says two things: readers differ in which they take."""
    if keyword in _COUNTS and not 0 <= value <= MAX_COUNT:
        raise InputError(f"{value} is not between 0 and {MAX_COUNT}.", where=f"{where}: {keyword}", remedy=_REMEDY)
    if keyword != "BITPIX" and value < 0:
        raise InputError(f"{value} is less than none.", where=f"{where}: {keyword}", remedy=_REMEDY)
    if keyword == "BITPIX" and value not in _KINDS_OF_PIXELS:
        raise InputError(f"{value} is no kind of pixels.", where=f"{where}: {keyword}", remedy=_REMEDY)
    if value != earlier:
        problem = f"the header says both {earlier} and {value}."
        raise InputError(problem, where=f"{where}: {keyword}", remedy=_REMEDY)


def _data_bytes(counts: Mapping[str, int]) -> int:
    """Bytes of the data behind a header, in whole blocks; 0 where the header makes no sense."""
    axes = [counts.get(f"NAXIS{axis}", 0) for axis in range(1, min(counts.get("NAXIS", 0), MAX_COUNT) + 1)]
    if not axes or min(axes) < 0:
        return 0
    elements = counts.get("GCOUNT", 1) * (counts.get("PCOUNT", 0) + math.prod(axes))
    size = abs(counts.get("BITPIX", 8)) // 8 * elements
    # Beyond any file; far beyond, file systems refuse to position the stream.
    return min(max(0, -(-size // _BLOCK) * _BLOCK), 1 << 40)
