"""Where intermediate images are kept: in memory, or in scratch files that are mapped when read.

A mapped file stays open for as long as the image is in use, and a process may open a few hundred files. So the images
of a combination share few files, each as large as all before it together. An image is written, not
put down through the mapping: a full disk is then an error of the system instead of the end of the process.
"""

from __future__ import annotations

import math
import mmap
import threading
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from attrs import define, field, frozen
from numpy.typing import DTypeLike, NDArray

from astrodriz_io.runtime.capacity import free_space
from astrodriz_io.runtime.mapped import ArrayName, make_file
from astrodriz_io.storage.disk import storage_errors
from astrodriz_io.storage.places import place

__all__ = ["ImageStore", "Room"]

PAGE = mmap.ALLOCATIONGRANULARITY
"""Images begin at multiples of it, bytes."""


class Room(Protocol):
    """Room for one image, which whoever has the room fills, by parts or at once: this process or another one."""

    def put(self, rows: NDArray[Any], first_row: int = 0) -> None:
        """Write rows of the image; of all its planes where there are several."""

    def image(self) -> NDArray[Any]:
        """The image as it is kept, with zeros where nothing was put."""


@frozen(eq=False)
class _InMemory:
    """Room in the memory of this process."""

    kept: NDArray[Any]

    def put(self, rows: NDArray[Any], first_row: int = 0) -> None:
        self.kept[..., first_row : first_row + rows.shape[-2], :] = rows

    def image(self) -> NDArray[Any]:
        return self.kept


@frozen(eq=False)
class _InFile:
    """Room in a scratch file, known by its name to all processes."""

    what: str
    name: ArrayName

    def put(self, rows: NDArray[Any], first_row: int = 0) -> None:
        planes = self.name.planes()
        with storage_errors(self.what):
            for plane, values in zip(planes, rows.reshape(len(planes), *rows.shape[-2:]), strict=True):
                plane.rows(first_row, first_row + len(values)).write(values)

    def image(self) -> NDArray[Any]:
        return self.name.array()


@define(eq=False)
class ImageStore:
    """Named images of one combination; may be used from several threads.

    Parameters
    ----------
    folder : Path or None
        Scratch folder; with None all images stay in memory.
    """

    _folder: Path | None
    _files: list[tuple[Path, mmap.mmap]] = field(factory=list, init=False)
    _used: int = field(default=0, init=False)
    """Bytes of the last file that are taken."""
    _lock: threading.Lock = field(factory=threading.Lock, init=False, repr=False)

    @property
    def in_memory(self) -> bool:
        """Whether the images are kept in memory."""
        return self._folder is None

    def free_space(self) -> int | None:
        """Bytes that are left for scratch files; None where there are none."""
        if self._folder is None:
            return None
        with storage_errors(self._folder.name):
            return free_space(self._folder)

    def put(self, name: str, image: NDArray[Any]) -> NDArray[Any]:
        """Keep an image of at least one pixel; returns the kept form of it, which is read-only where it is a file.

        Parameters
        ----------
        name : str
            What it is called where it cannot be kept.
        image : ndarray
            The image.

        Raises
        ------
        StorageError
            The disk is full, or refuses.
        """
        if self._folder is None:
            return image
        room = self.reserve(name, image.shape, image.dtype)
        room.put(image)
        return room.image()

    def reserve(self, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> Room:
        """Room for an image that is put later; arguments and errors as for `put`."""
        kind = np.dtype(dtype)
        if self._folder is None:
            return _InMemory(np.zeros(shape, kind))
        with storage_errors(name):
            path, offset = self._room(self._folder, math.prod(shape) * kind.itemsize)
        return _InFile(name, ArrayName(path, offset, shape, kind.str))

    def _room(self, folder: Path, size: int) -> tuple[Path, int]:
        """A file with so many bytes to spare, and where they begin."""
        taken = -(-size // PAGE) * PAGE
        with self._lock:
            if not self._files or self._used + taken > len(self._files[-1][1]):
                path = place(folder, f"images_{len(self._files):02}.raw")
                self._files.append((path, make_file(path, max(taken, sum(len(file) for _, file in self._files)))))
                self._used = 0
            self._used += taken
            return self._files[-1][0], self._used - taken
