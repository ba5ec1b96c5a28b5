"""What could be done to one exposure in the a priori stage: offers read, filtered, checked; nothing written."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from astropy.io import fits
from attrs import evolve, frozen
from stwcs.wcsutil.headerlet import Headerlet

from astrodriz_core.align.fitting import LinearTransform
from astrodriz_core.errors import DatabaseError
from astrodriz_core.measure.tangent import TangentPlane
from astrodriz_core.records.astrometry import (
    AprioriExposure,
    GuideStarOffset,
    OfferedSolution,
    SolutionOrigin,
)
from astrodriz_core.records.common import ChipWcs, WcsOrigin
from astrodriz_core.solutions.ranking import SipTerms, SolutionTerms, check_solution
from astrodriz_core.solutions.wcsnames import a_priori_name, parse_wcsname, rank_a_priori
from astrodriz_io.fits.arrays import image_shape
from astrodriz_io.fits.files import header_rootname, open_fits
from astrodriz_io.services.guide_stars import DEFAULT_CATALOG, GuideStarSource
from astrodriz_io.services.headerlet_sources import EmbeddedSource, HeaderletSource, Offer
from astrodriz_io.wcs.headerlets import AUTHOR, content_hash, headerlet_idctab, idctab_root, make_headerlet
from astrodriz_io.wcs.headers import primary_wcsname, science_extensions
from astrodriz_io.wcs.motion import chip_wcs, moved_chip, reference_plane, write_moved_chip
from astrodriz_io.wcs.stwcs_calls import quiet_stwcs

__all__ = ["ExposurePlan", "plan_exposure"]

MAX_SIP_ORDER = 9
"""Greatest order of the SIP convention, whose keywords have one digit for each power."""

GUIDE_STARS_IN_GAIA_FRAME = 58027.0
"""MJD of 2017-10-01: from then on the telescope is pointed with Gaia's positions, so that the pipeline-default
WCS is what the guide star correction would give, and only the name changes."""


@frozen(eq=False)
class ExposurePlan:
    """Everything decided about one exposure alone.

    Attributes
    ----------
    path : Path
    rootname : str
    families : tuple of str
        Of the acceptable solutions, the preferred one first.
    solutions : dict of str to Headerlet
        The headerlet of each family.
    to_attach : tuple of Headerlet
        Those that the exposure does not have yet.
    record : AprioriExposure
        As it stands if nothing is applied.
    """

    path: Path
    rootname: str
    families: tuple[str, ...]
    solutions: dict[str, Headerlet]
    to_attach: tuple[Headerlet, ...]
    record: AprioriExposure


@frozen(eq=False)
class _Examined:
    """One offer, its headerlet where it could be had, and what is recorded of it."""

    record: OfferedSolution
    headerlet: Headerlet | None = None
    new: bool = True
    problem: str | None = None


def plan_exposure(
    path: Path, source: HeaderletSource | None, guide_stars: GuideStarSource | None, all_wcs: bool
) -> tuple[ExposurePlan, str | None]:
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
    plan : ExposurePlan
    problem : str or None
        What could not be asked or read; None where everything could.

    Raises
    ------
    DatabaseError
        The source cannot be asked.
    """
    with open_fits(path) as hdulist:
        rootname = header_rootname(hdulist[0].header, path.name)
        own = EmbeddedSource(hdulist).offers(rootname)
        offered = source.offers(rootname) if source is not None else type(own)()
        examined = _examine((*own.solutions, *offered.solutions), hdulist, path.name, all_wcs)
        star = None
        if guide_stars is not None and not _usable(examined):
            star = _guide_star_offset(hdulist, rootname, guide_stars)
            if star is not None:
                examined.append(_new_solution(path, star, hdulist))
        ranked = _ranked(examined, offered.best)
        record = AprioriExposure(
            rootname=rootname,
            before=primary_wcsname(hdulist),
            after=primary_wcsname(hdulist),
            best=offered.best,
            offered=tuple(one.record for one in examined),
            guide_stars=star,
        )
    by_family = {str(parse_wcsname(one.record.wcsname).family): one.headerlet for one in reversed(ranked)}
    families = tuple(dict.fromkeys(str(parse_wcsname(one.record.wcsname).family) for one in ranked))
    attach = tuple(one.headerlet for one in examined if one.headerlet is not None and one.new and one.record.attached)
    plan = ExposurePlan(path, rootname, families, _present(by_family), attach, record)
    problems = [offered.problem, *(one.problem for one in examined)]
    return plan, "; ".join(filter(None, problems)) or None


