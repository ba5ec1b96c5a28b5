"""Hypothesis strategies for the frozen records, made from the types of their fields."""

from __future__ import annotations

import types
import typing
from enum import Enum

import attrs
from hypothesis import strategies as st

from astrodriz_core.parameters.drizzle import DrizzleParameters

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12)
MANY = 2
"""Members of a tuple at the most: records are wide and deep, and two show what is repeated."""

SIMPLE = {bool: st.booleans(), int: st.integers(-(2**53), 2**53), float: NUMBERS, str: TEXTS, type(None): st.none()}
FIXED = {DrizzleParameters: st.just(DrizzleParameters())}
"""Classes whose fields are validated beyond their types."""


def values_of(annotation: object) -> st.SearchStrategy[typing.Any]:
    """Values of one annotation, as records may have it."""
    known = {**SIMPLE, **FIXED}
    if annotation in known:
        return known[annotation]
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        return st.one_of(*map(values_of, parts))
    if origin is tuple:
        if parts[-1] is Ellipsis:
            return st.lists(values_of(parts[0]), max_size=MANY).map(tuple)
        return st.tuples(*map(values_of, parts))
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return st.sampled_from(list(annotation))
    return records(annotation)


def records(cls: type, **given: st.SearchStrategy[typing.Any]) -> st.SearchStrategy[typing.Any]:
    """Records of a class; fields that are given are drawn from their own strategies."""
    hints = typing.get_type_hints(cls)
    fields = {field.name: field for field in attrs.fields(cls)}
    drawn = {name: given.get(name, values_of(hints[name])) for name in fields}
    return st.builds(cls, **drawn)
