"""A run made again from its record: offline, nothing detected, no catalogue, no reference file."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from astrodriz_core.arrays import Mask
from astrodriz_core.combine.masks import unpack_mask
from astrodriz_core.errors import MeasurementError, MissingFilesError, RecordError, UsageError
from astrodriz_core.parameters.drizzle import DrizzleParameters
from astrodriz_core.records.common import Stage, WcsOrigin
from astrodriz_core.records.drizzling import DrizzleRecord, MaskDigest
from astrodriz_core.records.run import FileDigest, RunRecord
from astrodriz_core.replay_plan import ReplayPlan, plan_replay
from astrodriz_io.drizzling.repeating import RecordedCombination
from astrodriz_io.products.product import write_product
from astrodriz_io.record_files.exposure_states import restore_state
from astrodriz_io.record_files.record import read_record
from astrodriz_io.record_files.sidecar import Piece, SidecarReader, read_sidecar
from astrodriz_io.run.context import StageContext
from astrodriz_io.run.record import software_versions
from astrodriz_io.run.settings import REFERENCE_IMAGES, Settings
from astrodriz_io.run.stages.final import COMPANIONS, FINAL, HeaderStamp, deliver, header_stamp, write_headerlets
from astrodriz_io.run.working_copies import find_untouched
from astrodriz_io.runtime.library_warnings import library_warnings
from astrodriz_io.runtime.progress import ProgressReporter, SilentProgress
from astrodriz_io.runtime.workers import worker_processes
from astrodriz_io.storage.digests import check_digest, sha256_of
from astrodriz_io.storage.disk import storage_errors
from astrodriz_io.storage.locking import locked
from astrodriz_io.storage.places import place
from astrodriz_io.storage.publishing import publish, recover
from astrodriz_io.storage.workspace import Workspace, workspace
from astrodriz_io.wcs.distortion import exposure_wcs

__all__ = ["ReplayResult", "replay"]


@frozen
class ReplayResult:
    """What a replay left, and whether it is what the run had left.

    Attributes
    ----------
    root : str
        Rootname of the run.
    plan : ReplayPlan
        What was made.
    files : tuple of FileDigest
        Every file that was written.
    different : tuple of str
        Files that are not, byte for byte, those of the run; empty also where the run made no such files.
    software : tuple of str
        Packages that have another version than in the run.
    """

    root: str
    plan: ReplayPlan
    files: tuple[FileDigest, ...]
    different: tuple[str, ...]
    software: tuple[str, ...]


@library_warnings()
def replay(
    record_file: str | os.PathLike[str],
    inputs: str | os.PathLike[str],
    output: str | os.PathLike[str],
    progress: ProgressReporter | None = None,
    *,
    origin: WcsOrigin | None = None,
    last: Stage = Stage.FINAL,
    settings: Settings | None = None,
) -> ReplayResult:
    """Make the files of a run again.

    Parameters
    ----------
    record_file : path
        ``<root>_decisions.json``; its sidecar lies beside it.
    inputs : path
        Folder of the exposures as they were before the run; only read.
    output : path
        Folder for the results, made if need be; another one than `inputs`.
    progress : ProgressReporter, optional
        Told how far the replay is; by default nobody is.
    origin, last
        As for `plan_replay`.
    settings : Settings, optional
        Of them the number of cores, whether images are kept in memory, and how long to wait for another run that holds
        the association in `output`. The results depend on none of these.

    Raises
    ------
    DifferentInputError
        An exposure, or the sidecar, is not the one of the run.
    MissingFilesError
        One is missing.
    RecordError
        The record or the sidecar is damaged, or too old.
    UsageError
        `output` is `inputs`, or the run did not make what is asked for.
    """
    progress = progress or SilentProgress()
    record_file, inputs, output = Path(record_file), Path(inputs), Path(output)
    settings = settings or Settings()
    progress.stage("Check the record and its inputs")
    record = read_record(record_file)
    plan = plan_replay(record, origin, last)
    _check_inputs(record, inputs)
    with storage_errors(output.name):
        output.mkdir(parents=True, exist_ok=True)
        if output.samefile(inputs):
            raise UsageError("The replay would write over its inputs.", remedy="Give another folder as output.")
    names = (record.root, record.product, *(wcs.rootname for wcs in plan.wcs))
    with read_sidecar(record_file.parent, plan.sidecar) as sidecar, locked(output, names, wait=settings.wait):
        recover(output)
        with (
            workspace(output, record.root, newpath=None, keep=False, names=names) as space,
            worker_processes(settings.num_cores) as workers,
        ):
            progress.stage("Exposures")
            files = _restore((*plan.states, *plan.companions), inputs, sidecar, space)
            _check_wcs(plan, files)
            context = StageContext(
                settings, space, _parameters(record, inputs), progress, workers, measured=_measured(plan, sidecar)
            )
            results = _make(record, plan, context, files)
            digests = tuple(FileDigest(path.name, sha256_of(path)) for path in results)
            publish(results, output, record.root)
    return ReplayResult(record.root, plan, digests, _different(plan, digests), _other_software(record))


def _check_inputs(record: RunRecord, inputs: Path) -> None:
    missing = tuple(file.name for file in record.inputs if not place(inputs, file.name).is_file())
    if missing:
        raise MissingFilesError(
            f"Files of the run are missing: {', '.join(missing)}.",
            files=missing,
            where=inputs.name,
            remedy="Give the folder of the untouched exposures.",
        )
    for file in record.inputs:
        with storage_errors(file.name):
            check_digest(place(inputs, file.name), file)


def _restore(states: Sequence[FileDigest], inputs: Path, sidecar: SidecarReader, space: Workspace) -> tuple[Path, ...]:
    paths = tuple(space.place(state.name) for state in states)
    for state, path in zip(states, paths, strict=True):
        restore_state(state, find_untouched(inputs, state.name, space), path, sidecar)
    return paths


def _check_wcs(plan: ReplayPlan, files: Sequence[Path]) -> None:
    """The sidecar's headers have to have the WCS that the record gives in numbers."""
    for file in files[: len(plan.states)]:
        if exposure_wcs(file) not in plan.wcs:
            raise RecordError("The WCS in the sidecar is not the one in the record.", where=file.name)


