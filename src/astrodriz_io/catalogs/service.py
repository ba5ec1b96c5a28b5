"""The archive's catalogue service, in CSV over HTTP."""

from __future__ import annotations

import re

from astropy.io import ascii
from astropy.table import Table
from attrs import field, frozen

from astrodriz_core.errors import CatalogError
from astrodriz_io.catalogs.columns import columns_of
from astrodriz_io.catalogs.files import CatalogRows, Footprint, catalog_rows
from astrodriz_io.services.web import NotFoundError, TryAgainError, WebService

__all__ = ["ServiceCatalog"]

MIN_DETECTIONS = 5
"""MINDET of the query: sources seen fewer times have poor positions."""

WITH_MOTION = ("GAIA", "GSC24")
"""Beginnings of the names of catalogues that have proper motions: their reply has to have the columns."""


@frozen
class ServiceCatalog(WebService):
    """One catalogue of the archive's service.

    The positions are asked for at their own epochs and moved here, because a reply whose positions the service was
    to move does not say when it failed to.

    Attributes
    ----------
    name : str
        CAT of the query.
    """

    TITLE = "catalogue service"
    ERROR = CatalogError

    name: str = field(kw_only=True)

    def query(self, footprint: Footprint, epoch: float) -> CatalogRows:
        """Ask the service for the rows of a field."""
        table = self._table(footprint)
        motion = self.name.upper().startswith(WITH_MOTION)
        required = ("mag", "pmra", "pmdec", "epoch") if motion else ("mag",)
        columns = columns_of(table, self.name, self.host, required=required)
        return catalog_rows(columns, footprint, epoch, self.name, f"catalogue service {self.host}")

    def _table(self, footprint: Footprint) -> Table:
        parameters: dict[str, str | float] = {
            "RA": footprint.ra,
            "DEC": footprint.dec,
            "SR": footprint.radius_deg,
            "FORMAT": "CSV",
            "CAT": self.name,
            "MINDET": MIN_DETECTIONS,
        }
        try:
            return self.client.get(self.url("vo/CatalogSearch.aspx"), parameters, self._parse)
        except NotFoundError as error:
            raise CatalogError("There is no catalogue service at this address.", where=self.host) from error

    def _parse(self, body: bytes) -> Table:
        """Table of a reply whose first line is a count; the service begins its errors with that word.

        Raises
        ------
        CatalogError
            The service says that it has no answer.
        TryAgainError
            The reply is damaged or incomplete.
        """
        try:
            lines = [line for line in body.decode("utf-8").splitlines() if line.strip()]
        except UnicodeDecodeError as error:
            raise TryAgainError(f"the reply for {self.name} is not text") from error
        first = lines[0].strip() if lines else ""
        if first.lower().startswith("error"):
            raise CatalogError(f"The catalogue service says of {self.name}: {first}", where=self.host)
        counted = re.fullmatch(r"Objects found:\s*(\d{1,18})", first)
        if counted is None:
            raise TryAgainError(f"the reply for {self.name} does not begin with a count")
        rows = lines[1:]
        if len(rows) - 1 != int(counted[1]):
            raise TryAgainError(f"the reply for {self.name} has {len(rows) - 1} rows, but says {counted[1]}")
        try:
            table: Table = ascii.read(rows, format="csv", guess=False)
        except (ValueError, TypeError, IndexError) as error:
            raise TryAgainError(f"the reply for {self.name} is not a table ({error})") from error
        return table
