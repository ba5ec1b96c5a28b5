"""Exposures as a stage left them: taken apart into what is new and what the untouched file has, and made again.

Both work on the bytes of the files, so that what comes back is what was there.
"""

from __future__ import annotations

import json
import math
import mmap
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import numpy as np
from attrs import frozen
from cattrs import BaseValidationError
from cattrs.preconf.json import JsonConverter, make_converter
from numpy.typing import NDArray

from astrodriz_core.arrays import Mask
from astrodriz_core.combine.masks import pack_mask, unpack_mask
from astrodriz_core.errors import MeasurementError, RecordError
from astrodriz_core.instruments.dq import ASTRODRIZZLE_COSMIC_RAY
from astrodriz_core.records.run import FileDigest
from astrodriz_core.records.states import DataSource, ExposureState, HduState
from astrodriz_io.fits.files import open_fits
from astrodriz_io.record_files.sidecar import Piece, SidecarReader, SidecarWriter
from astrodriz_io.storage.disk import storage_errors

__all__ = ["keep_state", "restore_state"]

FLAG_TYPES: Mapping[int, str] = {16: ">i2", 32: ">i4"}
"""BITPIX of flags that have a bit 4096, and their type in the file."""

COPIED_AT_ONCE = 1 << 24
"""Bytes."""


@frozen
class _Unit:
    """Where a unit lies in its file: the header from `start` to `data`, its data from there to `end`."""

    name: str
    version: int
    bitpix: int
    shape: tuple[int, ...]
    start: int
    data: int
    end: int


def keep_state(file: Path, untouched: Path, sidecar: SidecarWriter) -> FileDigest:
    """Keep what a run has made of an exposure so far.

    Parameters
    ----------
    file : Path
        The working copy.
    untouched : Path
        The exposure as the user has it.
    sidecar : SidecarWriter
        Receives the state and everything that is not in the untouched file.

    Returns
    -------
    FileDigest
        Name of the exposure, SHA-256 of its `ExposureState`.
    """
    now, before = _mapped(file), _mapped(untouched)
    originals = _by_name(_units(untouched))
    units = []
    for unit in _units(file):
        original = originals.get((unit.name, unit.version))
        theirs = before[original.data : original.end] if original is not None else None
        source, content = _source(unit, now[unit.data : unit.end], theirs, sidecar)
        header = sidecar.add(Piece.HEADER, now[unit.start : unit.data].tobytes())
        units.append(HduState(unit.name, unit.version, header, source, content))
    text = json.dumps(_converter().unstructure(ExposureState(tuple(units))), indent=1)
    return FileDigest(file.name, sidecar.add(Piece.STATE, text.encode()))


def restore_state(digest: FileDigest, untouched: Path, file: Path, sidecar: SidecarReader) -> None:
    """Make an exposure again as a stage left it.

    Parameters
    ----------
    digest : FileDigest
        From `keep_state`.
    untouched : Path
        The exposure as the user has it; only read.
    file : Path
        To be written.
    sidecar : SidecarReader
        Where the state is.

    Raises
    ------
    RecordError
        The state is damaged, or does not fit the exposure.
    """
    state = _read_state(sidecar, digest)
    before = _mapped(untouched)
    originals = _by_name(_units(untouched))
    with storage_errors(file.name), file.open("xb") as stream:
        for unit in state.units:
            stream.write(sidecar.get(Piece.HEADER, unit.header))
            for block in _data(unit, originals.get((unit.name, unit.version)), before, sidecar, file.name):
                stream.write(block)


def _by_name(units: tuple[_Unit, ...]) -> dict[tuple[str, int], _Unit]:
    """Units by EXTNAME and EXTVER; the first one where several have the same."""
    return {(unit.name, unit.version): unit for unit in reversed(units)}


def _mapped(path: Path) -> NDArray[np.uint8]:
    """The bytes of a file, read when they are used."""
    with storage_errors(path.name), path.open("rb") as stream:
        # The map closes itself when the last array on it is gone.
        return np.frombuffer(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ), dtype=np.uint8)


