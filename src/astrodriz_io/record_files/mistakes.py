"""What does not fit the schema in a record, found by jsonschema and told in a line for each place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from jsonschema import Draft202012Validator, ValidationError, validators

__all__ = ["mistakes", "shown"]

SHOWN = 40
"""Characters of a wrong value that are quoted."""

_Validator = validators.extend(
    Draft202012Validator,
    # To the standard 1.0 is an integer; to those who read records it is a float.
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int),
)


def mistakes(tree: Any, schema: Mapping[str, Any]) -> tuple[str, ...]:
    """Where a tree does not fit a schema.

    Returns
    -------
    tuple of str
        Each with its place, such as ``record.stages[2].wcs: unknown field``; empty where the tree fits.
    """
    try:
        found = list(_Validator(schema).iter_errors(tree))
    except RecursionError:
        # jsonschema writes out what is wrong.
        return ("record: nested too deeply",)
    return tuple(dict.fromkeys(_told(found)))


def shown(value: object) -> str:
    """A wrong value as a message quotes it: its beginning, or that it is too deep to be written at all."""
    try:
        text = repr(value)
    except RecursionError:
        return "what is nested so deeply"
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def _told(errors: Iterable[ValidationError]) -> Iterator[str]:
    for error in errors:
        place = "record" + "".join(f"[{at}]" if isinstance(at, int) else f".{at}" for at in error.absolute_path)
        yield from _WORDS[error.validator](error, place)


def _unknown(error: ValidationError, place: str) -> Iterator[str]:
    known = error.schema["properties"]
    return (f"{place}.{name:.{SHOWN}}: unknown field" for name in error.instance if name not in known)


def _missing(error: ValidationError, place: str) -> Iterator[str]:
    return (f"{place}.{name}: missing" for name in error.validator_value if name not in error.instance)


def _wrong_type(error: ValidationError, place: str) -> Iterator[str]:
    yield f"{place}: {shown(error.instance)} is no {error.validator_value}"


def _wrong_value(error: ValidationError, place: str) -> Iterator[str]:
    allowed = error.validator_value if error.validator == "enum" else [error.validator_value]
    yield f"{place}: {shown(error.instance)} is none of {', '.join(map(str, allowed))}"


def _wrong_length(error: ValidationError, place: str) -> Iterator[str]:
    yield f"{place}: {len(error.instance)} members instead of {error.validator_value}"


def _no_choice(error: ValidationError, _: str) -> Iterator[str]:
    """The mistakes under the first choice; that the value could have been null is told where nothing else could."""
    choices = [list(found) for _, found in groupby(error.context, key=lambda one: one.schema_path[0])]
    others = [found for found in choices if found[0].validator_value != "null"]
    return _told((others or choices)[0])


_WORDS: Mapping[str, Callable[[ValidationError, str], Iterator[str]]] = {
    "additionalProperties": _unknown,
    "required": _missing,
    "type": _wrong_type,
    "enum": _wrong_value,
    "const": _wrong_value,
    "minItems": _wrong_length,
    "maxItems": _wrong_length,
    "anyOf": _no_choice,
}
"""For each keyword of the schema of records."""
