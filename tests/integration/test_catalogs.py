"""Catalogues: files of every format, the service with every fault, the local cache, the Gaia archive."""

from __future__ import annotations

import sys
import threading
import time

import numpy as np
import pytest
from astropy.table import Table
from loopback import Loopback, saying, serving
from simulated_archive import catalogue_reply

from astrodriz import Settings
from astrodriz_core.errors import CatalogError, LockedError
from astrodriz_io.catalogs.cache import CacheCatalog, add_catalog, list_catalogs
from astrodriz_io.catalogs.files import FileCatalog, Footprint
from astrodriz_io.catalogs.service import ServiceCatalog
from astrodriz_io.cli import astrodriz
from astrodriz_io.run.chosen_services import chosen_catalogs
from astrodriz_io.services.time_budget import TimeBudget
from astrodriz_io.services.web import WebClient
from astrodriz_io.storage.locking import locked

FIELD = Footprint(150.0, 2.0, 0.05)
EPOCH = 2009.0


def sample(count=30, seed=0):
    rng = np.random.default_rng(seed)
    return Table(
        {
            "ra": 150.0 + rng.uniform(-0.03, 0.03, count),
            "dec": 2.0 + rng.uniform(-0.03, 0.03, count),
            "mag": rng.uniform(15, 20, count),
            "pmra": rng.normal(0, 5, count),
            "pmdec": rng.normal(0, 5, count),
            "ra_error": np.full(count, 0.3),
            "dec_error": np.full(count, 0.3),
            "pmra_error": np.full(count, 0.1),
            "pmdec_error": np.full(count, 0.1),
            "ref_epoch": np.full(count, 2016.0),
        }
    )


@pytest.fixture
def files(tmp_path):
    """The same table in every format that needs no extra."""
    table = sample()
    for suffix, form in ((".ecsv", "ascii.ecsv"), (".csv", "ascii.csv"), (".fits", "fits")):
        table.write(tmp_path / f"stars{suffix}", format=form)
    return tmp_path


def write_parquet(table, path):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pyarrow.table({name: np.asarray(table[name]) for name in table.colnames}), path)


@pytest.mark.parametrize("suffix", [".csv", ".fits", ".parquet"])
def test_every_format_gives_the_same_rows(files, suffix):
    if suffix == ".parquet":
        write_parquet(sample(), files / "stars.parquet")
    expected = FileCatalog(files / "stars.ecsv").query(FIELD, EPOCH)
    rows = FileCatalog(files / f"stars{suffix}").query(FIELD, EPOCH)
    assert np.allclose(rows.positions.ra, expected.positions.ra, atol=1e-12)
    assert rows.provenance.rows == 30
    assert rows.provenance.sha256 == expected.provenance.sha256


def test_the_provenance_names_the_file_without_its_folder_and_the_epochs(files):
    provenance = FileCatalog(files / "stars.ecsv").query(FIELD, EPOCH).provenance
    assert provenance.origin == "file stars.ecsv"
    assert str(files) not in repr(provenance)
    assert (provenance.epoch, provenance.reference_epoch, provenance.with_proper_motion) == (EPOCH, 2016.0, 30)


def test_another_row_has_another_hash(tmp_path):
    table = sample()
    table.write(tmp_path / "a.ecsv")
    table["mag"][3] += 0.001
    table.write(tmp_path / "b.ecsv")
    first, second = (FileCatalog(tmp_path / name).query(FIELD, EPOCH).provenance for name in ("a.ecsv", "b.ecsv"))
    assert first.sha256 != second.sha256


def test_positions_are_at_the_epoch_with_the_error_of_the_motion(files):
    table = sample()
    rows = FileCatalog(files / "stars.ecsv").query(FIELD, EPOCH)
    years = EPOCH - 2016.0
    assert np.allclose((rows.positions.dec - table["dec"]) * 3.6e6, table["pmdec"] * years, atol=1e-3)
    assert np.allclose(rows.positions.sigma, np.hypot(0.3, 0.1 * years))


def test_rows_outside_the_footprint_are_left_out(files):
    rows = FileCatalog(files / "stars.ecsv").query(Footprint(150.0, 2.0, 0.01), EPOCH)
    assert 0 < len(rows) < 30
    assert len(FileCatalog(files / "stars.ecsv").query(Footprint(10.0, 2.0, 0.01), EPOCH)) == 0


