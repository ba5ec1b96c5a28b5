"""The two commands as a user types them: exit codes, messages, JSON."""

import json
import re
import shutil
import sys
from pathlib import Path

import pytest
from astropy.io import fits

from astrodriz import AstrodrizError, drizzle_parameters
from astrodriz_core import errors
from astrodriz_core.errors import LockedError, NoViableDataError, ReferenceFileError, StorageError
from astrodriz_io.cli import astrodriz, runastrodriz
from astrodriz_io.inputs.exposures import read_exposure
from astrodriz_io.inputs.reference_folders import ReferenceFolders
from astrodriz_io.run import pipeline
from astrodriz_io.storage.locking import locked
from astrodriz_io.terminal.aftermath import Aftermath
from astrodriz_io.terminal.exit_codes import ERROR_CODES, EXIT_INTERNAL, exit_code

TABLE = Path(__file__).parents[2] / "docs" / "exit-codes.md"


@pytest.fixture
def single(ir_singleton, reference_environment, monkeypatch, tmp_path):
    """A copy of one exposure, its references set, no service within reach."""
    shutil.copytree(ir_singleton.folder, tmp_path / "run")
    reference_environment(ir_singleton)
    for variable in ("ASTROMETRY_COMPUTE_APOSTERIORI", "ASTROMETRY_APPLY_APRIORI"):
        monkeypatch.setenv(variable, "off")
    return tmp_path / "run" / ir_singleton.input.name


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def told(capsys):
    """The JSON on standard error, which holds nothing else."""
    (line,) = capsys.readouterr().err.splitlines()
    return json.loads(line)


@pytest.mark.parametrize("command", [runastrodriz, astrodriz])
def test_help_ends_with_0(command, capsys):
    with pytest.raises(SystemExit) as end:
        command(["-h"])
    assert end.value.code == 0
    assert "usage:" in capsys.readouterr().out


def test_every_documented_flag_is_in_the_help(capsys):
    with pytest.raises(SystemExit):
        runastrodriz(["-h"])
    text = capsys.readouterr().out
    assert all(f" -{flag}" in text or f"[-{flag}" in text for flag in "bdahfginmv")
    assert all(f"--{option}" in text for option in ("catalog", "headerlets", "policy", "wait", "json-errors"))


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["x_asn.fits", "--no-such-option"],
        ["x_asn.fits", "-n", "two"],
        ["x_asn.fits", "-n", "0"],
        ["x_asn.fits", "--policy", "hopeful"],
        ["x_asn.fits", "-p", "final_pixfrac"],
        ["x_asn.fits", "--catalog", "missing.csv"],
        ["x_asn.fits", "--headerlets", "missing"],
        ["x_asn.fits", "--parameters", "missing.toml"],
        ["x_asn.fits", "--wait", "-1"],
        ["x_asn.fits", "--wait", "nan"],
    ],
)
def test_a_wrong_command_line_ends_with_2(arguments, capsys):
    assert runastrodriz(arguments) == 2
    assert runastrodriz([*arguments, "--json-errors"]) == 2
    plain, line = capsys.readouterr().err.splitlines()
    assert plain.startswith("runastrodriz: ")
    assert json.loads(line)["class"] == "UsageError"


def test_a_subcommand_without_its_argument_ends_with_2(capsys):
    assert astrodriz(["verify", "--json-errors"]) == 2
    assert told(capsys)["remedy"] == "See astrodriz verify -h."
    assert astrodriz(["--json-errors"]) == 2
    assert astrodriz(["no-such-command"]) == 2


def test_a_missing_input_is_one_line_of_json(tmp_path, capsys):
    assert runastrodriz([str(tmp_path / "iabc01010_asn.fits"), "--json-errors"]) == 5
    error = told_last(capsys)
    assert error.keys() == {"program", "class", "problem", "where", "remedy", "exit_code"}
    assert (error["class"], error["exit_code"]) == ("MissingFilesError", 5)


def test_an_input_that_is_no_fits_ends_with_5(tmp_path, capsys):
    (tmp_path / "iabc01010_asn.fits").write_text("not FITS")
    assert runastrodriz([str(tmp_path / "iabc01010_asn.fits")]) == 5
    assert "iabc01010_asn.fits" in capsys.readouterr().err


def test_a_run_ends_with_0_and_says_what_it_made(single, capsys):
    assert runastrodriz([str(single), "-b"]) == 0
    printed = capsys.readouterr().out
    assert "_drz.fits" in printed
    assert not list(single.parent.glob("*_hlet.fits"))