def _present(headerlets: dict[str, Headerlet | None]) -> dict[str, Headerlet]:
    return {family: headerlet for family, headerlet in headerlets.items() if headerlet is not None}


def _examine(offers: Iterable[Offer], hdulist: fits.HDUList, name: str, all_wcs: bool) -> list[_Examined]:
    """Load the offers that are wanted, leave out those that are there already, check the rest."""
    examined: list[_Examined] = []
    contents: set[str] = set()
    for offer in offers:
        one = _load(offer, hdulist, name, all_wcs)
        if one.headerlet is not None:
            content = content_hash(one.headerlet)
            if content in contents:
                continue
            contents.add(content)
        examined.append(_checked(one, hdulist, name))
    return examined


def _load(offer: Offer, hdulist: fits.HDUList, name: str, all_wcs: bool) -> _Examined:
    """The headerlet of an offer, unless its name or content says that it is not for this exposure."""
    embedded = offer.origin is SolutionOrigin.EMBEDDED
    wanted = idctab_root(hdulist[0].header)
    refused = OfferedSolution(offer.wcsname, "", offer.origin, embedded)
    other = f"it has another distortion file than {wanted or 'none'}"
    named = parse_wcsname(offer.wcsname).idctab
    if not all_wcs and not embedded and named is not None and named.lower() != wanted.lower():
        return _Examined(evolve(refused, refused=other))
    try:
        headerlet = offer.load()
    except DatabaseError as error:
        return _Examined(evolve(refused, refused=str(error)), problem=str(error))
    record = evolve(refused, hdrname=str(headerlet[0].header["HDRNAME"]).strip())
    destination = str(headerlet[0].header["DESTIM"]).strip().lower()
    if destination != header_rootname(hdulist[0].header, name):
        return _Examined(evolve(record, refused=f"it is meant for {destination}"))
    same = headerlet_idctab(headerlet).lower() == wanted.lower()
    if same or all_wcs or embedded or offer.wcsname.upper() == "OPUS":
        return _Examined(evolve(record, attached=True, refused=None if same else other), headerlet, new=not embedded)
    return _Examined(evolve(record, refused=other))


def _checked(one: _Examined, hdulist: fits.HDUList, name: str) -> _Examined:
    """Check an a priori solution of this distortion file; others are not candidates."""
    parsed = parse_wcsname(one.record.wcsname)
    if one.headerlet is None or one.record.refused is not None:
        return one
    if parsed.origin is WcsOrigin.A_POSTERIORI:
        return evolve(one, record=evolve(one.record, refused="it is an a posteriori solution"))
    if parsed.family is None:
        return evolve(one, record=evolve(one.record, refused="it is no a priori solution"))
    checks = check_solution(_headerlet_terms(one.headerlet), _exposure_terms(hdulist), _target(hdulist))
    failed = [check.reason for check in checks if not check.passed]
    refused = f"refused: {'; '.join(failed)}" if failed else None
    return evolve(one, record=evolve(one.record, checks=checks, refused=refused))


def _usable(examined: Sequence[_Examined]) -> list[_Examined]:
    """Candidates for the primary WCS."""
    return [one for one in examined if one.headerlet is not None and one.record.refused is None]


def _ranked(examined: Sequence[_Examined], best: str | None) -> list[_Examined]:
    """Candidates in the order of preference: the one that the source calls the best, then by family."""
    usable = _usable(examined)
    names = rank_a_priori([one.record.wcsname for one in usable])
    ordered = sorted(usable, key=lambda one: names.index(one.record.wcsname))
    return sorted(ordered, key=lambda one: one.record.wcsname != best)


def _guide_star_offset(hdulist: fits.HDUList, rootname: str, source: GuideStarSource) -> GuideStarOffset | None:
    """Offset for an exposure; none at all for those that were pointed with Gaia's positions."""
    start = hdulist[0].header.get("EXPSTART")
    if isinstance(start, (int, float)) and start >= GUIDE_STARS_IN_GAIA_FRAME:
        return GuideStarOffset(0.0, 0.0, DEFAULT_CATALOG)
    return source.offset(rootname)


def _new_solution(path: Path, star: GuideStarOffset, hdulist: fits.HDUList) -> _Examined:
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
    header["D_RA"], header["D_DEC"] = star.east_arcsec / 3600.0, star.north_arcsec / 3600.0
    header["CATALOG"] = star.catalog
    record = OfferedSolution(name, header["HDRNAME"], SolutionOrigin.GUIDE_STARS, attached=True)
    return _checked(_Examined(record, headerlet), hdulist, path.name)


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
