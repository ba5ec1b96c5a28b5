"""The run, from the input file to the products, readable from top to bottom in the order of the stages."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from astrodriz_core.records.run import RunRecord, StageRecord
from astrodriz_core.records.verification import Policy
from astrodriz_io.run.claim import exclusive_association
from astrodriz_io.run.ending import RunEnding
from astrodriz_io.run.record import complete, omitted_record
from astrodriz_io.run.results import publish_results
from astrodriz_io.run.settings import Settings, check_newpath, settings_from_call, settings_from_environment
from astrodriz_io.run.stages.aposteriori import aposteriori_stage
from astrodriz_io.run.stages.apriori import apriori_stage
from astrodriz_io.run.stages.default import default_stage
from astrodriz_io.run.stages.distortion import distortion_stage
from astrodriz_io.run.stages.final import final_stage
from astrodriz_io.run.state import FinishedRun, PreparedRun, StartedRun
from astrodriz_io.runtime.library_warnings import library_warnings
from astrodriz_io.runtime.log import RunLog, run_log
from astrodriz_io.runtime.progress import LoggedProgress, ProgressReporter, SilentProgress
from astrodriz_io.runtime.workers import worker_processes
from astrodriz_io.storage.disk import storage_errors
from astrodriz_io.storage.workspace import Workspace, workspace

__all__ = ["beginning", "process", "run_association", "run_stages"]

logger = logging.getLogger(__name__)

Before = TypeVar("Before", bound=PreparedRun)
After = TypeVar("After", bound=PreparedRun)


def process(
    inputFilename: str | os.PathLike[str],
    force: bool = False,
    newpath: str | os.PathLike[str] | None = None,
    inmemory: bool = False,
    num_cores: int | None = None,
    headerlets: bool = True,
    align_to_gaia: bool = True,
    force_alignment: bool = False,
    do_verify_guiding: bool = False,
    debug: bool = False,
    make_manifest: bool = False,
    *,
    catalog: Path | None = None,
    headerlet_folder: Path | None = None,
    policy: Policy = Policy.CALIBRATED,
    parameter_file: Path | None = None,
    parameter_overrides: Mapping[str, str] | None = None,
    wait: float = 0.0,
    environment: Mapping[str, str] | None = None,
    progress: ProgressReporter | None = None,
) -> RunRecord:
    """Verify, align and combine the exposures of one association or one single exposure.

    Parameters
    ----------
    inputFilename : path
        ``<root>_asn.fits``, ``<root>_raw.fits``, or a bare ``_flt.fits`` or ``_flc.fits``.
    force : bool
        Drizzle even where DRIZCORR says OMIT, and keep exposures that failed the guiding check.
    newpath : path, optional
        Folder under which the work is done, in a sub-folder named after the input; results come back.
    inmemory : bool
        Keep intermediate images in memory instead of in scratch files.
    num_cores : int, optional
        How many chips are worked on at a time; by default as many as the machine has cores.
    headerlets : bool
        Write a headerlet of the final WCS of every exposure.
    align_to_gaia : bool
        Run the a posteriori stage; the variable ASTROMETRY_COMPUTE_APOSTERIORI wins over it.
    force_alignment : bool
        Align even though the guiding check failed.
    do_verify_guiding : bool
        Look for trailed exposures first, and leave them out.
    debug : bool
        Log in detail and keep the workspace folder.
    make_manifest : bool
        Write ``<root>_manifest.txt``, the list of all files that the run left.
    catalog : Path, optional
        Astrometric catalogue in place of the service: a table, the folder of a cache, or ``gaia-archive``.
    headerlet_folder : Path, optional
        Local folder of a priori headerlets in place of the astrometry database.
    policy : Policy
        The policy whose verdict decides.
    parameter_file : Path, optional
        TOML file of drizzle parameters.
    parameter_overrides : mapping of str to str, optional
        Single drizzle parameters.
    wait : float
        Seconds to wait for another run that holds the association or one of its exposures.
    environment : mapping of str to str, optional
        In place of the environment of the process.
    progress : ProgressReporter, optional
        Told how far the run is; by default nobody is.

    Returns
    -------
    RunRecord
        Everything that was decided, and what was written.

    Raises
    ------
    AstrodrizError
        The run could not be done; the exposures are as they were.
    """
    asked = settings_from_call(dict(locals()))
    settings, notes = settings_from_environment(asked, os.environ if environment is None else environment)
    return run_association(Path(inputFilename), settings, progress or SilentProgress(), notes)


@library_warnings()
def run_association(
    input_file: Path, settings: Settings, progress: ProgressReporter, notes: Sequence[str] = ()
) -> RunRecord:
    """Run all stages on one input; see `process`.

    Parameters
    ----------
    input_file : Path
        The association table, RAW, FLT or FLC.
    settings : Settings
        What the user asked for.
    progress : ProgressReporter
        Told how far the run is.
    notes : sequence of str
        Warnings that the reading of the settings gave.
    """
    with (
        beginning(settings, progress, notes) as (started, log, logged),
        exclusive_association(input_file, force=settings.force, wait=settings.wait) as association,
        RunEnding(association, log) as ending,
        storage_errors(association.rootname),
    ):
        run = StartedRun(association=association, settings=settings, started=started)
        return _run(run, logged, ending) if association.to_be_drizzled else _omit(run, ending)


@contextmanager
def beginning(
    settings: Settings, progress: ProgressReporter, notes: Sequence[str]
) -> Iterator[tuple[datetime, RunLog, ProgressReporter]]:
    """What a run and its plan begin with, before they look at their input; arguments as for `run_association`.

    Yields
    ------
    started : datetime
        In UTC.
    log : RunLog
        Of the block; the notes are in it.
    progress : LoggedProgress
        The reporter, whose lines are in the log too.
    """
    check_newpath(settings.newpath)
    started = datetime.now(UTC)
    logged = LoggedProgress(progress)
    with run_log(debug=settings.debug) as log:
        for note in notes:
            logger.warning("%s", note)
        logged.stage("Initialise")
        yield started, log, logged


def _run(run: StartedRun, progress: ProgressReporter, ending: RunEnding) -> RunRecord:
    """All stages, in a workspace of their own, and their results to where the exposures are."""
    names = run.association
    with workspace(
        names.folder,
        names.rootname,
        newpath=run.settings.newpath,
        keep=run.settings.debug,
        names=names.lock_names,
    ) as space:
        if space.kept_as is not None:
            progress.note(f"The workspace, with the exposures of each stage, will stay: {space.kept_as}")
        finished = run_stages(run, space, progress, ending.add)
        product = finished.current.combination.final
        return publish_results(finished, complete(finished), space, ending, files=finished.files, product=product)


def run_stages(
    run: StartedRun, space: Workspace, progress: ProgressReporter, heard: Callable[[StageRecord], None]
) -> FinishedRun:
    """One stage after the other; each takes the run as far as it is known, and returns it with what it has found.

    Parameters
    ----------
    run : StartedRun
        Its files are only read.
    space : Workspace
        Receives all that is made.
    progress : ProgressReporter
        Told of each stage.
    heard : callable
        Gets the record of each stage when it has ended.
    """

    def after(title: str, stage: Callable[[Before], After], known: Before) -> After:
        progress.stage(title)
        grown = stage(known)
        heard(grown.stages[-1])
        return grown

    with worker_processes(run.settings.num_cores) as workers:
        prepared = distortion_stage(run, space, progress, workers)
        solved = after("Default products", default_stage, prepared)
        solved = after("A priori solutions", apriori_stage, solved)
        solved = after("A posteriori fit", aposteriori_stage, solved)
        return after("Final products", final_stage, solved)


def _omit(run: StartedRun, ending: RunEnding) -> RunRecord:
    """The run that DRIZCORR switches off: what tells of it, and nothing else."""
    for switch in run.association.switched_off_by:
        logger.warning("%s: the exposures are not drizzled", switch)
    record = omitted_record(run.association, run.settings.as_record(), run.started)
    with workspace(run.association.folder, run.association.rootname, newpath=None, keep=False) as space:
        return publish_results(run, record, space, ending)
