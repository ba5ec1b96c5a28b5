"""What dead runs have left in a folder: found by reading alone, and removed under the locks that a run would take."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

from attrs import frozen

from astrodriz_core.errors import LockedError
from astrodriz_io.storage.disk import Disk, storage_errors
from astrodriz_io.storage.journal import COMMIT_SUFFIX, Transaction
from astrodriz_io.storage.leftovers import LIFE, clear_leftovers, is_leftover, is_marked
from astrodriz_io.storage.locking import lock_holder, lock_path, locked
from astrodriz_io.storage.publishing import recover

__all__ = ["Leftover", "LeftoverKind", "find_leftovers", "remove_leftovers"]

_HIDDEN = re.compile(r"\.((?P<root>.+)_astrodriz_([a-z0-9_]{8}|draft|commit)|(?P<lock>.+)\.astrodriz\.lock)")


class LeftoverKind(Enum):
    """What it is that a run has left, or holds."""

    HALF_DONE = "results that were half in place"
    WORKSPACE = "workspace"
    DRAFT = "draft of a text or of a commit"
    LOCK = "lock"


@frozen
class Leftover:
    """One thing in a folder that a run has left, or that a living run holds.

    Attributes
    ----------
    kind : LeftoverKind
        What it is.
    path : Path
        Where it lies.
    root : str
        Root of the input of its run; of a lock what it locks.
    size : int
        Bytes, with all that is in it.
    holder : str or None
        Which living run holds it; None where it may be removed.
    """

    kind: LeftoverKind
    path: Path
    root: str
    size: int
    holder: str | None = None


def find_leftovers(folder: Path) -> tuple[Leftover, ...]:
    """What runs have left in a folder, and what living runs hold there; nothing is changed.

    Parameters
    ----------
    folder : Path
        A folder of inputs, or a newpath; folders in it are not looked through.

    Returns
    -------
    tuple of Leftover
        In the order of the names. Workspaces that were kept with ``-d`` are the user's and not among them.

    Raises
    ------
    StorageError
        The folder cannot be read.
    """
    with storage_errors(folder.name):
        return tuple(found for path in sorted(folder.iterdir()) if (found := _examined(path)) is not None)


def remove_leftovers(folder: Path) -> Iterator[tuple[Leftover, str]]:
    """Remove what dead runs have left, each with what became of it.

    Results that were half in place are brought to an end or taken back first. Nothing is touched of an input whose
    lock a living run holds, or takes just now.

    Raises
    ------
    StorageError
        Something cannot be moved or removed, or a journal is damaged.
    """
    found = find_leftovers(folder)
    for root in sorted({each.root for each in found}):
        of_root = [each for each in found if each.root == root]
        try:
            with locked(folder, (root,)):
                half_done = {each.path: what for each in of_root if (what := _ended(each)) is not None}
                clear_leftovers(folder, root)
        except LockedError as error:
            yield from ((each, f"stays: {error.problem}") for each in of_root)
            continue
        yield from ((each, half_done.get(each.path, _became(each))) for each in of_root)


def _ended(leftover: Leftover) -> str | None:
    """What was done with results that were half in place; None for anything else."""
    if leftover.kind is not LeftoverKind.HALF_DONE:
        return None
    done = recover(leftover.path.parent, root=leftover.root)
    return done.get(leftover.root, "another run has put it right")


def _became(leftover: Leftover) -> str:
    if not leftover.path.exists():
        return "removed"
    return "stays: it is in use" if leftover.holder is not None else "stays: it holds what is not of a run"


def _examined(path: Path) -> Leftover | None:
    named = _HIDDEN.fullmatch(path.name)
    root = named["lock"] or named["root"] if named is not None else path.name
    kind = None if path.is_symlink() else _kind(path, root)
    return None if kind is None else Leftover(kind, path, root, _size(path), _holder(path, root, kind))


def _kind(path: Path, root: str) -> LeftoverKind | None:
    if path == lock_path(path.parent, root) and path.is_file():
        return LeftoverKind.LOCK
    if path.name == f".{root}{COMMIT_SUFFIX}" and Transaction(path, Disk()).is_pending:
        return LeftoverKind.HALF_DONE
    if is_marked(path):
        return LeftoverKind.WORKSPACE
    return LeftoverKind.DRAFT if is_leftover(path, root) else None


def _holder(path: Path, root: str, kind: LeftoverKind) -> str | None:
    own = lock_holder(path, LIFE) if kind is LeftoverKind.WORKSPACE else None
    return own or lock_holder(path.parent, root)


def _size(path: Path) -> int:
    return sum(_file_size(part) for part in (path, *path.rglob("*")) if not part.is_dir())


def _file_size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        # A living run has taken it away just now.
        return 0
