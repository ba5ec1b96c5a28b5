"""Arrays of an exposure, read on demand: one chip at a time, in native byte order, owned by the caller."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from astrodriz_core.arrays import Float32Image
from astrodriz_core.errors import InputError
from astrodriz_io.fits.files import keyword_number, open_units, reading

__all__ = ["image_array", "image_shape", "read_dq", "read_err", "read_header", "read_sci", "read_wht"]

_MAX_PIXELS = 1 << 28
"""No HST chip comes near it; a header that claims more would only exhaust the memory."""


def read_sci(path: Path, extver: int) -> Float32Image:
    """Science array of one chip.

    Parameters
    ----------
    path : Path
        FLT or FLC.
    extver : int
        EXTVER of the chip.

    Returns
    -------
    ndarray of float32, shape (ny, nx)
        In the units of the file; integers are converted, BSCALE and BZERO applied, compressed images
        decompressed. NaN stays NaN.

    Raises
    ------
    InputError
        The extension is missing, empty, not two-dimensional or damaged.
    """
    array = _read(path, "SCI", extver)
    if array is None:
        raise _no_extension(path, "SCI", extver)
    return array.astype(np.float32, copy=False)


def read_err(path: Path, extver: int) -> Float32Image | None:
    """Uncertainty of one chip, in the units of the file; None where the file has no ERR extension.

    Raises `InputError` where the extension is damaged or its shape is not that of SCI.
    """
    array = _read_beside(path, "ERR", extver)
    return None if array is None else array.astype(np.float32, copy=False)


def read_wht(path: Path) -> NDArray[np.float32]:
    """Weights of a product, of the shape of its image.

    Raises `InputError` where there are none, or they are damaged.
    """
    array = _read_beside(path, "WHT", 1)
    if array is None:
        raise _no_extension(path, "WHT", 1)
    return array.astype(np.float32, copy=False)


def read_dq(path: Path, extver: int) -> NDArray[np.unsignedinteger[Any]]:
    """Read the data quality flags of one chip.

    Parameters
    ----------
    path : Path
        FLT or FLC.
    extver : int
        EXTVER of the chip.

    Returns
    -------
    ndarray of uint16 or uint32, shape (ny, nx)
        The bits as the file has them, the sign bit as the highest. Zeros, which call every pixel good,
        where the file has no DQ extension.

    Raises
    ------
    InputError
        The extension is damaged, its shape is not that of SCI, or its numbers are not whole.
    """
    array = _read_beside(path, "DQ", extver)
    if array is None:
        return np.zeros(_sci_shape(path, extver), dtype=np.uint16)
    if array.dtype.kind not in "iu":
        problem = f"flags are stored as {array.dtype.name}, not as whole numbers."
        raise InputError(problem, where=f"{path.name}[DQ,{extver}]")
    return array.astype(np.uint16 if array.dtype.itemsize <= np.uint16().itemsize else np.uint32)


def read_header(path: Path, extname: str, extver: int = 1) -> fits.Header:
    """Copy of one header; ``read_header(path, "PRIMARY")`` is the primary one."""
    with open_units(path) as units:
        hdu = next(units) if extname == "PRIMARY" else _first(units, extname, extver)
        if hdu is None:
            raise _no_extension(path, extname, extver)
        header: fits.Header = hdu.header.copy()
        return header


def image_shape(hdu: fits.ImageHDU | fits.CompImageHDU) -> tuple[int, int] | None:
    """(ny, nx) of an image extension; None where it holds no two-dimensional image.

    An extension without an array may stand for a constant one (HST's null arrays): NPIX1 and NPIX2.
    """
    shape = tuple(getattr(hdu, "shape", ())) or _null_shape(hdu.header)
    if len(shape) != 2 or min(shape) < 1 or shape[0] * shape[1] > _MAX_PIXELS:
        return None
    return int(shape[0]), int(shape[1])


def _null_shape(header: fits.Header) -> tuple[int, ...]:
    """(ny, nx) of an array that is one value all over; empty where the header describes none."""
    sides = (keyword_number(header, "NPIX2"), keyword_number(header, "NPIX1"))
    if None in (*sides, keyword_number(header, "PIXVALUE")):
        return ()
    return tuple(int(side) for side in sides if side is not None)


def _read(path: Path, extname: str, extver: int) -> NDArray[Any] | None:
    with open_units(path) as units:
        hdu = _first(units, extname, extver)
        return None if hdu is None else image_array(hdu, f"{path.name}[{extname},{extver}]")


def _read_beside(path: Path, extname: str, extver: int) -> NDArray[Any] | None:
    with open_units(path) as units:
        sci, hdu = _firsts(units, ("SCI", extname), extver)
        if hdu is None:
            return None
        where = f"{path.name}[{extname},{extver}]"
        array = image_array(hdu, where)
        if sci is None or image_shape(sci) != array.shape:
            expected = None if sci is None else image_shape(sci)
            raise InputError(f"the shape {array.shape} is not that of SCI, {expected}.", where=where)
        return array


def image_array(hdu: fits.ImageHDU, where: str) -> NDArray[Any]:
    """The array of an image extension, in native byte order, owned by the caller.

    Raises
    ------
    InputError
        There is no two-dimensional image in it, or it is damaged.
    """
    shape = image_shape(hdu)
    if shape is None:
        raise InputError("there is no two-dimensional image in it.", where=where)
    with reading(where):
        data = hdu.data
    if data is None:
        return np.full(shape, hdu.header["PIXVALUE"])
    # A copy, because the file's mapping goes away when it is closed.
    return np.array(data, dtype=data.dtype.newbyteorder("="))


def _sci_shape(path: Path, extver: int) -> tuple[int, int]:
    with open_units(path) as units:
        hdu = _first(units, "SCI", extver)
        shape = None if hdu is None else image_shape(hdu)
    if shape is None:
        raise _no_extension(path, "SCI", extver)
    return shape


def _first(units: Iterator[fits.ImageHDU], extname: str, extver: int) -> fits.ImageHDU | None:
    return _firsts(units, (extname,), extver)[0]


def _firsts(units: Iterator[fits.ImageHDU], extnames: Sequence[str], extver: int) -> list[fits.ImageHDU | None]:
    """Take the first extension of each name and of that version: duplicates have happened after careless edits."""
    found: dict[str, fits.ImageHDU] = {}
    for hdu in islice(units, 1, None):
        if hdu.name in extnames and hdu.ver == extver:
            found.setdefault(hdu.name, hdu)
        if len(found) == len(set(extnames)):
            break
    return [found.get(extname) for extname in extnames]


def _no_extension(path: Path, extname: str, extver: int) -> InputError:
    return InputError("the file has no such image extension.", where=f"{path.name}[{extname},{extver}]")
