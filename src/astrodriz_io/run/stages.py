"""The stages of a run: each makes products with one WCS, has them verified, and says whether it stays."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import evolve, field, frozen

from astrodriz_core.decide.keep import judge_stage, missing_exposures
from astrodriz_core.errors import AlignmentError
from astrodriz_core.parameters.alignment import alignment_parameters
from astrodriz_core.parameters.drizzle import DrizzleParameters
from astrodriz_core.records.astrometry import AposterioriRecord, AprioriOutcome, AprioriRecord
from astrodriz_core.records.common import Stage, Verdict, combination_title
from astrodriz_core.records.run import FileDigest, StageOutcome, StageRecord
from astrodriz_core.records.verification import Verification
from astrodriz_io.align.alignment import align
from astrodriz_io.align.apriori import apply_apriori
from astrodriz_io.drizzling.combination import Combination, combine_exposures
from astrodriz_io.drizzling.repeating import MeasuredBefore, repeat_combination
from astrodriz_io.drizzling.store import ImageStore
from astrodriz_io.products.exposures import write_cosmic_rays
from astrodriz_io.run.chosen_services import (
    chosen_catalogs,
    chosen_guide_stars,
    chosen_headerlets,
    stage_budget,
)
from astrodriz_io.run.recorder import DecisionKeeper
from astrodriz_io.run.settings import Settings
from astrodriz_io.runtime.progress import ProgressReporter
from astrodriz_io.services.time_budget import TimeBudget
from astrodriz_io.storage.places import place
from astrodriz_io.storage.workspace import Workspace
from astrodriz_io.verifying.combination import compare_with_default, verify_combination
from astrodriz_io.wcs.distortion import exposure_wcs
from astrodriz_io.wcs.shared_solutions import keep_solutions

__all__ = ["StageContext", "Standing", "aposteriori_stage", "apriori_stage", "default_stage"]

logger = logging.getLogger(__name__)


@frozen(eq=False)
class StageContext:
    """What every stage needs beside the exposures.

    Attributes
    ----------
    settings : Settings
        What the user asked for.
    workspace : Workspace
        Where the exposures are.
    parameters : DrizzleParameters
        Of all combinations.
    progress : ProgressReporter
        Told how far the run is.
    keeper : DecisionKeeper or None
        Keeps masks and states of exposures for a replay; None in a replay.
    measured : mapping
        What is known, from an earlier run, of the combination of a name; it is then repeated.
    """

    settings: Settings
    workspace: Workspace
    parameters: DrizzleParameters
    progress: ProgressReporter
    keeper: DecisionKeeper | None = None
    measured: Mapping[str, MeasuredBefore] = field(factory=dict)

    def combine(self, files: Sequence[Path], name: str) -> Combination:
        """Drizzle exposures with the parameters of the run; cosmic rays are found under the WCS that they have."""
        folder = None if self.settings.in_memory else place(self.workspace.scratch, name)
        if folder is not None:
            folder.mkdir()
        store, threads = ImageStore(folder), self.settings.num_cores
        if name in self.measured:
            return repeat_combination(
                files, self.parameters, self.measured[name], store=store, progress=self.progress, threads=threads
            )
        combination = combine_exposures(
            files,
            self.parameters,
            store=store,
            progress=self.progress,
            threads=threads,
            title=combination_title(name),
        )
        if self.keeper is not None:
            self.keeper.keep_masks(combination)
        return combination

    def flag(self, files: Sequence[Path], combination: Combination) -> None:
        """Set DQ 4096 in exposures where their combination found cosmic rays."""
        write_cosmic_rays(by_rootname(files), combination.cosmic_rays, self.parameters.resetbits)

    def keep_states(self, files: Sequence[Path]) -> tuple[FileDigest, ...]:
        """Keep what the stage has made of the exposures."""
        return self.keeper.keep_states(files) if self.keeper is not None else ()


@frozen(eq=False)
class Standing:
    """The best WCS so far: the exposures that carry it and what was made with it.

    Attributes
    ----------
    files : tuple of Path
        The deciding exposures, in the workspace.
    combination : Combination
        The product made with it, which is the one that is delivered if nothing better comes.
    verification : Verification or None
        The judgement on it; None for a single exposure.
    """

    files: tuple[Path, ...]
    combination: Combination
    verification: Verification | None

    @property
    def is_misaligned(self) -> bool:
        """Whether the exposures are known not to fit onto each other."""
        return self.verification is not None and self.verification.verdict is Verdict.MISALIGNED


def default_stage(context: StageContext, files: tuple[Path, ...]) -> tuple[Standing, StageRecord]:
    """Find cosmic rays, combine and verify with the pipeline-default WCS.

    A failed verification is noted, and the run goes on. DQ bit 4096 is set in the files.
    """
    combination = context.combine(files, Stage.DEFAULT.name.lower())
    context.flag(files, combination)
    verification = verify_combination(combination, context.settings.policy)
    standing = Standing(files, combination, verification)
    reason = verification.reason if verification else "one exposure has nothing to be aligned to"
    if standing.is_misaligned:
        logger.warning("The pipeline-default alignment failed its verification: %s", reason)
    return standing, _record(context, Stage.DEFAULT, StageOutcome.DONE, reason, standing)


def apriori_stage(context: StageContext, standing: Standing, default: Standing) -> tuple[Standing, StageRecord]:
    """Apply the best solutions of the astrometry database, and keep them if the products agree."""
    if not context.settings.apply_apriori:
        return standing, _skipped(Stage.A_PRIORI, "a priori solutions are switched off")
    budget = stage_budget()
    with context.workspace.stage("apriori", standing.files, keep=context.settings.debug) as copies:
        try:
            apriori = apply_apriori(
                copies,
                chosen_headerlets(context.settings, budget),
                guide_stars=chosen_guide_stars(context.settings, budget),
            )
        except AlignmentError as error:
            return standing, _failed(Stage.A_PRIORI, error)
        _log_services(Stage.A_PRIORI, budget)
        if apriori.outcome is AprioriOutcome.APPLIED:
            after, record = _try(context, Stage.A_PRIORI, copies, standing, default, apriori=apriori)
        else:
            after, record = standing, evolve(_skipped(Stage.A_PRIORI, apriori.reason), apriori=apriori)
        if record.outcome is not StageOutcome.KEPT:
            keep_solutions(copies, standing.files)
        return after, record


def aposteriori_stage(context: StageContext, standing: Standing, default: Standing) -> tuple[Standing, StageRecord]:
    """Fit the exposures to each other and to a catalogue, and keep the fit if the products agree."""
    if not context.settings.compute_aposteriori:
        return standing, _skipped(Stage.A_POSTERIORI, "the a posteriori fit is switched off")
    detector = standing.combination.prepared.exposures[0].exposure.description
    parameters = alignment_parameters(detector.instrument, detector.detector)
    budget = stage_budget()
    catalogs = chosen_catalogs(context.settings, parameters.catalogs, budget)
    with context.workspace.stage("aposteriori", standing.files, keep=context.settings.debug) as copies:
        try:
            fit = align(
                copies,
                catalogs,
                parameters,
                ignore_cosmic_rays=standing.is_misaligned,
                threads=context.settings.num_cores,
            )
        except AlignmentError as error:
            return standing, _failed(Stage.A_POSTERIORI, error)
        _log_services(Stage.A_POSTERIORI, budget)
        if not fit.wcsnames:
            return standing, evolve(_skipped(Stage.A_POSTERIORI, fit.reason), aposteriori=fit)
        return _try(context, Stage.A_POSTERIORI, copies, standing, default, aposteriori=fit)


def by_rootname(files: Sequence[Path]) -> dict[str, Path]:
    """Files by the ROOTNAME in their headers."""
    return {exposure_wcs(file).rootname: file for file in files}


def _try(
    context: StageContext,
    stage: Stage,
    copies: tuple[Path, ...],
    standing: Standing,
    default: Standing,
    *,
    apriori: AprioriRecord | None = None,
    aposteriori: AposterioriRecord | None = None,
) -> tuple[Standing, StageRecord]:
    """Combine and verify with the new WCS of the copies; keep it or go back to what stood before."""
    combination = context.combine(copies, stage.name.lower())
    context.flag(copies, combination)
    verification = verify_combination(combination, context.settings.policy)
    comparison = compare_with_default(combination, default.combination)
    lost = missing_exposures(combination.record, standing.combination.record)
    decision = judge_stage(verification, comparison, default.verification, standing.verification, lost)
    tried = Standing(copies, combination, verification)
    outcome = StageOutcome.KEPT if decision.keep else StageOutcome.REVERTED
    record = evolve(
        _record(context, stage, outcome, decision.reason, tried),
        comparison=comparison,
        apriori=apriori,
        aposteriori=aposteriori,
    )
    if not decision.keep:
        logger.warning("The %s WCS is not kept: %s", stage.value, decision.reason)
        return standing, record
    context.workspace.take_over(copies, standing.files, keep=context.settings.debug)
    return evolve(tried, files=standing.files, combination=combination.at(by_rootname(standing.files))), record


def _log_services(stage: Stage, budget: TimeBudget) -> None:
    """Say how long a stage waited for web services, where it asked any."""
    if budget.spent() > 0:
        logger.info("%s: waited %.1f s for web services", stage.value, budget.spent())


def _record(context: StageContext, stage: Stage, outcome: StageOutcome, reason: str, standing: Standing) -> StageRecord:
    return StageRecord(
        stage=stage,
        outcome=outcome,
        reason=reason,
        wcs=tuple(exposure_wcs(file) for file in standing.files),
        drizzle=standing.combination.record,
        verification=standing.verification,
        states=context.keep_states(standing.files),
    )


def _skipped(stage: Stage, reason: str) -> StageRecord:
    logger.info("%s: %s", stage.value, reason)
    return StageRecord(stage=stage, outcome=StageOutcome.SKIPPED, reason=reason)


def _failed(stage: Stage, error: Exception) -> StageRecord:
    logger.warning("%s: %s", stage.value, str(error))
    return StageRecord(stage=stage, outcome=StageOutcome.FAILED, reason=str(error))
