"""What a headerlet has to have before it is compared, attached or applied."""

from __future__ import annotations

from astropy.io import fits

from astrodriz_core.errors import InputError
from astrodriz_io.fits.files import keyword_text, reading
from astrodriz_io.fits.header_cards import check_cards

__all__ = ["check_headerlet"]

NEEDED = ("HDRNAME", "WCSNAME", "DESTIM", "DISTNAME", "DATE")
"""Keywords of the primary header without which a headerlet cannot be told apart, or not be applied."""

PRESENT = ("NPOLFILE", "D2IMFILE")
"""Keywords of the primary header that stwcs looks for, though they may be blank."""

TARGET = "SCI"
"""Extensions for which headerlets of HST exposures are made."""

_REMEDY = "Fetch or make the headerlet again."


def check_headerlet(headerlet: fits.HDUList, where: str) -> None:
    """Refuse a headerlet that lacks something, or could not be written again; put right what FITS would have otherwise.

    Raises
    ------
    InputError
        With the keyword that is missing or makes no sense.
    """
    for index, hdu in enumerate(headerlet):
        check_cards(hdu.header, f"{where}[{index}]")
        with reading(f"{where}[{index}]"):
            hdu.verify("silentfix+exception")
            # Without this, astropy looks at the card as it was before it put it right.
            hdu.header.tostring()
    primary = headerlet[0].header
    missing = [keyword for keyword in NEEDED if not keyword_text(primary, keyword)]
    missing += [keyword for keyword in PRESENT if keyword not in primary]
    solutions = [hdu for hdu in headerlet[1:] if hdu.name == "SIPWCS"]
    if missing or not solutions:
        problem = f"the headerlet lacks {', '.join(missing) or 'its SIPWCS extension'}."
        raise InputError(problem, where=where, remedy=_REMEDY)
    not_text = [keyword for keyword in NEEDED if not isinstance(primary[keyword], str)]
    if not_text:
        raise InputError("the value is no text.", where=f"{where}: {not_text[0]}", remedy=_REMEDY)
    for hdu in solutions:
        _check_target(hdu.header, f"{where}[SIPWCS,{hdu.ver}]")


def _check_target(header: fits.Header, where: str) -> None:
    """Refuse a part of a headerlet that does not say for which chip it is."""
    extver = header.get("TG_EVER")
    if keyword_text(header, "TG_ENAME").upper() != TARGET or type(extver) is not int or extver < 1:
        problem = "the part of the headerlet names no SCI extension for which it is meant."
        raise InputError(problem, where=f"{where}: TG_ENAME, TG_EVER", remedy=_REMEDY)
