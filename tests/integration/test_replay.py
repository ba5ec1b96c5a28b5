"""Runs made again from their records: the same bytes, or a refusal that says why."""

import json
import shutil
import socket
import tarfile
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from astropy.io import fits
from astropy.io.fits.hdu.base import _ValidHDU
from attrs import evolve
from stwcs.wcsutil import headerlet as stwcs_headerlet
from whole_runs import run

from astrodriz import Settings, SilentProgress, Stage, WcsOrigin, read_record, replay
from astrodriz_core.errors import DifferentInputError, MissingFilesError, RecordError, UsageError
from astrodriz_core.records.run import FileDigest
from astrodriz_core.replay_plan import origin_in_use, plan_replay
from astrodriz_io.cli import astrodriz
from astrodriz_io.drizzling import compare
from astrodriz_io.record_files.record import write_record
from astrodriz_io.wcs.attached import attached_headerlets
from astrodriz_io.wcs.distortion import exposure_wcs
from astrodriz_io.wcs.headerlets import content_hash

VERSION_2 = Path(__file__).parent / "records" / "version_2"


def record_file(a_run) -> Path:
    record, folder = a_run
    return folder / f"{record.root}_decisions.json"


def replayed(a_run, association, output, **options):
    return replay(record_file(a_run), association.folder, output, SilentProgress(), **options)


@pytest.fixture(scope="module")
def whole_runs(ir_run, ir_association, acs_run, acs_pair):
    return {"ir": (ir_run, ir_association), "acs": (acs_run, acs_pair)}


@pytest.fixture
def another_day(monkeypatch):
    """The clocks that astropy and stwcs write into headers, years later."""
    monkeypatch.setattr(_ValidHDU, "_get_timestamp", lambda hdu: "2041-02-03T04:05:06")
    clock = SimpleNamespace(strftime=lambda *_: "2041-02-03T04:05:06", asctime=time.asctime)
    monkeypatch.setattr(stwcs_headerlet, "time", clock)


@pytest.fixture
def nothing_to_ask(monkeypatch):
    """No network, no reference files, and no search for cosmic rays."""

    def refuse(*_, **__):
        raise AssertionError("a replay has to do without")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(compare, "find_cosmic_rays", refuse)
    for variable in ("iref", "jref", "CRDS_PATH"):
        monkeypatch.delenv(variable, raising=False)


@pytest.mark.parametrize(("name", "cores"), [("ir", 1), ("ir", 2), ("acs", 2)])
@pytest.mark.usefixtures("another_day", "nothing_to_ask")
def test_a_replay_gives_the_same_bytes(name, cores, whole_runs, tmp_path):
    a_run, association = whole_runs[name]
    record, folder = a_run
    before = contents(association.folder)
    result = replayed(a_run, association, tmp_path / "out", settings=Settings(num_cores=cores))
    assert result.different == ()
    told = {"_decisions.json", "_decisions.zip", ".tra", "_report.html", "_manifest.txt"}
    expected = {file for file in record.files if file.removeprefix(record.root) not in told}
    assert {path.name for path in (tmp_path / "out").iterdir()} == expected
    assert len(expected) == len(result.plan.expected)
    for file in expected:
        assert (tmp_path / "out" / file).read_bytes() == (folder / file).read_bytes(), file
    assert contents(association.folder) == before


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_checksums_of_all_files_are_right_and_of_the_day_of_the_run(ir_run):
    record, folder = ir_run
    for name in (record.products[0].filename, record.inputs[1].name):
        with fits.open(folder / name, checksum=True) as hdus:
            for hdu in hdus:
                assert hdu.verify_checksum() == hdu.verify_datasum() == 1
                assert hdu.header.comments["CHECKSUM"] == f"computed {record.started[:19]}"


@pytest.fixture(scope="module")
def without_fit(ir_association, tmp_path_factory):
    folder = tmp_path_factory.mktemp("without") / "run"
    return run(ir_association, folder, align_to_gaia=False), folder


