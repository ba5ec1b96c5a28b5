"""Guide star offsets: from the catalogue position that the telescope used to the one of Gaia.

For exposures whose distortion file the astrometry database does not know, they give a new a priori solution.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Protocol
from xml.etree.ElementTree import Element

from attrs import frozen

from astrodriz_core.errors import DatabaseError
from astrodriz_core.names import Rootname
from astrodriz_core.records.astrometry import GuideStarOffset
from astrodriz_core.units import ARCSEC_PER_DEGREE
from astrodriz_io.services.web import NotFoundError, TryAgainError, WebService, parse_xml
from astrodriz_io.storage.json_files import read_json_object

__all__ = ["GuideStarFile", "GuideStarService", "GuideStarSource", "NoGuideStars"]

DEFAULT_CATALOG = "GSC240"
"""The catalogue of the offsets, where the source does not name it."""

CATALOG_NAME = re.compile(r"[A-Za-z]{1,20}[0-9]{0,9}")
"""It becomes a part of WCSNAME and of the name of a file."""

OFFSETS_REMEDY = "It has to be {rootname: [deltaRA, deltaDEC]}."
"""What a file of offsets has to be."""

MAX_OFFSET_DEG = 0.01
"""Guide star catalogues were wrong by about an arcsecond; 36 arcsec is another star."""


class GuideStarSource(Protocol):
    """A source of guide star offsets."""

    def offset(self, rootname: Rootname) -> GuideStarOffset | None:
        """Offset for an exposure; None where the source has none for it.

        Raises
        ------
        DatabaseError
            The source cannot be asked, or its answer makes no sense.
        """
        ...


@frozen
class NoGuideStars:
    """A source that knows no offsets."""

    def offset(self, rootname: Rootname) -> GuideStarOffset | None:
        """None: no offset is known."""
        return None


@frozen
class GuideStarFile:
    """A JSON file: {rootname: {tag: value}} with the tags of the service, or {rootname: [deltaRA, deltaDEC]}.

    Attributes
    ----------
    path : Path
    """

    path: Path

    def offset(self, rootname: Rootname) -> GuideStarOffset | None:
        """Look the offset of an exposure up in the file."""
        table = read_json_object(self.path, DatabaseError, OFFSETS_REMEDY)
        entry = {key.lower(): value for key, value in table.items()}.get(rootname.lower())
        if entry is None or isinstance(entry, str):
            return None
        if isinstance(entry, (list, tuple)):
            entry = dict(zip(("deltaRA", "deltaDEC"), entry, strict=False))
        if not isinstance(entry, dict):
            raise DatabaseError(f"The guide star offset of {rootname} makes no sense.", where=self.path.name)
        return _offset({str(k): str(v) for k, v in entry.items()}, self.path.name)


@frozen
class GuideStarService(WebService):
    """The archive's service of guide star offsets."""

    TITLE = "guide star service"
    ERROR = DatabaseError

    def offset(self, rootname: Rootname) -> GuideStarOffset | None:
        """Ask the service for the offset of an exposure."""
        url = self.url("GSCConvert/GSCconvert.aspx")
        try:
            root = self.client.get(url, {"IPPPSSOOT": rootname.upper()}, _parse)
        except NotFoundError:
            return None
        if not (root.findtext(".//msg") or "").strip().startswith("Success"):
            return None
        tags = {element.tag: (element.text or "").strip() for element in root.iter()}
        return _offset(tags, self.TITLE)


def _parse(body: bytes) -> Element:
    """Root of a reply, which always has a message."""
    root = parse_xml(body, "guide star service")
    if root.find(".//msg") is None:
        raise TryAgainError("the reply of the guide star service has no message")
    return root


def _offset(tags: dict[str, str], where: str) -> GuideStarOffset | None:
    """Offset on the sky from the tags of a reply; None for an offset of exactly nothing.

    deltaRA is an angle of coordinates, so that the declination of the guide star makes it one on the sky.
    """
    try:
        d_ra, d_dec = float(tags["deltaRA"]), float(tags["deltaDEC"])
        declination = float(tags.get("dGSinputDEC") or 0.0)
        east = d_ra * math.cos(math.radians(declination))
    except (KeyError, ValueError) as error:
        raise DatabaseError(f"The guide star offset makes no sense ({error}).", where=where) from error
    if not (math.hypot(east, d_dec) <= MAX_OFFSET_DEG):
        raise DatabaseError(
            f"The guide star offset of {math.hypot(east, d_dec):.3f} degrees is too great.", where=where
        )
    catalog = tags.get("outputCatalog") or DEFAULT_CATALOG
    if not CATALOG_NAME.fullmatch(catalog):
        raise DatabaseError(f"The guide star catalogue {catalog[:40]!r} has no sensible name.", where=where)
    if d_ra == 0.0 and d_dec == 0.0:
        return None
    return GuideStarOffset(east * ARCSEC_PER_DEGREE, d_dec * ARCSEC_PER_DEGREE, catalog)
