"""One run at a time on an association and on each of its exposures, by lock files.

The system releases a lock (``flock``) when its holder ends, however it ends, so a lock file that a crash
left behind holds nobody up. Its text only tells who holds it.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from astrodriz_core.errors import LockedError, StorageError
from astrodriz_io.runtime.system import open_flags, optional_module
from astrodriz_io.storage.disk import storage_errors
from astrodriz_io.storage.places import hidden_place

__all__ = ["lock_holder", "lock_path", "locked", "wait_for_others"]

POLL_SECONDS = 0.1
_FCNTL = optional_module("fcntl")
_HELD = frozenset({errno.EWOULDBLOCK, errno.EACCES})
_MAX_TEXT = 1024
"""No holder's note is longer; a lock file is data like any other."""


def lock_path(folder: Path, name: str) -> Path:
    """Where the lock file of an association or exposure lies."""
    return hidden_place(folder, f"{name.lower()}.astrodriz.lock")


@contextmanager
def locked(folder: Path, names: Iterable[str], *, wait: float = 0.0) -> Iterator[None]:
    """Hold the locks of several names in a folder while the block runs.

    The locks are taken in the order of the alphabet, so that two runs that share some of them never wait
    for each other. They hold between processes and between threads of one process.

    Parameters
    ----------
    folder : Path
        Where the lock files are made. They are removed at the end.
    names : iterable of str
        Roots of file names; case does not count.
    wait : float
        Seconds to wait for others altogether; 0 gives up at once.

    Raises
    ------
    LockedError
        Another run holds one of them; the message says which process on which machine, since when.
    StorageError
        The folder cannot be written to, or its file system, or this system, has no locks.
    """
    deadline = time.monotonic() + wait
    with ExitStack() as held:
        for name in sorted({name.lower() for name in names}):
            held.enter_context(_lock(lock_path(folder, name), name, deadline))
        yield


def wait_for_others(folder: Path, names: Iterable[str], *, wait: float = 0.0) -> None:
    """Return when nobody holds the locks of several names in a folder that may only be read.

    Nothing is locked: a run that begins afterwards is not held up.

    Parameters
    ----------
    folder, names, wait
        As for `locked`.

    Raises
    ------
    LockedError
        A run still holds one of them after the time to wait.
    """
    deadline = time.monotonic() + wait
    for name in sorted({name.lower() for name in names}):
        while (holder := lock_holder(folder, name)) is not None:
            _give_up_after(deadline, name, holder)
            time.sleep(POLL_SECONDS)


def lock_holder(folder: Path, name: str) -> str | None:
    """Who holds the lock of a name in a folder, found out by reading alone; None where nobody does."""
    path = lock_path(folder, name)
    with storage_errors(path.name), ExitStack() as opened:
        try:
            descriptor = os.open(path, open_flags("O_RDONLY", "O_NOFOLLOW"))
        except FileNotFoundError:
            return None
        opened.callback(os.close, descriptor)
        return None if _try_lock(descriptor, "LOCK_SH") else _holder(descriptor)


@contextmanager
def _lock(path: Path, name: str, deadline: float) -> Iterator[None]:
    descriptor = _acquire(path, name, deadline)
    try:
        yield
    finally:
        # Removed while it is still held: who waits for this file finds that the name is another's, and looks again.
        with suppress(OSError):
            path.unlink()
        os.close(descriptor)


def _acquire(path: Path, name: str, deadline: float) -> int:
    while True:
        with storage_errors(path.name), ExitStack() as opened:
            descriptor = os.open(path, open_flags("O_RDWR", "O_CREAT", "O_NOFOLLOW"), 0o666)
            opened.callback(os.close, descriptor)
            if _taken(descriptor, path):
                _note_holder(descriptor)
                opened.pop_all()
                return descriptor
            holder = _holder(descriptor)
        _give_up_after(deadline, name, holder)
        time.sleep(POLL_SECONDS)


def _give_up_after(deadline: float, name: str, holder: str) -> None:
    if time.monotonic() >= deadline:
        raise LockedError(
            f"Another run holds it: {holder}.",
            where=name,
            remedy="Run again when that run has ended, or give --wait SECONDS.",
        )


def _taken(descriptor: int, path: Path) -> bool:
    """Try to lock an open file; False where another holds it, or where the name means another file by now."""
    if not _try_lock(descriptor, "LOCK_EX"):
        return False
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat(follow_symlinks=False))
    except FileNotFoundError:
        return False


def _try_lock(descriptor: int, kind: str) -> bool:
    if _FCNTL is None:
        raise StorageError(
            "This system has no locks of files (flock), which keep two runs apart.",
            remedy="Run on Linux or macOS; on Windows that is the Windows Subsystem for Linux.",
        )
    try:
        _FCNTL.flock(descriptor, getattr(_FCNTL, kind) | _FCNTL.LOCK_NB)
    except OSError as error:
        if error.errno not in _HELD:
            raise
        return False
    return True


def _note_holder(descriptor: int) -> None:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    note = json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": now})
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{note}\n".encode(), 0)


def _holder(descriptor: int) -> str:
    """Who holds the file, from its text; the text of a file that was only just made may be missing."""
    try:
        note = json.loads(os.pread(descriptor, _MAX_TEXT, 0))
        return f"process {int(note['pid'])} on {str(note['host'])[:64]!r} since {str(note['since'])[:32]}"
    except (ValueError, TypeError, LookupError, RecursionError):
        return "it has not told its name"
