"""What whole runs leave in the folder of their input, and under what names."""

import shutil

import pytest
from astropy.io import fits
from whole_runs import NOWHERE

from astrodriz_core.records.run import StageOutcome
from astrodriz_io.outputs.locking import locked
from astrodriz_io.pipeline import process


@pytest.fixture
def options(acs_association):
    """What a run on the ACS association needs beside its input, with no service within reach."""
    folders = {name: str(path) for name, path in acs_association.environment.items()}
    services = ("ASTROMETRIC_CATALOG_URL", "ASTROMETRY_SERVICE_URL", "GSSS_WEBSERVICES_URL")
    return {
        "catalog": acs_association.catalogue,
        "headerlet_folder": acs_association.headerlets,
        "environment": folders | dict.fromkeys(services, NOWHERE),
        "num_cores": 1,
    }


def names(folder):
    return {path.name for path in folder.iterdir()}


def test_a_bare_flc_gives_a_drc_and_no_file_named_for_an_flt_and_debugging_keeps_each_stage(
    acs_association, options, tmp_path
):
    root = acs_association.rootnames[0]
    source = shutil.copy(acs_association.folder / f"{root}_flc.fits", tmp_path)
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


def test_a_run_in_the_folder_of_its_input_as_newpath_does_not_wait_for_itself(ir_singleton, tmp_path):
    shutil.copytree(ir_singleton.folder, tmp_path / "run")
    environment = {name: str(path) for name, path in ir_singleton.environment.items()}
    switches = {"ASTROMETRY_APPLY_APRIORI": "off", "ASTROMETRY_COMPUTE_APOSTERIORI": "off"}
    record = process(
        tmp_path / "run" / ir_singleton.input.name, newpath=tmp_path / "run", environment=environment | switches
    )
    assert set(record.files) <= names(tmp_path / "run")
    assert not list((tmp_path / "run").glob(".*"))
    with locked(tmp_path / "run", (record.root,)):
        pass
