"""How many of one unit of angle make another."""

from __future__ import annotations

__all__ = ["ARCSEC_PER_DEGREE", "MAS_PER_ARCSEC", "MAS_PER_DEGREE"]

ARCSEC_PER_DEGREE = 3600.0

MAS_PER_ARCSEC = 1000.0
"""Milliarcseconds."""

MAS_PER_DEGREE = 3.6e6
"""Milliarcseconds."""
