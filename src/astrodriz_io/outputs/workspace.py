"""The private folder in which a run works, and what dead runs have left."""

from __future__ import annotations

import logging
import re
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from astrodriz_core.errors import StorageError
from astrodriz_io.outputs.disk import Disk, storage_errors
from astrodriz_io.outputs.journal import Transaction
from astrodriz_io.outputs.locking import locked
from astrodriz_io.places import beside, place

__all__ = ["Workspace", "clear_leftovers", "workspace"]

logger = logging.getLogger(__name__)

MARK = ".astrodriz_workspace"
"""File by which a folder under newpath is known to be ours, so that it may be removed after a crash."""


@frozen
class Workspace:
    """A private folder; everything that a run makes lies in it until it is complete.

    Attributes
    ----------
    folder : Path
        The folder itself, with the working copies of the exposures.
    root : str
        Rootname of the input, from which stage folders are named.
    """

    folder: Path
    root: str

    @property
    def scratch(self) -> Path:
        """Folder for intermediate images; made when first asked for."""
        path = self.folder / "scratch"
        path.mkdir(exist_ok=True)
        return path

    @property
    def untouched(self) -> Path:
        """Folder for exposures that were made from other files, before they are changed; made when first asked for."""
        path = self.folder / "untouched"
        path.mkdir(exist_ok=True)
        return path

    def place(self, name: str) -> Path:
        """Where the file `name` of the workspace lies."""
        return place(self.folder, name)

    def adopt(self, source: Path) -> Path:
        """Copy a file of the user's into the workspace and return the copy, which may be written to."""
        with storage_errors(source.name):
            copy = Path(shutil.copy(source, self.place(source.name)))
            copy.chmod(copy.stat().st_mode | stat.S_IWUSR)
            return copy

    @contextmanager
    def stage(self, name: str, files: Iterable[Path], *, keep: bool) -> Iterator[tuple[Path, ...]]:
        """Copies of the files in a sub-folder ``<root>_<name>``, removed afterwards.

        Parameters
        ----------
        name : str
            ``apriori`` or ``aposteriori``.
        files : iterable of Path
            What the stage may change.
        keep : bool
            Leave the folder where it is, for debugging.
        """
        folder = self.place(f"{self.root}_{name}")
        with storage_errors(folder.name):
            folder.mkdir()
            copies = tuple(Path(shutil.copy(file, place(folder, file.name))) for file in files)
        try:
            yield copies
        finally:
            if not keep:
                shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def workspace(home: Path, root: str, *, newpath: Path | None, keep: bool) -> Iterator[Workspace]:
    """Make a workspace for one run and remove it afterwards, also after a failure.

    What a run of the same input has left that was killed is removed first, so the caller holds the lock
    of `root` in `home`.

    Parameters
    ----------
    home : Path
        Folder of the input. The workspace is made inside it, so that results can enter by rename.
    root : str
        Rootname of the input file.
    newpath : Path or None
        Where given, the work is done in ``newpath/<root>`` instead.
    keep : bool
        Leave the folder and its contents, for debugging: as ``<root>_workspace_*``, or under `newpath`.

    Raises
    ------
    StorageError
        The folder cannot be made, or ``newpath/<root>`` is already there and is no leftover of a dead run.
    LockedError
        Another run uses ``newpath/<root>``.
    """
    clear_leftovers(home, root)
    if newpath is None:
        with _beside(home, root, keep=keep) as folder:
            yield Workspace(folder, root)
        return
    with storage_errors(newpath.name):
        newpath.mkdir(parents=True, exist_ok=True)
    with locked(newpath, (root,)), _under(newpath, root, keep=keep) as folder:
        yield Workspace(folder, root)


def clear_leftovers(home: Path, root: str) -> tuple[str, ...]:
    """Remove the hidden files of runs of one input that were killed; returns their names.

    The caller holds the lock of `root`. A commit that was cut short is left to
    `astrodriz_io.outputs.publishing.recover`.
    """
    ours = re.compile(rf"\.{re.escape(root)}_astrodriz_([a-z0-9_]{{8}}|draft|commit)")
    with storage_errors(home.name):
        found = [path for path in sorted(home.iterdir()) if ours.fullmatch(path.name)]
    removed = [path for path in found if not Transaction(path, Disk()).is_pending]
    for path in removed:
        logger.info("Removing what an interrupted run has left: %s", path.name)
        _remove(path)
    return tuple(path.name for path in removed)


@contextmanager
def _beside(home: Path, root: str, *, keep: bool) -> Iterator[Path]:
    """A hidden folder in the user's, which is visible afterwards where it is kept."""
    with storage_errors(home.name):
        folder = Path(tempfile.mkdtemp(prefix=f".{root}_astrodriz_", dir=home))
    try:
        yield folder
    finally:
        if keep:
            kept = beside(folder, f"{root}_workspace_{folder.name[-8:]}")
            folder.rename(kept)
            logger.info("The workspace is kept: %s", kept.name)
        else:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _under(newpath: Path, root: str, *, keep: bool) -> Iterator[Path]:
    """``newpath/<root>``, marked as ours from the moment that it exists."""
    folder = place(newpath, root)
    if (folder / MARK).is_file():
        logger.info("Removing what an interrupted run has left: %s", folder.name)
        shutil.rmtree(folder, ignore_errors=True)
    clear_leftovers(newpath, root)
    with storage_errors(folder.name):
        if folder.exists():
            remedy = "Remove it, or give another folder as newpath."
            raise StorageError("This folder is there already.", where=folder.name, remedy=remedy)
        made = Path(tempfile.mkdtemp(prefix=f".{root}_astrodriz_", dir=newpath))
        (made / MARK).touch()
        made.rename(folder)
    try:
        yield folder
    finally:
        if keep:
            # Without the mark it is the user's, and no later run removes it.
            (folder / MARK).unlink(missing_ok=True)
            logger.info("The workspace is kept: %s", folder.name)
        else:
            shutil.rmtree(folder, ignore_errors=True)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
