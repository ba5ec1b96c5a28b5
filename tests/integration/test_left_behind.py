"""What whole runs leave in the folder of their input, and under what names."""

import shutil

import pytest
from astropy.io import fits
from whole_runs import NOWHERE

from astrodriz import RunOutcome, SilentProgress, StageOutcome, process
from astrodriz_core.errors import ReferenceFileError
from astrodriz_io.storage.locking import locked


@pytest.fixture
def options(acs_pair):
    """What a run on the ACS association needs beside its input, with no service within reach."""
    folders = {name: str(path) for name, path in acs_pair.environment.items()}
    services = ("ASTROMETRIC_CATALOG_URL", "ASTROMETRY_SERVICE_URL", "GSSS_WEBSERVICES_URL")
    return {
        "catalog": acs_pair.catalogue,
        "headerlet_folder": acs_pair.headerlets,
        "environment": folders | dict.fromkeys(services, NOWHERE),
        "num_cores": 1,
    }


def names(folder):
    return {path.name for path in folder.iterdir()}


def trailer(folder, root):
    return (folder / f"{root}.tra").read_text()


def test_a_bare_flc_gives_a_drc_and_no_file_named_for_an_flt_and_debugging_keeps_each_stage(
    acs_pair, options, tmp_path
):
    root = acs_pair.rootnames[0]
    source = shutil.copy(acs_pair.folder / f"{root}_flc.fits", tmp_path)
    record = process(source, debug=True, **options)
    assert [product.filename for product in record.products] == [f"{root}_drc.fits"]
    assert fits.getval(tmp_path / f"{root}_drc.fits", "FILENAME") == f"{root}_drc.fits"
    assert f"{root}_flc_hlet.fits" in record.files
    assert not [name for name in names(tmp_path) if "flt" in name or "drz" in name]
    (kept,) = tmp_path.glob(f"{root}_workspace_*")
    assert {stage.outcome for stage in record.stages[2:4]} == {StageOutcome.KEPT}
    for stage in record.stages[2:4]:
        (exposure,) = (kept / f"{root}_{stage.stage.name.lower().replace('_', '')}").iterdir()
        assert exposure.name == f"{root}_flc.fits"
        assert fits.getval(exposure, "WCSNAME", 1) == stage.wcs[0].chips[0].wcsname
    assert f"The workspace is kept, with the exposures of each stage: {kept.name}\n" in trailer(tmp_path, root)


class Following(SilentProgress):
    """Reads the trailer whenever a stage begins."""

    def __init__(self, path):
        self.path = path
        self.seen = []

    def stage(self, title):
        self.seen.append((title, self.path.read_text()))


CALIBRATED = "calwf3 was here"


@pytest.fixture(scope="module")
def run_at_home(ir_singleton, tmp_path_factory):
    """A run with the folder of its input as newpath, and a trailer of the calibration: record, folder, trailers."""
    folder = tmp_path_factory.mktemp("at_home") / "run"
    shutil.copytree(ir_singleton.folder, folder)
    progress = Following(folder / f"{ir_singleton.rootnames[0]}.tra")
    progress.path.write_text(CALIBRATED)
    environment = {name: str(path) for name, path in ir_singleton.environment.items()}
    switches = {"ASTROMETRY_APPLY_APRIORI": "off", "ASTROMETRY_COMPUTE_APOSTERIORI": "off"}
    source = folder / ir_singleton.input.name
    record = process(source, newpath=folder, environment=environment | switches, make_manifest=True, progress=progress)
    return record, folder, progress.seen


def test_a_run_in_the_folder_of_its_input_as_newpath_does_not_wait_for_itself(run_at_home):
    record, folder, _ = run_at_home
    assert set(record.files) <= names(folder)
    assert not list(folder.glob(".*"))
    with locked(folder, (record.root,)):
        pass


def test_the_trailer_is_there_from_the_first_stage_and_grows(run_at_home):
    record, folder, seen = run_at_home
    title, first = seen[0]
    assert (title, first) == ("Initialise", CALIBRATED)
    sizes = [len(text) for _, text in seen]
    assert sizes == sorted(set(sizes))
    assert len(sizes) > 4
    for (title, text), (_, before) in zip(seen[1:], seen, strict=False):
        assert text.startswith(before)
        assert text.endswith(f" == {title}\n")
        assert "Ended" not in text
    assert trailer(folder, record.root).startswith(seen[-1][1])


def test_the_trailer_ends_with_the_summary_and_every_file(run_at_home):
    record, folder, _ = run_at_home
    lines = trailer(folder, record.root).splitlines()
    assert lines[-1].startswith("Ended ")
    assert lines[-1].endswith(": done.")
    assert [line.removeprefix("wrote ") for line in lines if line.startswith("wrote ")] == list(record.files)
    assert f"{record.root}.tra" in record.files
    assert set((folder / f"{record.root}_manifest.txt").read_text().split()) == set(record.files)


def test_a_run_that_fails_or_is_omitted_continues_the_trailer(ir_singleton, tmp_path):
    source = shutil.copytree(ir_singleton.folder, tmp_path / "run") / ir_singleton.input.name
    root = ir_singleton.rootnames[0]
    (source.parent / f"{root}.tra").write_bytes(b"calwf3 \xff")
    with pytest.raises(ReferenceFileError):
        process(source, environment={})
    fits.setval(source, "DRIZCORR", value="OMIT")
    record = process(source, environment={})
    assert record.outcome is RunOutcome.OMITTED
    data = (source.parent / f"{root}.tra").read_bytes()
    assert data.startswith(b"calwf3 \xff\n")
    text = data.decode(errors="replace")
    assert text.count(" begins ") == text.count("\nEnded ") == 2
    assert text.index("FAILED: ") < text.index("DRIZCORR is OMIT")
