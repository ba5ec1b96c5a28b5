"""The part of the report that holds the whole record, to be unfolded."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from astrodriz_core.records.run import RunRecord
from astrodriz_core.sentences import counted
from astrodriz_io.record_files.record import dump_record
from astrodriz_io.report.parts import Node, Paragraph, Section, Tree

__all__ = ["tree_of", "whole_section"]

NAMING = ("stage", "rootname", "wcsname", "filename", "name", "catalog", "policy", "quantity")
"""Entries by which a part of a list is called, the first that it has."""


def whole_section(record: RunRecord) -> Section:
    """Everything that the record holds, in its order and under its names."""
    text = f"Every value of {record.root}_decisions.json under its name there."
    return Section("record", "The whole record", (Paragraph(text), tree_of(json.loads(dump_record(record)))))


def tree_of(values: Mapping[str, Any]) -> Tree:
    """The tree of the values of a JSON object."""
    return Tree(tuple(_node(name, value) for name, value in values.items()))


def _node(name: str, value: Any) -> Node:
    if isinstance(value, Mapping) and value:
        return Node(name, "", tuple(_node(each, part) for each, part in value.items()))
    if isinstance(value, Sequence) and any(isinstance(part, Mapping) for part in value):
        parts = tuple(_node(_called(number, part), part) for number, part in enumerate(value, start=1))
        return Node(name, counted(len(parts), "entry", "entries"), parts)
    return Node(name, value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False), ())


def _called(number: int, part: Any) -> str:
    """The name of one part of a list."""
    known = (str(part[key]) for key in NAMING if isinstance(part, Mapping) and part.get(key))
    return " ".join((str(number), *list(known)[:1]))
