"""The JSON schema of a run record, made from its classes.

``docs/decisions.schema.json`` is what `record_schema` makes, and records that are read are checked against the very
same tree, so what is published is what is enforced.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from enum import Enum
from typing import Any, TypeAlias

import attrs

from astrodriz_core.records.run import SCHEMA_VERSION, RunRecord

__all__ = ["record_schema"]

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


def record_schema() -> Tree:
    """The schema of `RunRecord`: JSON Schema, draft 2020-12; every field is required, and no other is allowed."""
    definitions: Tree = {}
    root = _reference(RunRecord, definitions)
    version = definitions[_name(RunRecord)]["properties"]
    version["schema_version"] = {"const": SCHEMA_VERSION}
    return {"$schema": DIALECT, "title": "Decisions of a run of astrodriz", **root, "$defs": definitions}


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