def test_no_viable_data_ends_with_6(single, ir_singleton, capsys):
    fits.setval(single.parent / ir_singleton.flt[0].name, "EXPTIME", value=0.0)
    assert runastrodriz([str(single), "--json-errors"]) == 6
    assert told_last(capsys)["class"] == "NoViableDataError"


def test_a_missing_reference_file_ends_with_7(single, monkeypatch, capsys):
    monkeypatch.delenv("iref")
    assert runastrodriz([str(single), "--json-errors"]) == 7
    assert told_last(capsys)["class"] == "ReferenceFileError"


def test_a_full_disk_ends_with_8_and_changes_nothing(single, monkeypatch, capsys):
    before = contents(single.parent)

    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pipeline, "final_stage", full)
    assert runastrodriz([str(single), "--json-errors"]) == 8
    error = told_last(capsys)
    assert error["class"] == "StorageError"
    assert "space" in error["remedy"]
    assert only_new(single.parent, before) == {single.name.split("_")[0] + ".tra"}


def test_an_association_that_another_run_holds_ends_with_9(single, ir_singleton, capsys):
    before = contents(single.parent)
    with locked(single.parent, ir_singleton.rootnames):
        assert runastrodriz([str(single), "--json-errors"]) == 9
        assert astrodriz(["run", str(single), "--wait", "0.2"]) == 9
    assert contents(single.parent) == before
    assert '"class": "LockedError"' in capsys.readouterr().err


def test_a_defect_ends_with_70_leaves_a_crash_report_and_changes_nothing(single, monkeypatch, capsys):
    before = contents(single.parent)

    def defect(*_args, **_kwargs):
        raise ZeroDivisionError("a defect of the program")

    monkeypatch.setattr(pipeline, "final_stage", defect)
    assert runastrodriz([str(single), "--json-errors"]) == 70
    root = single.name.split("_")[0]
    error = told_last(capsys)
    assert error["class"] == "InternalError"
    assert error["problem"] == "Internal error: ZeroDivisionError: a defect of the program."
    assert f"{root}_crash.txt" in error["where"]
    assert f"FAILED: {error['problem']}" in (single.parent / f"{root}.tra").read_text()
    assert "ZeroDivisionError" in error["traceback"]
    assert only_new(single.parent, before) == {f"{root}_crash.txt", f"{root}.tra"}
    report = (single.parent / f"{root}_crash.txt").read_text()
    assert "a defect of the program" in report
    assert "Traceback" in report
    assert "numpy " in report
    stages = json.loads(report.split("Record so far\n", 1)[1])
    assert [stage["stage"] for stage in stages] == ["default products", "a priori", "a posteriori"]


def test_interruption_ends_with_130_and_changes_nothing(single, monkeypatch, capsys):
    before = contents(single.parent)

    def interrupted(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "final_stage", interrupted)
    assert runastrodriz([str(single)]) == 130
    assert "as they were" in capsys.readouterr().err
    root = single.name.split("_")[0]
    assert only_new(single.parent, before) == {f"{root}.tra"}
    assert "INTERRUPTED: KeyboardInterrupt." in (single.parent / f"{root}.tra").read_text()


def told_last(capsys):
    """The JSON on the last line of standard error, after the lines of progress."""
    return json.loads(capsys.readouterr().err.splitlines()[-1])


def only_new(folder, before):
    """Names that were not there before, where all that was there is as it was."""
    after = contents(folder)
    assert {name: after[name] for name in before} == before
    return after.keys() - before.keys()


def test_verify_tells_a_good_alignment_by_0_and_in_json(ir_association, reference_environment, capsys):
    reference_environment(ir_association)
    before = contents(ir_association.folder)
    assert astrodriz(["verify", str(ir_association.input), "--json"]) == 0
    tree = json.loads(capsys.readouterr().out)
    assert tree["verdict"] == "aligned"
    assert {"policy", "policies", "focus", "similarity", "registration", "worst"} <= tree.keys()
    assert tree["policies"].keys() == {"documented", "drizzlepac", "calibrated"}
    assert [one["rootname"] for one in tree["registration"]] == list(ir_association.rootnames)
    assert all(one.keys() == {"rootname", "dx_pix", "dy_pix", "sigma_pix", "n_sources"} for one in tree["registration"])
    assert tree["worst"].keys() == {"rootname", "pixels"}
    assert contents(ir_association.folder) == before


