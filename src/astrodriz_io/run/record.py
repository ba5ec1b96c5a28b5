"""Parts of the run record that the shell puts together from what the stages returned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from attrs import evolve

from astrodriz_core.parameters.drizzle import DrizzleParameters
from astrodriz_core.records.common import Stage, Verdict
from astrodriz_core.records.drizzling import ProductRecord
from astrodriz_core.records.run import (
    SCHEMA_VERSION,
    FileDigest,
    ParameterSource,
    RunOutcome,
    RunRecord,
    SettingsRecord,
    SoftwareVersion,
    StageOutcome,
    StageRecord,
)
from astrodriz_io.inputs.association import Association
from astrodriz_io.inputs.parameters import ResolvedParameters
from astrodriz_io.run.settings import REFERENCE_IMAGES
from astrodriz_io.run.state import FinishedRun
from astrodriz_io.storage.digests import sha256_of
from astrodriz_io.wcs.distortion import DistortionResult

__all__ = [
    "companions_warnings",
    "complete",
    "distortion_record",
    "not_tried",
    "omitted_record",
    "parameter_warnings",
    "reference_digests",
    "software_versions",
    "solution_warnings",
    "sources_without_folders",
    "without_folders",
]

PACKAGES = ("astrodriz", "astropy", "drizzle", "numpy", "photutils", "scipy", "stwcs", "tweakwcs")
"""Packages whose versions the record keeps."""


def complete(run: FinishedRun) -> RunRecord:
    """The record of a run whose results are complete, but for the list of files; the sidecar is closed."""
    copies, resolved = run.exposures.copies, run.exposures.parameters
    return RunRecord(
        schema_version=SCHEMA_VERSION,
        root=run.association.rootname,
        product=run.association.product,
        outcome=RunOutcome.DONE,
        started=run.moment,
        detector=copies.exposures[0].description.name,
        filter_name=",".join(copies.exposures[0].filters),
        settings=run.settings.as_record(),
        software=software_versions(),
        inputs=copies.digests,
        references=reference_digests(run.exposures.distortion, resolved),
        parameters=without_folders(resolved.parameters),
        parameter_sources=sources_without_folders(resolved.sources),
        guiding=run.exposures.guiding.checks,
        stages=run.stages,
        selection=run.selection,
        products=run.final.products,
        files=(),
        warnings=_warnings(run),
        outputs=tuple(FileDigest(path.name, sha256_of(path)) for path in (*copies.all, *run.headerlets)),
        sidecar=run.sidecar.close(),
        excluded=copies.excluded,
    )


def _warnings(run: FinishedRun) -> tuple[str, ...]:
    """Everything that the user should know, in the order in which it was found."""
    exposures = run.exposures
    return (
        *exposures.copies.warnings,
        *parameter_warnings(exposures.parameters),
        *exposures.guiding.warnings,
        *not_tried(run.stages),
        *companions_warnings(run.stages[-1], run.final.products),
        *solution_warnings(exposures.distortion, run.stages),
    )


def software_versions() -> tuple[SoftwareVersion, ...]:
    """The installed version of every package that takes part."""
    return tuple(SoftwareVersion(name, version(name)) for name in PACKAGES)


def reference_digests(distortion: Sequence[DistortionResult], resolved: ResolvedParameters) -> tuple[FileDigest, ...]:
    """Every reference file that was used, by name, with its hash."""
    used = {used.name: used.sha256 for result in distortion for used in result.references}
    if resolved.mdriztab is not None:
        used[resolved.mdriztab.name] = sha256_of(resolved.mdriztab.path)
    for request in (resolved.parameters.separate_frame, resolved.parameters.final_frame):
        if request is not None and request.refimage is not None:
            used[Path(request.refimage).name] = sha256_of(Path(request.refimage))
    return tuple(FileDigest(name, sha256) for name, sha256 in sorted(used.items()))


def without_folders(parameters: DrizzleParameters) -> DrizzleParameters:
    """The parameters as the record keeps them: reference images by name."""
    given: dict[str, Any] = {name: getattr(parameters, name) for name in REFERENCE_IMAGES}
    plain: dict[str, Any] = {name: Path(value).name for name, value in given.items() if value is not None}
    return evolve(parameters, **plain)


def sources_without_folders(sources: Sequence[ParameterSource]) -> tuple[ParameterSource, ...]:
    """The same for the list of who set what."""
    return tuple(
        evolve(source, value=Path(source.value).name) if source.name in REFERENCE_IMAGES else source
        for source in sources
    )


def parameter_warnings(resolved: ResolvedParameters) -> tuple[str, ...]:
    """What a user has to know of the parameters' origin."""
    ignored = f"columns of the MDRIZTAB that name no drizzle parameter: {', '.join(resolved.ignored)}"
    return (*resolved.warnings, *((ignored,) if resolved.ignored else ()))


def solution_warnings(distortion: Sequence[DistortionResult], stages: Sequence[StageRecord]) -> tuple[str, ...]:
    """What a user has to know of the WCS solutions in the exposures: kept in another form, or renamed."""
    kept = (
        f"{result.file_name}: IDCTAB is a new one; kept as HDRLET extensions: {', '.join(result.kept)}"
        for result in distortion
        if result.kept
    )
    parts = (part for stage in stages for part in (stage.apriori, stage.aposteriori) if part is not None)
    return (*kept, *(warning for part in parts for warning in part.warnings))


def not_tried(stages: Sequence[StageRecord]) -> tuple[str, ...]:
    """What the alignment stages could not do because the world was away: a service, a folder, a file."""
    return tuple(f"{stage.stage.value}: {reason}" for stage in stages for reason in _not_tried(stage))


def _not_tried(stage: StageRecord) -> Iterator[str]:
    if stage.outcome is StageOutcome.FAILED:
        yield stage.reason
    for astrometric in (stage.apriori, stage.aposteriori):
        if astrometric is not None and astrometric.not_tried is not None:
            yield astrometric.not_tried


def distortion_record(results: Sequence[DistortionResult]) -> StageRecord:
    """The stage of the distortion model."""
    names = sorted({result.wcsname or "none" for result in results})
    return StageRecord(
        stage=Stage.DISTORTION,
        outcome=StageOutcome.DONE,
        reason=f"pipeline-default WCS: {', '.join(names)}",
        wcs=tuple(result.wcs for result in results),
    )


def omitted_record(association: Association, settings: SettingsRecord, started: datetime) -> RunRecord:
    """The record of a run that DRIZCORR switches off."""
    return RunRecord(
        schema_version=SCHEMA_VERSION,
        root=association.rootname,
        product=association.product,
        outcome=RunOutcome.OMITTED,
        started=started.isoformat(timespec="seconds"),
        detector=None,
        filter_name=None,
        settings=settings,
        software=software_versions(),
        inputs=(),
        references=(),
        parameters=None,
        parameter_sources=(),
        guiding=(),
        stages=(),
        selection=None,
        products=(),
        files=(),
        warnings=tuple(str(switch) for switch in association.switched_off_by),
    )


def companions_warnings(final: StageRecord, products: Sequence[ProductRecord]) -> tuple[str, ...]:
    """What a user has to know of the product of the companions, which is the second one."""
    judged = final.companions_verification
    if judged is None or judged.verdict is not Verdict.MISALIGNED:
        return ()
    return (f"{products[1].filename}: the WCS of the FLC files does not align the FLT files: {judged.reason}",)
