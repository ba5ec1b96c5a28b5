"""The second stage: products with the pipeline-default WCS, against which those of later stages are measured."""

from __future__ import annotations

import logging

from astrodriz_core.records.common import Stage
from astrodriz_core.records.run import StageOutcome
from astrodriz_io.run.stages.solution import combined_and_verified, solution_record
from astrodriz_io.run.state import PreparedRun, SolvedRun, grow

__all__ = ["default_stage"]

logger = logging.getLogger(__name__)


def default_stage(run: PreparedRun) -> SolvedRun:
    """Find cosmic rays, combine and verify with the pipeline-default WCS.

    A failed verification is noted, and the run goes on. DQ bit 4096 is set in the files.
    """
    solution = combined_and_verified(run.context, Stage.DEFAULT, run.exposures.copies.deciding)
    judged = solution.verification
    reason = judged.reason if judged else "one exposure has nothing to be aligned to"
    if solution.is_misaligned:
        logger.warning("The pipeline-default alignment failed its verification: %s", reason)
    record = solution_record(run.context, Stage.DEFAULT, StageOutcome.DONE, reason, solution)
    return grow(run, SolvedRun, stages=(*run.stages, record), default=solution, current=solution)
