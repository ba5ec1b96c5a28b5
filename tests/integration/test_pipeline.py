"""The whole run on small simulated associations, as a user would start it."""

import html
import importlib
import inspect
import json
import re
import shutil

import numpy as np
import pytest
from astropy.io import fits
from attrs import evolve
from whole_runs import copied, run

from astrodriz import RunOutcome, Stage, StageOutcome, Verdict, WcsOrigin, process, read_record, score_wcs
from astrodriz_core.errors import MissingFilesError, ReferenceFileError, StorageError
from astrodriz_core.tell.verdict import last_line, why


def stage(record, which):
    return next(one for one in record.stages if one.stage is which)


def test_a_run_leaves_all_its_outputs(ir_run, ir_association):
    record, folder = ir_run
    root = ir_association.input.name.removesuffix("_asn.fits")
    expected = {f"{root}_drz.fits", f"{root}.tra", f"{root}_decisions.json", f"{root}_manifest.txt"}
    expected |= {f"{root}_decisions.zip"}
    expected |= {f"{name}_flt.fits" for name in ir_association.rootnames}
    expected |= {f"{name}_flt_hlet.fits" for name in ir_association.rootnames}
    assert expected <= {path.name for path in folder.iterdir()}
    assert set((folder / f"{root}_manifest.txt").read_text().split()) == set(record.files)
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


def test_the_final_wcs_is_closer_to_the_truth(ir_run, ir_association):
    _, folder = ir_run
    before = score_wcs(ir_association.truth, ir_association.folder)
    after = score_wcs(ir_association.truth, folder)
    assert after.absolute_rms_mas < 0.1 * before.absolute_rms_mas
    assert after.relative_rms_mas < before.relative_rms_mas + 1.0


def test_the_record_is_read_back_equal(ir_run, ir_association):
    record, folder = ir_run
    assert read_record(folder / f"{record.root}_decisions.json") == record


def test_neither_record_nor_trailer_names_a_folder_of_this_machine(ir_run):
    record, folder = ir_run
    for name in (f"{record.root}_decisions.json", f"{record.root}.tra"):
        assert str(folder.parent) not in (folder / name).read_text()


def test_the_trailer_tells_every_stage_and_verdict(ir_run):
    record, folder = ir_run
    text = (folder / f"{record.root}.tra").read_text()
    for one in Stage:
        assert one is Stage.INITIALISE or one.value.upper() in text
    assert last_line(record) in text.splitlines()
    assert all(product.filename in text for product in record.products)


def test_exposures_are_marked_as_drizzled(ir_run, ir_association):
    _, folder = ir_run
    for name in ir_association.rootnames:
        with fits.open(folder / f"{name}_flt.fits") as hdus:
            assert hdus[0].header["DRIZCORR"] == "COMPLETE"
            assert hdus["SCI", 1].header["WCSNAME"].startswith("IDC_")
            assert np.count_nonzero(hdus["DQ", 1].data & 4096) > 0
            assert "MDRIZSKY" in hdus["SCI", 1].header


def test_the_product_says_what_it_is(ir_run, ir_association):
    record, folder = ir_run
    with fits.open(folder / f"{record.product}_drz.fits") as hdus:
        assert [hdu.name for hdu in hdus[1:]] == ["SCI", "WHT", "CTX", "HDRTAB"]
        primary, sci = hdus[0].header, hdus["SCI"].header
        assert primary["NDRIZIM"] == 3
        assert primary["EXPTIME"] == pytest.approx(sum(_exptimes(ir_association)))
        assert primary["TEXPTIME"] == primary["EXPTIME"]
        assert primary["D001DATA"].startswith(ir_association.rootnames[0])
        assert sci["BUNIT"] == "ELECTRONS/S"
        assert sci["S_REGION"].startswith("POLYGON ICRS")
        assert len(hdus["HDRTAB"].data) == 3
        assert np.isnan(hdus["SCI"].data[hdus["WHT"].data == 0]).all()


def _exptimes(association):
    return [fits.getval(path, "EXPTIME") for path in association.flt]


def test_a_second_run_in_the_same_folder_gives_the_same(ir_run, ir_association, tmp_path):
    record, folder = ir_run
    shutil.copytree(folder, tmp_path / "again")
    again = process(
        tmp_path / "again" / ir_association.input.name,
        catalog=ir_association.catalogue,
        headerlet_folder=ir_association.headerlets,
        environment={name: str(path) for name, path in ir_association.environment.items()},
    )
    assert again.selection.chosen is record.selection.chosen
    assert [one.chips[0].wcsname for one in again.stages[-1].wcs] == [
        one.chips[0].wcsname for one in record.stages[-1].wcs
    ]
    name = f"{record.product}_drz.fits"
    with fits.open(folder / name) as first, fits.open(tmp_path / "again" / name) as second:
        # The header keeps 15 digits of the pointing it came with, so the last of them may differ.
        noise = np.nanstd(first["SCI"].data)
        np.testing.assert_allclose(first["SCI"].data, second["SCI"].data, rtol=0, atol=1e-4 * noise)
        np.testing.assert_allclose(first["WHT"].data, second["WHT"].data, rtol=1e-4, atol=1e-3)
        np.testing.assert_array_equal(first["CTX"].data, second["CTX"].data)


