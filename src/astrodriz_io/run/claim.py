"""Having an association to oneself: its locks, and a folder without half-done commits of dead runs."""

from __future__ import annotations

import errno
import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from astrodriz_core.errors import StorageError
from astrodriz_io.inputs.association import Association, read_association
from astrodriz_io.storage.disk import storage_errors
from astrodriz_io.storage.locking import locked, wait_for_others
from astrodriz_io.storage.publishing import is_half_done, recover
from astrodriz_io.terminal.aftermath import Aftermath

__all__ = ["exclusive_association", "undisturbed_association"]

logger = logging.getLogger(__name__)

NOT_WRITABLE = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
"""What the system answers where a folder may only be read."""


@contextmanager
def exclusive_association(input_file: Path, *, force: bool, wait: float) -> Iterator[Association]:
    """Read an input and keep every other run away from its files while the block runs.

    Locked are the association, its product and each exposure, since two associations in one folder may
    share exposures. Commits that a crash has cut short, of whatever association, are ended or undone
    before a file is read.

    Parameters
    ----------
    input_file : Path
        The association table, RAW, FLT or FLC.
    force : bool
        As for `read_association`.
    wait : float
        Seconds to wait for other runs; 0 gives up at once.

    Raises
    ------
    LockedError
        Another run holds the association, its product or one of its exposures.
    """
    association = read_association(input_file, force=force)
    with locked(association.folder, association.lock_names, wait=wait):
        if _recovered(association.folder):
            association = read_association(input_file, force=force)
        yield association


@contextmanager
def undisturbed_association(input_file: Path, *, force: bool, wait: float) -> Iterator[tuple[Association, Path]]:
    """Read an input whose files are only read, and keep every run away from them while the block runs.

    Arguments and errors are those of `exclusive_association`.

    Returns
    -------
    association : Association
    home : Path
        For the workspace: the folder of the association wherever that may be written to. Where it may only be read,
        so that no lock can be made, it is a temporary one elsewhere, which a logged warning names.
    """
    with ExitStack() as held:
        try:
            association = held.enter_context(exclusive_association(input_file, force=force, wait=wait))
            home = association.folder
        except StorageError as error:
            if not _is_refusal(error):
                raise
            association = _only_read(input_file, force=force, wait=wait)
            home = Path(held.enter_context(_temporary_folder()))
            logger.warning("%s may only be read: the copies are in %s.", association.folder, home)
        yield association, home


def _recovered(folder: Path) -> bool:
    try:
        return bool(recover(folder))
    except KeyboardInterrupt as stopped:
        if is_half_done(folder):
            stopped.add_note(Aftermath.HALF_WAY.value)
        raise


def _is_refusal(error: StorageError) -> bool:
    return isinstance(error.__cause__, OSError) and error.__cause__.errno in NOT_WRITABLE


def _only_read(input_file: Path, *, force: bool, wait: float) -> Association:
    """An association in a folder that may only be read, where no lock can be made: no run is at work there now."""
    association = read_association(input_file, force=force)
    wait_for_others(association.folder, association.lock_names, wait=wait)
    if is_half_done(association.folder):
        raise StorageError(
            "A run was cut short while it wrote its results, and this folder may only be read.",
            where=association.folder.name,
            remedy="Run it once more, as a user who may write there.",
        )
    return association


def _temporary_folder() -> TemporaryDirectory[str]:
    with storage_errors("the temporary folder"):
        return TemporaryDirectory(prefix="astrodriz_")
