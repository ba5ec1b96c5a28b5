"""``astrodriz info``: what is told of an input before a run, and that nothing is changed."""

import json
import shutil

import numpy as np
import pytest
from astropy.io import fits
from attrs import evolve

from astrodriz import Settings
from astrodriz_core.records.common import ChipWcs, ExposureWcs
from astrodriz_core.tell.kinds import solution_words
from astrodriz_io.cli import astrodriz
from astrodriz_io.inputs.reference_folders import ReferenceFolders
from astrodriz_io.run.estimate import estimate_run, frame_pixels
from astrodriz_io.run.info import info


def settings_for(association, **changes):
    environment = {name: str(folder) for name, folder in association.environment.items()}
    return evolve(Settings(references=ReferenceFolders.from_environment(environment)), **changes)


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_an_association_is_told_with_its_exposures_solutions_and_references(ir_pair):
    before = contents(ir_pair.folder)
    found = info(ir_pair.input, settings_for(ir_pair, catalog=ir_pair.catalogue, headerlet_folder=ir_pair.headerlets))
    assert (found.kind, found.detector, found.filters) == ("association table", "WFC3/IR", "F140W")
    assert [each.rootname for each in found.exposures] == list(ir_pair.rootnames)
    first, header = found.exposures[0], fits.getheader(ir_pair.flt[0])
    assert first.exptime == header["EXPTIME"]
    assert first.start == f"{header['DATE-OBS']}T{header['TIME-OBS']}"[:19]
    assert first.solutions[0].place == "primary"
    assert [(each.keyword, each.problem) for each in first.references] == [("IDCTAB", None)]
    assert found.missing == ()
    assert found.parameters == "bundled table, WFC3/IR any_n2"
    assert any("gaia.ecsv" in stage for stage in found.stages)
    assert any("headerlets" in stage for stage in found.stages)
    assert found.estimate.combinations == 3
    assert contents(ir_pair.folder) == before


def test_the_solutions_of_a_finished_exposure_have_their_kind_and_rms(ir_run, ir_association):
    record, folder = ir_run
    found = info(folder / f"{record.root}_asn.fits", settings_for(ir_association))
    told = {each.place: each for each in found.exposures[0].solutions}
    fit = record.stages[3].aposteriori
    chosen = fit.attempts[fit.chosen].fit
    assert told["primary"].wcsname == record.selection.wcsname
    assert told["primary"].kind == "fit to Gaia"
    assert told["primary"].matches == chosen.matches
    assert told["primary"].rms_mas == pytest.approx(chosen.rms_mas, abs=1e-3)
    assert {place.split()[0] for place in told} == {"primary", "alternate", "HDRLET"}
    assert [each for each in told.values() if each.place.startswith("HDRLET") and each.matches == chosen.matches]


def test_a_missing_reference_file_is_named_and_is_no_error(ir_pair):
    found = info(ir_pair.input, evolve(settings_for(ir_pair), references=ReferenceFolders()))
    (name,) = found.missing
    assert name.endswith("_idc.fits")
    assert found.exposures[0].references[0].problem


def test_what_is_switched_off_is_not_among_what_a_run_would_do(ir_pair, tmp_path):
    off = info(ir_pair.input, settings_for(ir_pair, compute_aposteriori=False, apply_apriori=False, headerlets=False))
    assert off.estimate.combinations == 1
    assert off.stages[-1] == "final products, record, report"
    assert not [stage for stage in off.stages if "a priori" in stage or "fit" in stage]
    for path in (ir_pair.input, *ir_pair.flt, *ir_pair.raw):
        shutil.copy(path, tmp_path)
    for path in (*ir_pair.flt, *ir_pair.raw):
        fits.setval(tmp_path / path.name, "DRIZCORR", value="OMIT")
    omitted = info(tmp_path / ir_pair.input.name, settings_for(ir_pair))
    assert omitted.stages == tuple(f"nothing: {path.name}: DRIZCORR is OMIT" for path in ir_pair.raw)


