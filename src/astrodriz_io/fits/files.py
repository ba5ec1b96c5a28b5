"""Opening FITS files so that every damage becomes one typed error that names the file and the extension."""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from astropy.io import fits
from astropy.io.fits.hdu.compressed._compression import CfitsioException

from astrodriz_core.errors import InputError
from astrodriz_core.names import Rootname, rootname
from astrodriz_io.fits.scan import check_counts_of_file
from astrodriz_io.storage.disk import is_short_write, storage_errors
from astrodriz_io.storage.regular_files import check_regular

__all__ = [
    "FITS_FAILURES",
    "header_rootname",
    "keyword_number",
    "keyword_text",
    "open_fits",
    "open_units",
    "primary_text",
    "reading",
]

FITS_FAILURES: tuple[type[Exception], ...] = (
    OSError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    RuntimeError,
    EOFError,
    struct.error,
    zlib.error,
    CfitsioException,
    fits.VerifyError,
)
"""What single calls of astropy raise on damaged headers and arrays; it has hardly a class of its own for that.

It asserts that names of columns are texts of a card's length, and that a TIMESYS is a known one.
"""

_FITS_BLOCK = 2880
_DAMAGED = "Fetch or calibrate the file again."


@contextmanager
def reading(where: str) -> Iterator[None]:
    """Turn what one call of astropy raises while it parses into an `InputError` for `where`.

    Inside stands that call and nothing else: the same exceptions from our own code are defects of ours, and have to
    come out as such. A test holds it.

    Parameters
    ----------
    where : str
        File, extension and keyword concerned, without folders.

    Raises
    ------
    InputError
        In place of any of `FITS_FAILURES`; errors of astrodriz pass unchanged.
    StorageError
        In place of an error of the operating system: no space, no permission, an I/O error.
    """
    # astropy raises OSError for damaged files as well, but those carry no number of the system's.
    with storage_errors(where):
        try:
            yield
        except FITS_FAILURES as failure:
            if isinstance(failure, OSError) and (failure.errno is not None or is_short_write(failure)):
                raise
            raise _damaged(where, failure) from failure


@contextmanager
def open_fits(path: Path, *, keep_scaling: bool = False) -> Iterator[fits.HDUList]:
    """Open a FITS file for reading, with all headers parsed and their sizes checked against the file's.

    Parameters
    ----------
    path : Path
        The file.
    keep_scaling : bool
        Leave BSCALE and BZERO unapplied, so that an array can be written again byte for byte.

    Yields
    ------
    astropy.io.fits.HDUList
        Open until the block ends; arrays are mapped from the file and read when used.

    Raises
    ------
    MissingFilesError
        The file does not exist.
    StorageError
        The file system refuses to open it.
    InputError
        It is not FITS, a header is damaged, or a header promises more bytes than the file has. Cards are
        parsed when they are used; one that cannot be raises this error from within the block.
    """
    with _opened(path, keep_scaling=keep_scaling) as (hdulist, units):
        for _ in units:
            # Each is parsed and checked as it comes.
            continue
        yield hdulist


@contextmanager
def open_units(path: Path) -> Iterator[Iterator[fits.ImageHDU]]:
    """Open a FITS file for a look at some of its units, which are parsed and checked as they are taken.

    Parameters
    ----------
    path : Path
        The file.

    Yields
    ------
    iterator of HDU
        In the order of the file; errors as for `open_fits`.
    """
    with _opened(path) as (_, units):
        yield units


def primary_text(path: Path, keyword: str) -> str:
    """`keyword_text` of a file's first unit, the only one that is parsed and checked; errors as for `open_fits`."""
    with open_units(path) as units:
        return keyword_text(next(units).header, keyword)


@contextmanager
def _opened(path: Path, *, keep_scaling: bool = False) -> Iterator[tuple[fits.HDUList, Iterator[fits.ImageHDU]]]:
    size = check_regular(path)
    check_counts_of_file(path)
    with reading(path.name):
        hdulist = fits.open(path, do_not_scale_image_data=keep_scaling)
    try:
        yield hdulist, _checked_units(hdulist, path, size)
    except fits.VerifyError as failure:
        raise _damaged(path.name, failure) from failure
    finally:
        hdulist.close()


def keyword_text(header: fits.Header, keyword: str, default: str = "") -> str:
    """Value of a keyword as stripped text; `default` where it is missing or has no value.

    Examples
    --------
    >>> keyword_text(fits.Header([("FILTER", "F140W   ")]), "FILTER")
    'F140W'
    """
    value = header.get(keyword)
    return default if value is None or isinstance(value, fits.card.Undefined) else str(value).strip()


def keyword_number(header: fits.Header, keyword: str) -> float | None:
    """Value of a keyword as a number; None where it is missing, or is a text, a switch or infinite.

    Examples
    --------
    >>> keyword_number(fits.Header([("EXPTIME", 30)]), "EXPTIME")
    30
    """
    value = header.get(keyword)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return value


def header_rootname(primary: fits.Header, file_name: str) -> Rootname:
    """ROOTNAME of an exposure, lower case; the root of the file's name where the header has none.

    Raises
    ------
    InputError
        It cannot be the root of file names; see `astrodriz_core.names.file_stem`.
    """
    text = keyword_text(primary, "ROOTNAME")
    return rootname(text or file_name.rsplit("_", 1)[0], f"{file_name}: ROOTNAME" if text else file_name)


def _damaged(where: str, failure: Exception) -> InputError:
    problem = f"cannot be read as FITS ({type(failure).__name__}: {' '.join(str(failure).split())})."
    return InputError(problem, where=where, remedy=_DAMAGED)


def _checked_units(hdulist: fits.HDUList, path: Path, file_size: int) -> Iterator[fits.ImageHDU]:
    """Have one unit after the other parsed, and refuse one that promises more than the file holds."""
    units = iter(hdulist)
    for index in count():
        where = f"{path.name}[{index}]"
        with reading(where):
            hdu = next(units, None)
        if hdu is None:
            return
        end = _data_end(hdu, where)
        if end > file_size and path.suffix != ".gz":
            problem = f"the header promises data beyond the end of the file ({file_size} bytes)."
            raise InputError(problem, where=f"{path.name}[{hdu.name or index}]", remedy=_DAMAGED)
        yield hdu


def _data_end(hdu: fits.hdu.base._ValidHDU, where: str) -> int:
    """Where the data of a unit end, from its header; what later code asks of it has been asked here."""
    with reading(where):
        place, size, _ = hdu.fileinfo(), hdu.size, (hdu.name, hdu.ver, getattr(hdu, "shape", ()))
    if isinstance(hdu, fits.CompImageHDU):
        return int(place["datLoc"] + max(place["datSpan"] - _FITS_BLOCK, 0))
    return int(place["datLoc"] + size)
