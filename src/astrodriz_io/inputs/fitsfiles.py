"""Opening FITS files so that every damage becomes one typed error that names the file and the extension."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from astropy.io import fits
from astropy.io.fits.hdu.compressed._compression import CfitsioException

from astrodriz_core.errors import InputError, MissingFilesError, StorageError
from astrodriz_core.names import Rootname, rootname
from astrodriz_io.inputs.fits_scan import check_counts_of_file

__all__ = ["FITS_FAILURES", "header_rootname", "keyword_text", "open_fits", "reading"]

FITS_FAILURES: tuple[type[Exception], ...] = (
    OSError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    RuntimeError,
    MemoryError,
    EOFError,
    struct.error,
    zlib.error,
    CfitsioException,
    fits.VerifyError,
)
"""What astropy raises on damaged headers and arrays; for all but compressed tiles it has no class of its own."""

_FITS_BLOCK = 2880
_DAMAGED = "Fetch or calibrate the file again."


@contextmanager
def reading(where: str) -> Iterator[None]:
    """Turn whatever astropy raises while it parses into an `InputError` for `where`.

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
    try:
        yield
    except FITS_FAILURES as failure:
        # astropy raises OSError for damaged files as well, but those carry no number of the system's.
        if isinstance(failure, OSError) and failure.errno is not None:
            raise _refused(where, failure) from failure
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
    hdulist = _opened(path, keep_scaling)
    try:
        with reading(path.name):
            _check_sizes(hdulist, path)
        yield hdulist
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


def header_rootname(primary: fits.Header, file_name: str) -> Rootname:
    """ROOTNAME of an exposure, lower case; the root of the file's name where the header has none.

    Raises
    ------
    InputError
        It cannot be the root of file names; see `astrodriz_core.names.file_stem`.
    """
    text = keyword_text(primary, "ROOTNAME")
    return rootname(text or file_name.rsplit("_", 1)[0], f"{file_name}: ROOTNAME" if text else file_name)


def _opened(path: Path, keep_scaling: bool) -> fits.HDUList:
    try:
        path.stat()
    except FileNotFoundError as failure:
        raise MissingFilesError(f"File {path.name} not found.", files=(path.name,)) from failure
    except OSError as failure:
        raise _refused(path.name, failure) from failure
    with reading(path.name):
        check_counts_of_file(path)
        return fits.open(path, do_not_scale_image_data=keep_scaling)


def _damaged(where: str, failure: Exception) -> InputError:
    problem = f"cannot be read as FITS ({type(failure).__name__}: {' '.join(str(failure).split())})."
    return InputError(problem, where=where, remedy=_DAMAGED)


def _refused(where: str, failure: OSError) -> StorageError:
    remedy = "Check the free space and the permissions of the folder."
    return StorageError(f"the file system refuses ({failure.strerror}).", where=where, remedy=remedy)


def _check_sizes(hdulist: fits.HDUList, path: Path) -> None:
    file_size = path.stat().st_size
    for index, hdu in enumerate(hdulist):
        if _data_end(hdu) > file_size and path.suffix != ".gz":
            problem = f"the header promises data beyond the end of the file ({file_size} bytes)."
            raise InputError(problem, where=f"{path.name}[{hdu.name or index}]", remedy=_DAMAGED)


def _data_end(hdu: fits.hdu.base._BaseHDU) -> int:
    place = hdu.fileinfo()
    if isinstance(hdu, fits.CompImageHDU):
        return int(place["datLoc"] + max(place["datSpan"] - _FITS_BLOCK, 0))
    return int(place["datLoc"] + hdu.size)