def test_flt_files_beside_flc_files_are_counted(acs_pair):
    found = info(acs_pair.input, settings_for(acs_pair))
    assert (found.companions, found.estimate.combinations) == (2, 4)
    assert all(each.file.endswith("_flc.fits") for each in found.exposures)


def test_a_name_tells_what_a_solution_rests_on():
    names = {
        "IDC_abc": "pipeline default, not fitted to a catalogue",
        "OPUS": "pipeline default, not fitted to a catalogue",
        "IDC_abc-HSC30": "a priori, position from the Hubble Source Catalog",
        "IDC_abc-FIT_IMG_2MASS": "fit to 2MASS",
        "MINE": "not one of the archive's",
    }
    assert {name: solution_words(name) for name in names} == names


def test_the_command_tells_all_of_it_and_ends_with_what_a_run_takes(ir_pair, reference_environment, capsys):
    reference_environment(ir_pair)
    words = ["info", str(ir_pair.input), "--catalog", str(ir_pair.catalogue), "-n", "2"]
    assert astrodriz(words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"{ir_pair.input.name}: association table, product ")
    assert lines[-1].startswith("2 exposures, ")
    assert "all reference files are found; by estimate a run takes about" in lines[-1]
    assert lines[-1].endswith("of memory. Nothing was changed.")
    assert astrodriz([*words, "--json"]) == 0
    tree = json.loads(capsys.readouterr().out)
    assert tree["summary"] == lines[-1]
    assert [each["rootname"] for each in tree["exposures"]] == list(ir_pair.rootnames)
    assert tree["missing"] == []
    assert tree["estimate"].keys() >= {"cpu_seconds", "memory_bytes", "frame_pixels"}


def test_an_input_that_is_not_there_ends_with_5(tmp_path, capsys):
    assert astrodriz(["info", str(tmp_path / "iabc01010_asn.fits")]) == 5
    assert "iabc01010_asn.fits" in capsys.readouterr().err


def one_chip(east_pix=0.0, north_pix=0.0, size=100, scale=0.1 / 3600, ra=150.0):
    cd = ((-scale, 0.0), (0.0, scale))
    ra, dec = ra + east_pix * scale / np.cos(np.deg2rad(30.0)), 30.0 + north_pix * scale
    return ExposureWcs("a", (ChipWcs(1, (ra, dec), (50.5, 50.5), cd, (size, size), ""),))


@pytest.mark.parametrize("ra", [150.0, 0.0])
def test_the_frame_is_the_box_around_all_chips(ra):
    assert frame_pixels([one_chip(ra=ra)]) == 100 * 100
    assert frame_pixels([one_chip(ra=ra), one_chip(east_pix=-19.5, north_pix=9.5, ra=ra)]) == 120 * 110


def test_the_estimate_grows_with_exposures_combinations_and_images_in_memory():
    one, two = [one_chip()], [one_chip(), one_chip()]
    plain = estimate_run(one, combinations=1, threads=2, in_memory=False)
    assert estimate_run(two, combinations=1, threads=2, in_memory=False).cpu_seconds > plain.cpu_seconds
    assert estimate_run(one, combinations=3, threads=2, in_memory=False).cpu_seconds > plain.cpu_seconds
    assert estimate_run(one, combinations=1, threads=2, in_memory=True).memory_bytes == plain.memory_bytes + 8 * 10_000


def test_the_estimate_is_near_what_runs_have_taken():
    # Four WFC3/IR exposures took 21 s of CPU and 0.675 GB on two cores; docs/astrometry-measured.md has the ACS ones.
    ir = [one_chip(east_pix=20.0 * n, north_pix=15.0 * n, size=1014, scale=0.1283 / 3600) for n in range(4)]
    estimate = estimate_run(ir, combinations=3, threads=2, in_memory=False)
    assert 15 < estimate.cpu_seconds < 40
    assert 0.5e9 < estimate.memory_bytes < 1.0e9
