"""Where a priori solutions come from: the exposure itself, a local folder, or the astrometry database."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from astropy.io import fits
from attrs import frozen
from stwcs.wcsutil.headerlet import Headerlet

from astrodriz_core.errors import AstrodrizError, DatabaseError, InputError
from astrodriz_core.names import Rootname
from astrodriz_core.records.astrometry import SolutionOrigin
from astrodriz_core.sentences import joined
from astrodriz_io.fits.files import reading
from astrodriz_io.fits.scan import check_counts
from astrodriz_io.services.web import NotFoundError, TryAgainError, WebService, parse_xml
from astrodriz_io.storage.json_files import read_json_object
from astrodriz_io.storage.regular_files import read_regular
from astrodriz_io.wcs.attached import attached_headerlets
from astrodriz_io.wcs.headerlet_check import check_headerlet

__all__ = [
    "DatabaseSource",
    "EmbeddedSource",
    "FolderSource",
    "HeaderletSource",
    "Offer",
    "Offers",
    "read_headerlet",
]

LARGEST_HEADERLET = 1 << 28
"""Bytes; a headerlet holds headers and at most the look-up tables of a chip, some megabytes."""

BEST_REMEDY = "It has to be {rootname: WCSNAME}."
"""What best.json has to be."""

logger = logging.getLogger(__name__)


@frozen(eq=False)
class Offer:
    """One solution that a source has for an exposure.

    Attributes
    ----------
    wcsname : str
    origin : SolutionOrigin
    load : callable
        Gives the headerlet; raises `DatabaseError` where it cannot be had.
    """

    wcsname: str
    origin: SolutionOrigin
    load: Callable[[], Headerlet]


@frozen(eq=False)
class Offers:
    """Everything that a source has for one exposure.

    Attributes
    ----------
    solutions : tuple of Offer
    best : str or None
        WCSNAME of the one that the source calls the best.
    problem : str or None
        What could not be read; None where all was.
    """

    solutions: tuple[Offer, ...] = ()
    best: str | None = None
    problem: str | None = None


class HeaderletSource(Protocol):
    """A source of a priori solutions."""

    def offers(self, rootname: Rootname) -> Offers:
        """Solutions for an exposure.

        Parameters
        ----------
        rootname : str
            Lower case.

        Raises
        ------
        DatabaseError
            The source cannot be asked at all.
        """
        ...


@frozen(eq=False)
class EmbeddedSource:
    """The HDRLET extensions of an open exposure."""

    hdulist: fits.HDUList

    def offers(self, rootname: Rootname) -> Offers:
        """Solutions that the exposure carries."""
        found = [
            Offer(str(h[0].header["WCSNAME"]).strip(), SolutionOrigin.EMBEDDED, _ready(h))
            for _, h in attached_headerlets(self.hdulist)
        ]
        return Offers(tuple(found))


@frozen
class FolderSource:
    """A folder with files ``<rootname>_*_hlet.fits`` and ``best.json``, ``{rootname: WCSNAME}``.

    Attributes
    ----------
    folder : Path
    """

    folder: Path

    def offers(self, rootname: Rootname) -> Offers:
        """Solutions in the folder; files that cannot be read are named in the problem.

        Raises
        ------
        DatabaseError
            There is no such folder, or best.json is damaged.
        """
        if not self.folder.is_dir():
            raise DatabaseError(
                "There is no such folder of headerlets.",
                where=self.folder.name,
                remedy="Give the folder that holds the files <rootname>_*_hlet.fits.",
            )
        found, damaged = [], []
        for path in sorted(self.folder.glob(f"{rootname}_*hlet.fits")):
            try:
                headerlet = read_headerlet(read_regular(path, LARGEST_HEADERLET), path.name)
            except AstrodrizError as error:
                damaged.append(str(error))
                continue
            name = str(headerlet[0].header["WCSNAME"]).strip()
            found.append(Offer(name, SolutionOrigin.FOLDER, _ready(headerlet)))
        return Offers(tuple(found), self._best(rootname), joined(damaged) or None)

    def _best(self, rootname: Rootname) -> str | None:
        """The entry of best.json; None where there is none."""
        path = self.folder / "best.json"
        if not path.exists():
            return None
        table = read_json_object(path, DatabaseError, BEST_REMEDY)
        best = {key.lower(): value for key, value in table.items()}.get(rootname.lower())
        if best is not None and not (isinstance(best, str) and best.isprintable()):
            raise DatabaseError(f"The best solution of {rootname} is no name.", where=path.name, remedy=BEST_REMEDY)
        return best


@frozen
class DatabaseSource(WebService):
    """The astrometry database of the archive."""

    TITLE = "astrometry database"
    ERROR = DatabaseError

    def offers(self, rootname: Rootname) -> Offers:
        """Solutions of the database; nothing for an observation that it does not know.

        Raises
        ------
        DatabaseError
            The service cannot be reached, or its reply makes no sense.
        """
        url = self.url(f"observation/read/{quote(rootname.lower())}")
        try:
            best, names = self.client.get(url, None, _parse_observation)
        except NotFoundError:
            return Offers()
        offers = [Offer(name, SolutionOrigin.DATABASE, self._loader(url, name)) for name in names]
        return Offers(tuple(offers), best)

    def _loader(self, url: str, wcsname: str) -> Callable[[], Headerlet]:
        def parse(body: bytes) -> Headerlet:
            try:
                return read_headerlet(body, wcsname)
            except DatabaseError as error:
                raise TryAgainError(str(error)) from error

        def load() -> Headerlet:
            try:
                return self.client.get(url, {"wcsname": wcsname}, parse)
            except NotFoundError as error:
                raise DatabaseError(f"The astrometry database names {wcsname} but does not have it.") from error

        return load


def read_headerlet(body: bytes, name: str) -> Headerlet:
    """Headerlet from the bytes of a FITS file, wholly in memory.

    Raises
    ------
    DatabaseError
        These are not the bytes of a headerlet.
    """
    try:
        check_counts(io.BytesIO(body), name)
        headerlet = _parsed(body, name)
        check_headerlet(headerlet, name)
    except InputError as error:
        raise DatabaseError(f"This is not a headerlet: {error.problem}", where=error.where) from error
    return headerlet


def _parsed(body: bytes, name: str) -> Headerlet:
    """What stwcs makes of the bytes of a FITS file."""
    with reading(name):
        hdulist = fits.open(io.BytesIO(body), memmap=False, lazy_load_hdus=False)
    with hdulist, reading(name):
        headerlet = Headerlet([hdu.copy() for hdu in hdulist], logging=False)
    with reading(name):
        headerlet.init_attrs()
        headerlet.hverify()
    return headerlet


def _ready(headerlet: Headerlet) -> Callable[[], Headerlet]:
    """What gives a headerlet that has been read already."""
    return lambda: headerlet


def _parse_observation(body: bytes) -> tuple[str | None, Sequence[str]]:
    """The best solution's WCSNAME and all WCSNAMEs in the database's reply."""
    root = parse_xml(body, "astrometry database")
    names = {}
    for solution in root.iter("solution"):
        name = (solution.findtext("wcsName") or "").strip()
        if name:
            names[(solution.findtext("solutionID") or "").strip()] = name
    best_id = (root.findtext(".//bestSolutionID") or "").strip()
    best = names.get(best_id) or (best_id if best_id in names.values() else None)
    return best, tuple(dict.fromkeys(names.values()))
