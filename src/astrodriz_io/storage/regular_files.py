"""Only regular files are opened: a named pipe would hang, a device never ends, a folder is none."""

from __future__ import annotations

import stat
from collections.abc import Callable, Mapping
from pathlib import Path

from astrodriz_core.errors import InputError, MissingFilesError
from astrodriz_io.storage.disk import storage_errors

__all__ = ["check_regular", "is_file_or_folder", "read_regular"]

_KINDS: Mapping[str, Callable[[int], bool]] = {
    "a folder": stat.S_ISDIR,
    "a named pipe": stat.S_ISFIFO,
    "a socket": stat.S_ISSOCK,
    "a device": lambda mode: stat.S_ISCHR(mode) or stat.S_ISBLK(mode),
}


def check_regular(path: Path) -> int:
    """Size of a regular file, bytes; anything else is refused without being opened.

    Parameters
    ----------
    path : Path
        Links are followed.

    Raises
    ------
    MissingFilesError
        There is no such file.
    InputError
        It is a folder, a named pipe, a socket or a device.
    StorageError
        The file system refuses to tell.
    """
    with storage_errors(path.name):
        try:
            found = path.stat()
        except (FileNotFoundError, NotADirectoryError, ValueError) as failure:
            # ValueError: a NUL, which TOML can write and no file's name has.
            raise MissingFilesError(f"File {path.name} not found.", files=(path.name,)) from failure
    if not stat.S_ISREG(found.st_mode):
        kind = next((kind for kind, holds in _KINDS.items() if holds(found.st_mode)), "something else")
        raise InputError(f"this is {kind}, not a file.", where=path.name, remedy="Give the file itself.")
    return found.st_size


def is_file_or_folder(path: Path) -> bool:
    """Whether there is a regular file or a folder, which a named pipe and a device are not.

    Raises
    ------
    StorageError
        The file system refuses to tell: the name is too long, for one.
    """
    with storage_errors(path.name):
        try:
            mode = path.stat().st_mode
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return False
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode)


def read_regular(path: Path, at_most: int) -> bytes:
    """The bytes of a regular file that is no larger than `at_most` bytes; see `check_regular`.

    Raises
    ------
    InputError
        It is larger, or no regular file.
    """
    size = check_regular(path)
    if size > at_most:
        problem = f"the file has {size} bytes; none of its kind has more than {at_most}."
        raise InputError(problem, where=path.name, remedy="Check that it is the right file.")
    with storage_errors(path.name):
        return path.read_bytes()
