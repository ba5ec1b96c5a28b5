"""The verdict on a run in the words of an astronomer: the final WCS, how well the exposures agree, what went wrong."""

from __future__ import annotations

from astrodriz_core.decide.selection import standing_stage, standing_verification
from astrodriz_core.records.run import RunRecord
from astrodriz_core.sentences import capitalised, ended, listed
from astrodriz_core.tell.agreement import agreement
from astrodriz_core.tell.caveats import caveats, preferred_to_chosen
from astrodriz_core.tell.kinds import THINGS, kind_of_wcs

__all__ = ["alignment_sentence", "last_line", "verdict", "wcs_sentence", "why"]

REPORT = "_report.html"
"""End of the name of the page that a run leaves."""


def last_line(record: RunRecord, page: str | None = None) -> str:
    """The verdict, and where to look for more, by default in the page that the run has left."""
    page = page or next((name for name in record.files if name.endswith(REPORT)), None)
    return f"{verdict(record)} See {page}." if page is not None else verdict(record)


def verdict(record: RunRecord) -> str:
    """The whole verdict in a few sentences of one line."""
    if record.selection is None:
        return f"{capitalised(record.outcome.value)}: nothing was drizzled; -f drizzles all the same."
    return " ".join((wcs_sentence(record), alignment_sentence(record), *caveats(record, record.selection)))


def wcs_sentence(record: RunRecord) -> str:
    """Name and kind of the WCS that the products have; empty where none was chosen."""
    return f"Final WCS: {record.selection.wcsname} ({kind_of_wcs(record)})." if record.selection is not None else ""


def alignment_sentence(record: RunRecord) -> str:
    """What holds of the alignment of a run's products, for every report that tells of it."""
    stage, verification = standing_stage(record), standing_verification(record)
    if stage is None:
        return f"Not drizzled: {record.outcome.value}."
    if verification is None:
        return ended(f"Alignment not verified: {stage.reason}")
    return agreement(verification)


def why(record: RunRecord) -> str:
    """Why the WCS of the products was preferred to the others, in a sentence; empty where none was chosen."""
    selection = record.selection
    if selection is None:
        return ""
    turned_down = preferred_to_chosen(selection)
    behind = [THINGS[each.origin] for each in selection.candidates[len(turned_down) + 1 :]]
    chosen = THINGS[selection.chosen]
    said = (
        *((f"{chosen} is preferred to {listed(behind)}",) if behind else ()),
        *(f"{THINGS[each.origin]} was turned down ({each.reason.rstrip('.')})" for each in turned_down),
    )
    return ended(capitalised("; ".join(said) or f"{chosen} is the only WCS that was made"))