@pytest.mark.slow
def test_the_number_of_cores_and_the_place_of_scratch_images_change_nothing(ir_run, ir_association, tmp_path):
    record, _ = ir_run
    other = run(ir_association, tmp_path / "run", num_cores=1, inmemory=True)
    # The states have the headerlets of their run, which carry the time of the day.
    one, two = ([evolve(stage, states=()) for stage in each.stages] for each in (record, other))
    assert one == two


def test_flc_files_decide_and_flt_files_follow(acs_run, acs_pair):
    record, folder = acs_run
    assert {product.suffix for product in record.products} == {"drc", "drz"}
    for name in acs_pair.rootnames:
        flc = fits.getheader(folder / f"{name}_flc.fits", ("SCI", 2))
        flt = fits.getheader(folder / f"{name}_flt.fits", ("SCI", 2))
        for keyword in ("WCSNAME", "CRVAL1", "CRVAL2", "CD1_1", "CD2_2"):
            assert flc[keyword] == flt[keyword]


def test_a_misplaced_exposure_is_noticed_and_put_right(misaligned_association, tmp_path):
    record = run(misaligned_association, tmp_path / "run")
    default = stage(record, Stage.DEFAULT).verification
    assert default.verdict is Verdict.MISALIGNED
    assert default.worst.rootname == misaligned_association.rootnames[2]
    assert record.selection.chosen is WcsOrigin.A_POSTERIORI
    assert stage(record, Stage.A_POSTERIORI).verification.verdict is Verdict.ALIGNED
    assert score_wcs(misaligned_association.truth, tmp_path / "run").relative_rms_mas < 20


def test_a_single_exposure_gives_a_product(ir_singleton, tmp_path):
    record = run(ir_singleton, tmp_path / "run")
    (product,) = record.products
    assert product.exposures == ir_singleton.rootnames
    assert (tmp_path / "run" / product.filename).exists()
    assert stage(record, Stage.DEFAULT).drizzle.cosmic_rays == ()


def test_switches_skip_the_alignment_stages(ir_pair, tmp_path):
    environment = {name: str(path) for name, path in ir_pair.environment.items()}
    environment |= {"ASTROMETRY_APPLY_APRIORI": "off", "ASTROMETRY_COMPUTE_APOSTERIORI": "No"}
    record = run(ir_pair, tmp_path / "run", environment=environment)
    assert stage(record, Stage.A_PRIORI).outcome is StageOutcome.SKIPPED
    assert stage(record, Stage.A_POSTERIORI).outcome is StageOutcome.SKIPPED
    assert record.selection.chosen is WcsOrigin.PIPELINE_DEFAULT


def test_a_world_without_services_still_gives_products(ir_pair, tmp_path):
    record = run(ir_pair, tmp_path / "run", catalog=None, headerlet_folder=None)
    assert record.selection.chosen is WcsOrigin.PIPELINE_DEFAULT
    assert stage(record, Stage.A_PRIORI).outcome is not StageOutcome.KEPT
    assert stage(record, Stage.A_POSTERIORI).outcome is not StageOutcome.KEPT
    assert any("a priori" in warning for warning in record.warnings)
    product = fits.getheader(tmp_path / "run" / f"{record.product}_drz.fits")
    exposure = fits.getheader(tmp_path / "run" / ir_pair.flt[0].name)
    assert product["NOTTRIED"] == exposure["NOTTRIED"] == "a priori, a posteriori"


