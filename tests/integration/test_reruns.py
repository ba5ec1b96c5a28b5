"""The same folder processed again and again: the same products, and nothing that grows."""

from __future__ import annotations

import shutil
import string
import time
from pathlib import Path

import numpy as np
import pytest
from aligned_exposures import LINEAR, headerlets, linear_terms, names
from astropy.io import fits
from stwcs.wcsutil import wcscorr
from tiny_files import write_exposure, write_idctab
from whole_runs import copied, run, run_again

from astrodriz import read_record
from astrodriz_core.align.fitting import LinearTransform
from astrodriz_core.decide.alignment import AlignmentPlan
from astrodriz_core.measure.tangent import TangentPlane
from astrodriz_core.records.astrometry import AlignmentOutcome, AposterioriRecord, SolutionOrigin
from astrodriz_core.solutions.wcsnames import a_posteriori_name
from astrodriz_io.align.apriori import apply_apriori
from astrodriz_io.inputs.reference_folders import ReferenceFolders
from astrodriz_io.services.headerlet_sources import FolderSource
from astrodriz_io.wcs.attached import attach_headerlet, attached_headerlets
from astrodriz_io.wcs.distortion import apply_distortion
from astrodriz_io.wcs.earlier_runs import forget_earlier_runs
from astrodriz_io.wcs.fit_writing import write_alignment
from astrodriz_io.wcs.headerlet_files import copy_wcs
from astrodriz_io.wcs.headerlets import AUTHOR, make_headerlet
from astrodriz_io.wcs.headers import edit_together
from astrodriz_io.wcs.wcscorr_table import is_listed

ROOT = "jabc01aaq"
PLANE = TangentPlane(30.0, -20.0)
SHIFT = LinearTransform(np.eye(2), np.array([0.05, -0.03]))


@pytest.fixture
def exposure(tmp_path: Path) -> Path:
    """A small exposure of two chips with a WCS of many digits, its distortion file beside it."""
    folder = tmp_path / "run"
    folder.mkdir()
    with fits.open(write_idctab(folder / "a1b2c_idc.fits", "ACS/WFC"), mode="update") as table:
        for name in (f"C{axis}{i}{j}" for axis in "XY" for i in (2, 3) for j in range(i + 1)):
            table[1].data[name] += 1e-9
    path = write_exposure(folder / f"{ROOT}_flc.fits", "ACS/WFC", primary={"IDCTAB": "jref$a1b2c_idc.fits"})
    with fits.open(path, mode="update") as hdulist:
        for extver, chip in ((1, 2), (2, 1)):
            header = hdulist["SCI", extver].header
            turn, pixel = np.deg2rad(33.333333333), 0.05 / 3600
            header["CRVAL1"], header["CRVAL2"] = 30.0 + chip / 300 + 1e-13, -20.0 + chip / 700
            header["CD1_1"], header["CD1_2"] = -pixel * np.cos(turn), pixel * np.sin(turn)
            header["CD2_1"], header["CD2_2"] = pixel * np.sin(turn), pixel * np.cos(turn)
    return path


def write_shift(path: Path, shift: LinearTransform) -> tuple[str, ...]:
    """Write the plan that moves an exposure without a catalogue."""
    name = a_posteriori_name(names(path)[0], "IMG", "NONE")
    record = AposterioriRecord(AlignmentOutcome.ALIGNED_RELATIVELY, "", (), (), None, (), None, (name,))
    return write_alignment([path], AlignmentPlan(record, PLANE, (shift,)))


def steps_of_a_run(path: Path, headerlet_folder: Path, transform: LinearTransform = SHIFT) -> None:
    """What a run does to the headers of an exposure."""
    forget_earlier_runs([path])
    apply_distortion([path], ReferenceFolders(variables=(("jref", path.parent),)))
    apply_apriori([path], FolderSource(headerlet_folder))
    write_shift(path, transform)


def solution(path: Path, wcsname: str, *, author: str, hdrname: str = "", east_arcsec: float = 0.2) -> fits.HDUList:
    """A headerlet with the distortion of an exposure and a WCS that is a little off its own."""
    copy = Path(shutil.copy(path, path.parent / "copy.fits"))
    with fits.open(copy, mode="update") as hdulist:
        for extver in (1, 2):
            header = hdulist["SCI", extver].header
            header["CRVAL1"] += east_arcsec / 3600
            header["WCSNAME"] = wcsname
        made = make_headerlet(hdulist, hdrname or f"{ROOT}_{wcsname}", author=author, description="of a test")
    copy.unlink()
    return made


