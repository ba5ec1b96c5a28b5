"""ESA's Gaia archive through astroquery (needs the extra ``gaia``)."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from contextlib import ExitStack, closing
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, cast
from urllib.parse import urlsplit
from xml.parsers.expat import ExpatError

from astropy.table import Table
from attrs import field, frozen

from astrodriz_core.errors import CatalogError
from astrodriz_io.catalogs.columns import columns_of
from astrodriz_io.catalogs.files import CatalogRows, Footprint, catalog_rows
from astrodriz_io.services.cuttable import Connections, cuttable, within
from astrodriz_io.services.time_budget import TimeBudget

__all__ = ["GaiaArchive"]

TABLES = {
    "GAIAEDR3": "gaiaedr3.gaia_source",
    "GAIADR3": "gaiadr3.gaia_source",
    "GAIADR2": "gaiadr2.gaia_source",
    "GAIADR1": "gaiadr1.gaia_source",
}
"""Table of the archive for each name that a WCSNAME may have."""

ADDRESS = "https://gea.esac.esa.int/tap-server/tap"
"""Address of the archive's table access service."""

ASTROQUERY_FAILURES = (
    OSError, ValueError, TypeError, RuntimeError, SystemError, SyntaxError, LookupError, AttributeError, EOFError,
    HTTPException, ExpatError, zlib.error,
)  # fmt: skip
"""What one query of astroquery raises; a refused one is a SystemError, a damaged reply any of the others."""

COLUMNS = "ra, dec, ra_error, dec_error, pmra, pmdec, pmra_error, pmdec_error, ref_epoch, phot_g_mean_mag"


@frozen
class GaiaArchive:
    """One data release of Gaia.

    Attributes
    ----------
    name : str
        GAIAeDR3, GAIADR3, GAIADR2 or GAIADR1, in any case.
    budget : TimeBudget
    launch : callable
        Runs a query in ADQL and gives its table, or raises a `CatalogError`; by default that of astroquery.
    address : str
        Address of the archive.
    """

    name: str = "GAIAeDR3"
    budget: TimeBudget = field(factory=TimeBudget)
    launch: Callable[[str], Table] | None = None
    address: str = ADDRESS

    def query(self, footprint: Footprint, epoch: float) -> CatalogRows:
        """Ask the archive for the rows of a field.

        Raises
        ------
        CatalogError
            astroquery is not installed, the name is not a data release, or the archive gives no usable answer in time.
        """
        table = TABLES.get(self.name.upper())
        if table is None:
            raise CatalogError(f"{self.name} is not a data release of Gaia; there are {', '.join(TABLES)}.")
        adql = (
            f"SELECT {COLUMNS} FROM {table} WHERE 1 = CONTAINS(POINT('ICRS', ra, dec), "
            f"CIRCLE('ICRS', {footprint.ra:.10f}, {footprint.dec:.10f}, {footprint.radius_deg:.8f}))"
        )
        rows = self._rows(adql)
        columns = columns_of(rows, self.name, "Gaia archive", required=("pmra", "pmdec", "epoch"))
        return catalog_rows(columns, footprint, epoch, self.name, "Gaia archive")

    def _rows(self, adql: str) -> Table:
        """What the archive replies to a query; astroquery has no limit on time."""
        try:
            with self.budget.spending():
                seconds = self.budget.remaining()
                return within(seconds, lambda connections: self._launch(adql, connections, seconds))
        except TimeoutError as failure:
            raise CatalogError("The Gaia archive did not answer in time.") from failure

    def _launch(self, adql: str, connections: Connections, seconds: float) -> Table:
        with ExitStack() as opened:
            handler = _Handler(self.address, connections, seconds, opened)
            return (self.launch or _astroquery_launcher(self.address, handler))(adql)


@frozen
class _Handler:
    """Makes the connections of astroquery, which never closes them: watched ones, with a limit on time."""

    address: str
    connections: Connections
    seconds: float
    opened: ExitStack

    def get_connection(self, *, ishttps: bool = False, cookie: object = None, verbose: bool = False) -> HTTPConnection:
        """A connection to the archive."""
        return self._connection(HTTPSConnection if ishttps or cookie is not None else HTTPConnection)

    def get_connection_secure(self, verbose: bool = False) -> HTTPConnection:
        """A connection with TLS."""
        return self._connection(HTTPSConnection)

    def _connection(self, kind: type) -> HTTPConnection:
        made: Any = cuttable(kind, self.connections)(urlsplit(self.address).netloc, timeout=self.seconds)
        made.response_class = self._response
        return cast(HTTPConnection, self.opened.enter_context(closing(made)))

    def _response(self, *args: Any, **kwargs: Any) -> HTTPResponse:
        return self.opened.enter_context(closing(HTTPResponse(*args, **kwargs)))


def _astroquery_launcher(address: str, handler: _Handler) -> Callable[[str], Table]:
    """The function of astroquery that runs a query.

    Its ``astroquery.gaia`` would ask the archive for news, and print them, when it is imported. The jobs are
    asynchronous ones, because the archive cuts the others at 2000 rows without a word.
    """
    try:
        from astroquery.utils.tap.conn.tapconn import TapConn
        from astroquery.utils.tap.core import TapPlus
    except ImportError as error:
        raise CatalogError(
            "The Gaia archive needs astroquery.", remedy="Install the extra: pip install astrodriz[gaia]."
        ) from error

    url = urlsplit(address)
    server, _, tap = url.path.strip("/").rpartition("/")
    archive = TapConn(url.scheme == "https", url.hostname, server_context=server, tap_context=tap, connhandler=handler)

    def launch(adql: str) -> Table:
        try:
            table: Table = TapPlus(url=address, connhandler=archive).launch_job_async(adql).get_results()
        except ASTROQUERY_FAILURES as failure:
            raise CatalogError(f"The Gaia archive gave no usable answer ({failure}).") from failure
        return table

    return launch