def test_verify_tells_a_bad_alignment_by_3_and_names_the_exposure(
    misaligned_association, reference_environment, capsys
):
    reference_environment(misaligned_association)
    assert astrodriz(["verify", str(misaligned_association.input), "--json"]) == 3
    tree = json.loads(capsys.readouterr().out)
    assert tree["verdict"] == "misaligned"
    assert tree["worst"]["rootname"] == misaligned_association.rootnames[2]
    assert tree["worst"]["pixels"] == pytest.approx(2.0, abs=0.5)


def test_verify_of_one_exposure_ends_with_6(single, capsys):
    assert astrodriz(["verify", str(single)]) == 6


def test_the_parameters_that_are_printed_are_those_of_a_run_and_can_be_fed_back(
    ir_association, ir_singleton, tmp_path, capsys
):
    for association in (ir_singleton, ir_association):
        number = str(len(association.rootnames))
        assert astrodriz(["parameters", "--detector", "WFC3/IR", "--exposures", number]) == 0
        file = tmp_path / f"{number}.toml"
        file.write_text(capsys.readouterr().out)
        exposures = [read_exposure(path) for path in association.flt]
        plain = drizzle_parameters(exposures, ReferenceFolders.from_environment({}))
        fed = drizzle_parameters(exposures, ReferenceFolders.from_environment({}), parameter_file=file)
        assert fed.parameters == plain.parameters
        assert {source.source for source in fed.sources} == {f"file {file.name}"}


def test_a_file_of_parameters_is_taken_by_a_run(single, tmp_path, capsys):
    assert astrodriz(["parameters", "--detector", "WFC3/IR", "--exposures", "1"]) == 0
    text = capsys.readouterr().out.replace('final_units = "cps"', 'final_units = "counts"')
    (tmp_path / "mine.toml").write_text(text)
    assert runastrodriz([str(single), "--parameters", str(tmp_path / "mine.toml")]) == 0
    assert "ELECTRONS\n" in capsys.readouterr().out


def test_parameters_of_an_unknown_detector_end_with_2(capsys):
    assert astrodriz(["parameters", "--detector", "JWST/NIRCAM"]) == 2
    assert "WFC3/IR" in capsys.readouterr().err


def test_arguments_come_from_the_command_line_where_none_are_given(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["runastrodriz", "--json-errors"])
    assert runastrodriz() == 2
    assert told(capsys)["exit_code"] == 2


@pytest.mark.parametrize(("kind", "code"), ERROR_CODES)
def test_every_kind_of_error_has_its_documented_code(kind, code, monkeypatch, capsys):
    def failing(*_args):
        raise kind("It failed.")

    monkeypatch.setattr("astrodriz_io.commands.run.execute_run", failing)
    assert runastrodriz(["x_asn.fits"]) == code
    assert f"| {code} | `{kind.__name__}`" in TABLE.read_text()


def test_an_error_that_leaves_results_half_in_place_says_so(monkeypatch, capsys):
    def failing(*_args):
        error = StorageError("I/O error.", where="a.fits", remedy="Check the disk.")
        error.add_note(Aftermath.HALF_WAY.value)
        raise error

    monkeypatch.setattr("astrodriz_io.commands.run.execute_run", failing)
    assert runastrodriz(["x_asn.fits", "--json-errors"]) == 8
    assert told(capsys)["remedy"] == f"Check the disk. {Aftermath.HALF_WAY.value}"


def test_the_classes_of_the_table_are_of_one_family():
    assert all(issubclass(kind, AstrodrizError) for kind, _ in ERROR_CODES)
    assert dict(ERROR_CODES)[LockedError] == 9
    assert dict(ERROR_CODES)[NoViableDataError] == 6
    assert dict(ERROR_CODES)[ReferenceFileError] == 7


def test_every_class_of_error_has_a_code_on_purpose_and_is_told():
    table = re.findall(r"^\| (\d+) \| `(\w+)` \|", TABLE.read_text(), re.MULTILINE)
    told = {name: int(code) for code, name in table}
    kinds = {name: getattr(errors, name) for name in errors.__all__ if name != "AstrodrizError"}
    assert {name: exit_code(kind.__new__(kind)) for name, kind in kinds.items()} == told
    assert EXIT_INTERNAL not in told.values()
