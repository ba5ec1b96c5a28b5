"""A file is written beside its place and renamed when it is whole: the one way by which one file replaces another."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from astrodriz_core.errors import StorageError
from astrodriz_io.storage.disk import Disk, storage_errors
from astrodriz_io.storage.places import place

__all__ = ["replacing", "replacing_together"]

PREFIX = ".draft-"
"""Beginning of the name of the folder in which a draft lies; `astrodriz_io.storage.names.own_folder` knows it."""


@contextmanager
def replacing(path: Path, *, draft: Path | None = None, disk: Disk | None = None) -> Iterator[Path]:
    """Give the path of a draft to be written; what is there when the block ends takes the place of a file.

    The draft is forced to the medium, then renamed. Where the block or one of these steps fails, the draft is removed
    and the file stays as it was.

    Parameters
    ----------
    path : Path
        The file; it need not exist.
    draft : Path, optional
        A path on the same file system; by default one of the same name, in a private folder beside the file.
    disk : Disk, optional
        The file system.

    Yields
    ------
    Path
        The draft; nothing is there yet.

    Raises
    ------
    StorageError
        The draft cannot be brought to its place. Errors of the block pass unchanged.
    """
    with ExitStack() as cleared:
        if draft is None:
            draft = _private(path, cleared)
        else:
            cleared.callback(draft.unlink, missing_ok=True)
        yield draft
        _bring([draft], [path], disk or Disk())


@contextmanager
def replacing_together(paths: Sequence[Path]) -> Iterator[tuple[Path, ...]]:
    """Do the same as `replacing` for several files; the first is renamed when all drafts are on the medium."""
    with ExitStack() as cleared:
        drafts = tuple(_private(path, cleared) for path in paths)
        yield drafts
        _bring(drafts, paths, Disk())


def _private(path: Path, cleared: ExitStack) -> Path:
    """A path of the same name, because libraries take names of exposures from it, in a folder of its own."""
    with storage_errors(path.name):
        folder = cleared.enter_context(tempfile.TemporaryDirectory(prefix=PREFIX, dir=path.parent))
    return place(Path(folder), path.name)


def _bring(drafts: Sequence[Path], paths: Sequence[Path], disk: Disk) -> None:
    for draft in drafts:
        disk.synchronise(draft)
    for draft, path in zip(drafts, paths, strict=True):
        if not disk.move(draft, path):
            remedy = "Give a file of its own, not one that is mounted there."
            raise StorageError("It is not on the file system of its folder.", where=path.name, remedy=remedy)
