"""The private folder in which a run works, and the step by which its results enter the user's folder."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from astrodriz_core.errors import StorageError

__all__ = ["Workspace", "publish", "storage_errors", "workspace"]

logger = logging.getLogger(__name__)

ADVICE = {
    errno.ENOSPC: "Free some space on that disk, or give another folder as newpath.",
    errno.EACCES: "Check the permissions of the folder.",
    errno.EROFS: "The file system is read-only; copy the exposures to a folder where you may write.",
}


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

    def adopt(self, source: Path) -> Path:
        """Copy a file of the user's into the workspace and return the copy."""
        with storage_errors(source.name):
            return Path(shutil.copy(source, self.folder / source.name))

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
        folder = self.folder / f"{self.root}_{name}"
        with storage_errors(folder.name):
            folder.mkdir()
            copies = tuple(Path(shutil.copy(file, folder / file.name)) for file in files)
        try:
            yield copies
        finally:
            if not keep:
                shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def storage_errors(name: str) -> Iterator[None]:
    """Turn an `OSError` within the block into a `StorageError` that names the file."""
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"{error.strerror or error}.",
            where=name,
            remedy=ADVICE.get(error.errno or 0, "Check the disk, then run again; the inputs are as they were."),
        ) from error


@contextmanager
def workspace(home: Path, root: str, *, newpath: Path | None, keep: bool) -> Iterator[Workspace]:
    """Make a workspace for one run and remove it afterwards, also after a failure.

    Parameters
    ----------
    home : Path
        Folder of the input. The workspace is made inside it, so that results can enter by rename.
    root : str
        Rootname of the input file.
    newpath : Path or None
        Where given, the work is done in ``newpath/<root>`` instead.
    keep : bool
        Leave the folder and its contents, for debugging.

    Raises
    ------
    StorageError
        The folder cannot be made, or ``newpath/<root>`` is already there.
    """
    with storage_errors(str((newpath or home).name)):
        if newpath is None:
            folder = Path(tempfile.mkdtemp(prefix=f".{root}_astrodriz_", dir=home))
        else:
            folder = newpath / root
            folder.mkdir(parents=True)
    try:
        yield Workspace(folder, root)
    finally:
        if keep:
            logger.info("The workspace is kept: %s", folder.name)
        else:
            shutil.rmtree(folder, ignore_errors=True)


def publish(files: Iterable[Path], home: Path) -> tuple[Path, ...]:
    """Move complete files of the workspace to their final names in the user's folder.

    Every file is first brought onto the file system of `home` under a hidden name; only when all are
    there are they renamed, one after the other.

    Returns
    -------
    tuple of Path
        The final paths, in the order given.
    """
    staged: list[tuple[Path, Path]] = []
    try:
        for file in files:
            with storage_errors(file.name):
                staged.append((_bring(file, home), home / file.name))
        for hidden, final in staged:
            with storage_errors(final.name):
                hidden.replace(final)
    finally:
        for hidden, _ in staged:
            hidden.unlink(missing_ok=True)
    return tuple(final for _, final in staged)


def _bring(file: Path, home: Path) -> Path:
    """Place a file under a hidden name in `home`: by rename, or by copy from another file system."""
    hidden = home / f".{file.name}.incoming"
    try:
        file.replace(hidden)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        shutil.copyfile(file, hidden)
        with hidden.open("rb") as copied:
            os.fsync(copied.fileno())
        file.unlink()
    return hidden
