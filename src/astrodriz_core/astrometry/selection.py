"""Pipeline default, a priori, a posteriori: which WCS wins, and why."""

from __future__ import annotations

from collections.abc import Sequence

from astrodriz_core.errors import MeasurementError
from astrodriz_core.records.astrometry import WcsCandidate, WcsSelection
from astrodriz_core.records.common import Verdict, WcsOrigin

__all__ = ["select_wcs"]

PREFERENCE = (WcsOrigin.A_POSTERIORI, WcsOrigin.A_PRIORI, WcsOrigin.PIPELINE_DEFAULT)
"""The later the stage the closer to Gaia; each has to hold in its verification to be taken."""


def select_wcs(candidates: Sequence[WcsCandidate]) -> WcsSelection:
    """Choose between the candidates of a run.

    The first in the order of preference that its stage kept wins. Only where that one is measured to be
    misaligned, and a less preferred one is measured to be aligned, does the latter win. The pipeline default is the
    last resort and always accepted.

    Parameters
    ----------
    candidates : sequence of WcsCandidate
        At most one for each origin, in any order; a stage that was not run is left out.

    Raises
    ------
    MeasurementError
        There is no candidate at all, or two of one origin.
    """
    origins = [candidate.origin for candidate in candidates]
    if not origins or len(set(origins)) != len(origins):
        raise MeasurementError(f"The choice needs one candidate for each origin; there are {len(origins)}.")
    ordered = tuple(sorted(candidates, key=lambda candidate: PREFERENCE.index(candidate.origin)))
    acceptable = [c for c in ordered if c.kept or c.origin is WcsOrigin.PIPELINE_DEFAULT] or [ordered[-1]]
    aligned = [c for c in acceptable if c.verdict is Verdict.ALIGNED]
    undetermined = [c for c in acceptable if c.verdict is Verdict.UNDETERMINED]
    chosen = acceptable[0]
    if chosen.verdict is Verdict.MISALIGNED:
        chosen = (aligned or undetermined or [_best_registered(acceptable)])[0]
    return WcsSelection(chosen.origin, chosen.wcsname, _reason(chosen, ordered), ordered)


def _best_registered(candidates: list[WcsCandidate]) -> WcsCandidate:
    """The one whose exposures agree best, the preferred one where that was not measured."""
    measured = [c for c in candidates if c.registration_mas is not None]
    return min(measured, key=lambda c: c.registration_mas or 0.0) if measured else candidates[0]


def _reason(chosen: WcsCandidate, ordered: tuple[WcsCandidate, ...]) -> str:
    """Why this one and none of those before it."""
    before = ordered[: ordered.index(chosen)]
    passed_over = "; ".join(
        f"{c.origin.value} passed over ({c.reason if not c.kept else c.verdict.value})" for c in before
    )
    own = f"{chosen.origin.value} is {chosen.verdict.value}"
    return f"{own}; {passed_over}." if passed_over else f"{own}."
