"""ESA's Gaia archive: what is asked of it, and what astroquery makes of its replies."""

from __future__ import annotations

import io
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import numpy as np
import pytest
from astropy.table import Table

from astrodriz import Settings
from astrodriz_core.errors import CatalogError
from astrodriz_io.catalogs.files import FileCatalog, Footprint
from astrodriz_io.catalogs.gaia_archive import GaiaArchive
from astrodriz_io.run.chosen_services import chosen_catalogs
from astrodriz_io.services.time_budget import TimeBudget

FIELD = Footprint(150.0, 2.0, 0.05)
EPOCH = 2009.0
TAP = "/tap-server/tap"


def sample(count=30):
    rng = np.random.default_rng(0)
    table = Table(
        {
            "ra": 150.0 + rng.uniform(-0.03, 0.03, count),
            "dec": 2.0 + rng.uniform(-0.03, 0.03, count),
            "phot_g_mean_mag": rng.uniform(15, 20, count),
            "ref_epoch": np.full(count, 2016.0),
        }
    )
    for name, width in (("pmra", 5.0), ("pmdec", 5.0)):
        table[name] = rng.normal(0, width, count)
    for name in ("ra_error", "dec_error", "pmra_error", "pmdec_error"):
        table[name] = np.full(count, 0.1)
    return table


@contextmanager
def archive(reply: bytes, phase: str = "COMPLETED") -> Iterator[tuple[str, list[str]]]:
    """A server that runs asynchronous jobs as the archive does; gives its address and the queries."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            asked.append(parse_qs(body)["QUERY"][0])
            self._answer(303, b"", Location=f"http://{self.headers['Host']}{TAP}/async/7")

        def do_GET(self) -> None:
            self._answer(200, phase.encode() if self.path.endswith("/phase") else reply)

        def _answer(self, status: int, body: bytes, **headers: str) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}{TAP}", asked
    finally:
        server.shutdown()
        server.server_close()


def votable(table: Table) -> bytes:
    body = io.BytesIO()
    table.write(body, format="votable")
    return body.getvalue()


@pytest.fixture
def astroquery():
    pytest.importorskip("astroquery.utils.tap.core")


def test_astroquery_gives_the_rows_of_the_archive(astroquery):
    with archive(votable(sample())) as (address, asked):
        rows = GaiaArchive("GAIADR3", TimeBudget(20.0), address=address).query(FIELD, EPOCH)
    assert (len(rows), rows.provenance.with_proper_motion) == (30, 30)
    assert "FROM gaiadr3.gaia_source" in asked[0]
    assert np.allclose((rows.positions.dec - sample()["dec"]) * 3.6e6, sample()["pmdec"] * (EPOCH - 2016.0), atol=1e-3)


@pytest.mark.parametrize(
    ("reply", "phase"),
    [(b"<html>maintenance</html>", "COMPLETED"), (votable(sample())[:700], "COMPLETED"), (b"bad query", "ERROR")],
)
def test_what_astroquery_cannot_read_is_a_typed_error(astroquery, reply, phase):
    with archive(reply, phase) as (address, _), pytest.raises(CatalogError, match="no usable answer"):
        GaiaArchive("GAIADR3", TimeBudget(20.0), address=address).query(FIELD, EPOCH)


def test_a_reply_without_proper_motions_is_refused(astroquery):
    table = sample()
    table.remove_columns(["pmra", "pmdec"])
    with archive(votable(table)) as (address, _), pytest.raises(CatalogError, match="pmra, pmdec"):
        GaiaArchive("GAIADR3", TimeBudget(20.0), address=address).query(FIELD, EPOCH)


def test_an_archive_that_is_not_there_is_a_typed_error(astroquery):
    with pytest.raises(CatalogError, match="no usable answer"):
        GaiaArchive(budget=TimeBudget(5.0), address=f"http://127.0.0.1:9{TAP}").query(FIELD, EPOCH)


def test_a_job_that_does_not_end_costs_no_more_than_the_budget(astroquery):
    start = time.monotonic()
    with archive(b"", "EXECUTING") as (address, _), pytest.raises(CatalogError, match="in time"):
        GaiaArchive(budget=TimeBudget(0.5), address=address).query(FIELD, EPOCH)
    assert time.monotonic() - start < 3.0
    assert "astrodriz-service" not in " ".join(thread.name for thread in threading.enumerate())


def test_an_archive_that_does_not_answer_leaves_no_thread(astroquery):
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(CatalogError, match="in time"):
        address = f"http://127.0.0.1:{silent.getsockname()[1]}{TAP}"
        GaiaArchive(budget=TimeBudget(0.5), address=address).query(FIELD, EPOCH)
    assert "astrodriz-service" not in " ".join(thread.name for thread in threading.enumerate())


def test_the_gaia_archive_is_asked_for_the_field_in_adql():
    asked = []

    def launch(adql):
        asked.append(adql)
        return sample()

    rows = GaiaArchive("GAIADR3", launch=launch).query(FIELD, EPOCH)
    assert len(rows) == 30
    assert "gaiadr3.gaia_source" in asked[0]
    assert "150.0000000000, 2.0000000000, 0.05000000" in asked[0]


def test_a_gaia_archive_that_fails_or_hangs_is_a_typed_error():
    def failing(adql):
        raise CatalogError("no route")

    def broken(adql):
        return {}[adql]

    def hanging(adql):
        time.sleep(3)

    with pytest.raises(CatalogError, match="no route"):
        GaiaArchive(launch=failing).query(FIELD, EPOCH)
    with pytest.raises(KeyError):
        GaiaArchive(launch=broken).query(FIELD, EPOCH)
    with pytest.raises(CatalogError, match="in time"):
        GaiaArchive(budget=TimeBudget(0.1), launch=hanging).query(FIELD, EPOCH)
    with pytest.raises(CatalogError, match="not a data release"):
        GaiaArchive("2MASS").query(FIELD, EPOCH)


def test_the_gaia_archive_is_chosen_by_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = Settings(catalog=Path("gaia-archive"))
    chosen = chosen_catalogs(settings, ("GAIAeDR3", "GSC242"), TimeBudget())
    assert [(type(c), c.name) for c in chosen] == [(GaiaArchive, "GAIAeDR3")]
    sample().write(tmp_path / "gaia-archive", format="ascii.ecsv")
    assert isinstance(chosen_catalogs(settings, ("GAIAeDR3",), TimeBudget())[0], FileCatalog)


def test_without_astroquery_the_gaia_archive_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "astroquery.utils.tap.core", None)
    with pytest.raises(CatalogError, match=r"astrodriz\[gaia\]"):
        GaiaArchive().query(FIELD, EPOCH)