def _units(path: Path) -> tuple[_Unit, ...]:
    with open_fits(path) as hdulist:
        places = [hdu.fileinfo() for hdu in hdulist]
        ends = [*(place["hdrLoc"] for place in places[1:]), path.stat().st_size]
        return tuple(
            _Unit(
                hdu.name,
                hdu.ver,
                int(hdu.header.get("BITPIX", 0)),
                tuple(hdu.header.get(f"NAXIS{axis}", 0) for axis in range(hdu.header.get("NAXIS", 0), 0, -1)),
                place["hdrLoc"],
                place["datLoc"],
                end,
            )
            for hdu, place, end in zip(hdulist, places, ends, strict=True)
        )


def _source(
    unit: _Unit, data: NDArray[np.uint8], theirs: NDArray[np.uint8] | None, sidecar: SidecarWriter
) -> tuple[DataSource, str | None]:
    """Where the data can be had from, the cheapest first; what is new goes into the sidecar."""
    if data.size == 0:
        return DataSource.NONE, None
    if theirs is not None and np.array_equal(data, theirs):
        return DataSource.INPUT, None
    if theirs is not None and _has_flags(unit) and data.size == theirs.size:
        mask = _flags(data, unit) & ASTRODRIZZLE_COSMIC_RAY != 0
        if np.array_equal(_flagged(theirs, unit, mask), data):
            return DataSource.FLAGGED, sidecar.add(Piece.MASK, pack_mask(mask))
    return DataSource.STORED, sidecar.add(Piece.DATA, data.tobytes())


def _data(
    state: HduState, unit: _Unit | None, before: NDArray[np.uint8], sidecar: SidecarReader, file_name: str
) -> Iterator[bytes]:
    """The data of a unit, in pieces."""
    if state.source is DataSource.NONE:
        return
    if state.source is DataSource.STORED and state.content is not None:
        yield sidecar.get(Piece.DATA, state.content)
        return
    where = f"{file_name}[{state.name},{state.version}]"
    if unit is None:
        raise RecordError("The untouched exposure has no such extension.", where=where)
    data = before[unit.data : unit.end]
    if state.source is not DataSource.INPUT:
        if state.content is None or not _has_flags(unit):
            raise RecordError("Its flags cannot be made from those of the untouched exposure.", where=where)
        packed = sidecar.get(Piece.MASK, state.content)
        try:
            data = _flagged(data, unit, unpack_mask(packed, (unit.shape[0], unit.shape[1])))
        except MeasurementError as error:
            raise RecordError(error.problem, where=where) from error
    for start in range(0, data.size, COPIED_AT_ONCE):
        yield data[start : start + COPIED_AT_ONCE].tobytes()


def _has_flags(unit: _Unit) -> bool:
    """Whether it is a DQ array that has a bit 4096, uncompressed."""
    if unit.name != "DQ" or unit.bitpix not in FLAG_TYPES or len(unit.shape) != 2:
        return False
    return math.prod(unit.shape) * unit.bitpix // 8 <= unit.end - unit.data


def _flags(data: NDArray[np.uint8], unit: _Unit) -> NDArray[np.signedinteger]:
    """The flags of a unit, as they stand in the file."""
    pixels = math.prod(unit.shape)
    return np.frombuffer(data, dtype=FLAG_TYPES[unit.bitpix], count=pixels).reshape(unit.shape)


def _flagged(data: NDArray[np.uint8], unit: _Unit, mask: Mask) -> NDArray[np.uint8]:
    """The bytes of flags with bit 4096 set where the mask is, and nowhere else; the padding stays."""
    flags = _flags(data, unit) & ~ASTRODRIZZLE_COSMIC_RAY
    flags[mask] |= ASTRODRIZZLE_COSMIC_RAY
    changed = np.frombuffer(flags.astype(FLAG_TYPES[unit.bitpix]).tobytes(), dtype=np.uint8)
    return np.concatenate([changed, data[changed.size :]])


@cache
def _converter() -> JsonConverter:
    return make_converter(forbid_extra_keys=True)


def _read_state(sidecar: SidecarReader, digest: FileDigest) -> ExposureState:
    content, converter = sidecar.get(Piece.STATE, digest.sha256), _converter()
    try:
        tree = json.loads(content)
        if not isinstance(tree, dict):
            raise ValueError("no object")
        return converter.structure(tree, ExposureState)
    except (BaseValidationError, ValueError, TypeError, RecursionError) as error:
        raise RecordError("Its state in the sidecar file is damaged.", where=digest.name) from error
