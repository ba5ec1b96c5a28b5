"""The calls to the operating system by which files are brought to their places; tests put a failing disk here."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from astrodriz_core.errors import StorageError
from astrodriz_io.places import place

__all__ = ["Disk", "as_bytes", "storage_errors"]

ADVICE = {
    errno.ENOSPC: "Free some space on that disk, or give another folder as newpath.",
    errno.EDQUOT: "Your quota is used up: free some space, or give another folder as newpath.",
    errno.EACCES: "Check the permissions of the folder.",
    errno.EPERM: "Check the permissions of the folder.",
    errno.EROFS: "The file system is read-only; copy the exposures to a folder where you may write.",
}

_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV})
"""What file systems without hard links answer."""


@contextmanager
def storage_errors(name: str) -> Iterator[None]:
    """Turn an error of the operating system within the block into a `StorageError` that names the file.

    An `OSError` without a number of the system's (astropy and requests raise such) passes unchanged.
    """
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise StorageError(
            f"{error.strerror or error}.",
            where=name,
            remedy=ADVICE.get(error.errno, "Check the disk, then run again; the inputs are as they were."),
        ) from error


def as_bytes(text: str) -> bytes:
    """UTF-8 of a text; bytes of names that are not UTF-8 are escaped, as JSON reads them back."""
    return text.encode("utf-8", "backslashreplace")


class Disk:
    """One method for each kind of change to a folder; every error becomes a `StorageError` with the file's name."""

    def make_folder(self, path: Path) -> None:
        """Make one folder."""
        with storage_errors(path.name):
            path.mkdir()

    def write(self, path: Path, data: bytes) -> None:
        """Write a new file."""
        with storage_errors(path.name):
            path.write_bytes(data)

    def copy(self, source: Path, target: Path) -> None:
        """Copy contents, mode and times."""
        with storage_errors(target.name):
            shutil.copy2(source, target, follow_symlinks=False)

    def copy_mode(self, source: Path, target: Path) -> None:
        """Give a file the permissions of another."""
        with storage_errors(target.name):
            shutil.copymode(source, target)

    def move(self, source: Path, target: Path) -> bool:
        """Rename, over what is there; False where the two places are on different file systems."""
        with storage_errors(target.name):
            try:
                source.replace(target)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                return False
            return True

    def link(self, source: Path, target: Path) -> bool:
        """Give a file a second name; False where the file system has no such thing."""
        with storage_errors(target.name):
            try:
                os.link(source, target, follow_symlinks=False)
            except NotImplementedError:
                return False
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                return False
            return True

    def remove(self, path: Path) -> None:
        """Remove a file if it is there."""
        with storage_errors(path.name):
            path.unlink(missing_ok=True)

    def discard(self, folder: Path, names: Iterable[str]) -> None:
        """Remove some files and folders of a folder, and it too where nothing else is in it.

        What cannot be removed stays; a link to a folder is none.
        """
        if folder.is_symlink():
            return
        for name in names:
            path = place(folder, name)
            with suppress(OSError):
                path.unlink()
            shutil.rmtree(path, ignore_errors=True)
        with suppress(OSError):
            folder.rmdir()

    def synchronise(self, path: Path) -> None:
        """Force a file's bytes, or a folder's names, to the medium."""
        with storage_errors(path.name):
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
