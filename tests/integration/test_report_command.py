"""``astrodriz report``: the page of a run again, from its record and the product beside it."""

import shutil

import pytest
from golden_runs import FOLDER, golden_record

from astrodriz_io.cli import astrodriz
from astrodriz_io.report.page import report_page


@pytest.fixture
def record_alone(tmp_path):
    """A record with nothing beside it."""
    return shutil.copy(FOLDER / "aligned.json", tmp_path / "some_decisions.json")


def test_the_page_made_again_is_byte_for_byte_that_of_the_run(ir_run, tmp_path, capsys):
    record, folder = ir_run
    page = tmp_path / "again.html"
    assert astrodriz(["report", str(folder / f"{record.root}_decisions.json"), "-o", str(page)]) == 0
    assert page.read_bytes() == (folder / f"{record.root}_report.html").read_bytes()
    assert b"data:image/png" in page.read_bytes()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"Wrote {page}."
    assert lines[-1].startswith("Final WCS: ")
    assert lines[-1].endswith(" See again.html.")


def test_without_the_product_there_are_no_pictures_and_both_page_and_terminal_say_so(record_alone, tmp_path, capsys):
    assert astrodriz(["report", str(record_alone)]) == 0
    page = (tmp_path / "i00101010_report.html").read_text(encoding="utf-8")
    assert page == report_page(golden_record("aligned"), None)
    assert "This page was made without a look at i00101010_drz.fits." in page
    told = capsys.readouterr().out
    assert "It has no pictures of the product: i00101010_drz.fits does not lie beside the record." in told


def test_a_product_that_is_not_that_of_the_run_is_not_shown(record_alone, tmp_path, capsys):
    (tmp_path / "i00101010_drz.fits").write_bytes(b"another one")
    assert astrodriz(["report", str(record_alone)]) == 0
    assert "no pictures of the product: i00101010_drz.fits is not as the run left it." in capsys.readouterr().out


def test_a_run_without_a_product_has_a_page_too(tmp_path, capsys):
    page = tmp_path / "page.html"
    assert astrodriz(["report", str(FOLDER / "omitted.json"), "-o", str(page)]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[1] == "It has no pictures of the product: the run made no product."
    assert told[-1] == "Omitted by DRIZCORR: nothing was drizzled; -f drizzles all the same. See page.html."
    assert "No product was made." in page.read_text(encoding="utf-8")


def test_a_page_that_is_there_is_replaced_only_where_that_is_asked_for(record_alone, tmp_path, capsys):
    page = tmp_path / "i00101010_report.html"
    page.write_text("mine")
    assert astrodriz(["report", str(record_alone)]) == 2
    assert page.read_text() == "mine"
    assert "--overwrite" in capsys.readouterr().err
    assert astrodriz(["report", str(record_alone), "--overwrite"]) == 0
    assert capsys.readouterr().out.startswith(f"Replaced {page}.")
    assert "<!DOCTYPE html>" in page.read_text(encoding="utf-8")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["i00101010_report.html", "some_decisions.json"]
