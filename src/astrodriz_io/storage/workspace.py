"""The private folder in which a run works, and what dead runs have left."""

from __future__ import annotations

import logging
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from astrodriz_core.errors import StorageError
from astrodriz_io.storage.disk import storage_errors
from astrodriz_io.storage.leftovers import LIFE, MARK, clear_folder, clear_leftovers, mark, remove_own
from astrodriz_io.storage.locking import locked
from astrodriz_io.storage.places import place

__all__ = ["Workspace", "workspace"]

logger = logging.getLogger(__name__)


@frozen
class Workspace:
    """A private folder; everything that a run makes lies in it until it is complete.

    Attributes
    ----------
    folder : Path
        The folder itself, with the working copies of the exposures.
    root : str
        Rootname of the input, from which stage folders are named.
    kept_as : Path or None
        Where the folder stays after the run; None where it is removed.
    """

    folder: Path
    root: str
    kept_as: Path | None = None

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
                clear_folder(self.folder, folder)

    def take_over(self, copies: Iterable[Path], files: Iterable[Path], *, keep: bool) -> None:
        """Put what a stage has made of the files in their place.

        Parameters
        ----------
        copies : iterable of Path
            From `stage`.
        files : iterable of Path
            What they are copies of, in the same order.
        keep : bool
            Leave the copies where they are as well, for debugging.
        """
        for copy, file in zip(copies, files, strict=True):
            with storage_errors(file.name):
                if keep:
                    shutil.copyfile(copy, file)
                else:
                    copy.replace(file)


@contextmanager
def workspace(
    home: Path, root: str, *, newpath: Path | None, keep: bool, names: Iterable[str] = ()
) -> Iterator[Workspace]:
    """Make a workspace for one run and remove it afterwards, also after a failure.

    What a run of the same input has left that was killed is removed first, so the caller holds the lock
    of `root` in `home`. What is not of a run, whoever has put it there, is never removed, and then the folder
    that it lies in stays as well.

    Parameters
    ----------
    home : Path
        Folder of the input. The workspace is made inside it, so that results can enter by rename.
    root : str
        Rootname of the input file.
    newpath : Path or None
        Where given, the work is done in ``newpath/<root>`` instead; `home` itself is as None.
    keep : bool
        Leave the folder and its contents, for debugging: as ``<root>_workspace_*``, or under `newpath`.
    names : iterable of str
        Roots of the names of further files that the run makes: product and exposures.

    Raises
    ------
    StorageError
        The folder cannot be made, or ``newpath/<root>`` is already there and is no leftover of a dead run.
    LockedError
        Another run uses ``newpath/<root>``.
    """
    roots = (root, *names)
    if newpath is None or (newpath.exists() and newpath.samefile(home)):
        with _beside(home, root, roots, keep=keep) as space:
            yield space
        return
    with storage_errors(newpath.name):
        newpath.mkdir(parents=True, exist_ok=True)
    clear_leftovers(home, root)
    with locked(newpath, (root,)), _under(newpath, root, roots, keep=keep) as space:
        yield space


@contextmanager
def _beside(home: Path, root: str, roots: Iterable[str], *, keep: bool) -> Iterator[Workspace]:
    """A hidden folder in the user's, which is visible afterwards where it is kept."""
    folder = _made(home, root, roots)
    kept = place(home, f"{root}_workspace_{folder.name[-8:]}")
    with _ending(folder, kept if keep else None), locked(folder, (LIFE,)):
        yield Workspace(folder, root, kept if keep else None)


@contextmanager
def _under(newpath: Path, root: str, roots: Iterable[str], *, keep: bool) -> Iterator[Workspace]:
    """``newpath/<root>``, marked as ours from the moment that it exists."""
    folder = place(newpath, root)
    made = _made(newpath, root, roots)
    try:
        _refuse(folder)
        made.rename(folder)
    except BaseException:
        remove_own(made)
        raise
    with _ending(folder, folder if keep else None), locked(folder, (LIFE,)):
        yield Workspace(folder, root, folder if keep else None)


def _made(parent: Path, root: str, roots: Iterable[str]) -> Path:
    """A new hidden workspace, in the place of those that dead runs have left."""
    clear_leftovers(parent, root)
    with storage_errors(parent.name):
        folder = Path(tempfile.mkdtemp(prefix=f".{root}_astrodriz_", dir=parent))
        mark(folder, roots)
        return folder


def _refuse(folder: Path) -> None:
    if folder.exists() or folder.is_symlink():
        remedy = "It is not of a run: move it away, or give another folder as newpath."
        raise StorageError("This folder is there already.", where=folder.name, remedy=remedy)


@contextmanager
def _ending(folder: Path, kept: Path | None) -> Iterator[None]:
    """Remove a workspace at the end, or leave it to the user under its last name."""
    try:
        yield
    finally:
        if kept is None:
            remove_own(folder)
        else:
            # Without the mark it is the user's, and no later run removes it.
            (folder / MARK).unlink(missing_ok=True)
            folder.rename(kept)
            logger.info("The workspace is kept, with the exposures of each stage: %s", kept.name)
