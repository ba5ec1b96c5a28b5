"""WCSNAME: what the names of WCS solutions say, how they are built, and which is preferred."""

from __future__ import annotations

import re
from collections.abc import Sequence

from attrs import frozen

from astrodriz_core.records.common import WcsOrigin

__all__ = [
    "WcsName",
    "a_posteriori_name",
    "a_priori_name",
    "parse_wcsname",
    "rank_a_priori",
    "rank_preferred",
    "wcs_type",
    "without_counter",
]

_NAME = re.compile(
    r"^IDC_(?P<idctab>[^-]+?)"
    r"(?:-FIT_(?P<fit>REL|IMG|SVM|EVM)_(?P<catalog>[^-_]+)|-(?P<apriori>[A-Za-z]+\d{0,9}))?"
    r"(?:[-_](?P<version>\d+))?$",
    re.IGNORECASE | re.ASCII,
)

_COUNTER = re.compile(r"-[0-9]+$")

A_PRIORI_ORDER = ("HSC", "GSC")
"""Families of a priori solutions, the preferred one first; a bare IDC comes after them, OPUS last."""

FIT_ORDER = (
    r"^GAIA.*3$",
    r"^GAIADR2$",
    r"^GAIADR1$",
)
"""Catalogues of a posteriori solutions, the preferred one first."""

FIT_TERMS = {
    "REL": "relatively aligned to",
    "IMG": "aligned image-by-image to",
    "EVM": "aligned by visit-exposures to",
    "SVM": "aligned by visit to",
}
"""What WCSTYPE says of each kind of fit (terms of the archive)."""


@frozen
class WcsName:
    """The parts of a WCSNAME.

    Attributes
    ----------
    text : str
        The name itself.
    idctab : str or None
        Root of the distortion reference file; None for OPUS and names that are not the archive's.
    family : str or None
        Kind of the a priori solution, such as HSC30 or GSC240.
    fit : str or None
        Kind of the a posteriori fit: REL, IMG, SVM or EVM.
    catalog : str or None
        Catalogue of the a posteriori fit.
    """

    text: str
    idctab: str | None = None
    family: str | None = None
    fit: str | None = None
    catalog: str | None = None

    @property
    def origin(self) -> WcsOrigin | None:
        """Stage that makes such solutions; None for a name that is not the archive's."""
        if self.fit is not None:
            return WcsOrigin.A_POSTERIORI
        if self.family is not None:
            return WcsOrigin.A_PRIORI
        known = self.idctab is not None or self.text.upper() == "OPUS"
        return WcsOrigin.PIPELINE_DEFAULT if known else None


def parse_wcsname(text: str) -> WcsName:
    """Take a WCSNAME apart; any text is accepted.

    Case is kept in the parts and ignored in recognising them. A version counter such as ``-1`` at the end, which
    headerlets of repeated solutions carry, is not part of any of them.
    """
    name = text.strip()
    found = _NAME.match(name)
    if found is None:
        return WcsName(name)
    fit = found["fit"]
    return WcsName(name, found["idctab"], found["apriori"], fit.upper() if fit else None, found["catalog"])


def a_priori_name(idctab: str, family: str) -> str:
    """``IDC_<idctab>-<family>``."""
    return f"IDC_{idctab}-{family}"


def a_posteriori_name(before: str, fit: str, catalog: str) -> str:
    """``IDC_<idctab>-FIT_<fit>_<catalog>`` from the name of the WCS that was fitted.

    Where that name has no distortion model (or is empty), everything before its first hyphen stands in.
    """
    parsed = parse_wcsname(before)
    base = f"IDC_{parsed.idctab}" if parsed.idctab else parsed.text.split("-")[0]
    return f"{base}-FIT_{fit}_{catalog}" if base else f"FIT_{fit}_{catalog}"


def wcs_type(text: str) -> str:
    """The description that WCSTYPE gives of a solution, in the terms of the archive."""
    name = parse_wcsname(text)
    if name.origin is None:
        return "user-defined"
    base = "pipeline default" if name.text.upper() == "OPUS" else "undistorted"
    if name.fit is not None:
        return f"{base} a posteriori solution {FIT_TERMS[name.fit]} {name.catalog}"
    if name.family is not None:
        return f"{base} a priori solution based on {name.family}"
    return f"{base} not aligned"


def without_counter(text: str) -> str:
    """A WCSNAME without the ``-1``, ``-2`` and so on that stwcs puts behind a name that is taken.

    Examples
    --------
    >>> without_counter("IDC_0461802ej-HSC30-2")
    'IDC_0461802ej-HSC30'
    """
    return _COUNTER.sub("", text.strip())


def rank_a_priori(names: Sequence[str]) -> tuple[str, ...]:
    """A priori names in the order of preference; fits and foreign names are left out.

    HSC before GSC before IDC alone before OPUS; within a family the higher number first (GSC242 before GSC240), then
    the order given.
    """
    parsed = [parse_wcsname(name) for name in names]
    usable = [n for n in parsed if n.origin in (WcsOrigin.A_PRIORI, WcsOrigin.PIPELINE_DEFAULT)]
    usable.sort(key=_family_number, reverse=True)
    usable.sort(key=_family_rank)
    return tuple(n.text for n in usable)


def rank_preferred(names: Sequence[str]) -> tuple[str, ...]:
    """All names in the archive's order of preference.

    Fits to Gaia 3, DR2, DR1 (exposures relatively aligned before image by image), other fits, then the a priori
    solutions as `rank_a_priori` has them, then names that are not the archive's.
    """
    fits = [n for n in map(parse_wcsname, names) if n.fit is not None]
    fits.sort(key=lambda n: (_catalog_rank(n), n.fit == "IMG"))
    rest = rank_a_priori(names)
    ranked = [n.text for n in fits] + list(rest)
    return tuple(ranked + [name for name in names if name.strip() not in ranked])


def _family_rank(name: WcsName) -> int:
    if name.family is None:
        return len(A_PRIORI_ORDER) + (1 if name.idctab is not None else 2)
    starts = [name.family.upper().startswith(family) for family in A_PRIORI_ORDER]
    return starts.index(True) if any(starts) else len(A_PRIORI_ORDER)


def _family_number(name: WcsName) -> int:
    digits = re.search(r"[0-9]+$", name.family or "")
    return int(digits[0]) if digits else 0


def _catalog_rank(name: WcsName) -> int:
    matches = [bool(re.match(pattern, name.catalog or "", re.IGNORECASE)) for pattern in FIT_ORDER]
    return matches.index(True) if any(matches) else len(FIT_ORDER)