def test_a_file_may_do_without_motion_epoch_and_magnitude_and_the_log_says_so(tmp_path, caplog):
    Table({"RA": [150.0], "DEC": [2.0]}).write(tmp_path / "bare.csv")
    rows = FileCatalog(tmp_path / "bare.csv").query(FIELD, EPOCH)
    assert (len(rows), rows.provenance.with_proper_motion) == (1, 0)
    assert "has no proper motions" in caplog.text


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("missing.ecsv", None),
        ("stars.doc", "ra dec\n1 2\n"),
        ("stars.csv", "x,y\n1,2\n"),
        ("stars.csv", "ra,dec\none,two\n"),
        ("stars.csv", "ra,dec\n10,95\n"),
        ("stars.fits", "not FITS"),
        ("stars.parquet", "not Parquet"),
    ],
)
def test_a_file_that_is_no_catalogue_is_a_clear_error(tmp_path, name, content):
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(CatalogError) as caught:
        FileCatalog(tmp_path / name).query(FIELD, EPOCH)
    assert name in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


@pytest.fixture
def service():
    with serving(lambda path, query: (200, catalogue_reply(sample()))) as loopback:
        yield loopback


def catalog(service, name="GAIAeDR3", seconds=20.0):
    budget = TimeBudget(seconds)
    client = WebClient("catalogue service", CatalogError, budget, first_wait=0.01, read_seconds=0.6)
    return ServiceCatalog(f"{service.address}/webservices", budget, client, name=name)


def test_the_service_is_asked_for_the_field_and_its_rows_are_moved_here(service):
    rows = catalog(service).query(FIELD, EPOCH)
    assert (len(rows), rows.provenance.with_proper_motion) == (30, 30)
    asked = service.asked[0]
    assert all(part in asked for part in ("/vo/CatalogSearch.aspx", "CAT=GAIAeDR3", "FORMAT=CSV", "RA=150", "MINDET=5"))
    assert "EPOCH" not in asked
    years = EPOCH - 2016.0
    assert np.allclose((rows.positions.dec - sample()["dec"]) * 3.6e6, sample()["pmdec"] * years, atol=1e-3)


@pytest.mark.parametrize("fault", ["refuse", "500", "503", "truncate", "short", "slow", "garbage"])
def test_a_fault_that_passes_is_survived(service, fault):
    service.fault, service.faults = fault, 1
    assert len(catalog(service).query(FIELD, EPOCH)) == 30
    assert len(service.asked) == 2


@pytest.mark.parametrize("fault", ["refuse", "500", "truncate", "short", "slow", "drip", "garbage", "403", "404"])
def test_a_fault_that_stays_is_a_typed_error_in_bounded_time(service, fault):
    service.fault = fault
    start = time.monotonic()
    with pytest.raises(CatalogError):
        catalog(service).query(FIELD, EPOCH)
    assert time.monotonic() - start < 5.0


@pytest.mark.parametrize("fault", ["slow", "drip", "drip header"])
def test_a_service_that_hangs_leaves_neither_thread_nor_connection(service, fault):
    service.fault = fault
    before = set(threading.enumerate())
    with pytest.raises(CatalogError, match=r"no complete reply|Timeout"):
        within_a_second(service).query(FIELD, EPOCH)
    # Those of the server end with it.
    assert [thread.name for thread in set(threading.enumerate()) - before if "process_request" not in thread.name] == []


def within_a_second(service):
    client = WebClient("catalogue service", CatalogError, TimeBudget(1.0), attempts=1, read_seconds=0.3)
    return ServiceCatalog(f"{service.address}/webservices", client.budget, client, name="GAIAeDR3")


REDIRECT = b"HTTP/1.1 302 Found\r\nLocation: http://%s/\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"hello\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nabc\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nabcde",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
        REDIRECT % b"[bad",
        REDIRECT % b"a...b",
        REDIRECT % b"\xff\xfe",
    ],
)
def test_a_server_that_does_not_speak_http_is_a_typed_error_at_once(sent, monkeypatch):
    uncaught: list[object] = []
    monkeypatch.setattr(threading, "excepthook", uncaught.append)
    with saying(sent) as service, pytest.raises(CatalogError):
        catalog(service).query(FIELD, EPOCH)
    assert uncaught == []


@pytest.mark.parametrize("address", ["", "nonsense", "http://[bad", "http://a..b", "http://localhost:99999", "ftp://x"])
def test_an_address_that_makes_no_sense_is_a_typed_error(address, monkeypatch):
    uncaught: list[object] = []
    monkeypatch.setattr(threading, "excepthook", uncaught.append)
    service = Loopback(lambda path, query: (200, b""))
    service.address = address
    with pytest.raises(CatalogError, match="no usable answer"):
        catalog(service).query(FIELD, EPOCH)
    assert uncaught == []


def test_only_the_time_of_waiting_is_spent(service):
    gaia = catalog(service)
    begun = time.monotonic()
    gaia.query(FIELD, EPOCH)
    assert 0.0 < gaia.budget.spent() <= time.monotonic() - begun
    spent = gaia.budget.spent()
    time.sleep(0.05)
    assert gaia.budget.spent() == spent


