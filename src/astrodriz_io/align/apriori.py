"""The a priori stage: solutions of the database attached to the exposures, and the best applied to all.

Everything is read and checked first; `astrodriz_core.decide.apriori` makes a plan of it; then all exposures are
written, or none.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from astropy.io import fits
from attrs import evolve

from astrodriz_core.decide.apriori import AprioriPlan, ExposureSolutions, plan_apriori
from astrodriz_core.errors import DatabaseError
from astrodriz_core.records.astrometry import AprioriRecord
from astrodriz_io.align.offers import ExaminedExposure, examine_exposure
from astrodriz_io.runtime.parallel import ordered_map
from astrodriz_io.services.guide_stars import GuideStarSource, NoGuideStars
from astrodriz_io.services.headerlet_sources import HeaderletSource
from astrodriz_io.wcs.attached import attach_own, remove_duplicates
from astrodriz_io.wcs.headerlets import AUTHOR, apply_headerlet, make_headerlet
from astrodriz_io.wcs.headers import edit_together, primary_wcsname
from astrodriz_io.wcs.pointing import Pointing, pointing, pointing_change
from astrodriz_io.wcs.shared_solutions import attach_all

__all__ = ["apply_apriori", "propose_apriori"]

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
    examined, plan = _propose(files, source, guide_stars or NoGuideStars(), all_wcs=all_wcs)
    before = [pointing(path) for path in files]
    notes: list[str] = []
    if plan.writes:
        edit_together(files, lambda i, hdulist: notes.extend(_write(hdulist, examined[i], plan.exposures[i])))
    return evolve(_measured(plan.record, before, files), warnings=tuple(notes))


def propose_apriori(
    files: Sequence[Path],
    source: HeaderletSource,
    *,
    guide_stars: GuideStarSource | None = None,
    all_wcs: bool = False,
) -> AprioriPlan:
    """Ask and check all that `apply_apriori` asks, and say what it would do; no file is changed.

    Parameters are those of `apply_apriori`.

    Raises
    ------
    InputError
        An exposure cannot be read.
    """
    return _propose(files, source, guide_stars or NoGuideStars(), all_wcs=all_wcs)[1]


def _propose(
    files: Sequence[Path], source: HeaderletSource, guide_stars: GuideStarSource, *, all_wcs: bool
) -> tuple[list[ExaminedExposure], AprioriPlan]:
    """All exposures with what is offered for them, and the plan made of it."""
    answers = list(ordered_map(lambda path: _examine(path, source, guide_stars, all_wcs), files, PLANNING_THREADS))
    examined = [exposure for exposure, _ in answers]
    problems = [problem for _, problem in answers if problem]
    return examined, plan_apriori([exposure.record for exposure in examined], problems)


def _examine(
    path: Path, source: HeaderletSource, guide_stars: GuideStarSource, all_wcs: bool
) -> tuple[ExaminedExposure, str | None]:
    """One exposure, with what it carries already where the source cannot be asked."""
    try:
        return examine_exposure(path, source, guide_stars, all_wcs)
    except DatabaseError as error:
        logger.warning("%s: %s", path.name, str(error))
        return examine_exposure(path, None, None, all_wcs)[0], str(error)


def _write(hdulist: fits.HDUList, exposure: ExaminedExposure, solutions: ExposureSolutions) -> tuple[str, ...]:
    """Attach the solutions, then make the chosen one primary; what was renamed is returned."""
    attach = [headerlet for index in solutions.attach if (headerlet := exposure.headerlets[index]) is not None]
    notes = attach_all(hdulist, attach, exposure.path.name)
    chosen = exposure.headerlets[solutions.primary] if solutions.primary is not None else None
    if chosen is not None:
        name = f"{exposure.path.stem}_{primary_wcsname(hdulist)}"
        attach_own(
            hdulist,
            make_headerlet(hdulist, name, author=AUTHOR, description="WCS before the a priori solution"),
        )
        apply_headerlet(hdulist, chosen)
    remove_duplicates(hdulist)
    return notes


def _measured(record: AprioriRecord, before: Sequence[Pointing], files: Sequence[Path]) -> AprioriRecord:
    """The record with the motion of every exposure, where a family was applied."""
    if record.family is None:
        return record
    after = [pointing(path) for path in files]
    moves = [pointing_change(was, now) for was, now in zip(before, after, strict=True)]
    exposures = tuple(
        evolve(exposure, after=now.wcsname, east_mas=east, north_mas=north, rotation_deg=turn)
        for exposure, now, (east, north, turn) in zip(record.exposures, after, moves, strict=True)
    )
    shifts = np.array([(east, north) for east, north, _ in moves])
    spread = float(np.sqrt(((shifts - shifts.mean(axis=0)) ** 2).sum(axis=1).mean()))
    return evolve(record, exposures=exposures, relative_change_mas=spread)
