"""Where intermediate images are kept: in memory, or in scratch files that are mapped when read.

A mapped file stays open for as long as the image is in use, and a process may open a few hundred files. So the images
of a combination share few files, each as large as all before it together. An image is written, not
put down through the mapping: a full disk is then an error of the system instead of the end of the process.
"""

from __future__ import annotations

import mmap
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from attrs import define, field, frozen
from numpy.typing import NDArray

from astrodriz_io.runtime.capacity import free_space
from astrodriz_io.storage.disk import storage_errors
from astrodriz_io.storage.places import place

__all__ = ["ImageStore"]

PAGE = mmap.ALLOCATIONGRANULARITY
"""Images begin at multiples of it, bytes."""


@frozen(eq=False)
class _ScratchFile:
    """One file, mapped as a whole; what was not written yet takes no room on the disk."""

    path: Path
    size: int
    mapped: mmap.mmap

    @classmethod
    def make(cls, path: Path, size: int) -> _ScratchFile:
        with path.open("x+b") as stream, ExitStack() as undoing:
            # Else the next image, of another thread, would meet the file and not what kept it from its size.
            undoing.callback(path.unlink)
            stream.truncate(size)
            mapped = mmap.mmap(stream.fileno(), size, access=mmap.ACCESS_READ)
            undoing.pop_all()
        return cls(path, size, mapped)

    def write(self, offset: int, image: NDArray[Any]) -> NDArray[Any]:
        """Write an image at a place; returns it as it is mapped, read-only."""
        with self.path.open("r+b", buffering=0) as stream:
            stream.seek(offset)
            left = image.data.cast("B")
            while left:
                left = left[stream.write(left) :]
        return np.frombuffer(self.mapped, image.dtype, image.size, offset).reshape(image.shape)


@define(eq=False)
class ImageStore:
    """Named images of one combination; may be used from several threads.

    Parameters
    ----------
    folder : Path or None
        Scratch folder; with None all images stay in memory.
    """

    _folder: Path | None
    _files: list[_ScratchFile] = field(factory=list, init=False)
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
        with storage_errors(name):
            file, offset = self._room(self._folder, image.nbytes)
            return file.write(offset, np.ascontiguousarray(image))

    def _room(self, folder: Path, size: int) -> tuple[_ScratchFile, int]:
        """A file with so many bytes to spare, and where they begin."""
        taken = -(-size // PAGE) * PAGE
        with self._lock:
            if not self._files or self._used + taken > self._files[-1].size:
                path = place(folder, f"images_{len(self._files):02}.raw")
                self._files.append(_ScratchFile.make(path, max(taken, sum(file.size for file in self._files))))
                self._used = 0
            self._used += taken
            return self._files[-1], self._used - taken