def test_threads_that_wait_together_spend_the_time_once():
    budget = TimeBudget(10.0)
    together = threading.Barrier(4)

    def wait():
        with budget.spending():
            together.wait()
            time.sleep(0.1)

    threads = [threading.Thread(target=wait) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 0.1 <= budget.spent() < 0.4
    assert budget.remaining() == pytest.approx(10.0 - budget.spent())


def test_the_budget_holds_for_all_attempts_together(service):
    service.fault = "slow"
    start = time.monotonic()
    with pytest.raises(CatalogError):
        catalog(service, seconds=0.8).query(FIELD, EPOCH)
    assert time.monotonic() - start < 1.6


def test_a_service_that_is_down_is_not_asked_again(service):
    service.fault = "500"
    gaia = catalog(service)
    with pytest.raises(CatalogError, match="status 500"):
        gaia.query(FIELD, EPOCH)
    asked = len(service.asked)
    with pytest.raises(CatalogError, match="not asked again"):
        gaia.query(FIELD, EPOCH)
    assert len(service.asked) == asked


def test_after_the_budget_is_spent_nothing_is_asked_any_more(service):
    with pytest.raises(CatalogError, match="used up"):
        catalog(service, seconds=0.0).query(FIELD, EPOCH)
    assert service.asked == []


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"Error: Cannot find table 0.\r\n", "Cannot find table 0"),
        (b"", "count"),
        (b"<html>maintenance</html>", "count"),
        (b"Objects found: 1\r\nra,dec,mag\r\n1,2,3\r\n", "pmra, pmdec, epoch"),
        (catalogue_reply(sample(), columns=("ra", "dec", "mag", "epoch")), "pmra, pmdec"),
        (catalogue_reply(sample(), count=31), "30 rows"),
        (b"Objects found: 1\r\nra,dec,mag,pmra,pmdec,epoch\r\na,b,c,d,e,f\r\n", "not a number"),
    ],
)
def test_a_reply_that_makes_no_sense_is_refused_with_its_reason(body, problem):
    with serving(lambda path, query: (200, body)) as loopback, pytest.raises(CatalogError) as caught:
        catalog(loopback).query(FIELD, EPOCH)
    assert problem in str(caught.value)


def test_a_catalogue_without_proper_motions_does_not_need_their_columns():
    body = b"Objects found: 1\r\nobjid,ra,dec,mag,jdate\r\n1,150.0,2.0,15,2451545.0\r\n"
    with serving(lambda path, query: (200, body)) as loopback:
        rows = catalog(loopback, "2MASS").query(FIELD, EPOCH)
    assert (len(rows), rows.provenance.reference_epoch) == (1, 2000.0)
    assert rows.positions.sigma[0] >= 50.0


def test_a_field_without_sources_is_an_answer():
    body = b"Objects found: 0\r\nobjID,ra,dec,pmra,pmdec,mag,epoch\r\n"
    with serving(lambda path, query: (200, body)) as loopback:
        assert len(catalog(loopback).query(FIELD, EPOCH)) == 0


@pytest.fixture
def extra():
    """What the cache needs."""
    pytest.importorskip("pyarrow")
    pytest.importorskip("astropy_healpix")


@pytest.fixture
def cache(files, extra):
    add_catalog(files / "cache", files / "stars.ecsv", "GAIAeDR3")
    return files / "cache"


def test_the_cache_gives_back_the_rows_that_were_added(cache, files):
    direct = FileCatalog(files / "stars.ecsv").query(FIELD, EPOCH)
    cached = CacheCatalog(cache, "GAIAeDR3").query(FIELD, EPOCH)
    order, same = np.argsort(direct.positions.ra), np.argsort(cached.positions.ra)
    assert np.allclose(cached.positions.ra[same], direct.positions.ra[order], atol=1e-12)
    assert np.allclose(cached.positions.sigma[same], direct.positions.sigma[order])


def test_adding_rows_again_does_not_double_them_and_new_ones_are_kept(cache, files):
    sample(count=10, seed=9).write(files / "more.ecsv")
    assert add_catalog(cache, files / "stars.ecsv", "GAIAeDR3").rows == 30
    assert add_catalog(cache, files / "more.ecsv", "GAIAeDR3").rows == 40
    assert [(e.name, e.rows, e.order) for e in list_catalogs(cache)] == [("GAIAeDR3", 40, 5)]


def test_a_field_next_to_the_edge_of_a_pixel_gets_the_rows_of_both(files, extra):
    import astropy.units as u
    import astropy_healpix as healpix

    pixels = healpix.HEALPix(nside=32, order="nested")
    edge = pixels.boundaries_lonlat(1000, step=1)
    ra, dec = float(edge[0][0, 0].to_value(u.deg)), float(edge[1][0, 0].to_value(u.deg))
    around = Table(
        {"ra": ra + 0.01 * np.array([-1, 1, 0, 0]), "dec": dec + 0.01 * np.array([0, 0, -1, 1]), "mag": [18.0] * 4}
    )
    around.write(files / "edge.ecsv")
    assert add_catalog(files / "edges", files / "edge.ecsv", "2MASS").pixels > 1
    assert len(CacheCatalog(files / "edges", "2MASS").query(Footprint(ra, dec, 0.05), EPOCH)) == 4


