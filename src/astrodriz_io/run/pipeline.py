"""The run, from the input file to the products, readable from top to bottom in the order of the stages."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from attrs import evolve

from astrodriz_core.decide.selection import select_wcs
from astrodriz_core.records.run import SCHEMA_VERSION, FileDigest, RunOutcome, RunRecord
from astrodriz_core.records.verification import Policy
from astrodriz_io.inputs.association import Association
from astrodriz_io.record_files.sidecar import SidecarWriter
from astrodriz_io.run.claim import claimed
from astrodriz_io.run.ending import RunEnding
from astrodriz_io.run.final import final_note, final_record, final_stage, write_headerlets
from astrodriz_io.run.preparation import prepare
from astrodriz_io.run.record import (
    companions_warnings,
    distortion_record,
    not_tried,
    omitted_record,
    parameter_warnings,
    reference_digests,
    software_versions,
    solution_warnings,
    sources_without_folders,
    without_folders,
)
from astrodriz_io.run.recorder import DecisionKeeper
from astrodriz_io.run.results import leave_results
from astrodriz_io.run.settings import Settings, check_newpath, settings_from_call, settings_from_environment
from astrodriz_io.run.stages import StageContext, aposteriori_stage, apriori_stage, default_stage
from astrodriz_io.runtime.library_warnings import library_warnings
from astrodriz_io.runtime.log import run_log
from astrodriz_io.runtime.progress import LoggedProgress, ProgressReporter, SilentProgress
from astrodriz_io.storage.digests import sha256_of
from astrodriz_io.storage.disk import storage_errors
from astrodriz_io.storage.names import ENDINGS
from astrodriz_io.storage.workspace import Workspace, workspace

__all__ = ["process", "run_association"]

logger = logging.getLogger(__name__)


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
    check_newpath(settings.newpath)
    started = datetime.now(UTC)
    progress = LoggedProgress(progress)
    with run_log(debug=settings.debug) as log:
        for note in notes:
            logger.warning("%s", note)
        progress.stage("Initialise")
        with (
            claimed(input_file, force=settings.force, wait=settings.wait) as association,
            RunEnding(association, log) as ending,
            storage_errors(association.rootname),
        ):
            if not association.to_be_drizzled:
                return _leave_out(association, settings, started, ending)
            with workspace(
                association.folder,
                association.rootname,
                newpath=settings.newpath,
                keep=settings.debug,
                names=association.lock_names,
            ) as space:
                if space.kept_as is not None:
                    progress.note(f"The workspace, with the exposures of each stage, will stay: {space.kept_as}")
                return _run_stages(association, settings, space, progress, started, ending)


def _run_stages(
    association: Association,
    settings: Settings,
    space: Workspace,
    progress: ProgressReporter,
    started: datetime,
    ending: RunEnding,
) -> RunRecord:
    """Initialise, distortion, default, a priori, a posteriori, final: one after the other."""
    prepared = prepare(association, settings, space, progress)
    copies, guiding, resolved = prepared.copies, prepared.guiding, prepared.parameters
    sidecar = SidecarWriter(space.place(f"{association.rootname}{ENDINGS['sidecar']}"))
    keeper = DecisionKeeper(sidecar, copies.untouched)
    context = StageContext(guiding.settings, space, resolved.parameters, progress, keeper)
    distorted = evolve(distortion_record(prepared.distortion), states=context.keep_states(copies.all))

    progress.stage("Default products")
    default, default_record = default_stage(context, copies.deciding)
    ending.add(default_record)
    progress.stage("A priori solutions")
    standing, apriori_record = apriori_stage(context, default, default)
    ending.add(apriori_record)
    if standing is default:
        # Solutions that were not applied are attached to the exposures all the same.
        default_record = evolve(default_record, states=context.keep_states(default.files))
    progress.stage("A posteriori fit")
    standing, aposteriori_record = aposteriori_stage(context, standing, default)
    ending.add(aposteriori_record)
    progress.stage("Final products")
    made = (default_record, apriori_record, aposteriori_record)
    selection = select_wcs(made)
    note = final_note(selection.chosen, started.isoformat(timespec="seconds"), made)
    final = final_stage(context, standing.files, standing.combination, copies.companions, association.product, note)
    final_stage_record = final_record(standing, final, settings.policy, note)
    ending.add(final_stage_record)
    headerlets = write_headerlets(copies.flt, note) if settings.headerlets else ()

    record = RunRecord(
        schema_version=SCHEMA_VERSION,
        root=association.rootname,
        product=association.product,
        outcome=RunOutcome.DONE,
        started=started.isoformat(timespec="seconds"),
        detector=copies.exposures[0].description.name,
        filter_name=",".join(copies.exposures[0].filters),
        settings=settings.as_record(),
        software=software_versions(),
        inputs=copies.digests,
        references=reference_digests(prepared.distortion, resolved),
        parameters=without_folders(resolved.parameters),
        parameter_sources=sources_without_folders(resolved.sources),
        guiding=guiding.checks,
        stages=(distorted, *made, final_stage_record),
        selection=selection,
        products=final.products,
        files=(),
        warnings=(
            *copies.warnings,
            *parameter_warnings(resolved),
            *guiding.warnings,
            *not_tried(made),
            *companions_warnings(final_stage_record, final.products),
            *solution_warnings(prepared.distortion, made),
        ),
        outputs=tuple(FileDigest(path.name, sha256_of(path)) for path in (*copies.all, *headerlets)),
        sidecar=sidecar.close(),
        excluded=copies.excluded,
    )
    return leave_results(
        record,
        (*final.files, *copies.all, *headerlets),
        standing.combination.final,
        ending,
        space=space,
        home=association.folder,
        settings=settings,
    )


def _leave_out(association: Association, settings: Settings, started: datetime, ending: RunEnding) -> RunRecord:
    """The run that DRIZCORR switches off: what tells of it, and nothing else."""
    for switch in association.switched_off_by:
        logger.warning("%s: the exposures are not drizzled", switch)
    record = omitted_record(association, settings.as_record(), started)
    with workspace(association.folder, association.rootname, newpath=None, keep=False) as space:
        return leave_results(record, (), None, ending, space=space, home=association.folder, settings=settings)
