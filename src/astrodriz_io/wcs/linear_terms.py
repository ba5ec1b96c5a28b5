"""The linear terms of a WCS in a header: copied exactly, and compared but for rounding."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

from astropy.io import fits

__all__ = ["LINEAR_KEYWORDS", "LinearTerms", "copy_linear_terms", "linear_terms", "same_terms"]

LinearTerms: TypeAlias = tuple[float | None, ...]
"""CRPIX, CRVAL and CD in the order of `LINEAR_KEYWORDS`; None where a header has no number."""

LINEAR_KEYWORDS = ("CRPIX1", "CRPIX2", "CRVAL1", "CRVAL2", "CD1_1", "CD1_2", "CD2_1", "CD2_2")
"""The terms of a solution that are copied exactly; the distortion is that of the IDCTAB."""

ROUNDING_DEGREES = 1e-9
"""Solutions that nowhere on a chip differ by more are one but for rounding: 4 microarcseconds.

stwcs keeps the WCS of the telescope with 13 digits, and derives the CD matrix of a chip from differences over a pixel.
"""

CHIP_PIXELS = 5000
"""Side of a chip; none is larger."""

TOLERANCES = (*(1e-6,) * 2, *(ROUNDING_DEGREES,) * 2, *(ROUNDING_DEGREES / CHIP_PIXELS,) * 4)
"""For each of `LINEAR_KEYWORDS`: pixels, degrees, degrees for each pixel."""


def linear_terms(header: fits.Header, key: str = "") -> LinearTerms:
    """CRPIX, CRVAL and CD of one WCS of a header; the key is empty for the primary one."""
    values = (header.get(keyword + key) for keyword in LINEAR_KEYWORDS)
    return tuple(float(value) if isinstance(value, (int, float)) else None for value in values)


def copy_linear_terms(source: fits.Header, target: fits.Header, from_key: str = "", to_key: str = "") -> None:
    """Copy CRPIX, CRVAL and CD of one WCS as they stand; the keys are empty for the primary one."""
    for keyword in LINEAR_KEYWORDS:
        if keyword + from_key in source:
            target[keyword + to_key] = source[keyword + from_key]


def same_terms(one: Sequence[float | None], other: Sequence[float | None]) -> bool:
    """Whether two WCSs put every pixel of a chip at the same place; False where a term is missing or NaN."""
    return all(
        a is not None and b is not None and math.isclose(a, b, rel_tol=0.0, abs_tol=tolerance)
        for a, b, tolerance in zip(one, other, TOLERANCES, strict=True)
    )