def test_what_the_cache_does_not_have_is_said(cache, tmp_path):
    with pytest.raises(CatalogError, match="does not cover"):
        CacheCatalog(cache, "GAIAeDR3").query(Footprint(10.0, -60.0, 0.05), EPOCH)
    with pytest.raises(CatalogError, match="no catalogue 2MASS"):
        CacheCatalog(cache, "2MASS").query(FIELD, EPOCH)
    assert list_catalogs(tmp_path / "nowhere") == ()


@pytest.mark.parametrize("text", ["{", "[]", '{"order": 40, "pixels": 1, "rows": 1}', '{"order": -1}'])
def test_a_damaged_cache_is_an_error_of_the_catalogue(cache, text):
    (cache / "GAIAeDR3" / "catalog.json").write_text(text)
    with pytest.raises(CatalogError, match="damaged"):
        CacheCatalog(cache, "GAIAeDR3").query(FIELD, EPOCH)


def test_a_folder_as_catalogue_is_a_cache_and_its_catalogues_come_in_the_order_of_preference(cache, files):
    for name in ("2MASS", "GAIADR1", "own", "GSC242"):
        add_catalog(cache, files / "stars.ecsv", name)
    chosen = chosen_catalogs(Settings(catalog=cache), ("GAIAeDR3", "2MASS"), TimeBudget())
    assert {type(c) for c in chosen} == {CacheCatalog}
    assert [c.name for c in chosen] == ["GAIAeDR3", "GAIADR1", "GSC242", "2MASS", "own"]
    assert len(chosen[0].query(FIELD, EPOCH)) == 30


def test_a_damaged_file_of_the_cache_is_an_error_of_the_catalogue(cache):
    for path in (cache / "GAIAeDR3").glob("*.parquet"):
        path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(CatalogError, match="cannot be read"):
        CacheCatalog(cache, "GAIAeDR3").query(FIELD, EPOCH)


def test_an_empty_folder_is_a_cache_without_an_answer(tmp_path):
    chosen = chosen_catalogs(Settings(catalog=tmp_path), ("GAIAeDR3", "2MASS"), TimeBudget())
    assert [c.name for c in chosen] == ["GAIAeDR3", "2MASS"]
    with pytest.raises(CatalogError, match="no catalogue GAIAeDR3"):
        chosen[0].query(FIELD, EPOCH)


def test_two_commands_do_not_add_to_one_catalogue_at_the_same_time(cache, files):
    with locked(cache / "GAIAeDR3", ["catalog"]), pytest.raises(LockedError):
        add_catalog(cache, files / "stars.ecsv", "GAIAeDR3")


def test_the_cache_is_filled_and_read_from_the_command_line(files, extra, capsys):
    def run(*words):
        assert astrodriz(["catalog", words[0], "--cache", str(files / "new"), *map(str, words[1:])]) == 0
        return capsys.readouterr().out.splitlines()

    assert run("list") == ["The cache holds no catalogue."]
    assert run("add", files / "stars.ecsv") == ["GAIAeDR3: 30 rows in 1 pixels of HEALPix order 5"]
    assert run("list") == run("add", files / "stars.fits")
    *rows, last = run("query", 150.0, 2.0, 0.05, "--epoch", 2009.0)
    assert last == "30 rows of GAIAeDR3 at epoch 2009.0, 30 moved by their proper motion"
    assert len(rows) == 21


@pytest.mark.parametrize(
    ("words", "code", "problem"),
    [
        (("add", "missing.ecsv"), 5, "missing.ecsv: File missing.ecsv not found."),
        (("add", "stars.ecsv", "--name", "../up"), 2, "is not a name"),
        (("query", "150", "2", "0.05"), 5, "no catalogue GAIAeDR3"),
        (("query", "150", "95", "0.05"), 2, "not on the sky"),
        (("query", "150", "2", "0"), 2, "not on the sky"),
    ],
)
def test_what_the_cache_cannot_do_is_told_by_code_and_message(files, monkeypatch, capsys, words, code, problem):
    monkeypatch.chdir(files)
    assert astrodriz(["catalog", words[0], "--cache", "new", *words[1:]]) == code
    assert problem in capsys.readouterr().err


def test_without_the_extra_the_cache_says_what_to_install(files, monkeypatch):
    for name in ("pyarrow", "astropy_healpix"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(CatalogError, match=r"astrodriz\[catalogs\]"):
        add_catalog(files / "new", files / "stars.ecsv", "GAIAeDR3")
