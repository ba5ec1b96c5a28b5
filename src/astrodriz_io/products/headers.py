"""Headers of a product, blended from those of its inputs by rules that stand in one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from statistics import fmean
from typing import Any

import numpy as np
from astropy.io import fits

__all__ = ["BLEND_RULES", "Rule", "blend_headers", "header_table"]


class Rule(Enum):
    """How the values of one keyword become the product's value."""

    SUM = "sum"
    MIN = "min"
    MAX = "max"
    MEAN = "mean"
    DROP = "drop"


BLEND_RULES: Mapping[Rule, frozenset[str]] = {
    Rule.SUM: frozenset({"BADINPDQ", "EXPTIME", "NCOMBINE", "SKYSUM", "SOFTERRS", "TDFTRANS"}),
    Rule.MIN: frozenset({"EXPSTART", "GOODMIN", "SNRMIN"}),
    Rule.MAX: frozenset({"EXPEND", "GOODMAX", "SNRMAX"}),
    Rule.MEAN: frozenset({"GOODMEAN", "MDRIZSKY", "PHOTBW", "PHOTFLAM", "PHOTFNU", "PHOTPLAM", "PHOTZPT", "SNRMEAN"}),
    Rule.DROP: frozenset(
        {
            "COMMENT",
            "D2IMEXT",
            "DATE",
            "DISTNAME",
            "HISTORY",
            "IDCSCALE",
            "NGOODPIX",
            "NPOLEXT",
            "OBJECT",
            "SIPNAME",
            "WCSDATE",
        }
    ),
}
"""Keywords with a rule of their own. Any other keyword keeps its value where all inputs agree; where they
differ, numbers keep the first input's value and texts become ``MULTIPLE``."""

MULTIPLE = "MULTIPLE"

DISTORTION_PREFIXES = (
    "A_",
    "B_",
    "AP_",
    "BP_",
    "OC",
    "IDC",
    "CPDIS",
    "CPERR",
    "DP1",
    "DP2",
    "D2IMDIS",
    "D2IMERR",
    "D2IM1",
    "D2IM2",
    "AXISCORR",
)
"""Beginnings of keywords that describe the distortion of a chip, which a product no longer has."""

WCS_KEYWORDS = frozenset(
    f"{name}{axis}" for name in ("CRVAL", "CRPIX", "CTYPE", "CUNIT", "CRDER", "LTV") for axis in (1, 2)
) | {"CD1_1", "CD1_2", "CD2_1", "CD2_2", "LTM1_1", "LTM2_2", "LONPOLE", "LATPOLE", "RADESYS", "WCSAXES", "MJDREF"}
"""Keywords of the inputs' own WCS; the product has its own."""

STRUCTURAL = frozenset(
    {"SIMPLE", "XTENSION", "BITPIX", "NAXIS", "NAXIS1", "NAXIS2", "EXTEND", "PCOUNT", "GCOUNT", "BSCALE",
     "BZERO", "CHECKSUM", "DATASUM", "EXTNAME", "EXTVER", "EXTLEVEL", "NEXTEND", "GROUPS"}
)  # fmt: skip
"""Keywords that astropy writes by itself."""

BLENDS: Mapping[Rule, Callable[[Sequence[float]], float]] = {
    Rule.SUM: sum,
    Rule.MIN: min,
    Rule.MAX: max,
    Rule.MEAN: fmean,
}


def blend_headers(headers: Sequence[fits.Header]) -> fits.Header:
    """One header from those of all inputs.

    Parameters
    ----------
    headers : sequence of Header
        The same kind of header (primary, or SCI) of every input, in order; at least one.

    Returns
    -------
    Header
        The first header's cards in their order, with values by `BLEND_RULES`; without the structure, the
        WCS, the alternate WCSs, the distortion and HISTORY of the inputs.
    """
    blended: fits.Header = headers[0].copy(strip=True)
    alternates = _alternate_wcs_keywords(headers[0])
    for keyword in {card.keyword for card in headers[0].cards if card.keyword}:
        if _is_dropped(keyword) or keyword in alternates:
            blended.remove(keyword, ignore_missing=True, remove_all=True)
        else:
            blended[keyword] = _blend(keyword, [header.get(keyword) for header in headers])
    return blended


def header_table(headers: Sequence[fits.Header]) -> fits.BinTableHDU:
    """The HDRTAB extension: one row for each chip, one column for each keyword of its headers.

    Parameters
    ----------
    headers : sequence of Header
        For each chip its primary and SCI headers, joined.
    """
    keywords = [
        keyword
        for keyword in dict.fromkeys(card.keyword for header in headers for card in header.cards)
        if keyword and keyword not in STRUCTURAL - {"EXTNAME", "EXTVER"} | {"COMMENT", "HISTORY"}
    ]
    columns = [_column(keyword, [header.get(keyword) for header in headers]) for keyword in keywords]
    table: fits.BinTableHDU = fits.BinTableHDU.from_columns(columns, name="HDRTAB")
    return table


def _rule(keyword: str) -> Rule | None:
    return next((rule for rule, keywords in BLEND_RULES.items() if keyword in keywords), None)


def _is_dropped(keyword: str) -> bool:
    return (
        _rule(keyword) is Rule.DROP
        or keyword in STRUCTURAL
        or keyword in WCS_KEYWORDS
        or keyword.startswith(DISTORTION_PREFIXES)
    )


def _alternate_wcs_keywords(header: fits.Header) -> frozenset[str]:
    """Keywords of all alternate WCSs, found by their letters."""
    letters = {card.keyword[-1] for card in header.cards if card.keyword[:7] == "WCSNAME" and len(card.keyword) == 8}
    bases = {base for base in WCS_KEYWORDS if not base.startswith(("LT", "WCSAXES"))} | {
        "WCSNAME", "WCSTYPE", "WCSAXES", "HDRNAME", "RMS_RA", "RMS_DEC", "NMATCH", "FITGEOM", "ORIENTAT"
    }  # fmt: skip
    present = set(header.keys())
    return frozenset(base[:7] + letter for base in bases for letter in letters) & present


def _blend(keyword: str, values: Sequence[Any]) -> Any:
    rule = _rule(keyword)
    numbers = [value for value in values if isinstance(value, (int, float)) and not isinstance(value, bool)]
    if rule is not None and rule in BLENDS and numbers:
        return BLENDS[rule](numbers)
    first = values[0]
    if isinstance(first, str) and any(value != first for value in values):
        return MULTIPLE
    return first


def _column(keyword: str, values: Sequence[Any]) -> fits.Column:
    """A table column of the narrowest type that holds all values; missing texts are empty, numbers 0 or NaN."""
    present = [value for value in values if value is not None and not isinstance(value, fits.card.Undefined)]
    if present and all(isinstance(value, bool) for value in present):
        return fits.Column(keyword, "L", array=np.array([value is True for value in values]))
    if present and all(isinstance(value, int) and not isinstance(value, bool) for value in present):
        return fits.Column(keyword, "K", array=np.array([value if isinstance(value, int) else 0 for value in values]))
    if present and all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in present):
        numbers = [float(value) if isinstance(value, (int, float)) else np.nan for value in values]
        return fits.Column(keyword, "D", array=np.array(numbers))
    texts = [str(value) if value in present else "" for value in values]
    width = max(1, *(len(text) for text in texts))
    return fits.Column(keyword, f"{width}A", array=np.array(texts))
