"""The run, from the input file to the products, readable from top to bottom in the order of the stages."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from attrs import evolve, frozen

from astrodriz_core.astrometry.selection import select_wcs
from astrodriz_core.errors import AstrodrizError, NoViableDataError
from astrodriz_core.observation import Consequence
from astrodriz_core.records.astrometry import WcsCandidate, WcsSelection
from astrodriz_core.records.common import Stage, Verdict, WcsOrigin
from astrodriz_core.records.run import (
    SCHEMA_VERSION,
    FileDigest,
    RunOutcome,
    RunRecord,
    SoftwareVersion,
    StageOutcome,
    StageRecord,
)
from astrodriz_core.records.verification import GuidingCheck, GuidingOutcome, Policy
from astrodriz_io.distortion import DistortionResult, apply_distortion
from astrodriz_io.finishing import FinalProducts, final_stage, write_headerlets
from astrodriz_io.guiding import check_exposures
from astrodriz_io.inputs.association import Association, raw_idctab, read_association
from astrodriz_io.inputs.exposures import Exposure, check_same_configuration, read_exposure
from astrodriz_io.inputs.parameters import EffectiveParameters, effective_parameters
from astrodriz_io.inputs.references import sha256_of
from astrodriz_io.outputs.recordfile import write_record
from astrodriz_io.outputs.trailer import failure_trailer, trailer
from astrodriz_io.outputs.workspace import Workspace, publish, workspace
from astrodriz_io.progress import ProgressReporter, SilentProgress
from astrodriz_io.runlog import RunLog, run_log
from astrodriz_io.settings import Settings, settings_from_environment
from astrodriz_io.stages import StageContext, Standing, aposteriori_stage, apriori_stage, default_stage

__all__ = ["process", "run_association"]

logger = logging.getLogger(__name__)

PACKAGES = ("astrodriz", "astropy", "drizzle", "numpy", "photutils", "scipy", "stwcs", "tweakwcs")
"""Packages whose versions the record keeps."""


def process(
    inputFilename: str | os.PathLike[str],  # noqa: N803  (the documented name)
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
        Local astrometric catalogue in place of the service.
    headerlet_folder : Path, optional
        Local folder of a priori headerlets in place of the astrometry database.
    policy : Policy
        The policy whose verdict decides.
    parameter_file : Path, optional
        TOML file of drizzle parameters.
    parameter_overrides : mapping of str to str, optional
        Single drizzle parameters.
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
    settings = Settings(
        force=force,
        newpath=None if newpath is None else Path(newpath),
        in_memory=inmemory,
        num_cores=num_cores if num_cores is not None else os.cpu_count() or 1,
        headerlets=headerlets,
        compute_aposteriori=align_to_gaia,
        force_alignment=force_alignment,
        verify_guiding=do_verify_guiding,
        debug=debug,
        manifest=make_manifest,
        policy=policy,
        catalog=catalog,
        headerlet_folder=headerlet_folder,
        parameter_file=parameter_file,
        parameter_overrides=tuple((parameter_overrides or {}).items()),
    )
    settings, notes = settings_from_environment(settings, os.environ if environment is None else environment)
    return run_association(Path(inputFilename), settings, progress or SilentProgress(), notes)


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
    started = datetime.now(UTC)
    with run_log(debug=settings.debug) as log:
        for note in notes:
            logger.warning("%s", note)
        progress.stage("Initialise")
        association = read_association(input_file, force=settings.force)
        try:
            if not association.to_be_drizzled:
                return _leave_out(association, settings, log, started)
            with workspace(
                association.folder, association.rootname, newpath=settings.newpath, keep=settings.debug
            ) as space:
                return _run_stages(association, settings, space, progress, log, started)
        except AstrodrizError as error:
            logger.error("%s", error)
            text = failure_trailer(association.rootname, error, log.lines)
            (association.folder / f"{association.rootname}.tra").write_text(text, encoding="utf-8")
            raise


def _run_stages(
    association: Association,
    settings: Settings,
    space: Workspace,
    progress: ProgressReporter,
    log: RunLog,
    started: datetime,
) -> RunRecord:
    """Initialise, distortion, default, a priori, a posteriori, final: one after the other."""
    inputs = _take_inputs(association, settings, space)
    progress.stage("Distortion model")
    distortion = apply_distortion((*inputs.deciding, *inputs.companions), settings.references)
    parameters = effective_parameters(inputs.exposures, settings)
    guided = _with_guiding(settings, inputs)
    context = StageContext(guided.settings, space, parameters.parameters, progress)

    progress.stage("Default products")
    default, default_record = default_stage(context, inputs.deciding)
    progress.stage("A priori solutions")
    standing, apriori_record = apriori_stage(context, default, default)
    progress.stage("A posteriori fit")
    standing, aposteriori_record = aposteriori_stage(context, standing, default)
    stages = (_distortion_record(distortion), default_record, apriori_record, aposteriori_record)

    progress.stage("Final products")
    date = started.strftime("%Y-%m-%d")
    final = final_stage(context, standing, inputs.companions, association.product, date)
    flts = inputs.companions or inputs.deciding
    headerlets = write_headerlets(flts) if settings.headerlets else ()
    record = RunRecord(
        schema_version=SCHEMA_VERSION,
        root=association.rootname,
        product=association.product,
        outcome=RunOutcome.DONE,
        started=started.isoformat(timespec="seconds"),
        detector=inputs.exposures[0].description.name,
        filter_name=",".join(inputs.exposures[0].filters),
        settings=settings.as_record(),
        software=_software(),
        inputs=inputs.digests,
        references=_references(distortion),
        parameters=parameters.parameters,
        parameter_sources=parameters.sources,
        guiding=guided.checks,
        stages=(*stages, final.record),
        selection=_select(stages),
        products=final.products,
        files=(),
        warnings=(*parameters.warnings, *guided.warnings),
    )
    return _publish(association, settings, space, record, log, (*final.files, *inputs.all, *headerlets))


@frozen(eq=False)
class _Inputs:
    """Working copies of the exposures.

    Attributes
    ----------
    deciding : tuple of Path
        FLC files, or FLT files where there are no FLC files.
    companions : tuple of Path
        The FLT files beside FLC files.
    exposures : tuple of Exposure
        Metadata of the deciding files.
    digests : tuple of FileDigest
        Of all files as the user has them.
    """

    deciding: tuple[Path, ...]
    companions: tuple[Path, ...]
    exposures: tuple[Exposure, ...]
    digests: tuple[FileDigest, ...]

    @property
    def all(self) -> tuple[Path, ...]:
        return (*self.deciding, *self.companions)
