"""What a reader has to know beside the final WCS and the agreement of the exposures, in short sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from astrodriz_core.decide.selection import STAYING, misalignment_mas, standing_stage, standing_verification
from astrodriz_core.records.astrometry import AlignmentOutcome, AprioriOutcome, WcsCandidate, WcsSelection
from astrodriz_core.records.common import Stage, Verdict
from astrodriz_core.records.run import RunRecord, StageOutcome, StageRecord
from astrodriz_core.records.verification import GuidingOutcome
from astrodriz_core.sentences import capitalised, ended, some_of, uncapitalised
from astrodriz_core.tell.agreement import offset_words
from astrodriz_core.tell.kinds import THINGS, catalog_words

__all__ = ["caveats", "preferred_to_chosen"]

NO_FIT: Mapping[AlignmentOutcome, str] = {
    AlignmentOutcome.NO_CATALOG: "no catalogue was available",
    AlignmentOutcome.NOT_BETTER: "it would have been no better than the WCS before",
}
"""Why there is none, where the reason in the record is long; the last file or service that was asked has no say."""

NO_SOLUTION: Mapping[AprioriOutcome, str] = {
    AprioriOutcome.NONE_OFFERED: "none was offered",
    AprioriOutcome.REFUSED: "none passed its checks for every exposure",
    AprioriOutcome.UNAVAILABLE: "its source gave no answer",
}


def caveats(record: RunRecord, selection: WcsSelection) -> Iterator[str]:
    """What else the reader has to know of a run and the choice that it made; the report has the details."""
    yield from _mended(record, selection)
    yield from _turned_down(selection)
    if _trailed(record) and not any(stage.apriori or stage.aposteriori for stage in record.stages):
        yield "No alignment was tried, since an exposure is trailed."
    else:
        yield from _no_solution(record)
        yield from _no_fit(record)
    yield from _left_out(record)


def _mended(record: RunRecord, selection: WcsSelection) -> Iterator[str]:
    """The WCS of an earlier stage was bad and stood, and that in use is not."""
    final = standing_verification(record)
    if final is None or final.verdict is not Verdict.ALIGNED:
        return
    for stage in record.stages:
        judged = stage.verification
        if judged is not None and judged.verdict is Verdict.MISALIGNED and stage.outcome in STAYING:
            before = offset_words(*misalignment_mas(judged))
            size = f" of {before}" if before else ""
            yield f"{capitalised(THINGS[selection.chosen])} mended a misalignment{size}."


def _turned_down(selection: WcsSelection) -> Iterator[str]:
    for candidate in preferred_to_chosen(selection):
        apart = offset_words(candidate.registration_mas, candidate.registration_error_mas)
        bad = candidate.verdict is Verdict.MISALIGNED and apart
        worse = f": it would leave the exposures {apart} apart" if bad else ""
        yield f"{capitalised(THINGS[candidate.origin])} was turned down{worse}."


def preferred_to_chosen(selection: WcsSelection) -> tuple[WcsCandidate, ...]:
    """Candidates that would have been preferred to the one that was chosen."""
    origins = [candidate.origin for candidate in selection.candidates]
    return selection.candidates[: origins.index(selection.chosen)]


def _no_solution(record: RunRecord) -> Iterator[str]:
    """Why there is no a priori solution, where that matters: nothing better was found."""
    stage = _stage(record, Stage.A_PRIORI)
    if stage is None or standing_stage(record) is not _stage(record, Stage.DEFAULT):
        return
    if stage.outcome is StageOutcome.FAILED:
        yield ended(f"The a priori stage failed: {stage.reason}")
    elif stage.apriori is not None and stage.apriori.outcome in NO_SOLUTION:
        yield f"No a priori solution: {NO_SOLUTION[stage.apriori.outcome]}."


def _no_fit(record: RunRecord) -> Iterator[str]:
    stage = _stage(record, Stage.A_POSTERIORI)
    if stage is None:
        return
    fit = stage.aposteriori
    if stage.outcome is StageOutcome.FAILED:
        yield ended(f"The fit failed: {stage.reason}")
    elif fit is not None and stage.outcome is StageOutcome.SKIPPED:
        catalog = f" to {catalog_words(fit.catalogs[0].name)}" if fit.catalogs else ""
        reason = NO_FIT.get(fit.outcome, uncapitalised(stage.reason))
        yield ended(f"No fit{catalog}: {reason}")
    elif fit is None:
        yield "No fit was asked for."


def _left_out(record: RunRecord) -> Iterator[str]:
    trailed, used = _trailed(record), _used(record)
    why_not = {each.rootname: each.detail for each in record.left_out}
    why_not |= {name: "trailed" for name in trailed if name not in used}
    if len(why_not) == 1:
        ((name, reason),) = why_not.items()
        yield ended(f"{name} is left out: {reason}")
    elif why_not:
        yield f"{some_of(tuple(why_not))} are left out."
    yield from (f"{name} is trailed, and in the product." for name in trailed if name in used)


def _trailed(record: RunRecord) -> tuple[str, ...]:
    return tuple(check.rootname for check in record.guiding if check.outcome is GuidingOutcome.TRAILED)


def _used(record: RunRecord) -> frozenset[str]:
    """Exposures that took part in a combination."""
    drizzled = (stage.drizzle for stage in record.stages if stage.drizzle is not None)
    return frozenset(name for drizzle in drizzled for name in drizzle.exposures)


def _stage(record: RunRecord, stage: Stage) -> StageRecord | None:
    return next((each for each in record.stages if each.stage is stage), None)
