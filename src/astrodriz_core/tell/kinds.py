"""What a WCS rests on, in the words of an astronomer."""

from __future__ import annotations

from collections.abc import Mapping

from astrodriz_core.decide.selection import standing_stage
from astrodriz_core.records.astrometry import FitAttempt
from astrodriz_core.records.common import WcsOrigin
from astrodriz_core.records.run import RunRecord
from astrodriz_core.sentences import counted
from astrodriz_core.solutions.wcsnames import parse_wcsname

__all__ = ["THINGS", "catalog_words", "fit_in_use", "kind_of_wcs", "solution_words"]

THINGS: Mapping[WcsOrigin, str] = {
    WcsOrigin.PIPELINE_DEFAULT: "the pipeline default",
    WcsOrigin.A_PRIORI: "the a priori solution",
    WcsOrigin.A_POSTERIORI: "the fit",
}

FAMILIES: Mapping[str, str] = {"HSC": "the Hubble Source Catalog", "GSC": "the Guide Star Catalog"}
"""Where the position of an a priori solution comes from, by the first letters of its family."""


PIPELINE_DEFAULT = "pipeline default, not fitted to a catalogue"


def kind_of_wcs(record: RunRecord) -> str:
    """What the WCS of the products rests on; empty where none was chosen."""
    if record.selection is None:
        return ""
    if record.selection.chosen is WcsOrigin.A_POSTERIORI:
        return _kind_of_fit(fit_in_use(record))
    if record.selection.chosen is WcsOrigin.A_PRIORI:
        return _kind_of_solution(record.selection.wcsname)
    return PIPELINE_DEFAULT


def fit_in_use(record: RunRecord) -> FitAttempt | None:
    """The fit to a catalogue whose WCS the products have; None where they have another."""
    stage = standing_stage(record)
    fit = stage.aposteriori if stage is not None else None
    return fit.attempts[fit.chosen] if fit is not None and fit.chosen is not None else None


def _kind_of_fit(attempt: FitAttempt | None) -> str:
    if attempt is None or attempt.fit is None:
        return "exposures fitted to each other, not to a catalogue"
    stars = counted(attempt.fit.matches, "star", "stars")
    return f"fit to {catalog_words(attempt.catalog)}, {stars}, {attempt.fit.rms_mas:.1f} mas rms"


def _kind_of_solution(wcsname: str) -> str:
    name = parse_wcsname(wcsname)
    if name.catalog is not None:
        return f"a priori, an earlier fit to {catalog_words(name.catalog)}"
    source = next((words for letters, words in FAMILIES.items() if (name.family or "").startswith(letters)), None)
    return f"a priori, position from {source}" if source is not None else "a priori"


def solution_words(wcsname: str) -> str:
    """What a solution rests on, from its name alone."""
    name = parse_wcsname(wcsname)
    if name.origin is WcsOrigin.A_POSTERIORI:
        return f"fit to {catalog_words(name.catalog or '')}"
    if name.origin is WcsOrigin.A_PRIORI:
        return _kind_of_solution(wcsname)
    return PIPELINE_DEFAULT if name.origin is WcsOrigin.PIPELINE_DEFAULT else "not one of the archive's"


def catalog_words(name: str) -> str:
    """A catalogue as people call it; which release it is stands in WCSNAME."""
    return "Gaia" if name.upper().startswith("GAIA") else name
