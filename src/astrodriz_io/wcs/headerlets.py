"""Headerlets: what is in them, made of exposures, and applied to them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from astropy.io import fits
from stwcs.wcsutil import headerlet as stwcs_headerlet

from astrodriz_core.errors import InputError
from astrodriz_core.solutions.wcsnames import parse_wcsname, wcs_type
from astrodriz_io.wcs.headers import archive_primary, remove_fit_keywords, science_extensions
from astrodriz_io.wcs.linear_terms import LINEAR_KEYWORDS, copy_linear_terms
from astrodriz_io.wcs.stwcs_calls import stwcs_call
from astrodriz_io.wcs.wcscorr_table import update_wcscorr

__all__ = [
    "AUTHOR",
    "apply_headerlet",
    "content_hash",
    "headerlet_idctab",
    "idctab_root",
    "make_headerlet",
    "same_distortion",
]

ORIENTATION = "ORIENTAT"

AUTHOR = "astrodriz"
"""AUTHOR of the headerlets that a run makes; those of earlier runs may be replaced, others never."""


def content_hash(headerlet: fits.HDUList) -> str:
    """SHA-256 of the solution itself: name, target chips, linear terms and SIP coefficients."""
    digest = hashlib.sha256(str(headerlet[0].header.get("WCSNAME", "")).strip().encode())
    for hdu in _solutions(headerlet):
        wanted = (k for k in hdu.header if k in LINEAR_KEYWORDS or k[:2] in ("A_", "B_", "TG"))
        cards = {keyword: _as_stored(hdu.header[keyword]) for keyword in wanted}
        digest.update(repr(sorted(cards.items())).encode())
    return digest.hexdigest()


def _as_stored(value: object) -> object:
    """A number with the digits that a card has room for, so that a headerlet is the same before it is written."""
    return fits.Card.fromstring(fits.Card("VALUE", value).image).value if isinstance(value, float) else value


def headerlet_idctab(headerlet: fits.HDUList) -> str:
    """Root of the distortion file of a headerlet: from its WCSNAME, or else from its IDCTAB keyword."""
    header = headerlet[0].header
    named = parse_wcsname(str(header.get("WCSNAME", ""))).idctab
    return named or idctab_root(header)


def idctab_root(header: fits.Header) -> str:
    """Root of the distortion file that a primary header names; empty for none."""
    name = str(header.get("IDCTAB", "")).split("$")[-1].split("/")[-1].strip()
    return "" if name.upper() in ("", "N/A") else name.split("_")[0]


def same_distortion(headerlet: fits.HDUList, hdulist: fits.HDUList) -> bool:
    """Whether both have the same DISTNAME, apart from the rootname of the exposure in it."""
    theirs = str(headerlet[0].header.get("DISTNAME", "")).split("_")[-1]
    return theirs == str(hdulist[0].header.get("DISTNAME", "")).split("_")[-1]


def apply_headerlet(hdulist: fits.HDUList, headerlet: stwcs_headerlet.Headerlet) -> None:
    """Make the solution of a headerlet the primary WCS; the former one becomes an alternate, exactly.

    Where the distortion model is the same only the linear terms change; otherwise stwcs replaces the model too.
    """
    archive_primary(hdulist)
    primary = headerlet[0].header
    if not same_distortion(headerlet, hdulist):
        with stwcs_call(hdulist):
            headerlet.apply_as_primary(hdulist, attach=False, archive=True, force=True)
    for solution in _solutions(headerlet):
        header = hdulist[solution.header["TG_ENAME"], solution.header["TG_EVER"]].header
        remove_fit_keywords(header)
        copy_linear_terms(solution.header, header)
        if ORIENTATION in solution.header:
            header[ORIENTATION] = solution.header[ORIENTATION]
        header["WCSNAME"] = (primary["WCSNAME"].strip(), "Coordinate system title")
        header["WCSTYPE"] = wcs_type(primary["WCSNAME"])
        header["HDRNAME"] = primary["HDRNAME"].strip()
    update_wcscorr(hdulist)


def make_headerlet(
    hdulist: fits.HDUList, hdrname: str, *, author: str, description: str, key: str = ""
) -> stwcs_headerlet.Headerlet:
    """Headerlet of the primary WCS of an exposure, or of the alternate with a key, with exactly its linear terms.

    Raises
    ------
    InputError
        stwcs cannot make one of this exposure.
    """
    try:
        made: stwcs_headerlet.Headerlet = stwcs_headerlet.create_headerlet(
            hdulist, hdrname=hdrname, wcskey=key or " ", author=author, descrip=description, logging=False
        )
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise InputError(f"no headerlet can be made of it ({error}).", where=hdrname) from error
    for solution in _solutions(made):
        source = hdulist[solution.header["TG_ENAME"], solution.header["TG_EVER"]].header
        copy_linear_terms(source, solution.header, from_key=key)
    if key:
        return made
    science = hdulist[science_extensions(hdulist)[0]].header
    for keyword, theirs in (
        ("RMS_RA", "RMS_RA"),
        ("RMS_DEC", "RMS_DEC"),
        ("NMATCH", "NMATCHES"),
        ("CATALOG", "CATALOG"),
    ):
        if theirs in science:
            made[0].header[keyword] = science[theirs]
    return made


def _solutions(headerlet: fits.HDUList) -> Iterator[fits.ImageHDU]:
    """The SIPWCS extensions of a headerlet."""
    return (hdu for hdu in headerlet[1:] if hdu.name == "SIPWCS")
