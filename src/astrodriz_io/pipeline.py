"""The run, from the input file to the products, readable from top to bottom in the order of the stages."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

from astropy.io import fits
from attrs import evolve, frozen

from astrodriz_core.astrometry.selection import select_wcs
from astrodriz_core.errors import AstrodrizError, NoViableDataError
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
from astrodriz_core.records.verification import Policy
from astrodriz_io.distortion import DistortionResult, apply_distortion
from astrodriz_io.finishing import final_stage, write_headerlets
from astrodriz_io.guiding import check_guiding
from astrodriz_io.inputs.association import Association, raw_idctab, read_association
from astrodriz_io.inputs.exposures import Exposure, check_same_configuration, read_exposure
from astrodriz_io.inputs.parameters import ResolvedParameters, drizzle_parameters
from astrodriz_io.inputs.references import sha256_of
from astrodriz_io.outputs.recordfile import write_record
from astrodriz_io.outputs.trailer import failure_trailer, trailer
from astrodriz_io.outputs.workspace import Workspace, publish, storage_errors, workspace
from astrodriz_io.progress import ProgressReporter, SilentProgress
from astrodriz_io.runlog import RunLog, run_log
from astrodriz_io.settings import Settings, settings_from_environment
from astrodriz_io.stages import StageContext, aposteriori_stage, apriori_stage, default_stage

__all__ = ["process", "run_association"]

logger = logging.getLogger(__name__)

PACKAGES = ("astrodriz", "astropy", "drizzle", "numpy", "photutils", "scipy", "stwcs", "tweakwcs")
"""Packages whose versions the record keeps."""


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
    distortion = apply_distortion(inputs.all, settings.references)
    guiding = check_guiding(inputs.deciding, settings)
    inputs = inputs.without(guiding.left_out)
    resolved = _resolve_parameters(inputs, settings)
    context = StageContext(guiding.settings, space, resolved.parameters, progress)

    progress.stage("Default products")
    default, default_record = default_stage(context, inputs.deciding)
    progress.stage("A priori solutions")
    standing, apriori_record = apriori_stage(context, default, default)
    progress.stage("A posteriori fit")
    standing, aposteriori_record = aposteriori_stage(context, standing, default)
    progress.stage("Final products")
    final = final_stage(context, standing, inputs.companions, association.product, started.strftime("%Y-%m-%d"))
    headerlets = write_headerlets(inputs.flt) if settings.headerlets else ()

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
        references=_references(distortion, resolved),
        parameters=resolved.parameters,
        parameter_sources=resolved.sources,
        guiding=guiding.checks,
        stages=(
            _distortion_record(distortion),
            default_record,
            apriori_record,
            aposteriori_record,
            final.record,
        ),
        selection=_select((default_record, apriori_record, aposteriori_record)),
        products=final.products,
        files=(),
        warnings=(*_parameter_warnings(resolved), *guiding.warnings),
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
        """Every working copy."""
        return (*self.deciding, *self.companions)

    @property
    def flt(self) -> tuple[Path, ...]:
        """The FLT files."""
        return self.companions or self.deciding

    def without(self, rootnames: frozenset[str]) -> _Inputs:
        """The inputs less some exposures."""
        kept = [exposure.rootname not in rootnames for exposure in self.exposures]
        return evolve(
            self,
            deciding=_where(kept, self.deciding),
            companions=_where(kept, self.companions) if self.companions else (),
            exposures=_where(kept, self.exposures),
        )


Member = TypeVar("Member")


def _where(kept: Sequence[bool], members: Sequence[Member]) -> tuple[Member, ...]:
    return tuple(member for keep, member in zip(kept, members, strict=True) if keep)


def _take_inputs(association: Association, settings: Settings, space: Workspace) -> _Inputs:
    """Check the exposures and copy those that can be combined into the workspace."""
    sources = [association.path(name) for name in association.deciding]
    exposures = [read_exposure(source) for source in sources]
    usable = [exposure.observation.can_be_combined for exposure in exposures]
    for exposure in exposures:
        for condition in exposure.observation.conditions:
            logger.warning("%s: %s", exposure.rootname, condition.value)
    if not any(usable):
        reasons = "; ".join(
            f"{exposure.rootname}: {', '.join(c.value for c in exposure.observation.conditions)}"
            for exposure in exposures
        )
        raise NoViableDataError(f"No exposure can be combined ({reasons}).", where=association.input_name)
    check_same_configuration(_where(usable, exposures))
    flts = [association.path(name) for name in association.flt] if association.flc else []
    deciding = tuple(space.adopt(source) for source in _where(usable, sources))
    companions = tuple(space.adopt(source) for source in _where(usable, flts)) if flts else ()
    if settings.reset_idctab:
        _reset_idctab(association, (*deciding, *companions))
    read = [association.path(association.input_name), *sources, *flts]
    return _Inputs(
        deciding=deciding,
        companions=companions,
        exposures=tuple(read_exposure(path) for path in deciding),
        digests=tuple(FileDigest(path.name, sha256_of(path)) for path in dict.fromkeys(read)),
    )


def _reset_idctab(association: Association, copies: Iterable[Path]) -> None:
    """Give the working copies the IDCTAB of their RAW files."""
    for copy in copies:
        idctab = raw_idctab(association, read_exposure(copy).rootname)
        if idctab is not None:
            fits.setval(copy, "IDCTAB", value=idctab)


def _resolve_parameters(inputs: _Inputs, settings: Settings) -> ResolvedParameters:
    return drizzle_parameters(
        inputs.exposures,
        settings.references,
        parameter_file=settings.parameter_file,
        overrides=settings.parameter_overrides,
    )


def _parameter_warnings(resolved: ResolvedParameters) -> tuple[str, ...]:
    if not resolved.bundled:
        return ()
    return (f"no MDRIZTAB was found; the drizzle parameters are those of the {resolved.table}",)


def _distortion_record(results: Sequence[DistortionResult]) -> StageRecord:
    names = sorted({result.wcsname or "none" for result in results})
    return StageRecord(
        stage=Stage.DISTORTION,
        outcome=StageOutcome.DONE,
        reason=f"pipeline-default WCS: {', '.join(names)}",
        wcs=tuple(result.wcs for result in results),
    )


def _references(distortion: Sequence[DistortionResult], resolved: ResolvedParameters) -> tuple[FileDigest, ...]:
    used = {used.name: used.sha256 for result in distortion for used in result.references}
    if resolved.mdriztab is not None:
        used[resolved.mdriztab.name] = sha256_of(resolved.mdriztab.path)
    return tuple(FileDigest(name, sha256) for name, sha256 in sorted(used.items()))


def _software() -> tuple[SoftwareVersion, ...]:
    return tuple(SoftwareVersion(name, version(name)) for name in PACKAGES)


ORIGINS = {
    Stage.DEFAULT: WcsOrigin.PIPELINE_DEFAULT,
    Stage.A_PRIORI: WcsOrigin.A_PRIORI,
    Stage.A_POSTERIORI: WcsOrigin.A_POSTERIORI,
}


def _select(stages: Sequence[StageRecord]) -> WcsSelection:
    """The choice among the stages that made a product, with its reason."""
    return select_wcs([_candidate(stage) for stage in stages if stage.drizzle is not None])


def _candidate(stage: StageRecord) -> WcsCandidate:
    verification = stage.verification
    worst = verification.worst if verification else None
    scale = verification.measurements.pixel_scale_arcsec * 1000 if verification else 0.0
    sigmas = [
        registration.sigma_pix
        for registration in (verification.measurements.registration if verification else ())
        if registration.sigma_pix is not None
    ]
    return WcsCandidate(
        origin=ORIGINS[stage.stage],
        wcsname=stage.wcs[0].chips[0].wcsname,
        verdict=verification.verdict if verification else Verdict.UNDETERMINED,
        kept=stage.outcome in (StageOutcome.DONE, StageOutcome.KEPT),
        registration_mas=worst.offset_pix * scale if worst else None,
        registration_error_mas=max(sigmas) * scale if sigmas else None,
        reason=stage.reason,
    )


def _publish(
    association: Association,
    settings: Settings,
    space: Workspace,
    record: RunRecord,
    log: RunLog,
    results: Sequence[Path],
) -> RunRecord:
    """Write record, trailer and manifest beside the results, then bring everything to its place."""
    root = association.rootname
    paths = [*results, space.folder / f"{root}_decisions.json", space.folder / f"{root}.tra"]
    if settings.manifest:
        paths.append(space.folder / f"{root}_manifest.txt")
    record = evolve(record, files=tuple(path.name for path in paths))
    with storage_errors(root):
        write_record(record, space.folder / f"{root}_decisions.json")
        (space.folder / f"{root}.tra").write_text(trailer(record, log.lines), encoding="utf-8")
        if settings.manifest:
            manifest = "".join(f"{name}\n" for name in record.files)
            (space.folder / f"{root}_manifest.txt").write_text(manifest, encoding="utf-8")
    publish(paths, association.folder)
    return record


def _leave_out(association: Association, settings: Settings, log: RunLog, started: datetime) -> RunRecord:
    """The run that DRIZCORR switches off: a trailer and a record, nothing else."""
    logger.info("DRIZCORR is %s: the exposures are not drizzled.", association.drizcorr.value)
    root = association.rootname
    record = RunRecord(
        schema_version=SCHEMA_VERSION,
        root=root,
        product=association.product,
        outcome=RunOutcome.OMITTED,
        started=started.isoformat(timespec="seconds"),
        detector="",
        filter_name="",
        settings=settings.as_record(),
        software=_software(),
        inputs=(),
        references=(),
        parameters=None,
        parameter_sources=(),
        guiding=(),
        stages=(),
        selection=None,
        products=(),
        files=(f"{root}_decisions.json", f"{root}.tra"),
        warnings=(),
    )
    with workspace(association.folder, root, newpath=None, keep=False) as space:
        return _publish(association, settings, space, record, log, ())
