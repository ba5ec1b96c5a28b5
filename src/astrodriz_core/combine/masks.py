"""Masks of one chip as bytes: eight pixels to a byte, row by row, the first pixel in the highest bit."""

from __future__ import annotations

import math

import numpy as np

from astrodriz_core.arrays import Mask
from astrodriz_core.errors import MeasurementError

__all__ = ["pack_mask", "unpack_mask"]


def pack_mask(mask: Mask) -> bytes:
    """The bits of a mask; those that fill up the last byte are 0.

    Parameters
    ----------
    mask : ndarray of bool, shape (ny, nx)
    """
    return np.packbits(mask).tobytes()


def unpack_mask(packed: bytes, shape: tuple[int, int]) -> Mask:
    """The mask of a shape from its bits; ``unpack_mask(pack_mask(mask), mask.shape)`` equals ``mask``.

    Raises
    ------
    MeasurementError
        There are more or fewer bytes than the shape asks for.
    """
    pixels = math.prod(shape)
    if len(packed) != -(-pixels // 8) or min(shape) < 0:
        raise MeasurementError(f"A mask of shape {shape} does not have {len(packed)} bytes.")
    bits = np.unpackbits(np.frombuffer(packed, dtype=np.uint8), count=pixels)
    return bits.astype(bool).reshape(shape)
