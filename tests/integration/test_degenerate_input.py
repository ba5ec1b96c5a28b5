"""Every cell of the table in docs/degenerate-input.md, run; the table is the expectation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from degenerate_files import CASES, TinyAssociation, write_case
from tiny_files import write_exposure

from astrodriz import AstrodrizError, RunRecord, process
from astrodriz_core.errors import InputError, NoViableDataError
from astrodriz_core.instruments.observation import CONSEQUENCES, Condition, Consequence
from astrodriz_core.instruments.table import DETECTORS
from astrodriz_core.parameters.choices import CombineType
from astrodriz_io.cli import runastrodriz
from astrodriz_io.terminal.exit_codes import exit_code

PAGE = Path(__file__).parents[2] / "docs" / "degenerate-input.md"
REFUSALS = {"none": (NoViableDataError, 6), "refused": (InputError, 5)}


def table() -> tuple[tuple[str, ...], list[list[str]]]:
    """Detectors, and the rows: input, reason, outcome for each detector."""
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    start = next(index for index, row in enumerate(cells) if row[0] == "input")
    return tuple(cells[start][2:]), cells[start + 2 :]


TABLE_DETECTORS, ROWS = table()


def _cells() -> list[object]:
    """Every cell; of each row one in the usual suite, with another detector for each."""
    return [
        pytest.param(
            detector,
            row[0],
            row[1],
            row[2 + column],
            marks=() if (number - column) % len(TABLE_DETECTORS) == 0 else pytest.mark.slow,
            id=f"{detector} {row[0]}",
        )
        for number, row in enumerate(ROWS)
        for column, detector in enumerate(TABLE_DETECTORS)
    ]


def test_the_table_has_every_detector_and_every_case() -> None:
    assert set(TABLE_DETECTORS) == set(DETECTORS)
    assert [row[0] for row in ROWS] == list(CASES)
    assert all(len(row) == 2 + len(TABLE_DETECTORS) for row in ROWS)


@pytest.mark.parametrize(("detector", "case", "reason", "outcome"), _cells())
def test_the_outcome_is_that_of_the_table(tmp_path: Path, detector: str, case: str, reason: str, outcome: str) -> None:
    association = write_case(tmp_path, detector, CASES[case])
    before = contents(tmp_path)
    if outcome in REFUSALS:
        kind, code = REFUSALS[outcome]
        with pytest.raises(kind) as failure:
            run(association)
        assert exit_code(failure.value) == code
        check_nothing_was_touched(tmp_path, before, failure.value)
        return
    record = run(association)
    names = {path: path.name.split("_")[0] for path in association.exposures}
    used = [path for path in association.exposures if outcome != "one" or path != association.exposures[-1]]
    (product,) = record.products
    assert product.exposures == tuple(names[path] for path in used)
    assert np.isfinite(fits.getdata(tmp_path / product.filename, "SCI")).any()
    assert bool(record.stages[-1].drizzle.cosmic_rays) is (len(used) > 1 and record.parameters.driz_cr)
    assert [(each.rootname, each.reason.value) for each in record.left_out] == [
        (names[path], reason) for path in association.exposures if path not in used
    ]
    assert any(Condition.NO_FILTER.value in warning for warning in record.warnings) is (outcome == "warned")
    check_left_out_files(tmp_path, record, before)


def run(association: TinyAssociation) -> RunRecord:
    return process(association.input, environment=association.environment, num_cores=1, headerlets=False)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def check_nothing_was_touched(folder: Path, before: dict[str, bytes], error: AstrodrizError) -> None:
    """Only the trailer is new, and it says why."""
    after = contents(folder)
    trailer = after.pop("xabc01010.tra").decode()
    assert after == before
    assert f"FAILED: {error}" in trailer


def check_left_out_files(folder: Path, record: RunRecord, before: dict[str, bytes]) -> None:
    """Exposures that were left out are named in the trailer, and their files are as they were."""
    trailer = (folder / "xabc01010.tra").read_text()
    for each in record.left_out:
        assert f"{each.rootname} is left out: {each.detail}" in trailer
        for name, data in before.items():
            if name.startswith(each.rootname):
                assert (folder / name).read_bytes() == data


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e38])
def test_a_pixel_without_a_value_does_not_reach_the_product(tmp_path: Path, value: float) -> None:
    association = write_case(tmp_path, "WFC3/IR", CASES["they overlap in full"])
    with fits.open(association.exposures[0], mode="update") as hdus:
        hdus["SCI", 1].data[16, 16] = value
    record = run(association)
    with fits.open(tmp_path / record.products[0].filename) as hdus:
        sci, weight = hdus["SCI"].data, hdus["WHT"].data
    near = np.s_[14:19, 14:19]
    assert (weight[near] > 0).all(), "the other exposure is good there"
    assert np.abs(sci[near]).max() < 20.0


def test_one_exposure_left_takes_the_parameters_of_one_exposure(tmp_path: Path) -> None:
    record = run(write_case(tmp_path, "WFC3/UVIS", CASES["one is NaN in every pixel"]))
    assert any("any_n1" in parameter.source for parameter in record.parameter_sources)


def test_very_different_exposure_times_take_the_documented_median(tmp_path: Path) -> None:
    record = run(write_case(tmp_path, "WFC3/IR", CASES["exposure times 1 : 1000"]))
    assert (record.parameters.combine_type, record.parameters.combine_nhigh) == (CombineType.MEDIAN, 0)


def test_the_command_ends_with_the_code_of_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    association = write_case(tmp_path, "WFC3/IR", CASES["all have EXPTIME 0"])
    for name, value in association.environment.items():
        monkeypatch.setenv(name, value)
    assert runastrodriz([str(association.input)]) == 6
    assert "xabc01abq: EXPTIME is 0 s" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("primary", "condition"),
    [
        ({"FILTER": "G141"}, Condition.GRISM),
        ({"FILTER": "PR200L"}, Condition.PRISM),
        ({"FILTER": "BLOCK"}, Condition.BLOCKED),
        ({"SCAN_TYP": "C"}, Condition.SCAN),
        ({"MTFLAG": "T"}, Condition.MOVING_TARGET),
        ({"TARGNAME": "DARK"}, Condition.CALIBRATION_TARGET),
        ({"OBSTYPE": "SPECTROSCOPIC"}, Condition.NOT_IMAGING),
    ],
)
def test_an_exposure_that_cannot_be_aligned_is_combined_with_a_named_warning(
    tmp_path: Path, primary: dict[str, object], condition: Condition
) -> None:
    path = write_exposure(tmp_path / "iabc01aaq_flt.fits", primary=primary)
    record = process(path, environment={"ASTROMETRY_APPLY_APRIORI": "off"}, num_cores=1, headerlets=False)
    assert CONSEQUENCES[condition] is Consequence.NOT_ALIGNED
    assert record.products[0].exposures == ("iabc01aaq",)
    assert f"iabc01aaq: {condition.value}" in record.warnings
    skipped = next(stage for stage in record.stages if stage.aposteriori is not None).aposteriori.sources[0].skipped
    assert skipped.startswith(condition.value)