def test_process_is_where_scripts_import_it_from_and_takes_what_they_give_it():
    assert importlib.import_module("astrodriz_io.pipeline").process is process
    parameters = tuple(inspect.signature(process).parameters.values())
    positional = [one.name for one in parameters if one.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
    # Those of runastrodriz's process(), in its order.
    assert positional == [
        "inputFilename",
        "force",
        "newpath",
        "inmemory",
        "num_cores",
        "headerlets",
        "align_to_gaia",
        "force_alignment",
        "do_verify_guiding",
        "debug",
        "make_manifest",
    ]


@pytest.mark.parametrize("value", ["OMIT", "SKIPPED"])
def test_drizcorr_omit_is_a_clean_end_that_is_told_with_its_value(ir_singleton, tmp_path, value):
    source = copied(ir_singleton, tmp_path / "run")
    fits.setval(source, "DRIZCORR", value=value)
    before = ir_singleton.flt[0].read_bytes()
    record = process(source, environment={})
    assert record.outcome is RunOutcome.OMITTED
    told = f"{source.name}: DRIZCORR is {value}"
    assert told in record.warnings[0]
    assert told in (tmp_path / "run" / f"{record.root}.tra").read_text()
    assert (tmp_path / "run" / ir_singleton.flt[0].name).read_bytes() == before


def test_force_overrides_omit(ir_singleton, tmp_path):
    source = copied(ir_singleton, tmp_path / "run")
    fits.setval(source, "DRIZCORR", value="OMIT")
    environment = {name: str(path) for name, path in ir_singleton.environment.items()}
    record = process(
        source,
        force=True,
        environment=environment,
        catalog=ir_singleton.catalogue,
        headerlet_folder=ir_singleton.headerlets,
    )
    assert record.outcome is RunOutcome.DONE


def test_missing_files_are_all_named_before_anything_is_touched(ir_association, tmp_path):
    source = copied(ir_association, tmp_path / "run")
    for name in ir_association.rootnames[1:3]:
        (tmp_path / "run" / f"{name}_flt.fits").unlink()
    before = sorted((path.name, path.stat().st_mtime_ns) for path in source.parent.iterdir())
    with pytest.raises(MissingFilesError) as failure:
        process(source, environment={})
    assert failure.value.files == tuple(f"{name}_flt" for name in ir_association.rootnames[1:3])
    assert f"File {ir_association.rootnames[1]}_flt not found" in str(failure.value)
    assert sorted((path.name, path.stat().st_mtime_ns) for path in source.parent.iterdir()) == before


def test_a_missing_reference_file_leaves_the_exposures_as_they_were(ir_pair, tmp_path):
    source = copied(ir_pair, tmp_path / "run")
    before = {path.name: path.read_bytes() for path in source.parent.glob("*_flt.fits")}
    with pytest.raises(ReferenceFileError, match="iref"):
        process(source, environment={})
    assert {path.name: path.read_bytes() for path in source.parent.glob("*_flt.fits")} == before
    assert "FAILED" in (source.parent / f"{source.name.removesuffix('_asn.fits')}.tra").read_text()
    assert not [path for path in source.parent.iterdir() if path.name.startswith(".")]


def test_newpath_brings_everything_back(ir_singleton, tmp_path):
    record = run(ir_singleton, tmp_path / "run", newpath=tmp_path / "ram")
    assert all((tmp_path / "run" / name).exists() for name in record.files)
    assert list((tmp_path / "ram").iterdir()) == []


def test_newpath_that_is_taken_is_refused(ir_singleton, tmp_path):
    (tmp_path / "ram" / ir_singleton.rootnames[0]).mkdir(parents=True)
    with pytest.raises(StorageError):
        run(ir_singleton, tmp_path / "run", newpath=tmp_path / "ram")


def test_basic_mode_writes_no_headerlets(ir_singleton, tmp_path):
    run(ir_singleton, tmp_path / "run", headerlets=False)
    assert not list((tmp_path / "run").glob("*_flt_hlet.fits"))


def test_single_parameters_are_obeyed_and_recorded(ir_singleton, tmp_path):
    record = run(ir_singleton, tmp_path / "run", parameter_overrides={"final_units": "counts"})
    assert record.products[0].units == "ELECTRONS"
    assert any(one.name == "final_units" and "-p" in one.source for one in record.parameter_sources)


def test_stages_do_without_cosmic_rays_where_they_are_not_looked_for(ir_pair, tmp_path):
    record = run(ir_pair, tmp_path / "run", align_to_gaia=False, parameter_overrides={"driz_cr": "no"})
    assert stage(record, Stage.A_PRIORI).outcome is StageOutcome.KEPT
    assert all(one.drizzle.cosmic_rays == () for one in record.stages if one.drizzle is not None)


def test_quality_testing_leaves_the_measurements_as_a_file(ir_association, tmp_path):
    environment = {name: str(path) for name, path in ir_association.environment.items()}
    environment |= {"PIPELINE_QUALITY_TESTING": "1", "ASTROMETRY_APPLY_APRIORI": "off"}
    record = run(ir_association, tmp_path / "run", environment=environment, align_to_gaia=False)
    tree = json.loads((tmp_path / "run" / f"{record.root}_quality.json").read_text())
    assert tree["default products"]["verification"]["verdict"] == "aligned"


def test_without_quality_testing_there_is_no_such_file(ir_run):
    record, folder = ir_run
    assert not (folder / f"{record.root}_quality.json").exists()


def test_the_report_page_tells_the_verdict_the_wcs_and_the_files_of_its_run(ir_run):
    record, folder = ir_run
    assert f"{record.root}_report.html" in record.files
    page = html.unescape((folder / f"{record.root}_report.html").read_text())
    head = page.partition("</header>")[0]
    final = stage(record, Stage.FINAL).verification
    assert (final.verdict, record.selection.chosen) == (Verdict.ALIGNED, WcsOrigin.A_POSTERIORI)
    assert "Not verified" not in page
    assert all(text in head for text in ("aligned", final.reason, record.selection.wcsname, why(record)))
    assert all(name in page for name in (record.products[0].filename, *(one.name for one in record.inputs)))
    assert re.findall(r"(?:src|href)=\"(?!#|data:)([^\"]*)", page) == []