@pytest.fixture
def solutions(exposure: Path, tmp_path: Path) -> Path:
    """A folder with an a priori solution of the exposure."""
    folder = tmp_path / "headerlets"
    folder.mkdir()
    model = Path(shutil.copy(exposure, folder.parent / "model_flc.fits"))
    apply_distortion([model], ReferenceFolders(variables=(("jref", exposure.parent),)))
    solution(model, "IDC_a1b2c-GSC240", author="the archive").writeto(folder / f"{ROOT}_GSC240_hlet.fits")
    return folder


def rows(path: Path) -> list[tuple[str, int]]:
    table = fits.getdata(path, "WCSCORR")
    return [(str(name).strip(), int(chip)) for name, chip in zip(table["WCS_ID"], table["EXTVER"], strict=True)]


def state(path: Path) -> tuple[object, ...]:
    """Everything about the solutions of an exposure."""
    terms = [linear_terms(path, chip, key) for chip in (1, 2) for key in ("", *names(path)[1])]
    return names(path), headerlets(path), rows(path), terms, path.stat().st_size


@pytest.mark.parametrize("runs", [3, pytest.param(100, marks=pytest.mark.slow)])
def test_after_many_runs_the_headers_are_what_they_were_after_the_second(exposure, solutions, runs):
    states, seconds = [], []
    for _ in range(runs):
        start = time.process_time()
        steps_of_a_run(exposure, solutions)
        seconds.append(time.process_time() - start)
        states.append(state(exposure))
    assert all(one == states[1] for one in states[2:])
    assert names(exposure)[0] == "IDC_a1b2c-FIT_IMG_NONE"
    assert set(names(exposure)[1].values()) == {"OPUS", "IDC_a1b2c", "IDC_a1b2c-GSC240"}
    assert len(headerlets(exposure)) == 3
    assert len(rows(exposure)) == 9
    assert np.median(seconds[runs // 2 :]) < 2 * np.median(seconds[: runs // 2])


def test_a_solution_is_listed_once_its_terms_stand_in_the_table_for_every_chip(exposure, solutions):
    with fits.open(exposure) as hdulist:
        assert not is_listed(hdulist)
    steps_of_a_run(exposure, solutions)
    with fits.open(exposure) as hdulist:
        assert is_listed(hdulist)
        hdulist["SCI", 2].header["CRVAL1"] += 1e-6
        assert not is_listed(hdulist)
        hdulist["SCI", 2].header["CRVAL1"] -= 1e-6
        hdulist["SCI", 1].header["WCSNAME"] = "TWEAK"
        assert not is_listed(hdulist)


def test_the_pipeline_default_is_the_same_the_second_time_to_the_last_bit(exposure):
    original = [linear_terms(exposure, chip) for chip in (1, 2)]
    folders = ReferenceFolders(variables=(("jref", exposure.parent),))
    apply_distortion([exposure], folders)
    first = [linear_terms(exposure, chip) for chip in (1, 2)]
    apply_distortion([exposure], folders)
    assert [linear_terms(exposure, chip) for chip in (1, 2)] == first
    assert [linear_terms(exposure, chip, "O") for chip in (1, 2)] == original


def test_with_another_fit_in_each_run_only_the_last_one_is_kept(exposure, solutions):
    for east in (0.05, 0.1, 0.15):
        steps_of_a_run(exposure, solutions, LinearTransform(np.eye(2), np.array([east, 0.0])))
    assert [name for name in headerlets(exposure) if "FIT" in name] == [f"{ROOT}_flc_IDC_a1b2c-FIT_IMG_NONE-hlet.fits"]
    assert len(headerlets(exposure)) == 3
    with fits.open(exposure) as hdulist:
        assert sorted(hdu.ver for hdu in hdulist if hdu.name == "HDRLET") == [1, 2, 3]
        last = next(one for _, one in attached_headerlets(hdulist) if "FIT" in one[0].header["WCSNAME"])
        assert last["SIPWCS", 1].header["CRVAL1"] == hdulist["SCI", 1].header["CRVAL1"]


@pytest.mark.slow
def test_a_user_who_has_taken_every_letter_keeps_all_his_solutions(exposure, solutions):
    steps_of_a_run(exposure, solutions)
    fill_letters(exposure)
    before = names(exposure)[1]
    steps_of_a_run(exposure, solutions, LinearTransform(np.eye(2), np.array([0.3, 0.0])))
    assert names(exposure)[1] == before
    assert {"USER_C", "USER_Z"} <= set(before.values())
    assert names(exposure)[0] == "IDC_a1b2c-FIT_IMG_NONE"


def fill_letters(path: Path) -> None:
    """Give an exposure a solution of its user under every letter that is free."""
    with fits.open(path, mode="update") as hdulist:
        for extver in (1, 2):
            header = hdulist["SCI", extver].header
            free = [letter for letter in string.ascii_uppercase if f"WCSNAME{letter}" not in header]
            for letter in free:
                for keyword in (*LINEAR, "CTYPE1", "CTYPE2"):
                    header[keyword + letter] = header[keyword]
                header[f"CRVAL1{letter}"] += ord(letter) / 3600
                header[f"WCSNAME{letter}"] = f"USER_{letter}"


def test_where_no_letter_is_left_the_former_wcs_becomes_an_extension(exposure, solutions):
    apply_distortion([exposure], ReferenceFolders(variables=(("jref", exposure.parent),)))
    fill_letters(exposure)
    write_shift(exposure, SHIFT)
    assert f"{ROOT}_flc_IDC_a1b2c" in headerlets(exposure)
    assert "IDC_a1b2c" not in names(exposure)[1].values()


def test_a_wcs_that_its_user_has_put_in_use_is_kept_and_told_once(exposure, solutions):
    steps_of_a_run(exposure, solutions)
    with fits.open(exposure, mode="update") as hdulist:
        for extver in (1, 2):
            header = hdulist["SCI", extver].header
            header["CRVAL1"] += 1.0 / 3600
            header["WCSNAME"] = "TWEAK"
    terms = [linear_terms(exposure, chip) for chip in (1, 2)]
    (told,) = forget_earlier_runs([exposure])
    assert "TWEAK" in told
    assert exposure.name in told
    steps_of_a_run(exposure, solutions)
    key = next(key for key, name in names(exposure)[1].items() if name == "TWEAK")
    assert [linear_terms(exposure, chip, key) for chip in (1, 2)] == terms
    assert forget_earlier_runs([exposure]) == ()


def test_what_runs_of_the_past_have_heaped_up_is_kept_once(exposure, solutions):
    steps_of_a_run(exposure, solutions)
    clean = names(exposure)[1], len(rows(exposure))
    with fits.open(exposure, mode="update") as hdulist:
        for extver in (1, 2):
            header = hdulist["SCI", extver].header
            key = next(key[7:] for key, name in header["WCSNAME?"].items() if name == "IDC_a1b2c")
            for count, letter in enumerate("UVWX", start=1):
                for keyword in (*LINEAR, "CTYPE1", "CTYPE2"):
                    header[keyword + letter] = header[keyword + key]
                header[f"CD2_2{letter}"] *= 1 + 3e-9
                header[f"WCSNAME{letter}"] = f"IDC_a1b2c-{count}"
        wcscorr.update_wcscorr(hdulist)
    assert len(rows(exposure)) > clean[1]
    steps_of_a_run(exposure, solutions)
    assert (names(exposure)[1], len(rows(exposure))) == clean
    assert not any(key.endswith("X") for key in fits.getheader(exposure, ("SCI", 2))["CRVAL1?"])


def test_an_alternate_with_a_counter_and_values_of_its_own_stays(exposure, solutions):
    steps_of_a_run(exposure, solutions)
    with fits.open(exposure, mode="update") as hdulist:
        for extver in (1, 2):
            header = hdulist["SCI", extver].header
            for keyword in (*LINEAR, "CTYPE1", "CTYPE2"):
                header[f"{keyword}F"] = header[keyword]
            header["CRVAL2F"] += 1e-6
            header["WCSNAMEF"] = "IDC_a1b2c-1"
    steps_of_a_run(exposure, solutions)
    assert names(exposure)[1]["F"] == "IDC_a1b2c-1"


def test_a_new_distortion_file_leaves_the_solutions_of_the_user_as_headerlets(exposure, solutions):
    steps_of_a_run(exposure, solutions)
    with fits.open(exposure, mode="update") as hdulist:
        for extver in (1, 2):
            hdulist["SCI", extver].header["WCSNAME"] = "TWEAK"
            hdulist["SCI", extver].header["CRVAL1"] += 1e-5
    forget_earlier_runs([exposure])
    terms = linear_terms(exposure, 1)
    shutil.copy(exposure.parent / "a1b2c_idc.fits", exposure.parent / "new1c_idc.fits")
    with fits.open(exposure, mode="update") as hdulist:
        hdulist[0].header["IDCTAB"] = "jref$new1c_idc.fits"
    (result,) = apply_distortion([exposure], ReferenceFolders(variables=(("jref", exposure.parent),)))
    assert set(result.kept) == {"TWEAK", "IDC_a1b2c-GSC240"}
    with fits.open(exposure) as hdulist:
        kept = {one[0].header["WCSNAME"]: one for _, one in attached_headerlets(hdulist)}
        assert hdulist[0].header["IDCTAB"] == "jref$new1c_idc.fits"
    assert linear_terms_of(kept["TWEAK"]) == pytest.approx(terms, abs=1e-12)
    assert kept["TWEAK"][0].header["IDCTAB"] == "jref$a1b2c_idc.fits"


def linear_terms_of(headerlet: fits.HDUList) -> tuple[float, ...]:
    return tuple(headerlet["SIPWCS", 1].header[keyword] for keyword in LINEAR)


def attach(path: Path, *made: fits.HDUList) -> None:
    def edit(_: int, hdulist: fits.HDUList) -> None:
        for one in made:
            attach_headerlet(hdulist, one)

    edit_together([path], edit)


def test_the_fit_of_the_database_survives_a_new_one_with_its_name_and_that_is_told(exposure, solutions):
    hdrname = f"{ROOT}_flc_IDC_a1b2c-FIT_IMG_NONE-hlet.fits"
    apply_distortion([exposure], ReferenceFolders(variables=(("jref", exposure.parent),)))
    attach(exposure, solution(exposure, "IDC_a1b2c-FIT_IMG_NONE", author="the archive", hdrname=hdrname))
    numbered = hdrname.replace("-hlet", "-1-hlet")
    for shift in (SHIFT, SHIFT, LinearTransform(np.eye(2), np.array([0.4, 0.0]))):
        forget_earlier_runs([exposure])
        notes = write_shift(exposure, shift)
        assert headerlets(exposure) == [hdrname, numbered]
        assert fits.getval(exposure, "HDRNAME", ("SCI", 1)) == numbered
        assert hdrname in notes[0]
        assert numbered in notes[0]
    with fits.open(exposure) as hdulist:
        assert [one[0].header["AUTHOR"] for _, one in attached_headerlets(hdulist)] == ["the archive", AUTHOR]


def test_a_solution_of_the_database_is_attached_beside_a_fit_that_has_its_name(exposure, solutions):
    steps_of_a_run(exposure, solutions)
    hdrname = f"{ROOT}_flc_IDC_a1b2c-FIT_IMG_NONE-hlet.fits"
    found = solution(exposure, "IDC_a1b2c-FIT_IMG_NONE", author="the archive", hdrname=hdrname)
    found.writeto(solutions / f"{ROOT}_FIT_hlet.fits")
    record = apply_apriori([exposure], FolderSource(solutions))
    assert any("FIT" in name and name.endswith("-1-hlet.fits") for name in headerlets(exposure))
    assert len(record.warnings) == 1
    assert exposure.name in record.warnings[0]
    before = headerlets(exposure)
    assert apply_apriori([exposure], FolderSource(solutions)).warnings == ()
    assert headerlets(exposure) == before


@pytest.mark.slow
def test_a_folder_that_is_processed_again_and_again_gives_the_same_files(acs_pair, tmp_path):
    runs, folder, seconds = 30, tmp_path / "run", []
    run(acs_pair, folder)
    shutil.copytree(folder, tmp_path / "first")
    run_again(acs_pair, folder)
    shutil.copytree(folder, tmp_path / "second")
    for _ in range(runs - 1):
        start = time.process_time()
        record = run_again(acs_pair, folder)
        seconds.append(time.process_time() - start)
    assert record.selection == read_record(tmp_path / "second" / f"{record.root}_decisions.json").selection
    dates = ["DATE", "CHECKSUM", "DATASUM"]
    for name in (name for name in record.files if name.endswith(".fits")):
        difference = fits.FITSDiff(str(tmp_path / "second" / name), str(folder / name), ignore_keywords=dates)
        assert difference.identical, difference.report()
    assert np.median(seconds[runs // 2 :]) < 2 * np.median(seconds[: runs // 2])
    for name in (product.filename for product in record.products):
        assert np.array_equal(
            fits.getdata(folder / name, "SCI"), fits.getdata(tmp_path / "first" / name, "SCI"), equal_nan=True
        )


@pytest.mark.slow
def test_solutions_that_only_the_flt_carries_are_offered_and_survive(acs_pair, tmp_path):
    folder = tmp_path / "run"
    empty = tmp_path / "headerlets"
    empty.mkdir()
    copied(acs_pair, folder)
    for path in (folder / path.name for path in acs_pair.flt):
        found = acs_pair.headerlets / f"{path.name.split('_')[0]}_HSC30_hlet.fits"
        with fits.open(path, mode="update") as hdulist, fits.open(found) as headerlet:
            attach_headerlet(hdulist, headerlet)
    record = run_again(acs_pair, folder, headerlet_folder=empty, align_to_gaia=False)
    apriori = next(stage.apriori for stage in record.stages if stage.apriori is not None)
    assert apriori.family == "HSC30"
    assert {one.origin for exposure in apriori.exposures for one in exposure.offered} == {SolutionOrigin.EMBEDDED}
    for path in (folder / path.name for path in (*acs_pair.flt, *acs_pair.flc)):
        assert any("HSC30" in name for name in headerlets(path)), path.name


def test_what_the_flt_carries_alone_survives_when_it_takes_over_the_wcs_of_the_flc(exposure, solutions, tmp_path):
    steps_of_a_run(exposure, solutions)
    flt = Path(shutil.copy(exposure, exposure.with_name(f"{ROOT}_flt.fits")))
    hdrname = f"{ROOT}_flc_IDC_a1b2c-FIT_IMG_NONE-hlet.fits"
    theirs = solution(flt, "IDC_a1b2c-FIT_IMG_NONE", author="the archive", hdrname="theirs", east_arcsec=3.0)
    superseded = solution(flt, "IDC_a1b2c-HSC30", author=AUTHOR, east_arcsec=1.0)
    attach(flt, theirs, superseded)
    with fits.open(flt, mode="update") as hdulist:
        key = next(key for key, name in names(flt)[1].items() if name == "IDC_a1b2c-GSC240")
        hdulist["SCI", 1].header[f"CRVAL1{key}"] += 0.01
    for _ in range(2):
        copy_wcs(exposure, flt)
        assert sorted(headerlets(flt)) == sorted([*headerlets(exposure), "theirs"])
        assert hdrname in headerlets(flt)
        assert len(set(names(flt)[1].values())) == len(names(flt)[1]) == len(names(exposure)[1]) + 1


def test_a_damaged_headerlet_is_named_kept_and_not_offered(exposure, solutions):
    steps_of_a_run(exposure, solutions)
    with fits.open(exposure, mode="update") as hdulist:
        hdu = next(hdu for hdu in hdulist if hdu.name == "HDRLET")
        hdu.data = np.zeros_like(hdu.data)
        version = hdu.ver
    before = headerlets(exposure)
    for _ in range(2):
        (told,) = forget_earlier_runs([exposure])
        assert told.startswith(f"{exposure.name}[HDRLET,{version}]")
        assert told.endswith("It stays, and is not used.")
    record = apply_apriori([exposure], FolderSource(solutions))
    # The folder gives the solution again: it is attached beside the damaged one, whose name it cannot have.
    assert headerlets(exposure) == [*before, f"{ROOT}_IDC_a1b2c-GSC240-1"]
    assert any(f"{ROOT}_IDC_a1b2c-GSC240-1" in warning for warning in record.warnings)
    attached = {one.wcsname: one.origin for one in record.exposures[0].offered}
    assert attached["IDC_a1b2c-GSC240"] is SolutionOrigin.FOLDER


def test_a_damaged_headerlet_is_told_in_the_record_of_a_run(ir_singleton, tmp_path):
    source = copied(ir_singleton, tmp_path / "run")
    found = next(ir_singleton.headerlets.glob("*_HSC30_hlet.fits"))
    path = source.parent / ir_singleton.flt[0].name
    with fits.open(path, mode="update") as hdulist, fits.open(found) as headerlet:
        attach_headerlet(hdulist, headerlet)
        hdulist[-1].data = np.zeros_like(hdulist[-1].data)
    record = run_again(ir_singleton, source.parent, headerlet_folder=None, align_to_gaia=False)
    assert any(warning.startswith(f"{path.name}[HDRLET,1]") for warning in record.warnings)
