"""The JSON schema of a run record, made from its classes, and whether a record fits it.

`record_schema` makes what ``docs/decisions.schema.json`` has; `mistakes` checks against the very same tree, so what
is published is what is enforced.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, TypeAlias

import attrs

from astrodriz_core.records.run import SCHEMA_VERSION, RunRecord

__all__ = ["mistakes", "record_schema", "shown"]

Tree: TypeAlias = dict[str, Any]
"""A JSON object."""

DIALECT = "https://json-schema.org/draft/2020-12/schema"

SCALARS: Mapping[object, str] = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    type(None): "null",
}

PYTHON_TYPES: Mapping[str, tuple[type, ...]] = {
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "string": (str,),
    "null": (type(None),),
    "array": (list,),
    "object": (dict,),
}
"""What a JSON reader makes of each type; a truth value, which Python counts among the integers, is no number."""

SHOWN = 40
"""Characters of a wrong value that are quoted."""


def record_schema() -> Tree:
    """The schema of `RunRecord`: JSON Schema, draft 2020-12; every field is required, and no other is allowed."""
    definitions: Tree = {}
    root = _reference(RunRecord, definitions)
    version = definitions[_name(RunRecord)]["properties"]
    version["schema_version"] = {"const": SCHEMA_VERSION}
    return {"$schema": DIALECT, "title": "Decisions of a run of astrodriz", **root, "$defs": definitions}


def mistakes(tree: Any, schema: Tree) -> tuple[str, ...]:
    """Where a tree does not fit a schema that `record_schema` made.

    Returns
    -------
    tuple of str
        Each with its place, such as ``record.stages[2].wcs: unknown field``; empty where the tree fits.
    """
    return tuple(_mistakes(tree, schema, schema["$defs"], "record"))


def shown(value: object) -> str:
    """A wrong value as a message quotes it: its beginning, or that it is too deep to be written at all."""
    try:
        text = repr(value)
    except RecursionError:
        return "what is nested so deeply"
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def _schema(kind: Any, definitions: Tree) -> Tree:
    """The schema of one type; classes are put into `definitions` and referred to."""
    if kind in SCALARS:
        return {"type": SCALARS[kind]}
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [_schema(part, definitions) for part in parts]}
    if origin is tuple and parts[-1] is Ellipsis:
        return {"type": "array", "items": _schema(parts[0], definitions)}
    if origin is tuple:
        members = [_schema(part, definitions) for part in parts]
        return {"type": "array", "prefixItems": members, "minItems": len(members), "maxItems": len(members)}
    return _reference(kind, definitions)


def _reference(kind: type, definitions: Tree) -> Tree:
    name = _name(kind)
    if name not in definitions:
        definitions[name] = {}
        definitions[name] = _enumeration(kind) if issubclass(kind, Enum) else _object(kind, definitions)
    return {"$ref": f"#/$defs/{name}"}


def _name(kind: type) -> str:
    """Module and class, so that a reader finds it."""
    return f"{kind.__module__.rpartition('.')[2]}.{kind.__name__}"


def _description(kind: type) -> str:
    """First paragraph of the docstring, in one line."""
    return " ".join((kind.__doc__ or "").partition("\n\n")[0].split())


def _enumeration(kind: type[Enum]) -> Tree:
    return {"description": _description(kind), "enum": [member.value for member in kind]}


def _object(kind: type, definitions: Tree) -> Tree:
    hints = typing.get_type_hints(kind)
    names = [field.name for field in attrs.fields(kind)]
    return {
        "description": _description(kind),
        "type": "object",
        "properties": {name: _schema(hints[name], definitions) for name in names},
        "required": names,
        "additionalProperties": False,
    }


def _mistakes(value: Any, schema: Tree, definitions: Tree, place: str) -> Iterator[str]:
    if "$ref" in schema:
        yield from _mistakes(value, definitions[schema["$ref"].rpartition("/")[2]], definitions, place)
    elif "anyOf" in schema:
        yield from _mistakes_of_all(value, schema["anyOf"], definitions, place)
    elif "enum" in schema or "const" in schema:
        allowed = schema.get("enum", [schema.get("const")])
        if not any(type(value) is type(one) and value == one for one in allowed):
            yield f"{place}: {shown(value)} is none of {', '.join(map(str, allowed))}"
    elif not _is_a(value, schema["type"]):
        yield f"{place}: {shown(value)} is no {schema['type']}"
    elif schema["type"] == "object":
        yield from _mistakes_of_object(value, schema, definitions, place)
    elif schema["type"] == "array":
        yield from _mistakes_of_array(value, schema, definitions, place)


def _mistakes_of_all(value: Any, choices: Sequence[Tree], definitions: Tree, place: str) -> list[str]:
    """The mistakes under the choice that has least to say against the value; a null is told of last."""
    found = [list(_mistakes(value, choice, definitions, place)) for choice in choices]
    return [] if [] in found else next((m for m in found if not m[0].endswith("is no null")), found[0])


def _mistakes_of_object(value: Tree, schema: Tree, definitions: Tree, place: str) -> Iterator[str]:
    fields = schema["properties"]
    yield from (f"{place}.{name:.{SHOWN}}: unknown field" for name in value if name not in fields)
    yield from (f"{place}.{name}: missing" for name in schema["required"] if name not in value)
    for name, field in fields.items():
        if name in value:
            yield from _mistakes(value[name], field, definitions, f"{place}.{name}")


def _mistakes_of_array(value: Sequence[Any], schema: Tree, definitions: Tree, place: str) -> Iterator[str]:
    members = schema.get("prefixItems")
    if members is not None and len(members) != len(value):
        yield f"{place}: {len(value)} members instead of {len(members)}"
        return
    for index, item in enumerate(value):
        each = schema["items"] if members is None else members[index]
        yield from _mistakes(item, each, definitions, f"{place}[{index}]")


def _is_a(value: Any, name: str) -> bool:
    return isinstance(value, PYTHON_TYPES[name]) and (name == "boolean" or not isinstance(value, bool))
