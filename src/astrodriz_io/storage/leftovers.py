"""What runs leave behind that were killed: which of it is ours, and how it is removed.

A workspace says by its mark which names the run gives to its files. What has another name is not ours: it stays,
and the folder with it.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from astrodriz_io.storage.disk import Disk, storage_errors
from astrodriz_io.storage.journal import PARTS, Transaction
from astrodriz_io.storage.locking import lock_holder, lock_path
from astrodriz_io.storage.names import own_file, own_folder, own_image
from astrodriz_io.storage.places import place

__all__ = ["LIFE", "MARK", "clear_folder", "clear_leftovers", "is_leftover", "is_marked", "mark", "remove_own"]

logger = logging.getLogger(__name__)

MARK = ".astrodriz_workspace"
"""File by which a folder is known to be a workspace; it lists the names that the run gives to its files."""

LIFE = "workspace"
"""Name of the lock that lies in a workspace and is held as long as its run lives."""


def mark(folder: Path, roots: Iterable[str]) -> None:
    """Make a folder a workspace: note the roots of the names of all files that the run makes in it."""
    (folder / MARK).write_text(json.dumps({"roots": sorted(set(roots))}), encoding="utf-8")


def is_marked(folder: Path) -> bool:
    """Whether a folder is a workspace; a link is none."""
    return not folder.is_symlink() and _roots(folder) is not None


def remove_own(folder: Path) -> tuple[str, ...]:
    """Remove what a run has made in its workspace, and the folder where nothing else is in it.

    Parameters
    ----------
    folder : Path
        A workspace; its mark goes last.

    Returns
    -------
    tuple of str
        Names, within the folder, of what is not ours or could not be removed; it stays, as an ordinary folder.
    """
    _clear(folder, _roots(folder) or ())
    for path in (lock_path(folder, LIFE), folder / MARK):
        with suppress(OSError):
            path.unlink()
    _remove_if_empty(folder)
    left = tuple(path.name for path in _entries(folder))
    if left:
        logger.warning("%s stays: it holds what is not of the run: %s", folder.name, ", ".join(left))
    return left


def clear_folder(workspace: Path, folder: Path) -> None:
    """Remove what the run has made in a folder of its workspace, and the folder where nothing else is in it."""
    _clear(folder, _roots(workspace) or ())


def clear_leftovers(home: Path, root: str) -> tuple[str, ...]:
    """Remove what runs of one input have left in a folder that were killed; returns the names of what is gone.

    The caller holds the lock of `root`. A commit that was cut short is left to
    `astrodriz_io.storage.publishing.recover`.
    """
    with storage_errors(home.name):
        found = [path for path in sorted(home.iterdir()) if is_leftover(path, root)]
        for path in found:
            logger.info("Removing what an interrupted run has left: %s", path.name)
            _remove(path)
        return tuple(path.name for path in found if not path.exists())


def is_leftover(path: Path, root: str) -> bool:
    """Whether a path has the name and the nature of what a run of an input leaves when it is killed."""
    if path.is_symlink():
        return False
    if path.name == f".{root}_astrodriz_draft":
        return path.is_file()
    if not path.is_dir():
        return False
    if path.name == f".{root}_astrodriz_commit":
        return _is_dead_commit(path)
    if path.name != root and not re.fullmatch(rf"\.{re.escape(root)}_astrodriz_[a-z0-9_]{{8}}", path.name):
        return False
    return _is_dead_workspace(path) or (path.name != root and _empty(path))


def _is_dead_commit(folder: Path) -> bool:
    """Whether something is left of a commit that has ended, or that had not come as far as its journal."""
    transaction = Transaction(folder, Disk())
    return not transaction.is_pending and (_empty(folder) or any(place(folder, name).exists() for name in PARTS))


def _is_dead_workspace(folder: Path) -> bool:
    """Whether a folder is a workspace whose run is no more, also where somebody has removed the locks beside it."""
    return is_marked(folder) and lock_holder(folder, LIFE) is None


def _remove(path: Path) -> None:
    if path.is_file():
        path.unlink()
    elif is_marked(path):
        remove_own(path)
    elif _empty(path):
        path.rmdir()
    else:
        Transaction(path, Disk()).discard()


def _empty(folder: Path) -> bool:
    """Whether nothing is in a folder: the run was killed before it could mark it."""
    return next(folder.iterdir(), None) is None


def _roots(folder: Path) -> tuple[str, ...] | None:
    """What the mark of a workspace lists; None where there is no mark, or not one of ours."""
    path = folder / MARK
    try:
        roots = json.loads(path.read_bytes())["roots"] if path.is_file() else None
    except (OSError, ValueError, TypeError, LookupError, RecursionError):
        return None
    return tuple(roots) if isinstance(roots, list) and all(isinstance(root, str) for root in roots) else None


def _clear(folder: Path, roots: tuple[str, ...]) -> None:
    for path in _entries(folder):
        if path.is_dir() and not path.is_symlink():
            if path.name == "scratch":
                _clear_images(path)
            elif own_folder(path.name):
                _clear(path, roots)
        elif own_file(path.name, roots):
            with suppress(OSError):
                path.unlink()
    _remove_if_empty(folder)


def _clear_images(scratch: Path) -> None:
    for path in _entries(scratch):
        if path.is_dir() and not path.is_symlink():
            _clear_images(path)
        elif own_image(path.name):
            with suppress(OSError):
                path.unlink()
    _remove_if_empty(scratch)


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


def _entries(folder: Path) -> Iterator[Path]:
    with suppress(OSError):
        yield from sorted(folder.iterdir())
