"""The a posteriori stage: a fit of the exposures to each other and to a catalogue, kept if the products agree."""

from __future__ import annotations

from attrs import evolve

from astrodriz_core.errors import AlignmentError
from astrodriz_core.parameters.alignment import catalog_order
from astrodriz_core.records.common import Stage
from astrodriz_core.records.run import StageRecord
from astrodriz_io.align.alignment import align, parameters_of
from astrodriz_io.run.chosen_services import chosen_catalogs, stage_budget
from astrodriz_io.run.stages.solution import failed, log_services, skipped, switched_off, try_solution
from astrodriz_io.run.state import CurrentSolution, SolvedRun

__all__ = ["aposteriori_stage"]


def aposteriori_stage(run: SolvedRun) -> SolvedRun:
    """Fit the exposures to each other and to a catalogue, and keep the fit if the products agree."""
    solution, record = _solution(run)
    return run.after(record, solution)


def _solution(run: SolvedRun) -> tuple[CurrentSolution, StageRecord]:
    settings, current = run.context.settings, run.current
    if not settings.compute_aposteriori:
        asked = run.settings.compute_aposteriori
        return current, switched_off(Stage.A_POSTERIORI, "the a posteriori fit is", asked=asked)
    budget = stage_budget()
    names = catalog_order([parameters_of(each) for each in run.exposures.copies.exposures])
    catalogs = chosen_catalogs(settings, names, budget)
    with run.context.workspace.stage("aposteriori", current.files, keep=settings.debug) as copies:
        try:
            fit = align(copies, catalogs, ignore_cosmic_rays=current.is_misaligned, threads=settings.num_cores)
        except AlignmentError as error:
            return current, failed(Stage.A_POSTERIORI, error)
        log_services(Stage.A_POSTERIORI, budget)
        if not fit.wcsnames:
            return current, evolve(skipped(Stage.A_POSTERIORI, fit.reason), aposteriori=fit)
        solution, record = try_solution(run, Stage.A_POSTERIORI, copies)
        return solution, evolve(record, aposteriori=fit)
