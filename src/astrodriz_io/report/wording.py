"""Numbers as the report writes them."""

from __future__ import annotations

import math

__all__ = ["ABSENT", "fixed", "percent", "significant"]

ABSENT = "\N{EN DASH}"
"""What stands where a value does not exist."""


def fixed(value: float | None, digits: int = 3, *, sign: bool = False, unit: str = "") -> str:
    """Write a number with so many decimal places; a dash where there is none."""
    if value is None:
        return ABSENT
    return f"{value:{'+' if sign else ''}.{digits}f}{unit}" if math.isfinite(value) else _infinite(value)


def significant(value: float | None, digits: int = 4) -> str:
    """Write a number with so many significant digits; a dash where there is none."""
    if value is None:
        return ABSENT
    return f"{value:.{digits}g}" if math.isfinite(value) else _infinite(value)


def percent(fraction: float | None, digits: int = 1) -> str:
    """Write a part as a percentage; a dash where there is none."""
    return ABSENT if fraction is None else fixed(100 * fraction, digits, unit=" %")


def _infinite(value: float) -> str:
    if math.isnan(value):
        return "not a number"
    return "\N{INFINITY}" if value > 0 else "\N{MINUS SIGN}\N{INFINITY}"
