"""What the record of every run fulfils beyond its schema: that its parts agree with each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from astrodriz_core.decide.keep import missing_exposures
from astrodriz_core.decide.selection import STAYING, select_wcs, standing_stage
from astrodriz_core.errors import MeasurementError
from astrodriz_core.records.astrometry import WcsCandidate
from astrodriz_core.records.common import STAGE_ORIGINS, Stage, Verdict, WcsOrigin, combination_title
from astrodriz_core.records.run import RunOutcome, RunRecord, StageOutcome, StageRecord
from astrodriz_core.records.verification import Verification

__all__ = ["check_record"]

ORDER = tuple(stage for stage in Stage if stage is not Stage.INITIALISE)
"""The stages of a run that was not left out."""

OUTCOMES = {
    Stage.DISTORTION: (StageOutcome.DONE,),
    Stage.DEFAULT: (StageOutcome.DONE,),
    Stage.A_PRIORI: (StageOutcome.KEPT, StageOutcome.REVERTED, StageOutcome.SKIPPED, StageOutcome.FAILED),
    Stage.A_POSTERIORI: (StageOutcome.KEPT, StageOutcome.REVERTED, StageOutcome.SKIPPED, StageOutcome.FAILED),
    Stage.FINAL: (StageOutcome.DONE,),
}
"""How each of them can end."""

MADE_AFRESH = combination_title("final")
"""The combination that runs of schema versions 1 and 2 made after the verdict, and did not verify."""


def check_record(record: RunRecord) -> tuple[str, ...]:
    """Where a record contradicts itself.

    Parameters
    ----------
    record : RunRecord
        Of any run; one of an earlier schema version as it was migrated.

    Returns
    -------
    tuple of str
        A finding for each contradiction, with its place; empty for the record of a run.
    """
    if record.outcome is RunOutcome.OMITTED:
        return tuple(_of_omitted(record))
    if tuple(stage.stage for stage in record.stages) != ORDER:
        return (f"record.stages: they are not {', '.join(stage.value for stage in ORDER)}",)
    return tuple(finding for rule in RULES for finding in rule(record))


def _of_omitted(record: RunRecord) -> Iterator[str]:
    """Nothing is made where DRIZCORR says OMIT."""
    for name in ("stages", "selection", "products", "outputs", "sidecar"):
        if getattr(record, name):
            yield f"record.{name}: the run was left out and has none"


def _of_outcomes(record: RunRecord) -> Iterator[str]:
    for number, stage in enumerate(record.stages):
        place = f"record.stages[{number}]"
        if stage.outcome not in OUTCOMES[stage.stage]:
            yield f"{place}.outcome: the stage {stage.stage.value} is never {stage.outcome.value}"
        if not stage.reason:
            yield f"{place}.reason: none is given"
        yield from _of_made(stage, place)


def _of_made(stage: StageRecord, place: str) -> Iterator[str]:
    """What a stage left, against its outcome."""
    tried = stage.outcome in (*STAYING, StageOutcome.REVERTED)
    if tried != bool(stage.wcs):
        yield f"{place}.wcs: the stage was {stage.outcome.value}"
    if (tried and stage.stage is not Stage.DISTORTION) != (stage.drizzle is not None):
        yield f"{place}.drizzle: the stage was {stage.outcome.value}"
    if stage.verification is not None and stage.drizzle is None:
        yield f"{place}.verification: there is no product that was verified"
    if stage.outcome is StageOutcome.KEPT and _is(stage.verification, Verdict.MISALIGNED):
        yield f"{place}.outcome: a WCS that misaligns the exposures is never kept"


def _of_reverted(record: RunRecord) -> Iterator[str]:
    """A stage that went back has what showed that its WCS is no good: its product, or the one that is better."""
    stood: StageRecord | None = None
    for number, stage in enumerate(record.stages):
        if stage.outcome is StageOutcome.REVERTED and not _was_shown(stage, stood):
            yield f"record.stages[{number}].outcome: reverted, and no verification or comparison shows why"
        stood = stage if stage.stage in STAGE_ORIGINS and stage.outcome in STAYING else stood


def _was_shown(stage: StageRecord, stood: StageRecord | None) -> bool:
    """By the verification, by the comparison, by a better WCS that stood, or by an exposure that was lost."""
    differs = stage.comparison is not None and stage.comparison.verdict is not Verdict.ALIGNED
    return differs or _is(stage.verification, Verdict.MISALIGNED) or (stood is not None and _surpasses(stood, stage))


def _surpasses(stood: StageRecord, stage: StageRecord) -> bool:
    if stood.drizzle is not None and stage.drizzle is not None and missing_exposures(stage.drizzle, stood.drizzle):
        return True
    return _is(stood.verification, Verdict.ALIGNED) and stage.verification is not None


def _is(verification: Verification | None, verdict: Verdict) -> bool:
    return verification is not None and verification.verdict is verdict


def _of_verifications(record: RunRecord) -> Iterator[str]:
    """Each has the verdict of the policy that decides, and offsets of the exposures that were combined."""
    for number, stage in enumerate(record.stages):
        judged = (("verification", stage.verification, stage.drizzle),
                  ("companions_verification", stage.companions_verification, stage.companions))  # fmt: skip
        for name, verification, drizzle in judged:
            place = f"record.stages[{number}].{name}"
            if verification is None:
                continue
            yield from _of_verdict(verification, place)
            measured = tuple(each.rootname for each in verification.measurements.registration)
            if drizzle is None or measured != drizzle.exposures:
                yield f"{place}.measurements.registration: not of the exposures that were combined"


def _of_verdict(verification: Verification, place: str) -> Iterator[str]:
    deciding = [result for result in verification.policies if result.policy is verification.policy]
    if len(deciding) != 1:
        yield f"{place}.policies: {len(deciding)} of the policy that decides"
    elif (deciding[0].verdict, deciding[0].reason) != (verification.verdict, verification.reason):
        yield f"{place}.verdict: not that of the policy that decides"


def _of_selection(record: RunRecord) -> Iterator[str]:
    """The choice is the one that follows from the outcomes of the stages."""
    try:
        expected = select_wcs(record.stages)
    except (MeasurementError, IndexError):
        yield "record.stages: no WCS can be chosen from them"
        return
    if record.selection is None:
        yield "record.selection: none"
    elif (record.selection.chosen, record.selection.wcsname) != (expected.chosen, expected.wcsname):
        yield f"record.selection: the last WCS that was kept is the {expected.chosen.value} one"
    elif [_claim(one) for one in record.selection.candidates] != [_claim(one) for one in expected.candidates]:
        yield "record.selection.candidates: not what the stages say"


def _claim(candidate: WcsCandidate) -> tuple[WcsOrigin, str, Verdict, bool]:
    return candidate.origin, candidate.wcsname, candidate.verdict, candidate.kept


def _of_final(record: RunRecord) -> Iterator[str]:
    """What is delivered is what the stage that won has made and verified."""
    final, standing = record.stages[-1], standing_stage(record)
    place = f"record.stages[{len(record.stages) - 1}]"
    if standing is None:
        return
    if final.wcs != standing.wcs:
        yield f"{place}.wcs: not that of the stage {standing.stage.value}"
    afresh = final.drizzle is not None and final.drizzle.cosmic_rays_from == MADE_AFRESH
    if not afresh and final.drizzle != standing.drizzle:
        yield f"{place}.drizzle: not the combination of the stage {standing.stage.value}"
    if final.verification != (None if afresh else standing.verification):
        yield f"{place}.verification: not that of what is delivered"


def _of_products(record: RunRecord) -> Iterator[str]:
    """Each product is of the exposures of its combination; what was left out is in none."""
    final = record.stages[-1]
    if not record.products:
        yield "record.products: the run made none"
    if len(record.products) > 2 or (final.companions is not None and len(record.products) != 2):
        yield f"record.products: {len(record.products)} of them"
    for number, (product, drizzle) in enumerate(zip(record.products, (final.drizzle, final.companions), strict=False)):
        if drizzle is not None and product.exposures != drizzle.exposures:
            yield f"record.products[{number}].exposures: not those that were combined"
        for excluded in record.excluded:
            if excluded.rootname in product.exposures:
                yield f"record.products[{number}].exposures: {excluded.rootname} was left out"


def _of_files(record: RunRecord) -> Iterator[str]:
    """Everything that has a hash is among the files that the run left, and no name is there twice."""
    listed = [*(product.filename for product in record.products), *(file.name for file in record.outputs)]
    listed += [record.sidecar.name] if record.sidecar is not None else []
    for name in listed:
        if name not in record.files:
            yield f"record.files: {name} is missing"
    for name in sorted({name for name in record.files if record.files.count(name) > 1}):
        yield f"record.files: {name} is there twice"


RULES: tuple[Callable[[RunRecord], Iterator[str]], ...] = (
    _of_outcomes,
    _of_reverted,
    _of_verifications,
    _of_selection,
    _of_final,
    _of_products,
    _of_files,
)
