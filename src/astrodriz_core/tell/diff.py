"""What changed between two runs, from their records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Any

import attrs
from attrs import frozen

from astrodriz_core.records.run import RunRecord
from astrodriz_core.sentences import counted, listed

__all__ = ["Change", "Topic", "describe_changes", "diff", "difference_sentence"]


class Topic(Enum):
    """What a change is about, in the order in which one thing leads to another."""

    RUN = "run"
    INPUTS = "inputs"
    SETTINGS = "settings"
    SOFTWARE = "software"
    REFERENCES = "reference files"
    PARAMETERS = "drizzle parameters"
    WCS = "WCS"
    MEASUREMENTS = "measurements"
    VERDICTS = "verdicts"
    SELECTION = "selection"
    PRODUCTS = "products"


@frozen
class Change:
    """One value that differs.

    Attributes
    ----------
    topic : Topic
    place : str
        Path within the record, such as ``stages[a priori].drizzle.sky[abc 1].value``.
    before, after : str
        The value in the first and in the second record; ``none`` where a record has nothing there.
    """

    topic: Topic
    place: str
    before: str
    after: str


TOPICS: Mapping[str, Topic] = {
    "inputs": Topic.INPUTS,
    "settings": Topic.SETTINGS,
    "software": Topic.SOFTWARE,
    "references": Topic.REFERENCES,
    "parameters": Topic.PARAMETERS,
    "guiding": Topic.MEASUREMENTS,
    "stages": Topic.MEASUREMENTS,
    "selection": Topic.SELECTION,
    "products": Topic.PRODUCTS,
    "outputs": Topic.PRODUCTS,
}
"""By the first field of the path; what is not here is about the run."""

INNER_TOPICS: Mapping[str, Topic] = {
    "wcs": Topic.WCS,
    "outcome": Topic.VERDICTS,
    "verdict": Topic.VERDICTS,
    "quality": Topic.VERDICTS,
    "passed": Topic.VERDICTS,
    "misaligned": Topic.VERDICTS,
    "degraded": Topic.VERDICTS,
}
"""By any later field of a stage."""

IGNORED = frozenset({"schema_version", "started", "sidecar", "states", "files", "parameter_sources"})
"""Fields that differ between any two runs, or repeat others, and say nothing of what was decided."""

DERIVED = frozenset({"reason", "detail"})
"""Sentences that repeat the numbers beside them; those of a stage and of the selection are compared."""

DATED = frozenset({"sha256"})
"""Digests of files that carry the date of their run: they are compared only where two runs began at the same moment."""

IDENTITIES = ("stage", "origin", "policy", "name", "filename", "rootname", "extver", "chip", "quantity", "hdrname",
              "catalog", "method")  # fmt: skip
"""Fields by which the members of a tuple are recognised in the other record."""

HASH_DIGITS = 12
"""Characters of a digest of 64 that are shown; more than enough to tell two files apart."""

LISTED = 20
"""Changes of one topic that are listed before the rest is only counted."""


def diff(before: RunRecord, after: RunRecord) -> tuple[Change, ...]:
    """Everything that differs, by topic; empty where two runs decided the same on the same numbers.

    Left out is what differs between any two runs: times, and with them the hashes of products, exposures and
    headerlets, which carry the date of their run.
    """
    dated = before.started != after.started
    found = [
        Change(_topic(path), _place(path), _shown(path, one), _shown(path, other))
        for path, one, other in _differences(before, after, ())
        if not (dated and path[0] in ("products", "outputs") and path[-1] in DATED)
    ]
    return tuple(sorted(found, key=lambda change: list(Topic).index(change.topic)))


def describe_changes(changes: Sequence[Change], *, everything: bool = False) -> tuple[str, ...]:
    """Lines for a reader, under a heading for each topic; no line for no change.

    Parameters
    ----------
    changes : sequence of Change
        From `diff`.
    everything : bool
        List all changes, however many.
    """
    lines: list[str] = []
    for topic in Topic:
        ours = [change for change in changes if change.topic is topic]
        shown = ours if everything else ours[:LISTED]
        lines += [topic.value] if ours else []
        lines += [f"  {change.place}: {change.before} -> {change.after}" for change in shown]
        lines += [f"  and {len(ours) - len(shown)} more"] if len(shown) < len(ours) else []
    return tuple(lines)


def difference_sentence(before: RunRecord, after: RunRecord, changes: Sequence[Change]) -> str:
    """What came of the changes between two runs, in a sentence: whether they ended with the same WCS."""
    if not changes:
        return "The two runs decided the same on the same numbers."
    first, second = (record.selection.wcsname if record.selection else "none" for record in (before, after))
    topics = listed(list(dict.fromkeys(change.topic.value for change in changes)))
    wcs = f"the final WCS is the same, {first}" if first == second else f"the final WCS was {first} and is {second}"
    return f"{counted(len(changes), 'value differs', 'values differ')} ({topics}); {wcs}."


def _differences(one: Any, other: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """Path and both values of every leaf that differs."""
    if one == other:
        return
    if attrs.has(type(one)) and type(one) is type(other):
        for field in attrs.fields(type(one)):
            if field.name not in IGNORED and not (field.name in DERIVED and len(path) > 2):
                yield from _differences(getattr(one, field.name), getattr(other, field.name), (*path, field.name))
    elif isinstance(one, tuple) and isinstance(other, tuple) and _are_records((*one, *other)):
        ours, theirs = _by_identity(one), _by_identity(other)
        for key in dict.fromkeys((*ours, *theirs)):
            yield from _differences(ours.get(key), theirs.get(key), (*path, f"[{key}]"))
    else:
        yield path, one, other


def _are_records(members: tuple[Any, ...]) -> bool:
    return all(attrs.has(type(member)) for member in members)


def _by_identity(members: tuple[Any, ...]) -> dict[str, Any]:
    """Members by what they are; by a number in addition where several are the same."""
    found: dict[str, Any] = {}
    for member in members:
        values = (getattr(member, name, None) for name in IDENTITIES)
        identity = " ".join(_text(value) for value in values if value is not None)
        repeats = sum(key == identity or key.startswith(f"{identity} #") for key in found)
        found[f"{identity} #{repeats + 1}" if repeats else identity] = member
    return found


def _topic(path: tuple[str, ...]) -> Topic:
    inner = next((INNER_TOPICS[name] for name in path[1:] if name in INNER_TOPICS), None)
    outer = TOPICS.get(path[0], Topic.RUN)
    return inner if inner is not None and outer is Topic.MEASUREMENTS else outer


def _place(path: tuple[str, ...]) -> str:
    return ".".join(path).replace(".[", "[")


def _text(value: Any) -> str:
    """A value as a reader wants it; of a whole record only that it is there."""
    if value is None or value == ():
        return "none"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, tuple):
        return ", ".join(_text(item) for item in value)
    if attrs.has(type(value)):
        return "present"
    return str(value)


def _shown(path: tuple[str, ...], value: Any) -> str:
    """A value at the end of a path; of a hash the first digits."""
    return _text(value)[: HASH_DIGITS if path[-1] == "sha256" else None]
