"""The undistorted positions of the pixels of all chips of a run, made once for each distortion.

To evaluate a distortion takes longer than to drizzle. It depends neither on the pointing nor on the WCS that is tried,
so that all stages of a run, its FLC and FLT files, and most of its exposures share a few arrays.
"""

from __future__ import annotations

import threading
from pathlib import Path

from attrs import define, field

from astrodriz_core.arrays import Array
from astrodriz_io.drizzling.chips import DrizzleChip
from astrodriz_io.drizzling.store import ImageStore
from astrodriz_io.storage.disk import storage_errors
from astrodriz_io.storage.places import place

__all__ = ["UndistortedPixels"]

WORTH_KEEPING = 0.1
"""Part of the room that is left which one array may take; else it is made again whenever it is needed."""


def _images_in(folder: Path | None) -> ImageStore:
    if folder is None:
        return ImageStore(None)
    own = place(folder, "undistorted")
    with storage_errors(own.name):
        own.mkdir()
    return ImageStore(own)


@define(eq=False)
class UndistortedPixels:
    """Arrays by distortion; may be used from several threads.

    Parameters
    ----------
    folder : Path or None
        In which they get a folder for the scratch files that they are mapped from; with None they stay in memory.

    Raises
    ------
    StorageError
        The folder cannot be made.
    """

    _images: ImageStore = field(converter=_images_in)
    _arrays: dict[tuple[object, ...], Array] = field(factory=dict, init=False)
    _locks: dict[tuple[object, ...], threading.Lock] = field(factory=dict, init=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False, repr=False)

    def of(self, chip: DrizzleChip, border: int) -> Array:
        """Undistorted positions of the pixels of a chip; see `DrizzleChip.undistorted`.

        Raises
        ------
        StorageError
            The disk is full, or refuses.
        """
        key = (chip.distortion_key, chip.chip.shape, border)
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if key in self._arrays:
                return self._arrays[key]
            array = chip.undistorted(border)
            room = self._images.free_space()
            if room is None or array.nbytes <= WORTH_KEEPING * room:
                array = self._arrays[key] = self._images.put("undistorted pixels", array)
            return array
