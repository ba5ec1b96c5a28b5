"""Arrays in mapped files: another process that is told the name of one maps it too, and nothing is copied."""

from __future__ import annotations

import math
import mmap
from contextlib import ExitStack
from pathlib import Path
from threading import Lock
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

__all__ = ["ArrayName", "make_file", "name_of"]


class _Map(mmap.mmap):
    """A file, mapped for reading, that knows where it lies."""

    path: Path


_maps: WeakValueDictionary[Path, _Map] = WeakValueDictionary()
_lock = Lock()


@frozen
class ArrayName:
    """An array in a file; as it is pickled it takes no more room than the name of the file.

    Attributes
    ----------
    path : Path
        The file.
    offset : int
        Where the array begins, bytes.
    shape : tuple of int
        Its shape, in C order.
    dtype : str
        What its elements are.
    """

    path: Path
    offset: int
    shape: tuple[int, ...]
    dtype: str

    def array(self) -> NDArray[Any]:
        """The array, read-only; its file stays mapped, once in a process, for as long as any array of it is in use."""
        values = np.frombuffer(_mapped(self.path), self.dtype, math.prod(self.shape), self.offset)
        return values.reshape(self.shape)

    def rows(self, start: int, stop: int) -> ArrayName:
        """Some rows of it, or planes where it has three axes."""
        each = math.prod(self.shape[1:]) * np.dtype(self.dtype).itemsize
        return evolve(self, offset=self.offset + start * each, shape=(stop - start, *self.shape[1:]))

    def planes(self) -> tuple[ArrayName, ...]:
        """The images of a cube; itself where it is one."""
        if len(self.shape) < 3:
            return (self,)
        return tuple(evolve(self.rows(i, i + 1), shape=self.shape[1:]) for i in range(self.shape[0]))

    def write(self, array: NDArray[Any]) -> None:
        """Write the whole array. A full disk is an error of the system; through a mapping it would end the process."""
        with self.path.open("r+b", buffering=0) as stream:
            stream.seek(self.offset)
            left = np.ascontiguousarray(array, self.dtype).data.cast("B")
            while left:
                left = left[stream.write(left) :]


def make_file(path: Path, size: int) -> mmap.mmap:
    """A new file for arrays, and its mapping; what was not written yet takes no room on the disk."""
    with path.open("x+b") as stream, ExitStack() as undoing:
        # Else the next array, of another thread, would meet the file and not what kept it from its size.
        undoing.callback(path.unlink)
        stream.truncate(size)
        made = _map(path, stream.fileno())
        undoing.pop_all()
    with _lock:
        _maps[path] = made
    return made


def name_of(array: NDArray[Any]) -> ArrayName | None:
    """The name of an array, or of a part of one without gaps; None where it is in no mapped file."""
    base: object = array
    while isinstance(base, np.ndarray):
        base = base.base
    file = base.obj if isinstance(base, memoryview) else None
    if not isinstance(file, _Map) or not array.flags.c_contiguous:
        return None
    offset = array.ctypes.data - np.frombuffer(file, np.uint8, 1).ctypes.data
    return ArrayName(file.path, offset, array.shape, array.dtype.str)


def _mapped(path: Path) -> _Map:
    with _lock:
        known = _maps.get(path)
        if known is None:
            with path.open("rb") as stream:
                known = _maps[path] = _map(path, stream.fileno())
        return known


def _map(path: Path, descriptor: int) -> _Map:
    made = _Map(descriptor, 0, access=mmap.ACCESS_READ)
    made.path = path
    return made
