"""Where intermediate images are kept: in memory, or in scratch files that are mapped when read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from astrodriz_io.capacity import free_space
from astrodriz_io.outputs.disk import storage_errors
from astrodriz_io.places import place

__all__ = ["ImageStore"]


class ImageStore:
    """Named images of one combination.

    Parameters
    ----------
    folder : Path or None
        Scratch folder; with None all images stay in memory.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._images: dict[str, NDArray[Any]] = {}

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
        """Keep an image and return the kept form of it, which is read-only where it is a file."""
        if self._folder is None:
            self._images[name] = image
            return image
        with storage_errors(name):
            np.save(self._path(name), image)
            return self._map(name, "r")

    def empty(self, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """A kept image to be filled by the caller, block by block."""
        if self._folder is None:
            self._images[name] = np.empty(shape, dtype)
            return self._images[name]
        with storage_errors(name):
            return np.lib.format.open_memmap(self._path(name), mode="w+", dtype=np.dtype(dtype), shape=shape)

    def drop(self, name: str) -> None:
        """Forget an image and free its room."""
        if self._folder is None:
            self._images.pop(name, None)
        else:
            self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        assert self._folder is not None
        return place(self._folder, f"{name}.npy")

    def _map(self, name: str, mode: Any) -> NDArray[Any]:
        image: NDArray[Any] = np.load(self._path(name), mmap_mode=mode)
        return image
