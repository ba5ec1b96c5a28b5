"""The one step by which the results of a run enter the user's folder: all of them, or none.

The new files are brought under hidden names and forced to the medium, the old ones get a second name, and
a journal says what is to be done. Then each file is renamed. Who looks into the folder between two renames
sees some new and some old files, each of them whole. After the commit, or after `recover` where a crash cut
it short, the folder holds the old set or the new set.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from astrodriz_core.errors import AstrodrizError, StorageError
from astrodriz_io.storage.digests import sha256_of
from astrodriz_io.storage.disk import Disk, as_bytes, storage_errors
from astrodriz_io.storage.journal import COMMIT_SUFFIX, Entry, FinalFile, Transaction
from astrodriz_io.storage.locking import locked
from astrodriz_io.storage.places import hidden_place, place
from astrodriz_io.storage.replacing import replacing
from astrodriz_io.storage.trailer_file import add_to_trailer

__all__ = ["commit_folder", "is_half_done", "publish", "recover", "replace_text"]

logger = logging.getLogger(__name__)

FOLDER_LOCK = "commit"
"""Commits and recoveries in one folder come one after the other; each takes moments."""
FOLDER_WAIT = 600.0
"""Seconds; a commit that holds the folder for longer hangs on a dead disk."""


def commit_folder(home: Path, root: str) -> Path:
    """The hidden folder of a commit."""
    return hidden_place(home, f"{root}{COMMIT_SUFFIX}")


def publish(files: Iterable[Path], home: Path, root: str, *, disk: Disk | None = None) -> tuple[Path, ...]:
    """Bring complete files to their final names in the user's folder, all or none.

    Parameters
    ----------
    files : iterable of Path
        The results; they are moved, not copied, where they lie on the same file system.
    home : Path
        The user's folder.
    root : str
        Rootname of the input. The caller holds its lock.
    disk : Disk, optional
        The file system.

    Returns
    -------
    tuple of Path
        The final paths, in the order given. A file that replaces one has the permissions of that one.

    Raises
    ------
    StorageError
        A file could not be written; the folder is as it was. Where not even that could be brought about,
        because the disk refuses everything, the journal stays, and `recover` does it later.
    """
    paths = tuple(files)
    disk = disk or Disk()
    transaction = Transaction(commit_folder(home, root), disk)
    try:
        entries = _prepare(transaction, paths)
        with locked(home, (FOLDER_LOCK,), wait=FOLDER_WAIT):
            _commit(transaction, entries)
    except (AstrodrizError, KeyboardInterrupt):
        _undo(transaction)
        raise
    return tuple(place(home, path.name) for path in paths)


def recover(home: Path, *, root: str | None = None, disk: Disk | None = None) -> Mapping[str, str]:
    """End or undo every commit that a crash has cut short in a folder.

    Where all new files are there the commit is ended. Where one is missing or damaged, or somebody has
    changed one of the final files since, what the commit brought is taken back, and what somebody has
    changed stays as it is.

    Parameters
    ----------
    home : Path
        The user's folder.
    root : str, optional
        Rootname of the one input whose commit is looked at; by default all are.
    disk : Disk, optional
        The file system.

    Returns
    -------
    mapping of str to str
        For each rootname what was done with its results; empty where no commit was cut short.

    Raises
    ------
    StorageError
        A file could not be moved, or a journal is damaged.
    """
    disk = disk or Disk()
    if not _pending(home, disk):
        return {}
    with locked(home, (FOLDER_LOCK,), wait=FOLDER_WAIT):
        pending = [transaction for transaction in _pending(home, disk) if root in (None, transaction.root)]
        done = {transaction.root: _resume(transaction) for transaction in pending}
    for name, what in done.items():
        logger.warning("A run of %s was cut short while it wrote its results: %s", name, what)
        moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        add_to_trailer(home, name, f"Found {moment}: a run was cut short while it wrote its results; {what}.")
    return done


def is_half_done(home: Path) -> bool:
    """Whether a crash has cut short a commit in a folder, so that it may hold some new and some old files."""
    return bool(_pending(home, Disk()))


def replace_text(path: Path, text: str, root: str, *, disk: Disk | None = None) -> None:
    """Write one text file in place of another, whole or not at all."""
    disk = disk or Disk()
    with replacing(path, draft=hidden_place(path.parent, f"{root}_astrodriz_draft"), disk=disk) as draft:
        disk.write(draft, as_bytes(text))


def _prepare(transaction: Transaction, files: tuple[Path, ...]) -> tuple[Entry, ...]:
    """Bring all new files near, give all old ones a second name, and force both to the medium."""
    disk = transaction.disk
    transaction.discard()
    if not transaction.folder.is_dir() or transaction.folder.is_symlink():
        disk.make_folder(transaction.folder)
    for folder in (transaction.new, transaction.old):
        disk.make_folder(folder)
    entries = tuple(_stage(transaction, file) for file in files)
    for entry in entries:
        if entry.replaces:
            _back_up(transaction, entry.name)
    for folder in (transaction.new, transaction.old, transaction.folder, transaction.home):
        disk.synchronise(folder)
    return entries


def _stage(transaction: Transaction, file: Path) -> Entry:
    disk, staged, final = transaction.disk, place(transaction.new, file.name), place(transaction.home, file.name)
    if not disk.move(file, staged):
        disk.copy(file, staged)
    replaces = final.is_symlink() or final.exists()
    if replaces and final.exists():
        disk.copy_mode(final, staged)
    disk.synchronise(staged)
    with storage_errors(file.name):
        return Entry(file.name, sha256_of(staged), replaces)


def _back_up(transaction: Transaction, name: str) -> None:
    disk, final, old = transaction.disk, place(transaction.home, name), place(transaction.old, name)
    if not disk.link(final, old):
        disk.copy(final, old)
        disk.synchronise(old)


def _commit(transaction: Transaction, entries: tuple[Entry, ...]) -> None:
    transaction.write(entries)
    _forward(transaction, entries)
    try:
        _close(transaction, transaction.journal)
    except StorageError as error:
        # The results are in place; the next run finds that nothing is left to do.
        logger.warning("%s", str(error))


def _forward(transaction: Transaction, entries: Iterable[Entry]) -> None:
    for entry in entries:
        transaction.disk.move(place(transaction.new, entry.name), place(transaction.home, entry.name))
    transaction.disk.synchronise(transaction.home)


def _backward(transaction: Transaction, entries: Iterable[Entry]) -> None:
    """Put the old files back in the place of those that the commit brought, and of no others."""
    disk = transaction.disk
    # The other way round than forward must be on the medium first: a crash from here on is no reason to go on.
    if not transaction.abort.exists():
        disk.move(transaction.journal, transaction.abort)
    disk.synchronise(transaction.folder)
    for entry in entries:
        final, old = place(transaction.home, entry.name), place(transaction.old, entry.name)
        if transaction.look(entry) is not FinalFile.NEW:
            continue
        if not entry.replaces:
            disk.remove(final)
        elif old.is_symlink() or old.exists():
            disk.move(old, final)
    disk.synchronise(transaction.home)
    _close(transaction, transaction.abort)


def _close(transaction: Transaction, journal: Path) -> None:
    """Forget the journal first: what is left without one is rubbish."""
    transaction.disk.remove(journal)
    transaction.disk.synchronise(transaction.folder)
    transaction.discard()


def _undo(transaction: Transaction) -> None:
    """Leave the folder as it was before `publish`; the journal stays where that fails."""
    try:
        if transaction.is_pending:
            with locked(transaction.home, (FOLDER_LOCK,), wait=FOLDER_WAIT):
                _backward(transaction, transaction.entries())
        else:
            transaction.discard()
    except AstrodrizError as error:
        logger.error("The results could not be taken back now; the next run in this folder does it. %s", str(error))


def _pending(home: Path, disk: Disk) -> tuple[Transaction, ...]:
    with storage_errors(home.name):
        folders = sorted(path for path in home.iterdir() if path.name[0] == "." and path.name.endswith(COMMIT_SUFFIX))
        real = [path for path in folders if path.is_dir() and not path.is_symlink()]
        transactions = tuple(Transaction(path, disk) for path in real)
        return tuple(transaction for transaction in transactions if transaction.is_pending)


def _resume(transaction: Transaction) -> str:
    """Decide by what lies there now, act, and say what was done."""
    with storage_errors(transaction.folder.name):
        entries = transaction.entries()
        states = {entry: transaction.look(entry) for entry in entries}
        missing = [entry for entry in entries if states[entry] is FinalFile.OLD]
        untouched = FinalFile.FOREIGN not in states.values()
        staged = all(transaction.is_staged(entry) for entry in missing)
    if transaction.abort.exists() or (missing and not (untouched and staged)):
        _backward(transaction, entries)
        return "they were taken back"
    _forward(transaction, missing)
    _close(transaction, transaction.journal)
    return "they are in place now"
