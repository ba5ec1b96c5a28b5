"""The trailer while a run goes on: what was there is kept, and every line is in the file as it comes."""

from __future__ import annotations

import os
import shutil
import stat
from contextlib import ExitStack, suppress
from pathlib import Path

from astrodriz_core.errors import InputError, StorageError
from astrodriz_io.runtime.system import open_flags
from astrodriz_io.storage.disk import as_bytes, storage_errors
from astrodriz_io.storage.names import ENDINGS
from astrodriz_io.storage.places import hidden_place, place

__all__ = ["TrailerFile", "add_to_trailer"]

_APPEND = open_flags("O_WRONLY", "O_APPEND", "O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC")


class TrailerFile:
    """A trailer that is only ever added to; made where there is none.

    The bytes that are there are neither read nor changed, whatever they are and however many; an empty line, or the
    end of their last line, comes between. A link, a file with
    other names, and one that may not be written to are not touched either: a copy takes their place in the folder.

    Parameters
    ----------
    home : Path
        Folder of the input.
    root : str
        Root of the input; the caller holds its lock.

    Raises
    ------
    StorageError
        The file cannot be written to, or something that is no file has its name.
    """

    def __init__(self, home: Path, root: str) -> None:
        path = place(home, f"{root}{ENDINGS['trailer']}")
        self._name = path.name
        with storage_errors(self._name):
            self._descriptor = _opened(path, hidden_place(home, f"{root}_astrodriz_draft"))
        if os.fstat(self._descriptor).st_size > 0:
            self.follow("")

    def follow(self, line: str) -> None:
        """Add a line of the log. One that cannot be written is left out: the end of the run meets the same disk."""
        with suppress(OSError):
            os.write(self._descriptor, as_bytes(f"{line}\n"))

    def write(self, text: str) -> None:
        """Add a text, and force it to the medium.

        Raises
        ------
        StorageError
            It could not be written whole.
        """
        with storage_errors(self._name):
            left = memoryview(as_bytes(text))
            while left:
                left = left[os.write(self._descriptor, left) :]
            os.fsync(self._descriptor)

    def close(self) -> None:
        """Close the file; nothing more is added."""
        os.close(self._descriptor)


def add_to_trailer(home: Path, root: str, line: str) -> None:
    """Add a line to the trailer of a run that is no more, if it is there and may be written to."""
    with suppress(OSError, InputError):
        descriptor = os.open(place(home, f"{root}{ENDINGS['trailer']}"), _APPEND)
        with ExitStack() as opened:
            opened.callback(os.close, descriptor)
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                os.write(descriptor, as_bytes(f"{line}\n"))


def _opened(path: Path, draft: Path) -> int:
    there = path.stat() if path.exists() else None
    if there is not None and not stat.S_ISREG(there.st_mode):
        remedy = "Move it away: the run writes its trailer under this name."
        raise StorageError("This is no file.", where=path.name, remedy=remedy)
    if path.is_symlink() or (there is not None and not _is_ours_alone(path, there)):
        return _copied(path, there, draft)
    return os.open(path, _APPEND | os.O_CREAT, 0o666)


def _is_ours_alone(path: Path, status: os.stat_result) -> bool:
    """Whether writing to a file changes nothing under another name, and is allowed."""
    return status.st_nlink == 1 and os.access(path, os.W_OK)


def _copied(path: Path, status: os.stat_result | None, draft: Path) -> int:
    """A copy of a file, with its permissions, in its place in the folder; empty for a link that leads nowhere."""
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, _APPEND | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        if status is not None:
            with path.open("rb") as source, os.fdopen(descriptor, "ab", closefd=False) as target:
                shutil.copyfileobj(source, target)
            os.fchmod(descriptor, stat.S_IMODE(status.st_mode))
        draft.replace(path)
    except BaseException:
        os.close(descriptor)
        draft.unlink(missing_ok=True)
        raise
    return descriptor
