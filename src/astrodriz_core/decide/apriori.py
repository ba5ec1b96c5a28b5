"""Which a priori solutions an association gets: one family for all exposures, or none.

Solutions of different families (HSC30, GSC240, ...) differ by tens of milliarcseconds and would pull the exposures
apart.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve, frozen

from astrodriz_core.decide.offers import rank_candidates
from astrodriz_core.records.astrometry import AprioriExposure, AprioriOutcome, AprioriRecord, SolutionOrigin
from astrodriz_core.sentences import joined
from astrodriz_core.solutions.ranking import common_solutions
from astrodriz_core.solutions.wcsnames import parse_wcsname

__all__ = ["AprioriPlan", "ExposureSolutions", "plan_apriori"]


@frozen
class ExposureSolutions:
    """What one exposure gets, as indices into what was offered for it.

    Attributes
    ----------
    attach : tuple of int
        Solutions that become HDRLET extensions.
    primary : int or None
        The one that becomes the primary WCS; None where that stays.
    """

    attach: tuple[int, ...]
    primary: int | None


@frozen
class AprioriPlan:
    """What the stage does to the exposures: everything that is written follows from it.

    Attributes
    ----------
    record : AprioriRecord
        With the WCSNAME that each exposure gets; by how much it moves is measured when it is written.
    exposures : tuple of ExposureSolutions
        One for each exposure.
    """

    record: AprioriRecord
    exposures: tuple[ExposureSolutions, ...]

    @property
    def writes(self) -> bool:
        """Whether there is anything to write."""
        return self.record.family is not None or any(exposure.attach for exposure in self.exposures)


def plan_apriori(exposures: Sequence[AprioriExposure], problems: Sequence[str] = ()) -> AprioriPlan:
    """Which solutions are attached to each exposure, and which becomes primary.

    Attached is every solution that was judged so and is not there yet, whatever comes of the stage. Of the families
    that every exposure can have, the first in the order of preference of the first exposure is applied to all that do
    not have it as their primary WCS; where there is none, to none.

    Parameters
    ----------
    exposures : sequence of AprioriExposure
        With every solution that is offered, judged; as they are before.
    problems : sequence of str
        What could not be asked or read.

    Returns
    -------
    AprioriPlan
        Its outcome, where no family is applied, is in this order: refused by a check; a source that could not be
        asked; refused because an exposure has no solution, or there is none in common; none offered.
    """
    families = [_families(exposure) for exposure in exposures]
    common = common_solutions({e.rootname: tuple(known) for e, known in zip(exposures, families, strict=True)})
    family = common[0] if common else None
    planned = tuple(_exposure(e, known, family) for e, known in zip(exposures, families, strict=True))
    told = tuple(dict.fromkeys(problems))
    outcome, reason = _applied(planned, family) if family is not None else _not_applied(exposures, families, told)
    record = AprioriRecord(
        outcome=outcome,
        family=family,
        reason=reason,
        exposures=tuple(_after(e, solutions) for e, solutions in zip(exposures, planned, strict=True)),
        not_tried=joined(told) or None,
    )
    return AprioriPlan(record, planned)


def _families(exposure: AprioriExposure) -> dict[str, int]:
    """The preferred candidate of each family, the families in the order of preference."""
    found: dict[str, int] = {}
    for index in rank_candidates(exposure.offered, exposure.best):
        found.setdefault(str(parse_wcsname(exposure.offered[index].wcsname).family), index)
    return found


def _exposure(exposure: AprioriExposure, families: dict[str, int], family: str | None) -> ExposureSolutions:
    attach = tuple(
        index
        for index, offer in enumerate(exposure.offered)
        if offer.attached and offer.origin is not SolutionOrigin.EMBEDDED
    )
    has_it = family is None or parse_wcsname(exposure.before).family == family
    return ExposureSolutions(attach, None if has_it else families[str(family)])


def _after(exposure: AprioriExposure, solutions: ExposureSolutions) -> AprioriExposure:
    """The exposure with the WCSNAME that it gets."""
    return (
        exposure if solutions.primary is None else evolve(exposure, after=exposure.offered[solutions.primary].wcsname)
    )


def _applied(planned: Sequence[ExposureSolutions], family: str) -> tuple[AprioriOutcome, str]:
    if all(solutions.primary is None for solutions in planned):
        return AprioriOutcome.ALREADY_PRIMARY, f"every exposure has its {family} solution already"
    return AprioriOutcome.APPLIED, f"{family} is the best solution that every exposure has"


def _not_applied(
    exposures: Sequence[AprioriExposure], families: Sequence[dict[str, int]], problems: Sequence[str]
) -> tuple[AprioriOutcome, str]:
    """Why no exposure gets a new WCS."""
    refused = [f"{s.wcsname}: {s.refused}" for e in exposures for s in e.offered if s.refused and s.checks]
    if refused:
        return AprioriOutcome.REFUSED, joined(refused)
    if problems:
        return AprioriOutcome.UNAVAILABLE, joined(problems)
    lacking = [exposure.rootname for exposure, known in zip(exposures, families, strict=True) if not known]
    if 0 < len(lacking) < len(exposures):
        text = f"{', '.join(lacking)} has no solution, and applying those of the others would pull them apart"
        return AprioriOutcome.REFUSED, text
    if not lacking:
        return AprioriOutcome.REFUSED, "the exposures have no kind of solution in common"
    return AprioriOutcome.NONE_OFFERED, "no solution is offered for the distortion file of these exposures"