def test_another_choice_gives_what_the_run_would_have_given(ir_run, without_fit, ir_association, tmp_path):
    assert origin_in_use(ir_run[0]) is WcsOrigin.A_POSTERIORI
    result = replayed(ir_run, ir_association, tmp_path / "out", origin=WcsOrigin.A_PRIORI)
    assert result.plan.expected == ()
    record, folder = without_fit
    assert origin_in_use(record) is WcsOrigin.A_PRIORI
    for name in {file.name for file in result.files}:
        with fits.open(folder / name) as first, fits.open(tmp_path / "out" / name) as second:
            # The two runs began at different times, and a headerlet has its own.
            dated = ["DATE", "CHECKSUM", "DATASUM"]
            difference = fits.FITSDiff(first, second, ignore_keywords=dated, ignore_hdus=["HDRLET"])
            assert difference.identical, difference.report()
            assert solutions(first) == solutions(second)


def solutions(hdulist):
    return [content_hash(headerlet) for _, headerlet in attached_headerlets(hdulist)]


def test_a_reference_image_is_recorded_by_name_and_hash_and_not_needed_again(ir_run, ir_singleton, tmp_path):
    image = ir_run[1] / ir_run[0].products[0].filename
    frame = {"final_wcs": "yes", "final_refimage": str(image)}
    record = run(ir_singleton, tmp_path / "run", parameter_overrides=frame)
    text = record_file((record, tmp_path / "run")).read_text()
    assert str(image.parent) not in text
    assert record.parameters.final_refimage == image.name
    assert image.name in {file.name for file in record.references}
    assert replayed((record, tmp_path / "run"), ir_singleton, tmp_path / "out").different == ()


def test_flags_that_the_exposures_came_with_count_in_the_replay_where_they_counted_in_the_run(ir_association, tmp_path):
    shutil.copytree(ir_association.folder, tmp_path / "in")
    flagged = evolve(ir_association, folder=tmp_path / "in")
    for path in sorted((tmp_path / "in").glob("*_flt.fits")):
        with fits.open(path, mode="update") as hdus:
            hdus["DQ"].data[40:50, 40:50] |= 4096
    record = run(flagged, tmp_path / "run", parameter_overrides={"resetbits": "0"}, align_to_gaia=False)
    with fits.open(tmp_path / "run" / f"{ir_association.rootnames[0]}_flt.fits") as hdus:
        assert (hdus["DQ"].data[40:50, 40:50] & 4096 != 0).all()
    assert replayed((record, tmp_path / "run"), flagged, tmp_path / "out").different == ()


def test_the_choice_of_the_run_is_no_other_choice(ir_run):
    record, _ = ir_run
    assert plan_replay(record, WcsOrigin.A_POSTERIORI) == plan_replay(record)


def test_the_default_is_made_with_the_cosmic_rays_of_its_stage(ir_run, ir_association, nothing_to_ask, tmp_path):
    record, _ = ir_run
    replayed(ir_run, ir_association, tmp_path / "out", origin=WcsOrigin.PIPELINE_DEFAULT)
    # A FITS card has room for some fifteen digits; the record has them all.
    for sky in record.stages[1].drizzle.sky:
        with fits.open(tmp_path / "out" / f"{sky.rootname}_flt.fits") as hdus:
            assert hdus["SCI", sky.extver].header["MDRIZSKY"] == pytest.approx(sky.value, rel=1e-12)
            assert "-" not in hdus["SCI", sky.extver].header["WCSNAME"]
    for count in record.stages[1].drizzle.cosmic_rays:
        flags = fits.getdata(tmp_path / "out" / f"{count.rootname}_flt.fits", ("DQ", count.extver))
        assert np.count_nonzero(flags & 4096) == count.pixels


