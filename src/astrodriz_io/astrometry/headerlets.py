"""Headerlets attached to exposures, and applied to them."""

from __future__ import annotations

import gzip
import hashlib
import io
from collections.abc import Iterator

from astropy.io import fits
from stwcs.updatewcs import utils as stwcs_utils
from stwcs.wcsutil import headerlet as stwcs_headerlet

from astrodriz_core.astrometry.wcsnames import parse_wcsname, wcs_type
from astrodriz_core.errors import InputError
from astrodriz_io.astrometry.wcs_headers import (
    LINEAR_KEYWORDS,
    archive_primary,
    copy_linear_terms,
    remove_fit_keywords,
    science_extensions,
    update_wcscorr,
)
from astrodriz_io.inputs.fits_scan import check_counts
from astrodriz_io.inputs.fitsfiles import FITS_FAILURES

__all__ = [
    "apply_headerlet",
    "attach_headerlet",
    "attached_headerlets",
    "content_hash",
    "headerlet_idctab",
    "make_headerlet",
    "remove_duplicates",
    "same_distortion",
]

ORIENTATION = "ORIENTAT"

DAMAGE: tuple[type[Exception], ...] = (*FITS_FAILURES, InputError)
"""What a damaged HDRLET extension raises."""


def attached_headerlets(hdulist: fits.HDUList) -> Iterator[tuple[int, stwcs_headerlet.Headerlet]]:
    """Index and headerlet of each HDRLET extension; damaged ones are passed over."""
    for index, hdu in enumerate(hdulist):
        if isinstance(hdu, stwcs_headerlet.HeaderletHDU):
            try:
                _check_embedded(hdu)
                found = hdu.headerlet
                found.init_attrs()
            except DAMAGE:
                continue
            yield index, found


def _check_embedded(hdu: stwcs_headerlet.HeaderletHDU) -> None:
    """Refuse an HDRLET extension whose own FITS file promises more than FITS allows; see `check_counts`."""
    body = io.BytesIO(bytes(hdu.data))
    check_counts(gzip.GzipFile(fileobj=body) if hdu.header.get("COMPRESS", False) else body, hdu.name)


def attach_headerlet(hdulist: fits.HDUList, headerlet: fits.HDUList) -> None:
    """Append a headerlet as an HDRLET extension."""
    present = [hdu.ver for hdu in hdulist if isinstance(hdu, stwcs_headerlet.HeaderletHDU)]
    extension = stwcs_headerlet.HeaderletHDU.fromheaderlet(headerlet)
    extension.header["EXTVER"] = max(present, default=0) + 1
    hdulist.append(extension)
    stwcs_utils.updateNEXTENDKw(hdulist)


def remove_duplicates(hdulist: fits.HDUList) -> tuple[str, ...]:
    """Remove HDRLET extensions whose HDRNAME or content is that of one before; their names are returned."""
    names: set[str] = set()
    contents: set[str] = set()
    doubled = []
    for index, headerlet in attached_headerlets(hdulist):
        name, content = headerlet[0].header["HDRNAME"].strip(), content_hash(headerlet)
        if name.upper() in names or content in contents:
            doubled.append((index, name))
        names.add(name.upper())
        contents.add(content)
    for index, _ in reversed(doubled):
        del hdulist[index]
    if doubled:
        stwcs_utils.updateNEXTENDKw(hdulist)
    return tuple(name for _, name in doubled)


def content_hash(headerlet: fits.HDUList) -> str:
    """SHA-256 of the solution itself: name, target chips, linear terms and SIP coefficients."""
    digest = hashlib.sha256(str(headerlet[0].header.get("WCSNAME", "")).strip().encode())
    for hdu in _solutions(headerlet):
        cards = {k: v for k, v in hdu.header.items() if k in LINEAR_KEYWORDS or k[:2] in ("A_", "B_", "TG")}
        digest.update(repr(sorted(cards.items())).encode())
    return digest.hexdigest()


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


def make_headerlet(hdulist: fits.HDUList, hdrname: str, *, author: str, description: str) -> stwcs_headerlet.Headerlet:
    """Headerlet of the primary WCS of an exposure, with exactly its linear terms.

    Raises
    ------
    InputError
        stwcs cannot make one of this exposure.
    """
    try:
        made = stwcs_headerlet.create_headerlet(
            hdulist, hdrname=hdrname, wcskey=" ", author=author, descrip=description, logging=False
        )
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise InputError(f"no headerlet can be made of it ({error}).", where=hdrname) from error
    for solution in _solutions(made):
        source = hdulist[solution.header["TG_ENAME"], solution.header["TG_EVER"]].header
        copy_linear_terms(source, solution.header)
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
