"""Which WCS a run's products have, and the judgement that holds of them: said here and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence

from astrodriz_core.errors import MeasurementError
from astrodriz_core.records.astrometry import WcsCandidate, WcsSelection
from astrodriz_core.records.common import STAGE_ORIGINS, Verdict, WcsOrigin
from astrodriz_core.records.run import RunRecord, StageOutcome, StageRecord
from astrodriz_core.records.verification import Verification

__all__ = ["STAYING", "misalignment_mas", "select_wcs", "standing_stage", "standing_verification"]

PREFERENCE = (WcsOrigin.A_POSTERIORI, WcsOrigin.A_PRIORI, WcsOrigin.PIPELINE_DEFAULT)
"""The later the stage the closer to Gaia; each was judged against the one that stood before it."""

STAYING = (StageOutcome.DONE, StageOutcome.KEPT)
"""Outcomes of a stage whose WCS the exposures have afterwards."""


def select_wcs(stages: Sequence[StageRecord]) -> WcsSelection:
    """The WCS that a run ends with: that of the last stage that was kept.

    Parameters
    ----------
    stages : sequence of StageRecord
        Of the run, in any order. Only those that made a WCS and a product are candidates.

    Returns
    -------
    WcsSelection
        The choice, its reason and all candidates, the preferred one first.

    Raises
    ------
    MeasurementError
        No stage was kept, or two are of one kind.
    """
    made = [stage for stage in stages if stage.stage in STAGE_ORIGINS and stage.drizzle is not None]
    candidates = tuple(sorted(map(_candidate, made), key=lambda candidate: PREFERENCE.index(candidate.origin)))
    chosen = next((candidate for candidate in candidates if candidate.kept), None)
    if chosen is None or len({candidate.origin for candidate in candidates}) < len(candidates):
        raise MeasurementError("The choice of the WCS needs a stage that was kept, and one of each kind at most.")
    return WcsSelection(chosen.origin, chosen.wcsname, _reason(chosen, candidates), candidates)


def standing_stage(record: RunRecord) -> StageRecord | None:
    """The stage whose WCS the products have; None where the run chose none, or has no such stage."""
    if record.selection is None:
        return None
    chosen = record.selection.chosen
    return next((stage for stage in record.stages if STAGE_ORIGINS.get(stage.stage) is chosen), None)


def standing_verification(record: RunRecord) -> Verification | None:
    """The judgement that holds of what a run delivers.

    It is that of the stage whose WCS was chosen, whatever stages came after it. None where nothing was verified:
    a single exposure, or a run that DRIZCORR switched off.
    """
    stage = standing_stage(record)
    return stage.verification if stage is not None else None


def _candidate(stage: StageRecord) -> WcsCandidate:
    """What a stage has to offer."""
    verification = stage.verification
    value, error = misalignment_mas(verification) if verification is not None else (None, None)
    return WcsCandidate(
        origin=STAGE_ORIGINS[stage.stage],
        wcsname=stage.wcs[0].chips[0].wcsname,
        verdict=verification.verdict if verification is not None else Verdict.UNDETERMINED,
        kept=stage.outcome in STAYING,
        registration_mas=value,
        registration_error_mas=error,
        reason=stage.reason,
    )


def misalignment_mas(verification: Verification) -> tuple[float | None, float | None]:
    """The largest displacement of an exposure, and the largest standard error of an offset, both in mas.

    None where none was measured.
    """
    scale, worst = 1000 * verification.measurements.pixel_scale_arcsec, verification.worst
    errors = [each.sigma_pix for each in verification.measurements.registration if each.sigma_pix is not None]
    return (worst.offset_pix * scale if worst is not None else None, max(errors) * scale if errors else None)


def _reason(chosen: WcsCandidate, candidates: Sequence[WcsCandidate]) -> str:
    """Why this one and none of those before it."""
    earlier = candidates[: candidates.index(chosen)]
    passed_over = [f"{c.origin.value} passed over ({c.reason.rstrip('.')})" for c in earlier]
    return "; ".join((f"{chosen.origin.value} is {chosen.verdict.value}", *passed_over)) + "."