@pytest.mark.parametrize("last", [Stage.DISTORTION, Stage.DEFAULT, Stage.A_PRIORI, Stage.A_POSTERIORI])
def test_a_replay_ends_with_the_stage_that_is_asked_for(ir_run, ir_association, nothing_to_ask, tmp_path, last):
    record, _ = ir_run
    (stage,) = [stage for stage in record.stages if stage.stage is last]
    result = replayed(ir_run, ir_association, tmp_path / "out", last=last)
    exposures = sorted((tmp_path / "out").glob("*_flt.fits"))
    assert tuple(exposure_wcs(path) for path in exposures) == stage.wcs
    assert (tmp_path / "out" / record.products[0].filename).exists() == (last is not Stage.DISTORTION)
    assert len(result.files) == len(exposures) + (last is not Stage.DISTORTION)


def test_other_inputs_are_refused_with_both_hashes(ir_run, ir_association, tmp_path, capsys):
    shutil.copytree(ir_association.folder, tmp_path / "in")
    file = ir_run[0].inputs[2]
    damaged = bytearray((tmp_path / "in" / file.name).read_bytes())
    damaged[-3000] ^= 1
    (tmp_path / "in" / file.name).write_bytes(damaged)
    with pytest.raises(DifferentInputError) as failure:
        replay(record_file(ir_run), tmp_path / "in", tmp_path / "out", SilentProgress())
    assert (failure.value.where, failure.value.expected) == (file.name, file.sha256)
    assert failure.value.found != file.sha256
    assert not (tmp_path / "out").exists()
    assert command(record_file(ir_run), tmp_path / "in", tmp_path / "out", "--json-errors") == 5
    told = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert told["where"] == file.name
    assert file.sha256 in told["problem"]
    assert failure.value.found in told["problem"]


def command(record, inputs, output, *more):
    words = ["replay", record, "--inputs", inputs, "--output", output, *more]
    return astrodriz([str(word) for word in words])


def test_missing_inputs_are_all_named(ir_run, tmp_path):
    (tmp_path / "in").mkdir()
    with pytest.raises(MissingFilesError) as failure:
        replay(record_file(ir_run), tmp_path / "in", tmp_path / "out", SilentProgress())
    assert failure.value.files == tuple(file.name for file in ir_run[0].inputs)


def test_results_do_not_go_where_the_inputs_are(ir_run, ir_association, tmp_path):
    shutil.copytree(ir_association.folder, tmp_path / "in")
    with pytest.raises(UsageError, match="over its inputs"):
        replay(record_file(ir_run), tmp_path / "in", tmp_path / "in", SilentProgress())


@pytest.fixture
def kept(ir_run, tmp_path):
    """A copy of record and sidecar, to be changed."""
    record, folder = ir_run
    for ending in ("json", "zip"):
        shutil.copy(folder / f"{record.root}_decisions.{ending}", tmp_path)
    return tmp_path / f"{record.root}_decisions.json"


def test_a_missing_or_another_sidecar_is_refused(kept, ir_association, tmp_path):
    sidecar = kept.with_suffix(".zip")
    sidecar.write_bytes(sidecar.read_bytes() + b"x")
    with pytest.raises(DifferentInputError, match="SHA-256"):
        replay(kept, ir_association.folder, tmp_path / "out", SilentProgress())
    sidecar.unlink()
    with pytest.raises(MissingFilesError, match="sidecar"):
        replay(kept, ir_association.folder, tmp_path / "out", SilentProgress())


def test_files_that_differ_are_named_and_the_exit_code_says_so(kept, ir_association, tmp_path, capsys):
    record = read_record(kept)
    wrong = evolve(record.outputs[0], sha256="0" * 64)
    write_record(evolve(record, outputs=(wrong, *record.outputs[1:])), kept)
    assert command(kept, ir_association.folder, tmp_path / "out") == 1
    lines = capsys.readouterr().out.splitlines()
    named, last = (line for line in lines if "not identical" in line)
    assert named == f"  {wrong.name} is not identical to that of the run"
    written = len(list((tmp_path / "out").glob("*.fits")))
    assert last == f"1 of {written} files are not identical to those of the run. See {tmp_path / 'out'}."


def test_the_command_says_that_all_is_identical(ir_run, ir_association, tmp_path, capsys):
    assert command(record_file(ir_run), ir_association.folder, tmp_path / "out", "-n", "1") == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == f"All files are identical to those of the run. See {tmp_path / 'out'}."


