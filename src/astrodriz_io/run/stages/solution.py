"""What the stages share: a WCS is tried by making and verifying its product, and kept or taken back."""

from __future__ import annotations

import logging
from pathlib import Path

from attrs import evolve

from astrodriz_core.decide.keep import judge_stage, missing_exposures
from astrodriz_core.records.common import Stage
from astrodriz_core.records.run import StageOutcome, StageRecord
from astrodriz_io.run.context import StageContext, by_rootname
from astrodriz_io.run.state import CurrentSolution, SolvedRun
from astrodriz_io.services.time_budget import TimeBudget
from astrodriz_io.verifying.combination import compare_with_default, verify_combination
from astrodriz_io.wcs.distortion import exposure_wcs

__all__ = [
    "combined_and_verified",
    "failed",
    "log_services",
    "skipped",
    "solution_record",
    "switched_off",
    "try_solution",
]

logger = logging.getLogger(__name__)


def combined_and_verified(context: StageContext, stage: Stage, files: tuple[Path, ...]) -> CurrentSolution:
    """The product of exposures with the WCS that they have, and the judgement on it; DQ 4096 is set in them."""
    combination = context.combine(files, stage.name.lower())
    context.flag(files, combination)
    return CurrentSolution(files, combination, verify_combination(combination, context.settings.policy))


def try_solution(run: SolvedRun, stage: Stage, copies: tuple[Path, ...]) -> tuple[CurrentSolution, StageRecord]:
    """Combine and verify with the new WCS of copies; keep it, or go back to what was there before.

    Parameters
    ----------
    run : SolvedRun
        Its files take over what is kept.
    stage : Stage
        Which has given the copies their WCS.
    copies : tuple of Path
        Of the current solution's files, in the folder of the stage.

    Returns
    -------
    CurrentSolution
        The new one where it is kept, else that of the run.
    StageRecord
        What was measured and decided.
    """
    context, current = run.context, run.current
    tried = combined_and_verified(context, stage, copies)
    comparison = compare_with_default(tried.combination, run.default.combination)
    lost = missing_exposures(tried.combination.record, current.combination.record)
    decision = judge_stage(tried.verification, comparison, run.default.verification, current.verification, lost)
    outcome = StageOutcome.KEPT if decision.keep else StageOutcome.REVERTED
    record = evolve(solution_record(context, stage, outcome, decision.reason, tried), comparison=comparison)
    if not decision.keep:
        logger.warning("The %s WCS is not kept: %s", stage.value, decision.reason)
        return current, record
    context.workspace.take_over(copies, current.files, keep=context.settings.debug)
    moved = tried.combination.at(by_rootname(current.files))
    return evolve(tried, files=current.files, combination=moved), record


def solution_record(
    context: StageContext, stage: Stage, outcome: StageOutcome, reason: str, solution: CurrentSolution
) -> StageRecord:
    """The record of a stage that made a product; the exposures are kept as they are for a replay."""
    return StageRecord(
        stage=stage,
        outcome=outcome,
        reason=reason,
        wcs=tuple(exposure_wcs(file) for file in solution.files),
        drizzle=solution.combination.record,
        verification=solution.verification,
        states=context.keep_states(solution.files),
    )


def skipped(stage: Stage, reason: str) -> StageRecord:
    """The record of a stage that made nothing; the reason is logged."""
    logger.info("%s: %s", stage.value, reason)
    return StageRecord(stage=stage, outcome=StageOutcome.SKIPPED, reason=reason)


def switched_off(stage: Stage, what: str, *, asked: bool) -> StageRecord:
    """The record of a stage that is not made: nobody asked for it, or the guiding check has forbidden it."""
    return skipped(stage, f"{what} switched off{', because an exposure is trailed' if asked else ''}")


def failed(stage: Stage, error: Exception) -> StageRecord:
    """The record of a stage that an error of its own has ended; the error is logged."""
    logger.warning("%s: %s", stage.value, str(error))
    return StageRecord(stage=stage, outcome=StageOutcome.FAILED, reason=str(error))


def log_services(stage: Stage, budget: TimeBudget) -> None:
    """Say how long a stage waited for web services, where it asked any."""
    if budget.spent() > 0:
        logger.info("%s: waited %.1f s for web services", stage.value, budget.spent())
