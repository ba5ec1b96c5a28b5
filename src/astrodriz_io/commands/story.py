"""What became of a planted error, as a section of the report: what was wrong, what was found, what was left."""

from __future__ import annotations

from collections.abc import Iterator

from astrodriz_core.records.run import RunRecord
from astrodriz_core.sentences import capitalised, counted
from astrodriz_core.tell.kinds import fit_in_use, kind_of_wcs
from astrodriz_io.report.parts import Paragraph, Section, table
from astrodriz_io.report.wording import fixed
from astrodriz_io.simulate import WcsScore

__all__ = ["story_section"]


def story_section(record: RunRecord, before: WcsScore, after: WcsScore) -> Section:
    """The story of a run on simulated exposures.

    Parameters
    ----------
    record : RunRecord
        Of the run, which did not know the truth.
    before, after : WcsScore
        How far the exposures were from the truth before the run and after it.
    """
    headers = ("Exposure", "East before (mas)", "North before", "East after", "North after", "WCSNAME after")
    rows = (
        (one.rootname, *(fixed(value, 1, sign=True) for value in (one.east_mas, one.north_mas)),
         *(fixed(value, 1, sign=True) for value in (other.east_mas, other.north_mas)), other.wcsname)
        for one, other in zip(before.exposures, after.exposures, strict=True)
    )  # fmt: skip
    blocks = (
        Paragraph(_wrong(before), lead="What was wrong. "),
        Paragraph(" ".join(_found(record)), lead="What was found. "),
        Paragraph(_left(before, after), lead="What was left. "),
        table("WCS against the truth, before and after", headers, rows, numbers=(1, 2, 3, 4)),
    )
    return Section("story", "The planted error", blocks)


def _wrong(before: WcsScore) -> str:
    number = counted(len(before.exposures), "exposure", "exposures")
    return (
        f"The headers of {number} were made to point {before.absolute_rms_mas:.1f} mas rms beside the truth; to each "
        f"other they agreed to {before.relative_rms_mas:.1f} mas. The run did not know that."
    )


def _found(record: RunRecord) -> Iterator[str]:
    """By how much each stage that moved the exposures moved them."""
    for stage in record.stages:
        moved = [e for e in stage.apriori.exposures if e.east_mas is not None] if stage.apriori is not None else []
        if moved:
            largest = max(_length(e.east_mas, e.north_mas) for e in moved)
            yield f"The a priori solutions ({stage.outcome.value}) moved exposures by up to {largest:.1f} mas."
    attempt = fit_in_use(record)
    if attempt is not None and attempt.fit is not None:
        shift = _length(attempt.fit.east_mas, attempt.fit.north_mas)
        yield f"The {kind_of_wcs(record)}, moved them by another {shift:.1f} mas."
    else:
        yield f"{capitalised(kind_of_wcs(record))}: that is the final WCS."


def _length(east: float | None, north: float | None) -> float:
    return float(((east or 0.0) ** 2 + (north or 0.0) ** 2) ** 0.5)


def _left(before: WcsScore, after: WcsScore) -> str:
    left = f"{after.absolute_rms_mas:.1f} mas rms against the truth, {after.relative_rms_mas:.1f} mas between exposures"
    if after.absolute_rms_mas >= before.absolute_rms_mas:
        return f"{left}: the error was not removed."
    return f"{left}: {100 * after.absolute_rms_mas / before.absolute_rms_mas:.2g} % of the error."
