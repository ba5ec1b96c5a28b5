"""What a run would do: all of its stages on private copies, and nothing of it brought back."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from astrodriz_core.records.run import RunRecord
from astrodriz_io.run.claim import undisturbed_association
from astrodriz_io.run.pipeline import beginning, run_stages
from astrodriz_io.run.record import complete, omitted_record
from astrodriz_io.run.results import with_files
from astrodriz_io.run.settings import Settings, settings_from_environment
from astrodriz_io.run.state import StartedRun
from astrodriz_io.runtime.library_warnings import library_warnings
from astrodriz_io.runtime.progress import ProgressReporter, SilentProgress
from astrodriz_io.storage.disk import storage_errors
from astrodriz_io.storage.workspace import workspace

__all__ = ["plan", "plan_association"]


def plan(
    input_file: str | os.PathLike[str], settings: Settings | None = None, progress: ProgressReporter | None = None
) -> RunRecord:
    """Measure and decide everything that `process` would, and write nothing.

    The stages work on copies in a private folder, which is removed; the files of the user are only read. Where their
    folder may only be read, the copies lie in a temporary folder elsewhere, which a logged warning names.

    Parameters
    ----------
    input_file : path
        Whatever `process` takes.
    settings : Settings, optional
        What the user asked for; by default what the environment of the process says. Nothing is kept for debugging.
    progress : ProgressReporter, optional
        Told how far it is; by default nobody is.

    Returns
    -------
    RunRecord
        Of the run as it would be. `files`, `outputs`, `products` and `sidecar` tell what it would leave.

    Raises
    ------
    AstrodrizError
        What stops a run stops its plan.
    """
    asked, notes = (settings, ()) if settings else settings_from_environment(Settings(), os.environ)
    return plan_association(Path(input_file), asked, progress or SilentProgress(), notes)


@library_warnings()
def plan_association(
    input_file: Path, settings: Settings, progress: ProgressReporter, notes: Sequence[str] = ()
) -> RunRecord:
    """Plan the run of one input; see `plan`, and for the arguments `astrodriz_io.run.pipeline.run_association`."""
    with (
        beginning(settings, progress, notes) as (started, _, logged),
        undisturbed_association(input_file, force=settings.force, wait=settings.wait) as (association, home),
        storage_errors(association.rootname),
    ):
        run = StartedRun(association=association, settings=settings, started=started)
        if not association.to_be_drizzled:
            return with_files(run, omitted_record(association, settings.as_record(), started))
        names = association.lock_names
        with workspace(home, association.rootname, newpath=settings.newpath, keep=False, names=names) as space:
            finished = run_stages(run, space, logged, lambda _: None)
            return with_files(finished, complete(finished), finished.files)
