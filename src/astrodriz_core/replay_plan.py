"""What a replay has to do, from the record of a run alone: which exposures, with which masks, against which hashes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from attrs import frozen

from astrodriz_core.errors import InputError, RecordError, UsageError
from astrodriz_core.names import file_name, file_stem
from astrodriz_core.records.common import STAGE_ORIGINS, ExposureWcs, Stage, WcsOrigin, combination_title
from astrodriz_core.records.drizzling import DrizzleRecord
from astrodriz_core.records.run import FileDigest, RunRecord, StageRecord

__all__ = ["ORIGIN_WORDS", "ReplayPlan", "origin_in_use", "plan_replay"]

ORIGIN_WORDS: Mapping[str, WcsOrigin] = {
    "default": WcsOrigin.PIPELINE_DEFAULT,
    "apriori": WcsOrigin.A_PRIORI,
    "aposteriori": WcsOrigin.A_POSTERIORI,
}
"""What a user calls the WCS that is to be made again."""


@frozen
class ReplayPlan:
    """What is to be made again.

    Attributes
    ----------
    last : Stage
        The stage with which the replay ends.
    origin : WcsOrigin
        Whose WCS the exposures have.
    sidecar : FileDigest
        Where states and masks are.
    states : tuple of FileDigest
        The deciding exposures, by the states in which they go into `last`.
    companions : tuple of FileDigest
        The FLT files beside deciding FLC files; empty otherwise.
    wcs : tuple of ExposureWcs
        What the headers of `states` have to say.
    drizzle : DrizzleRecord or None
        How the deciding exposures were combined; None where the run did not, and cosmic rays are to be found afresh.
    companion_drizzle : DrizzleRecord or None
        The same for the companions.
    expected : tuple of FileDigest
        What the run had left: products, exposures, headerlets. Empty where it made no such files.
    """

    last: Stage
    origin: WcsOrigin
    sidecar: FileDigest
    states: tuple[FileDigest, ...]
    companions: tuple[FileDigest, ...]
    wcs: tuple[ExposureWcs, ...]
    drizzle: DrizzleRecord | None
    companion_drizzle: DrizzleRecord | None
    expected: tuple[FileDigest, ...]


def plan_replay(record: RunRecord, origin: WcsOrigin | None = None, last: Stage = Stage.FINAL) -> ReplayPlan:
    """Plan the replay of a run.

    Parameters
    ----------
    record : RunRecord
        The record of the run.
    origin : WcsOrigin, optional
        The WCS to make the products with; by default the one that the run made them with.
    last : Stage
        The stage to end with: the distortion model leaves exposures; default, a priori and a posteriori leave
        the exposures and the product as this stage made and verified them, kept or not.

    Raises
    ------
    RecordError
        The record does not have what a replay needs, or names files outside of their folder.
    UsageError
        The run did not make the WCS or the stage that is asked for, or both an origin and an earlier stage are given.
    """
    sidecar = _sidecar(record)
    if last is Stage.FINAL:
        return _final_plan(record, origin, sidecar)
    if origin is not None:
        remedy = "Give only one of the two."
        raise UsageError(f"A choice of the WCS has no meaning until the stage {last.value!r}.", remedy=remedy)
    stage = _stage_with_states(record, last)
    return ReplayPlan(
        last=last,
        origin=STAGE_ORIGINS.get(last, WcsOrigin.PIPELINE_DEFAULT),
        sidecar=sidecar,
        states=stage.states,
        companions=(),
        wcs=stage.wcs,
        drizzle=stage.drizzle,
        companion_drizzle=None,
        expected=(),
    )


def origin_in_use(record: RunRecord) -> WcsOrigin:
    """Where the WCS of a run's final products comes from.

    Raises
    ------
    RecordError
        The run chose none.
    """
    if record.selection is None:
        raise RecordError("The record names no WCS in use.", places=("record.selection",), where=record.root)
    return record.selection.chosen


def _final_plan(record: RunRecord, origin: WcsOrigin | None, sidecar: FileDigest) -> ReplayPlan:
    used = origin_in_use(record)
    origin = origin or used
    stage = _stage_with_states(record, next(s for s, made in STAGE_ORIGINS.items() if made is origin))
    final = _stage(record, Stage.FINAL)
    deciding = {state.name for state in stage.states}
    again = origin is used
    products = (FileDigest(product.filename, product.sha256) for product in record.products)
    return ReplayPlan(
        last=Stage.FINAL,
        origin=origin,
        sidecar=sidecar,
        states=stage.states,
        companions=tuple(state for state in _stage(record, Stage.DISTORTION).states if state.name not in deciding),
        wcs=stage.wcs,
        drizzle=final.drizzle if again else _deliverable(stage),
        companion_drizzle=final.companions if again else None,
        expected=(*products, *record.outputs) if again else (),
    )


def _deliverable(stage: StageRecord) -> DrizzleRecord | None:
    """The combination of a stage, if that is the one that the run would deliver with its WCS.

    Until version 2 a stage took over the cosmic rays of the one before, and the run found them afresh for the product.
    """
    drizzle = stage.drizzle
    own = combination_title(stage.stage.name.lower())
    return drizzle if drizzle is not None and drizzle.cosmic_rays_from == own else None


def _stage(record: RunRecord, wanted: Stage) -> StageRecord:
    found = next((stage for stage in record.stages if stage.stage is wanted), None)
    if found is None:
        raise RecordError(f"The record has no stage {wanted.value!r}.", places=("record.stages",), where=record.root)
    return found


def _stage_with_states(record: RunRecord, wanted: Stage) -> StageRecord:
    stage = _stage(record, wanted)
    if not stage.states:
        problem = f"The run has nothing of the stage {wanted.value!r}: it was {stage.outcome.value} ({stage.reason})."
        raise UsageError(problem, where=record.root, remedy="Choose another one; `astrodriz explain` lists them.")
    return stage


def _sidecar(record: RunRecord) -> FileDigest:
    """The sidecar of a record that has all that a replay needs, and names no file elsewhere."""
    if not record.stages:
        raise RecordError(f"There is nothing to replay: {record.outcome.value}.", where=record.root)
    if record.sidecar is None:
        problem = "The record is of an early version of astrodriz, which kept no masks and headers for a replay."
        raise RecordError(problem, places=("record.sidecar",), where=record.root, remedy="Run again.")
    try:
        for stem in _stems(record):
            file_stem(stem, record.root)
        for name in (record.sidecar.name, *_names(record)):
            file_name(name, record.root)
    except InputError as error:
        raise RecordError(error.problem, where=error.where, remedy=error.remedy) from error
    return record.sidecar


def _stems(record: RunRecord) -> Iterator[str]:
    """Every text of a record from which names of files are made."""
    yield from (record.root, record.product)
    yield from (wcs.rootname for stage in record.stages for wcs in stage.wcs)


def _names(record: RunRecord) -> Iterator[str]:
    """Every text of a record, but for its sidecar's, that is the name of a file."""
    states = (state for stage in record.stages for state in stage.states)
    yield from (digest.name for digest in (*record.inputs, *record.references, *record.outputs, *states))
    yield from record.files
    yield from (product.filename for product in record.products)
    if record.parameters is not None:
        images = (record.parameters.driz_sep_refimage, record.parameters.final_refimage)
        yield from (image for image in images if image is not None)
