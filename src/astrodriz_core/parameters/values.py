"""Values of drizzle parameters: from the text or number of a table, a file or an option, and back to text.

Each kind of value has one function that reads it. What it reads may already be of the right type. Texts are
taken as AstroDrizzle's configuration and IRAF's parameter files write them: yes/no, INDEF, "4 3".
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from enum import Enum
from typing import Any, TypeVar

from attrs import Attribute, field

from astrodriz_core.errors import UsageError
from astrodriz_core.instruments.dq import interpret_bits

__all__ = [
    "INDEFINITE",
    "as_text",
    "bits",
    "choice",
    "number",
    "optional_number",
    "optional_text",
    "optional_whole",
    "pair",
    "parse_value",
    "switch",
    "whole",
]

LARGEST_WHOLE = 2**31 - 1
"""Where a parameter gives no limit of its own: what 32 bits hold, as in IRAF and FITS tables."""

SHOWN = 40
"""Characters of a bad value that a message quotes."""

INDEFINITE = "INDEF"
"""How a value that does not exist is written; read back as None."""

_INDEFINITE_WORDS = frozenset({"", "INDEF", "NONE", "NAN"})
_SWITCH_WORDS = {"yes": True, "true": True, "on": True, "y": True, "t": True, "1": True} | dict.fromkeys(
    ("no", "false", "off", "n", "f", "0"), False
)
LARGEST_BITS = 2**32
"""No DQ array of HST has more bits than 32; ``~`` of all of them is this negated."""

_IRAF_INDEFINITE_INTEGER = -2147483647
_PARSE = "parse"
_GOOD = "good"
_SEPARATORS = re.compile(r"[,;\s]+")

E_ = TypeVar("E_", bound=Enum)
Parser = Callable[[object], object]


def parse_value(attribute: Attribute[Any], value: object) -> object:
    """Read a value for one field of the parameters.

    Parameters
    ----------
    attribute : attrs.Attribute
        A field made by one of the functions of this module.
    value : object
        Text, number, bool, or already of the field's type.

    Returns
    -------
    object
        A value of the field's type; not yet checked against its limits.

    Raises
    ------
    UsageError
        The value cannot be read; the message says which values can.
    """
    try:
        return attribute.metadata[_PARSE](value)
    except (ValueError, TypeError, KeyError, OverflowError, UsageError) as failure:
        raise _bad_value(attribute, value) from failure


def as_text(value: object) -> str:
    """Write a value as `parse_value` reads it: INDEF for None, yes/no, pairs with a blank, enums by value."""
    if value is None:
        return INDEFINITE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return " ".join(as_text(item) for item in value)
    return str(value.value if isinstance(value, Enum) else value)


def switch(default: bool) -> Any:
    """Make a field that is on or off."""
    return _field(default, _to_switch, "yes or no", lambda value: isinstance(value, bool))


def whole(default: int, *, least: int = 0, most: int = LARGEST_WHOLE) -> Any:
    """Make a field for a whole number within limits."""
    good = _described("a whole number", least, most)
    return _field(default, _to_whole, good, lambda value: least <= value <= most)


def optional_whole(*, most: int = LARGEST_WHOLE) -> Any:
    """Make a field for a whole number of at least 1, INDEF by default."""
    good = f"{_described('a whole number', 1, most)}, or {INDEFINITE}"
    return _field(None, _optional(_to_whole), good, lambda value: value is None or 1 <= value <= most)


def number(default: float, *, least: float = -math.inf, most: float = math.inf, above: bool = False) -> Any:
    """Make a field for a finite number within limits; with `above`, `least` itself is too small."""
    good = _described("a number", least, most, above=above)
    return _field(default, _to_number, good, lambda value: _is_within(value, least, most, above=above))


def optional_number(
    *, least: float = -math.inf, most: float = math.inf, above: bool = False, default: float | None = None
) -> Any:
    """Make a field for INDEF or a finite number within limits; with `above`, `least` itself is too small."""
    good = f"{_described('a number', least, most, above=above)}, or {INDEFINITE}"
    return _field(
        default,
        _optional(_to_number),
        good,
        lambda value: value is None or _is_within(value, least, most, above=above),
    )


def optional_text() -> Any:
    """Make a field for a text, INDEF by default."""
    return _field(None, _optional(_to_text), "a text", lambda value: value is None or bool(value))


def pair(default: tuple[float, float], *, most: float) -> Any:
    """Make a field for two numbers of at least 0 and at most `most`."""
    good = f"two numbers of at least 0 and at most {most:g}, such as '4 3'"
    return _field(default, _to_pair, good, lambda value: all(_is_within(item, 0, most) for item in value))


def bits(default: int | None) -> Any:
    """Make a field for DQ bits; None applies no mask."""
    good = f"a sum of DQ bits, flags as '16,512', all but some as '~4', or {INDEFINITE}"
    return _field(default, _to_bits, good, lambda value: value is None or abs(value) <= LARGEST_BITS)


def choice(default: E_) -> Any:
    """Make a field for a member of an enum, named by its value in any case."""
    kind = type(default)
    good = "one of " + ", ".join(str(member.value) for member in kind)

    def to_member(value: object) -> E_:
        words = {str(member.value).lower(): member for member in kind}
        return value if isinstance(value, kind) else words[str(value).strip().lower()]

    return _field(default, to_member, good, lambda value: isinstance(value, kind))


def _field(default: object, parse: Parser, good: str, is_good: Callable[[Any], bool]) -> Any:
    def check(_: object, attribute: Attribute[Any], value: Any) -> None:
        if not is_good(value):
            raise _bad_value(attribute, value)

    return field(default=default, validator=check, metadata={_PARSE: parse, _GOOD: good})


def _described(kind: str, least: float, most: float, *, above: bool = False) -> str:
    """Limits in words: ``a number above 0 and at most 60``."""
    limits = [f"{'above' if above else 'of at least'} {least:g}"] if least > -math.inf else []
    limits += [f"at most {most:.10g}"] if most < math.inf else []
    return " ".join((kind, " and ".join(limits))).strip()


def _is_within(value: float, least: float, most: float, *, above: bool = False) -> bool:
    return math.isfinite(value) and least <= value <= most and not (above and value == least)


def _bad_value(attribute: Attribute[Any], value: object) -> UsageError:
    remedy = f"Give {attribute.metadata[_GOOD]}."
    return UsageError(f"{attribute.name} cannot be {_shown(value)}.", remedy=remedy)


def _shown(value: object) -> str:
    """A bad value for a message, cut where it is long; Python writes no number of more than 4300 digits."""
    if isinstance(value, int) and abs(value) >= 10**SHOWN:
        return f"a whole number of {value.bit_length()} bits"
    text = repr(value if isinstance(value, str) else as_text(value))
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def _is_indefinite(value: object) -> bool:
    if isinstance(value, str):
        return value.strip().upper() in _INDEFINITE_WORDS
    if isinstance(value, float):
        return math.isnan(value)
    return value is None or (value == _IRAF_INDEFINITE_INTEGER and not isinstance(value, bool))


def _optional(parse: Parser) -> Parser:
    return lambda value: None if _is_indefinite(value) else parse(value)


def _to_switch(value: object) -> bool:
    return value if isinstance(value, bool) else _SWITCH_WORDS[str(value).strip().lower()]


def _to_whole(value: object) -> int:
    as_number = _to_number(value)
    if not as_number.is_integer():
        raise ValueError("not a whole number")
    return int(as_number)


def _to_number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise TypeError("not a number")
    as_number = float(value)
    if not math.isfinite(as_number):
        raise ValueError("not a finite number")
    return as_number


def _to_text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value.strip()


def _to_pair(value: object) -> tuple[float, float]:
    if isinstance(value, str):
        value = tuple(filter(None, _SEPARATORS.split(value)))
    if not isinstance(value, (tuple, list)):
        raise TypeError("not two numbers")
    first, second = (_to_number(item) for item in value)
    return first, second


def _to_bits(value: object) -> int | None:
    if _is_indefinite(value):
        return None
    return interpret_bits(value if isinstance(value, str) else _to_whole(value))