def moved(wcs):
    return evolve(wcs, chips=tuple(evolve(chip, crval=(chip.crval[0], chip.crval[1] + 1e-6)) for chip in wcs.chips))


def test_wcs_in_numbers_and_in_headers_must_agree(kept, ir_association, tmp_path):
    record = read_record(kept)
    stages = tuple(evolve(stage, wcs=tuple(map(moved, stage.wcs))) for stage in record.stages)
    write_record(evolve(record, stages=stages), kept)
    with pytest.raises(RecordError, match="WCS in the sidecar"):
        replay(kept, ir_association.folder, tmp_path / "out", SilentProgress())


def test_a_stage_that_was_not_run_cannot_be_asked_for(without_fit):
    record, _ = without_fit
    with pytest.raises(UsageError, match="switched off"):
        plan_replay(record, WcsOrigin.A_POSTERIORI)
    with pytest.raises(UsageError, match="switched off"):
        plan_replay(record, last=Stage.A_POSTERIORI)
    with pytest.raises(UsageError, match="no meaning"):
        plan_replay(record, WcsOrigin.A_PRIORI, Stage.DEFAULT)


@pytest.mark.parametrize("name", ["../x_flt.fits", "/etc/x", "a\\b", "x\0", "", ".."])
def test_names_that_lead_elsewhere_are_refused(ir_run, name):
    record, _ = ir_run
    bad = FileDigest(name, "0" * 64)
    states = (evolve(record.stages[1], states=(bad,)), *record.stages[2:])
    for changed in (
        evolve(record, inputs=(bad,)),
        evolve(record, sidecar=bad),
        evolve(record, root=name),
        evolve(record, product=name),
        evolve(record, stages=states),
        evolve(record, products=(evolve(record.products[0], filename=name),)),
    ):
        with pytest.raises(RecordError, match="plain file name"):
            plan_replay(changed)


def test_explain_and_diff_as_commands(ir_run, without_fit, capsys):
    one, other = str(record_file(ir_run)), str(record_file(without_fit))
    assert astrodriz(["explain", one]) == 0
    assert ir_run[0].selection.wcsname in capsys.readouterr().out
    assert astrodriz(["diff", one, one]) == 0
    assert capsys.readouterr().out == "The two runs decided the same on the same numbers.\n"
    assert astrodriz(["diff", one, other]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "  settings.compute_aposteriori: True -> False" in lines
    assert "  selection.chosen: a posteriori -> a priori" in lines
    assert astrodriz(["explain", one + "x"]) == 5


def test_the_schema_is_printed(capsys):
    assert astrodriz(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"]


@pytest.fixture(scope="module")
def version_2(tmp_path_factory):
    """A record of schema version 2 with its sidecar, as the program of that time wrote them, and its inputs."""
    with tarfile.open(VERSION_2 / "inputs.tar.xz") as archive:
        inputs = tmp_path_factory.mktemp("version_2")
        archive.extractall(inputs, filter="data")
    return VERSION_2 / "i00101010_decisions.json", inputs


@pytest.mark.parametrize(
    ("choice", "product"),
    [
        ({}, "cf53ba"),
        ({"origin": WcsOrigin.A_PRIORI}, "45430e"),
        ({"origin": WcsOrigin.PIPELINE_DEFAULT}, "40aa55"),
        ({"last": Stage.A_PRIORI}, "cc386b"),
    ],
)
def test_a_record_of_version_2_is_replayed_as_the_program_of_its_time_did(version_2, tmp_path, choice, product):
    record, inputs = version_2
    assert json.loads(record.read_text())["schema_version"] == 2
    result = replay(record, inputs, tmp_path / "out", SilentProgress(), **choice)
    if result.software:
        pytest.skip(f"identical bytes need the same packages: {'; '.join(result.software)}")
    assert result.different == ()
    assert bool(result.plan.expected) == (not choice)
    (made,) = [file for file in result.files if file.name == "i00101010_drz.fits"]
    assert made.sha256.startswith(product)