def _parameters(record: RunRecord, inputs: Path) -> DrizzleParameters:
    """The parameters of the run; reference images are looked for among the inputs."""
    if record.parameters is None:
        raise RecordError("It has no drizzle parameters.", places=("record.parameters",), where=record.root)
    hashes = {file.name: file for file in record.references}
    given = {name: getattr(record.parameters, name) for name in REFERENCE_IMAGES}
    paths = {name: place(inputs, value) for name, value in given.items() if value is not None}
    for path in paths.values():
        if path.is_file() and path.name in hashes:
            check_digest(path, hashes[path.name])
    images: dict[str, Any] = {name: str(path) for name, path in paths.items()}
    return evolve(record.parameters, **images)


def _measured(plan: ReplayPlan, sidecar: SidecarReader) -> Mapping[str, RecordedCombination]:
    recorded = {FINAL: plan.drizzle, COMPANIONS: plan.companion_drizzle}
    return {name: _recorded_combination(drizzle, sidecar) for name, drizzle in recorded.items() if drizzle is not None}


def _recorded_combination(drizzle: DrizzleRecord, sidecar: SidecarReader) -> RecordedCombination:
    static = {count.chip: _mask(count.mask, sidecar) for count in drizzle.static_mask}
    cosmic_rays = {count.key: _mask(count.mask, sidecar) for count in drizzle.cosmic_rays}
    return RecordedCombination(drizzle, static, cosmic_rays)


def _mask(digest: MaskDigest | None, sidecar: SidecarReader) -> Mask:
    if digest is None:
        raise RecordError("The record does not say which pixels a mask has.")
    try:
        return unpack_mask(sidecar.get(Piece.MASK, digest.sha256), digest.shape)
    except MeasurementError as error:
        raise RecordError(error.problem) from error


def _make(record: RunRecord, plan: ReplayPlan, context: StageContext, files: tuple[Path, ...]) -> tuple[Path, ...]:
    """Everything that the replay leaves, in the workspace."""
    stamp = header_stamp(
        plan.origin, record.started, [stage for stage in record.stages if stage.stage is not Stage.FINAL]
    )
    context.progress.stage("Products")
    if plan.last is not Stage.FINAL:
        return (*_stage_product(record, plan, context, files, stamp), *files)
    deciding, companions = files[: len(plan.states)], files[len(plan.states) :]
    combination = context.combine(deciding, FINAL)
    final = deliver(context, deciding, combination, companions, record.product, stamp)
    headerlets = write_headerlets(companions or deciding, stamp) if record.settings.headerlets else ()
    return (*final.files, *files, *headerlets)


def _stage_product(
    record: RunRecord, plan: ReplayPlan, context: StageContext, files: tuple[Path, ...], stamp: HeaderStamp
) -> tuple[Path, ...]:
    """The product that an earlier stage verified; the distortion model has none."""
    if plan.drizzle is None:
        return ()
    path = context.workspace.place(record.products[0].filename)
    write_product(context.combine(files, FINAL), path, stamp.moment)
    return (path,)


def _different(plan: ReplayPlan, results: Sequence[FileDigest]) -> tuple[str, ...]:
    """Names of files that only one side has, or that differ; none where there is nothing to compare with."""
    return tuple(sorted({file.name for file in set(plan.expected) ^ set(results)})) if plan.expected else ()


def _other_software(record: RunRecord) -> tuple[str, ...]:
    """Packages whose version is not that of the run."""
    now = {package.name: package.version for package in software_versions()}
    return tuple(
        f"{package.name} {package.version} in the run, {now.get(package.name, 'none')} now"
        for package in record.software
        if now.get(package.name) != package.version
    )
