"""Which kind of value each keyword has to have that a run reads, in one table.

All are looked at when an exposure is first read, so that a wrong one is told at once, by its name, and not by whatever
stumbles over it an hour later.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from types import MappingProxyType

from astropy.io import fits
from attrs import frozen

from astrodriz_core.errors import InputError
from astrodriz_io.inputs.references import NOT_GIVEN

__all__ = ["NUMBERS", "TEXTS", "check_keywords"]


@frozen
class Span:
    """The numbers that a keyword may have, and what they are.

    Attributes
    ----------
    least, greatest : float
        Both may be reached.
    unit : str
        For the message.
    """

    least: float
    greatest: float
    unit: str = ""

    def __contains__(self, value: float) -> bool:
        return self.least <= value <= self.greatest


_DATE = Span(47892, 88069, "modified Julian days: 1990 to 2099")
_LONGITUDE, _LATITUDE = Span(-360, 720, "degrees"), Span(-90, 90, "degrees")
_PIXELS, _SECONDS = Span(-1e6, 1e6, "pixels"), Span(-1e6, 1e6, "s")
_DEGREES_PER_PIXEL = Span(-1, 1, "degrees for each pixel")
_AMPLIFIER = Span(0, 1e6, "electrons")
_COUNT = Span(0, 1e9)
_ORDER = Span(0, 9, "the order of a polynomial")
_ANY = Span(-1e300, 1e300)
_AMPLIFIERS = ("A", "B", "C", "D")

NUMBERS: Mapping[str, Span] = MappingProxyType(
    {
        "EXPTIME": _SECONDS,
        "DARKTIME": _SECONDS,
        "EXPSTART": _DATE,
        "EXPEND": _DATE,
        "RA_TARG": _LONGITUDE,
        "DEC_TARG": _LATITUDE,
        "RA_APER": _LONGITUDE,
        "DEC_APER": _LATITUDE,
        "PA_V3": _LONGITUDE,
        "CRVAL1": _LONGITUDE,
        "CRVAL2": _LATITUDE,
        "ORIENTAT": _LONGITUDE,
        **dict.fromkeys(("CRPIX1", "CRPIX2", "LTV1", "LTV2"), _PIXELS),
        **dict.fromkeys(("CD1_1", "CD1_2", "CD2_1", "CD2_2"), _DEGREES_PER_PIXEL),
        **dict.fromkeys(("A_ORDER", "B_ORDER", "AP_ORDER", "BP_ORDER"), _ORDER),
        **dict.fromkeys((f"ATODGN{letter}" for letter in _AMPLIFIERS), _AMPLIFIER),
        **dict.fromkeys((f"READNSE{letter}" for letter in _AMPLIFIERS), _AMPLIFIER),
        **dict.fromkeys(("ATODGAIN", "ADCGAIN", "READNSE"), _AMPLIFIER),
        **dict.fromkeys(("NGOODPIX", "GPIXELS", "NEXTEND"), _COUNT),
        **dict.fromkeys(("BINAXIS1", "BINAXIS2"), Span(1, 64, "pixels added up")),
        **dict.fromkeys(("MEANDARK", "CCDCHIP", "MDRIZSKY"), _ANY),
        "VAFACTOR": Span(0.99, 1.01),
    }
)
"""Keywords with a number, or without a value, by what they may be; alternates of a WCS (CRVAL1A) are as CRVAL1."""

TEXTS = frozenset(
    {"ROOTNAME", "INSTRUME", "BUNIT", "WCSNAME", "HDRNAME", "DISTNAME", "SIPNAME", "DATE-OBS", "CTYPE1", "CTYPE2"}
    | {"IDCTAB", "NPOLFILE", "D2IMFILE", "DGEOFILE", "ODGEOFIL", "OFFTAB", "MDRIZTAB", "NPOLEXT", "D2IMEXT"}
    | {"FILTER1", "FILTER2", "FILTER", "FILTNAM1", "FILTNAM2", "OPT_ELEM", "CCDAMP", "DRIZCORR", "WCSTYPE"}
)
"""Keywords with a text, or without a value; alternates (WCSNAMEA) too."""

_ALTERNATE = re.compile(r"(CRVAL[12]|CRPIX[12]|CD[12]_[12]|ORIENTAT|WCSNAME|CTYPE[12])[A-Z]")
_REMEDY = "Correct the header, or fetch or calibrate the exposure again."


def check_keywords(header: fits.Header, where: str) -> None:
    """Refuse a header in which a keyword that a run reads has a value of the wrong kind or out of its range.

    Parameters
    ----------
    header : Header
        Primary header or header of a SCI extension.
    where : str
        File and extension, for the message.

    Raises
    ------
    InputError
        With the keyword, what it says and what it may say. A keyword that is missing or has no value is no error here.
    """
    for keyword in header:
        alternate = _ALTERNATE.fullmatch(keyword)
        known = alternate[1] if alternate else keyword
        problem = ""
        if known in NUMBERS:
            problem = _number_problem(header[keyword], NUMBERS[known])
        elif known in TEXTS:
            problem = _text_problem(header[keyword])
        if problem:
            raise InputError(problem, where=f"{where}: {keyword}", remedy=_REMEDY)


def _number_problem(value: object, span: Span) -> str:
    if _is_not_given(value):
        return ""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return f"{_shown(value)} is no number."
    if value in span:
        return ""
    unit = f" ({span.unit})" if span.unit else ""
    return f"{_shown(value)} is not between {span.least:g} and {span.greatest:g}{unit}."


def _text_problem(value: object) -> str:
    return "" if isinstance(value, str) or _is_not_given(value) else f"{_shown(value)} is no text."


def _is_not_given(value: object) -> bool:
    if isinstance(value, str):
        return value.strip().upper() in NOT_GIVEN
    return value is None or isinstance(value, fits.card.Undefined)


def _shown(value: object) -> str:
    return repr(value)[:40]
