"""The a priori stage: solutions of the database attached to the exposures, and the best applied to all.

Everything is read and checked first; then one family of solutions (HSC30, GSC240, ...) is chosen that every
exposure of the association can have, because solutions of different families differ by tens of milliarcseconds
and would pull the exposures apart; then all exposures are written, or none.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from astropy.io import fits
from attrs import evolve

from astrodriz_core.errors import DatabaseError
from astrodriz_core.records.astrometry import AprioriExposure, AprioriOutcome, AprioriRecord
from astrodriz_core.solutions.ranking import common_solutions
from astrodriz_core.solutions.wcsnames import parse_wcsname
from astrodriz_io.align.apriori_plan import ExposurePlan, plan_exposure
from astrodriz_io.runtime.parallel import ordered_map
from astrodriz_io.services.guide_stars import GuideStarSource, NoGuideStars
from astrodriz_io.services.headerlet_sources import HeaderletSource
from astrodriz_io.wcs.attached import attach_own, remove_duplicates
from astrodriz_io.wcs.headerlets import AUTHOR, apply_headerlet, make_headerlet
from astrodriz_io.wcs.headers import edit_together, primary_wcsname
from astrodriz_io.wcs.pointing import Pointing, pointing, pointing_change
from astrodriz_io.wcs.shared_solutions import attach_all

__all__ = ["apply_apriori"]

logger = logging.getLogger(__name__)

PLANNING_THREADS = 4
"""Exposures whose solutions are asked for at a time: a service answers slowly, but can answer several."""


def apply_apriori(
    files: Sequence[Path],
    source: HeaderletSource,
    *,
    guide_stars: GuideStarSource | None = None,
    all_wcs: bool = False,
) -> AprioriRecord:
    """Attach a priori solutions to the exposures of an association, and apply the best family.

    Parameters
    ----------
    files : sequence of Path
        FLT or FLC files that this run may change, with the pipeline-default WCS as primary.
    source : HeaderletSource
        Asked for every exposure, beside the HDRLET extensions that it has already.
    guide_stars : GuideStarSource or None
        Gives a new ``-GSC240`` solution where no solution has the distortion file of the exposure.
    all_wcs : bool
        Attach also the solutions of other distortion files.

    Returns
    -------
    AprioriRecord
        A source that cannot be asked is a recorded outcome, not an error.

    Raises
    ------
    InputError, StorageError
        An exposure cannot be read or written; then none has been changed.
    """
    stars = guide_stars or NoGuideStars()
    planned = list(ordered_map(lambda path: _plan(path, source, stars, all_wcs), files, PLANNING_THREADS))
    plans, problems = [plan for plan, _ in planned], [problem for _, problem in planned if problem]
    family = _choose(plans)
    before = [pointing(plan.path) for plan in plans]
    notes: list[str] = []
    if any(plan.to_attach for plan in plans) or family is not None:
        edit_together(files, lambda index, hdulist: notes.extend(_write(hdulist, plans[index], family)))
    return evolve(_record(plans, before, family, tuple(dict.fromkeys(problems))), warnings=tuple(notes))


def _plan(
    path: Path, source: HeaderletSource, guide_stars: GuideStarSource, all_wcs: bool
) -> tuple[ExposurePlan, str | None]:
    """The plan of one exposure, with what it carries already where the source cannot be asked."""
    try:
        return plan_exposure(path, source, guide_stars, all_wcs)
    except DatabaseError as error:
        logger.warning("%s: %s", path.name, str(error))
        return plan_exposure(path, None, None, all_wcs)[0], str(error)


def _choose(plans: Sequence[ExposurePlan]) -> str | None:
    """The preferred family that every exposure can have; None where there is none, or all have it."""
    families = common_solutions({plan.rootname: plan.families for plan in plans})
    return families[0] if families else None


def _write(hdulist: fits.HDUList, plan: ExposurePlan, family: str | None) -> tuple[str, ...]:
    """Attach the solutions, then make the chosen one primary; what was renamed is returned."""
    notes = attach_all(hdulist, plan.to_attach, plan.path.name)
    chosen = plan.solutions.get(family) if family is not None else None
    if chosen is not None and parse_wcsname(primary_wcsname(hdulist)).family != family:
        name = f"{plan.path.stem}_{primary_wcsname(hdulist)}"
        attach_own(
            hdulist,
            make_headerlet(hdulist, name, author=AUTHOR, description="WCS before the a priori solution"),
        )
        apply_headerlet(hdulist, chosen)
    remove_duplicates(hdulist)
    return notes


def _record(
    plans: Sequence[ExposurePlan], before: Sequence[Pointing], family: str | None, problems: tuple[str, ...]
) -> AprioriRecord:
    """What was decided, from the exposures as they are now."""
    exposures = [_exposure_record(plan, was, family) for plan, was in zip(plans, before, strict=True)]
    outcome, reason = _outcome(plans, exposures, family, problems)
    moves = np.array([[e.east_mas or 0.0, e.north_mas or 0.0] for e in exposures])
    spread = float(np.sqrt(((moves - moves.mean(axis=0)) ** 2).sum(axis=1).mean())) if family else None
    return AprioriRecord(
        outcome=outcome,
        family=family,
        reason=reason,
        exposures=tuple(exposures),
        relative_change_mas=spread,
        not_tried="; ".join(problems) or None,
    )


def _exposure_record(plan: ExposurePlan, was: Pointing, family: str | None) -> AprioriExposure:
    """What was done to one exposure."""
    now = pointing(plan.path)
    record = plan.record
    if family is None:
        return record
    east, north, turn = pointing_change(was, now)
    return evolve(record, after=now.wcsname, east_mas=east, north_mas=north, rotation_deg=turn)


def _outcome(
    plans: Sequence[ExposurePlan],
    exposures: Sequence[AprioriExposure],
    family: str | None,
    problems: tuple[str, ...],
) -> tuple[AprioriOutcome, str]:
    """How the stage ended, in a word and in a sentence."""
    if family is not None:
        if all(e.before == e.after for e in exposures):
            return AprioriOutcome.ALREADY_PRIMARY, f"every exposure has its {family} solution already"
        return AprioriOutcome.APPLIED, f"{family} is the best solution that all {len(plans)} exposures have"
    refused = [f"{s.wcsname}: {s.refused}" for e in exposures for s in e.offered if s.refused and s.checks]
    if refused:
        return AprioriOutcome.REFUSED, "; ".join(dict.fromkeys(refused))
    if problems:
        return AprioriOutcome.UNAVAILABLE, "; ".join(problems)
    lacking = [plan.rootname for plan in plans if not plan.families]
    if 0 < len(lacking) < len(plans):
        text = f"{', '.join(lacking)} has no solution, and applying those of the others would pull them apart"
        return AprioriOutcome.REFUSED, text
    if not lacking:
        return AprioriOutcome.REFUSED, "the exposures have no kind of solution in common"
    return AprioriOutcome.NONE_OFFERED, "no solution is offered for the distortion file of these exposures"
