"""The part of the report that says how to make the run's files again."""

from __future__ import annotations

from collections.abc import Iterator

from astrodriz_core.errors import AstrodrizError
from astrodriz_core.records.common import WcsOrigin
from astrodriz_core.records.run import RunRecord
from astrodriz_core.replay_plan import ORIGIN_WORDS, origin_in_use, plan_replay
from astrodriz_io.report.parts import Command, Commands, Paragraph, Section, empty_section

__all__ = ["again_section"]

TITLE = "How to make this again"


def again_section(record: RunRecord) -> Section:
    """The commands that make the files of a run again, and those that make them with another WCS."""
    try:
        sidecar = plan_replay(record).sidecar
    except AstrodrizError as error:
        return empty_section("again", TITLE, error.problem)
    place = (
        f"INPUTS is a folder with the exposures as they were before the run, OUTPUT one for the results; "
        f"{sidecar.name} lies beside the record."
    )
    return Section("again", TITLE, (Paragraph(place), Commands(tuple(_commands(record)))))


def _commands(record: RunRecord) -> Iterator[Command]:
    # A root that a shell would take apart is no plain file name, for which there is no plan.
    name = f"{record.root}_decisions.json"
    replay = f"astrodriz replay {name} --inputs INPUTS --output OUTPUT"
    yield Command("The same files, byte for byte where the software is the same:", replay)
    for word, origin in ORIGIN_WORDS.items():
        if _can_be_made(record, origin):
            yield Command(f"Products with the {origin.value} WCS instead:", f"{replay} --select {word}")
    yield Command("Why this WCS was chosen:", f"astrodriz explain {name}")


def _can_be_made(record: RunRecord, origin: WcsOrigin) -> bool:
    """Whether a run has made another WCS of this origin."""
    try:
        plan_replay(record, origin)
    except AstrodrizError:
        return False
    return origin is not origin_in_use(record)
