"""The a priori solutions that are offered for one exposure: read and checked; nothing is written."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from astropy.io import fits
from attrs import evolve, frozen
from stwcs.wcsutil.headerlet import Headerlet

from astrodriz_core.align.fitting import LinearTransform
from astrodriz_core.decide.offers import (
    Recipient,
    judge_checks,
    judge_content,
    judge_kind,
    judge_name,
    needs_guide_stars,
    was_pointed_with_gaia,
)
from astrodriz_core.errors import DatabaseError
from astrodriz_core.measure.tangent import TangentPlane
from astrodriz_core.names import Rootname
from astrodriz_core.records.astrometry import (
    AprioriExposure,
    GuideStarOffset,
    OfferedSolution,
    SolutionOrigin,
)
from astrodriz_core.records.common import ChipWcs
from astrodriz_core.sentences import joined
from astrodriz_core.solutions.ranking import SipTerms, SolutionTerms, check_solution
from astrodriz_core.solutions.wcsnames import a_priori_name, parse_wcsname
from astrodriz_core.units import ARCSEC_PER_DEGREE
from astrodriz_io.fits.arrays import image_shape
from astrodriz_io.fits.files import header_rootname, open_fits
from astrodriz_io.services.guide_stars import DEFAULT_CATALOG, GuideStarSource
from astrodriz_io.services.headerlet_sources import EmbeddedSource, HeaderletSource, Offer
from astrodriz_io.wcs.headerlets import AUTHOR, content_hash, headerlet_idctab, idctab_root, make_headerlet
from astrodriz_io.wcs.headers import primary_wcsname, science_extensions
from astrodriz_io.wcs.motion import chip_wcs, moved_chip, reference_plane, write_moved_chip
from astrodriz_io.wcs.stwcs_calls import quiet_stwcs

__all__ = ["ExaminedExposure", "examine_exposure"]

MAX_SIP_ORDER = 9
"""Greatest order of the SIP convention, whose keywords have one digit for each power."""


@frozen(eq=False)
class ExaminedExposure:
    """One exposure and all solutions that are offered for it, read and judged.

    Attributes
    ----------
    path : Path
    record : AprioriExposure
        As it stands if nothing is applied.
    headerlets : tuple of Headerlet or None
        For each solution of ``record.offered`` its headerlet; None where it was not wanted or cannot be had.
    """

    path: Path
    record: AprioriExposure
    headerlets: tuple[Headerlet | None, ...]


@frozen(eq=False)
class _ExaminedOffer:
    """One offer, its headerlet where it could be had, and what is recorded of it."""

    record: OfferedSolution
    headerlet: Headerlet | None = None
    problem: str | None = None


def examine_exposure(
    path: Path, source: HeaderletSource | None, guide_stars: GuideStarSource | None, all_wcs: bool
) -> tuple[ExaminedExposure, str | None]:
    """Read and check all solutions that are offered for one exposure.

    Parameters
    ----------
    path : Path
    source : HeaderletSource or None
        None asks only the exposure itself.
    guide_stars : GuideStarSource or None
        Asked where no solution has the exposure's distortion file.
    all_wcs : bool
        Attach also the solutions of other distortion files.

    Returns
    -------
    examined : ExaminedExposure
    problem : str or None
        What could not be asked or read; None where everything could.

    Raises
    ------
    DatabaseError
        The source cannot be asked.
    """
    with open_fits(path) as hdulist:
        recipient = Recipient(
            header_rootname(hdulist[0].header, path.name), idctab_root(hdulist[0].header), all_wcs=all_wcs
        )
        own = EmbeddedSource(hdulist).offers(recipient.rootname)
        offered = source.offers(recipient.rootname) if source is not None else type(own)()
        examined = _examine((*own.solutions, *offered.solutions), hdulist, recipient)
        star = None
        if guide_stars is not None and needs_guide_stars([one.record for one in examined]):
            star = _guide_star_offset(hdulist, recipient.rootname, guide_stars)
            if star is not None:
                examined.append(_new_solution(path, star, hdulist))
        record = AprioriExposure(
            rootname=recipient.rootname,
            before=primary_wcsname(hdulist),
            after=primary_wcsname(hdulist),
            best=offered.best,
            offered=tuple(one.record for one in examined),
            guide_stars=star,
        )
    problems = [offered.problem, *(one.problem for one in examined)]
    told = joined(filter(None, problems)) or None
    return ExaminedExposure(path, record, tuple(one.headerlet for one in examined)), told


def _examine(offers: Iterable[Offer], hdulist: fits.HDUList, recipient: Recipient) -> list[_ExaminedOffer]:
    """Load the offers that are wanted, leave out those that are there already, check the rest."""
    examined: list[_ExaminedOffer] = []
    contents: set[str] = set()
    for offer in offers:
        one = _load(offer, recipient)
        if one.headerlet is not None:
            content = content_hash(one.headerlet)
            if content in contents:
                continue
            contents.add(content)
        examined.append(_with_checks(one, hdulist))
    return examined


def _load(offer: Offer, recipient: Recipient) -> _ExaminedOffer:
    """The headerlet of an offer, where it is kept, and what is said of it."""
    embedded = offer.origin is SolutionOrigin.EMBEDDED
    record = judge_name(OfferedSolution(offer.wcsname, "", offer.origin, embedded), recipient)
    if record.refused is not None:
        return _ExaminedOffer(record)
    try:
        headerlet = offer.load()
    except DatabaseError as error:
        return _ExaminedOffer(evolve(record, refused=str(error)), problem=str(error))
    header = headerlet[0].header
    record = evolve(record, hdrname=str(header["HDRNAME"]).strip())
    rootname = str(header["DESTIM"]).strip().lower()
    record = judge_content(record, rootname, headerlet_idctab(headerlet), recipient)
    return _ExaminedOffer(record, headerlet if rootname == recipient.rootname and record.attached else None)


def _with_checks(one: _ExaminedOffer, hdulist: fits.HDUList) -> _ExaminedOffer:
    """The offer with its checks, which only an a priori solution of this distortion file has to pass."""
    record = judge_kind(one.record)
    if one.headerlet is not None and record.refused is None:
        checks = check_solution(_headerlet_terms(one.headerlet), _exposure_terms(hdulist), _target(hdulist))
        record = judge_checks(record, checks)
    return evolve(one, record=record)


def _guide_star_offset(hdulist: fits.HDUList, rootname: Rootname, source: GuideStarSource) -> GuideStarOffset | None:
    """Offset for an exposure; none at all for those that were pointed with Gaia's positions."""
    start = hdulist[0].header.get("EXPSTART")
    if was_pointed_with_gaia(start if isinstance(start, (int, float)) else None):
        return GuideStarOffset(0.0, 0.0, DEFAULT_CATALOG)
    return source.offset(rootname)


