"""The archive's catalogue service, in CSV over HTTP."""

from __future__ import annotations

import logging
import re
from urllib.parse import urlsplit

from astropy.io import ascii
from astropy.table import Table
from attrs import field, frozen

from astrodriz_core.errors import CatalogError
from astrodriz_io.astrometry.catalog_columns import columns_of
from astrodriz_io.astrometry.catalogs import CatalogRows, Footprint, catalog_rows
from astrodriz_io.astrometry.time_budget import Deadline
from astrodriz_io.astrometry.web import NotFoundError, WebClient

__all__ = ["ServiceCatalog"]

logger = logging.getLogger(__name__)

MIN_DETECTIONS = 5
"""MINDET of the query: sources seen fewer times have poor positions."""

WITH_MOTION = ("GAIA", "GSC24")
"""Beginnings of the names of catalogues that have proper motions: their reply has to have the columns."""

SHORT_REPLY_ATTEMPTS = 2
"""A reply with fewer rows than its first line promises is asked for once more."""


@frozen
class ServiceCatalog:
    """One catalogue of the archive's service.

    The positions are asked for at their own epochs and moved here, because a reply whose positions the service was
    to move does not say when it failed to.

    Attributes
    ----------
    name : str
        CAT of the query.
    address : str
    deadline : Deadline
    client : WebClient
    """

    name: str
    address: str
    deadline: Deadline = field(factory=Deadline)
    client: WebClient = field()

    @client.default
    def _own_client(self) -> WebClient:
        return WebClient("catalogue service", CatalogError, self.deadline)

    def query(self, footprint: Footprint, epoch: float) -> CatalogRows:
        """Rows of the service."""
        table = self._table(footprint)
        motion = self.name.upper().startswith(WITH_MOTION)
        required = ("mag", "pmra", "pmdec", "epoch") if motion else ("mag",)
        columns = columns_of(table, self.name, self._host, required=required)
        return catalog_rows(columns, footprint, epoch, self.name, f"catalogue service {self._host}")

    @property
    def _host(self) -> str:
        return urlsplit(self.address).netloc

    def _table(self, footprint: Footprint) -> Table:
        url = f"{self.address.rstrip('/')}/vo/CatalogSearch.aspx"
        parameters: dict[str, str | float] = {
            "RA": footprint.ra,
            "DEC": footprint.dec,
            "SR": footprint.radius,
            "FORMAT": "CSV",
            "CAT": self.name,
            "MINDET": MIN_DETECTIONS,
        }
        for attempt in range(SHORT_REPLY_ATTEMPTS):
            try:
                return _parse(self.client.get(url, parameters), self.name, self._host)
            except NotFoundError as error:
                raise CatalogError("There is no catalogue service at this address.", where=self._host) from error
            except _ShortReplyError as error:
                logger.info("%s, attempt %d: %s", self.name, attempt + 1, error)
                problem = str(error)
        raise CatalogError(problem, where=self._host)


class _ShortReplyError(Exception):
    """The reply has fewer rows than it says."""


def _parse(body: bytes, name: str, where: str) -> Table:
    """Table of a reply whose first line is a count, or the beginning of an error."""
    try:
        lines = body.decode("utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise CatalogError(f"The reply for {name} is not text.", where=where) from error
    first = lines[0].strip() if lines else ""
    if first.lower().startswith("error"):
        raise CatalogError(f"The catalogue service says of {name}: {first}", where=where)
    counted = re.fullmatch(r"Objects found:\s*(\d+)", first)
    if counted is None:
        raise CatalogError(f"The reply for {name} does not begin with a count.", where=where)
    expected, rows = int(counted[1]), [line for line in lines[1:] if line.strip()]
    if expected == 0 and not rows:
        raise CatalogError(f"The reply for {name} has no columns.", where=where)
    if len(rows) - 1 != expected:
        raise _ShortReplyError(f"The reply for {name} has {len(rows) - 1} rows; it says {expected}.")
    try:
        return ascii.read(rows, format="csv", guess=False)
    except (ValueError, TypeError, IndexError) as error:
        raise CatalogError(f"The reply for {name} is not a table ({error}).", where=where) from error
