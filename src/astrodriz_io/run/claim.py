"""Having an association to oneself: its locks, and a folder without half-done commits of dead runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from astrodriz_io.inputs.association import Association, read_association
from astrodriz_io.storage.locking import locked
from astrodriz_io.storage.publishing import is_half_done, recover
from astrodriz_io.terminal.aftermath import Aftermath

__all__ = ["exclusive_association"]


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


def _recovered(folder: Path) -> bool:
    try:
        return bool(recover(folder))
    except KeyboardInterrupt as stopped:
        if is_half_done(folder):
            stopped.add_note(Aftermath.HALF_WAY.value)
        raise
