"""The calls to the operating system by which files are brought to their places; tests put a failing disk here."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from astrodriz_core.errors import ResourceError, StorageError
from astrodriz_io.storage.places import place

__all__ = ["Disk", "as_bytes", "is_short_write", "storage_errors"]

ADVICE = {
    errno.ENOSPC: "Free some space on that disk, or give another folder as newpath (see also ulimit -f).",
    errno.EDQUOT: "Your quota is used up: free some space, or give another folder as newpath.",
    errno.EFBIG: "The file would be larger than is allowed: raise the limit (ulimit -f), or take a smaller frame.",
    errno.EMFILE: "The process may not open more files: raise the limit (ulimit -n), or give fewer cores (-n).",
    errno.ENFILE: "The system may not open more files: end other programs, or raise the limit (fs.file-max).",
    errno.EACCES: "Check the permissions of the file and of its folder.",
    errno.EPERM: "Check the permissions of the file and of its folder.",
    errno.EROFS: "The file system is read-only; copy the exposures to a folder where you may write.",
    errno.ENAMETOOLONG: "Give a shorter name.",
    errno.EPIPE: "The program that reads the output has ended.",
    errno.ELOOP: "The links lead in a circle: put them right.",
    errno.ENOENT: "Something has removed it meanwhile: run again, and let nothing else change the folder.",
    errno.ENOTDIR: "A part of the path is a file, not a folder: give another path.",
    errno.EISDIR: "It is a folder, not a file: give another path.",
    errno.EEXIST: "Something of this name is there already: move it away.",
    errno.EIO: "The disk is failing or was taken away: look at the system's log.",
    errno.ESTALE: "The network disk was taken away: mount it again.",
    errno.ENODEV: "The disk was taken away: mount it again.",
}
"""What to do about each error of the system; the one place for it."""

OTHER_ADVICE = "Check the disk, then run again."

_SHORT_WRITE = re.compile(r"\d+ requested and \d+ written|Not enough space on disk")

_NO_THREAD = "can't start new thread"
"""What Python says where memory, or the number of processes that a user may have, is used up."""
THREAD_ADVICE = "Give one core (-n 1), or raise the limits (ulimit -u, ulimit -v)."

MEMORY_ADVICE = (
    "Take a smaller frame or fewer cores (-n), leave out -i, or take a machine with more memory; limits are raised "
    "with ulimit -v."
)

_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV})
"""What file systems without hard links answer."""


@contextmanager
def storage_errors(name: str) -> Iterator[None]:
    """Turn an error of the operating system within the block into an error that names the file and says what to do.

    Where `name` is empty, the file is the one that the system names. An `OSError` without a number of the system's, and
    without one behind it, passes unchanged: astropy and requests raise such for other reasons.

    Raises
    ------
    StorageError
        In place of an `OSError`.
    ResourceError
        In place of a `MemoryError` and of an `OSError` that means the same, and where no thread can be started.
    """
    try:
        yield
    except MemoryError as error:
        raise _no_memory(name) from error
    except RuntimeError as error:
        if str(error) != _NO_THREAD:
            raise
        raise ResourceError("No further thread can be started.", where=name, remedy=THREAD_ADVICE) from error
    except OSError as error:
        cause = _system_error(error)
        if cause is None:
            raise
        if cause.errno == errno.ENOMEM:
            raise _no_memory(name) from error
        where = name or (Path(cause.filename).name if isinstance(cause.filename, str) else "")
        remedy = ADVICE.get(cause.errno or 0, OTHER_ADVICE)
        raise StorageError(f"{cause.strerror or cause}.", where=where, remedy=remedy) from error


def _system_error(error: OSError) -> OSError | None:
    """What the operating system has said: this error, the one behind it, or a short write; None where it said nothing.

    astropy says of a full disk how much is free, and numpy how much it has written, without the number of the error.
    """
    if error.errno is not None:
        return error
    if is_short_write(error):
        return OSError(errno.ENOSPC, "The file could not be written to its end")
    return next((found for found in _behind(error) if isinstance(found, OSError) and found.errno is not None), None)


def is_short_write(error: OSError) -> bool:
    """Whether numpy or astropy say that a file could not be written to its end."""
    return _SHORT_WRITE.search(str(error)) is not None


def _behind(error: BaseException) -> Iterator[BaseException]:
    while (behind := error.__cause__ or error.__context__) is not None:
        yield behind
        error = behind


def _no_memory(name: str) -> ResourceError:
    return ResourceError("There is not enough memory.", where=name, remedy=MEMORY_ADVICE)


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
