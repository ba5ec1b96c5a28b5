"""The a priori stage: the best solutions that are known for the exposures, kept if the products agree."""

from __future__ import annotations

from attrs import evolve

from astrodriz_core.errors import AlignmentError
from astrodriz_core.records.astrometry import AprioriOutcome
from astrodriz_core.records.common import Stage
from astrodriz_core.records.run import StageOutcome, StageRecord
from astrodriz_io.align.apriori import apply_apriori
from astrodriz_io.run.chosen_services import chosen_guide_stars, chosen_headerlets, stage_budget
from astrodriz_io.run.stages.solution import failed, log_services, skipped, switched_off, try_solution
from astrodriz_io.run.state import CurrentSolution, SolvedRun
from astrodriz_io.wcs.shared_solutions import keep_solutions

__all__ = ["apriori_stage"]


def apriori_stage(run: SolvedRun) -> SolvedRun:
    """Apply the best solutions of the astrometry database, and keep them if the products agree.

    Solutions that are not applied are attached to the exposures all the same.
    """
    solution, record = _solution(run)
    if solution is run.default:
        states = run.context.keep_states(run.default.files)
        run = evolve(run, stages=(*run.stages[:-1], evolve(run.stages[-1], states=states)))
    return run.after(record, solution)


def _solution(run: SolvedRun) -> tuple[CurrentSolution, StageRecord]:
    context, files = run.context, run.current.files
    if not context.settings.apply_apriori:
        asked = run.settings.apply_apriori
        return run.current, switched_off(Stage.A_PRIORI, "a priori solutions are", asked=asked)
    budget = stage_budget()
    headerlets = chosen_headerlets(context.settings, budget)
    guide_stars = chosen_guide_stars(context.settings, budget)
    with context.workspace.stage("apriori", files, keep=context.settings.debug) as copies:
        try:
            apriori = apply_apriori(copies, headerlets, guide_stars=guide_stars)
        except AlignmentError as error:
            return run.current, failed(Stage.A_PRIORI, error)
        log_services(Stage.A_PRIORI, budget)
        if apriori.outcome is AprioriOutcome.APPLIED:
            solution, record = try_solution(run, Stage.A_PRIORI, copies)
        else:
            solution, record = run.current, skipped(Stage.A_PRIORI, apriori.reason)
        if record.outcome is not StageOutcome.KEPT:
            keep_solutions(copies, files)
        return solution, evolve(record, apriori=apriori)
