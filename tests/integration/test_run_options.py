"""Options of runastrodriz that change what a run does, each by a whole run that the command itself starts."""

import numpy as np
import pytest
from astropy.io import fits
from loopback import serving
from simulated_archive import archive_of
from whole_runs import NO_SERVICES, copied

from astrodriz import SimulationSpec, Stage, StageOutcome, WcsOrigin, read_record, simulate_association
from astrodriz_core.records.verification import GuidingOutcome
from astrodriz_io.cli import runastrodriz

TRAIL_PIXELS = 4


@pytest.fixture
def start(monkeypatch, capsys):
    """Start the command on an input with the references of an association; gives its record."""

    def started(association, source, *words, **variables):
        for name, value in {**association.environment, **NO_SERVICES, **variables}.items():
            monkeypatch.setenv(name, str(value))
        assert runastrodriz([str(word) for word in (source, *words, "-n", "2")]) == 0, capsys.readouterr().err
        return read_record(next(source.parent.glob("*_decisions.json")))

    return started


def local(association):
    """Options by which a run asks no service."""
    return "--catalog", association.catalogue, "--headerlets", association.headerlets


def stage(record, which):
    return next(one for one in record.stages if one.stage is which)


@pytest.fixture
def trailed(ir_association, tmp_path):
    """A copy of the association during whose second exposure the telescope drifted along x."""
    source = copied(ir_association, tmp_path / "run")
    with fits.open(source.with_name(ir_association.flt[1].name), mode="update") as hdus:
        image = hdus["SCI", 1].data
        image[:] = np.mean([np.roll(image, step, axis=1) for step in range(TRAIL_PIXELS)], axis=0)
    return source


def test_v_leaves_a_trailed_exposure_out_and_aligns_nothing(ir_association, trailed, start):
    before = trailed.with_name(ir_association.flt[1].name).read_bytes()
    record = start(ir_association, trailed, "-v", *local(ir_association))
    others = tuple(name for name in ir_association.rootnames if name != ir_association.rootnames[1])
    assert [check.outcome for check in record.guiding].count(GuidingOutcome.TRAILED) == 1
    assert record.guiding[1].rootname == ir_association.rootnames[1]
    assert record.products[0].exposures == others
    assert stage(record, Stage.A_POSTERIORI).outcome is StageOutcome.SKIPPED
    assert record.selection.chosen is WcsOrigin.PIPELINE_DEFAULT
    assert trailed.with_name(ir_association.flt[1].name).read_bytes() == before
    trailer = trailed.with_name(f"{record.root}.tra").read_text()
    assert f"the guiding check failed for {ir_association.rootnames[1]}" in trailer
    assert ir_association.rootnames[1] in trailed.with_name(f"{record.root}_report.html").read_text()


def test_a_aligns_the_exposures_that_are_left_in_spite_of_a_trailed_one(ir_association, trailed, start):
    record = start(ir_association, trailed, "-v", "-a", *local(ir_association))
    assert len(record.products[0].exposures) == 2
    assert stage(record, Stage.A_POSTERIORI).outcome is StageOutcome.KEPT
    assert record.selection.chosen is WcsOrigin.A_POSTERIORI


def test_i_with_newpath_keeps_images_in_memory_and_brings_all_results_home(ir_pair, tmp_path, start):
    (tmp_path / "elsewhere").mkdir()
    source = copied(ir_pair, tmp_path / "run")
    record = start(ir_pair, source, tmp_path / "elsewhere", "-i", *local(ir_pair))
    assert record.settings.in_memory
    assert all(source.with_name(name).is_file() for name in record.files)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_d_keeps_the_workspace_and_says_where(ir_singleton, tmp_path, start):
    source = copied(ir_singleton, tmp_path / "run")
    record = start(ir_singleton, source, "-d", *local(ir_singleton))
    (kept,) = (path for path in source.parent.iterdir() if path.is_dir() and "workspace" in path.name)
    assert kept.name in source.with_name(f"{record.root}.tra").read_text()
    assert list(kept.rglob("*_flt.fits"))


def test_the_distortion_file_of_the_raw_file_can_take_the_place_of_that_of_the_exposure(ir_singleton, tmp_path, start):
    source = copied(ir_singleton, tmp_path / "run")
    exposure = source.with_name(ir_singleton.flt[0].name)
    of_raw = fits.getval(source, "IDCTAB")
    fits.setval(exposure, "IDCTAB", value="iref$none_idc.fits")
    record = start(ir_singleton, source, *local(ir_singleton), PIPELINE_RESET_IDCTAB="on")
    assert record.settings.reset_idctab
    assert fits.getval(exposure, "IDCTAB") == of_raw
    assert of_raw.partition("$")[2] in {file.name for file in record.references}


@pytest.mark.slow
def test_services_give_what_local_files_give(ir_pair, tmp_path, start):
    source, home = copied(ir_pair, tmp_path / "run"), copied(ir_pair, tmp_path / "home")
    with serving(archive_of(ir_pair)) as archive:
        record = start(ir_pair, source, **dict.fromkeys(NO_SERVICES, f"{archive.address}/"))
    other = start(ir_pair, home, *local(ir_pair))
    assert record.selection == other.selection
    assert record.selection.chosen is WcsOrigin.A_POSTERIORI
    for which in (Stage.A_PRIORI, Stage.A_POSTERIORI):
        assert stage(record, which).wcs == stage(other, which).wcs
    asked = " ".join(archive.asked)
    assert all(word in asked for word in ("observation/read", "wcsname=", "CatalogSearch"))
    assert record.warnings == other.warnings


@pytest.mark.parametrize(
    "detector",
    [
        "NICMOS/2",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("WFPC2", "STIS/CCD", "WFC3/UVIS", "ACS/HRC", "ACS/SBC", "STIS/FUV-MAMA")
        ),
    ],
)
def test_a_run_on_every_class_of_detectors_makes_its_product_and_reports_it(detector, tmp_path, start):
    association = simulate_association(tmp_path / "made", SimulationSpec(detector=detector, size=100, exposures=2))
    source = copied(association, tmp_path / "run")
    record = start(association, source, *local(association))
    assert record.detector.startswith(detector)
    assert record.products[0].exposures == association.rootnames
    assert source.with_name(record.products[0].filename).is_file()