def _new_solution(path: Path, star: GuideStarOffset, hdulist: fits.HDUList) -> _ExaminedOffer:
    """The pipeline-default WCS moved by the offset of the guide star, as a headerlet."""
    base = parse_wcsname(primary_wcsname(hdulist)).idctab or idctab_root(hdulist[0].header)
    name = a_priori_name(base, star.catalog)
    copy = fits.HDUList([hdu.copy() for hdu in hdulist])
    extensions = science_extensions(copy)
    first = copy[extensions[0]].header
    plane = reference_plane(TangentPlane(float(first["CRVAL1"]), float(first["CRVAL2"])))
    transform = LinearTransform(np.eye(2), np.array([star.east_arcsec, star.north_arcsec]))
    with quiet_stwcs(path.name):
        moved = [moved_chip(chip_wcs(copy, e, path.name), plane, transform) for e in extensions]
        for extension, chip in zip(extensions, moved, strict=True):
            if star.east_arcsec or star.north_arcsec:
                write_moved_chip(copy[extension].header, chip)
            copy[extension].header["WCSNAME"] = name
        description = "A priori WCS based on guide star positions of Gaia"
        headerlet = make_headerlet(copy, f"{path.stem}_{name}", author=AUTHOR, description=description)
    header = headerlet[0].header
    header["D_RA"] = star.east_arcsec / ARCSEC_PER_DEGREE
    header["D_DEC"] = star.north_arcsec / ARCSEC_PER_DEGREE
    header["CATALOG"] = star.catalog
    record = OfferedSolution(name, header["HDRNAME"], SolutionOrigin.GUIDE_STARS, attached=True)
    return _with_checks(_ExaminedOffer(record, headerlet), hdulist)


def _target(hdulist: fits.HDUList) -> tuple[float, float] | None:
    """RA_TARG and DEC_TARG; None where they are missing."""
    values = [hdulist[0].header.get(keyword) for keyword in ("RA_TARG", "DEC_TARG")]
    if not all(isinstance(value, (int, float)) and math.isfinite(value) for value in values):
        return None
    return float(values[0]), float(values[1])


def _exposure_terms(hdulist: fits.HDUList) -> SolutionTerms:
    extensions = science_extensions(hdulist)
    chips = tuple(evolve(_chip(e[1], hdulist[e].header), naxis=_naxis(hdulist[e])) for e in extensions)
    return SolutionTerms(chips, tuple(_sip(hdulist[e].header) for e in extensions))


def _naxis(hdu: fits.ImageHDU) -> tuple[int, int]:
    ny, nx = image_shape(hdu) or (0, 0)
    return nx, ny


def _headerlet_terms(headerlet: Headerlet) -> SolutionTerms:
    headers = [(int(hdu.header["TG_EVER"]), hdu.header) for hdu in headerlet[1:] if hdu.name == "SIPWCS"]
    return SolutionTerms(tuple(_chip(v, h) for v, h in headers), tuple(_sip(h) for _, h in headers))


def _chip(extver: int, header: fits.Header) -> ChipWcs:
    """Linear terms of a header; NaN where one is missing, which no check lets pass."""

    def number(keyword: str) -> float:
        value = header.get(keyword)
        return float(value) if isinstance(value, (int, float)) else math.nan

    return ChipWcs(
        extver=extver,
        crval=(number("CRVAL1"), number("CRVAL2")),
        crpix=(number("CRPIX1"), number("CRPIX2")),
        cd=((number("CD1_1"), number("CD1_2")), (number("CD2_1"), number("CD2_2"))),
        naxis=(0, 0),
        wcsname=str(header.get("WCSNAME", "")).strip(),
    )


def _sip(header: fits.Header) -> SipTerms:
    """Terms of the polynomials up to their orders; NaN for one that is no number, which no check lets pass."""
    return SipTerms(*(_polynomial(header, axis) for axis in "AB"))


def _polynomial(header: fits.Header, axis: str) -> dict[tuple[int, int], float]:
    order = header.get(f"{axis}_ORDER", 0)
    if order not in range(MAX_SIP_ORDER + 1):
        return {(0, 0): math.nan}
    powers = range(int(order) + 1)
    values = {(p, q): header.get(f"{axis}_{p}_{q}", 0.0) for p in powers for q in powers if p + q in powers}
    return {key: float(value) if isinstance(value, (int, float)) else math.nan for key, value in values.items()}
