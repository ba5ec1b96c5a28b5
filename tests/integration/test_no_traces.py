"""Runs leave nothing in the process that made them: a worker may make thousands of them."""

import logging
import os
import resource
import shutil
import tempfile
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from interpreter_state import leaving_no_trace
from tiny_files import write_association, write_raw
from whole_runs import run

from astrodriz import AstrodrizError, RunOutcome, process
from astrodriz_io.cli import astrodriz, runastrodriz
from astrodriz_io.runtime.library_warnings import library_warnings
from astrodriz_io.runtime.log import PACKAGE_LOGGER, run_log


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A current folder and a folder for temporary files in which nothing else is."""
    for name in ("here", "temporary"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return tmp_path


@pytest.fixture
def omitted(tmp_path):
    """An association whose calibration says that it is not to be drizzled."""
    (tmp_path / "omitted").mkdir()
    table = write_association(tmp_path / "omitted")
    for raw in table.parent.glob("*_raw.fits"):
        raw.unlink()
        write_raw(raw, "OMIT")
    return table


@pytest.fixture
def damaged(tmp_path):
    """An association of which one exposure is cut short."""
    (tmp_path / "damaged").mkdir()
    table = write_association(tmp_path / "damaged")
    exposure = sorted(table.parent.glob("*_flt.fits"))[-1]
    os.truncate(exposure, exposure.stat().st_size // 2)
    return table


def failing(path):
    with pytest.raises(AstrodrizError):
        process(path, environment={}, num_cores=2)


@pytest.mark.slow
def test_whole_runs_leave_nothing_in_the_process(ir_pair, ir_singleton, elsewhere):
    with leaving_no_trace():
        for association in (ir_pair, ir_singleton):
            assert run(association, elsewhere / association.rootnames[-1]).outcome is RunOutcome.DONE


def test_omitted_and_failing_runs_leave_nothing_in_the_process(omitted, damaged, elsewhere):
    with leaving_no_trace(omitted.parent.parent):
        for _ in range(3):
            assert process(omitted, environment={}).outcome is RunOutcome.OMITTED
            failing(damaged)


@pytest.mark.slow
def test_a_thousand_runs_in_one_process_leave_nothing_in_it(omitted, damaged, elsewhere, record_property):
    process(omitted, environment={})
    before = resident_mb()
    with leaving_no_trace(omitted.parent.parent):
        for _ in range(1000):
            assert process(omitted, environment={}).outcome is RunOutcome.OMITTED
            failing(damaged)
    grown = resident_mb() - before
    record_property("growth of the memory", f"{grown:.0f} MB")
    assert grown < 50


def resident_mb():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def test_runs_in_several_threads_leave_the_filters_and_the_level_as_they_were(ir_singleton, elsewhere):
    paths = [shutil.copytree(ir_singleton.folder, elsewhere / str(number)) for number in range(3)]

    def one(folder):
        environment = {name: str(path) for name, path in ir_singleton.environment.items()}
        environment |= {"ASTROMETRY_APPLY_APRIORI": "off", "ASTROMETRY_COMPUTE_APOSTERIORI": "off"}
        return process(folder / ir_singleton.input.name, environment=environment, num_cores=2)

    with leaving_no_trace(), ThreadPoolExecutor(3) as pool:
        assert [record.outcome for record in pool.map(one, paths)] == [RunOutcome.DONE] * 3


@pytest.mark.parametrize("words", [["parameters", "none_flt.fits"], ["schema"], ["explain", "none.json"], ["--wrong"]])
def test_commands_called_as_functions_leave_nothing_in_the_process(words, elsewhere, capsys):
    with leaving_no_trace():
        astrodriz(words)


def test_runastrodriz_called_as_a_function_leaves_nothing_in_the_process(damaged, elsewhere, capsys):
    with leaving_no_trace():
        assert runastrodriz([str(damaged)]) != 0


def test_filters_that_overlapping_runs_share_are_put_back_by_the_last_of_them():
    before = warnings.filters
    first_has_begun, second_has_begun, first_is_over = (threading.Event() for _ in range(3))

    def first():
        with library_warnings():
            first_has_begun.set()
            second_has_begun.wait()
        first_is_over.set()

    def second():
        first_has_begun.wait()
        with library_warnings():
            second_has_begun.set()
            first_is_over.wait()
            warnings.simplefilter("ignore")

    with ThreadPoolExecutor(2) as pool:
        [call.result() for call in (pool.submit(first), pool.submit(second))]
    assert warnings.filters is before


def test_the_noise_of_the_libraries_is_ignored_and_nothing_else():
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with library_warnings():
            warnings.warn("Kernel 'lanczos3' is not a flux-conserving kernel", stacklevel=1)
            warnings.warn("something of ours", stacklevel=1)
    assert [str(warning.message) for warning in told] == ["something of ours"]


@pytest.mark.parametrize("own", [logging.NOTSET, logging.DEBUG, logging.ERROR])
def test_the_level_of_the_logger_is_that_of_the_program_again_when_the_last_run_ends(own):
    logger = logging.getLogger(PACKAGE_LOGGER)
    logger.setLevel(own)
    try:
        with run_log(debug=True):
            with run_log():
                assert logger.level == logging.DEBUG
            assert logger.level == logging.DEBUG
        assert logger.level == own
        with run_log():
            assert logger.level == min(own or logging.INFO, logging.INFO)
    finally:
        logger.setLevel(logging.NOTSET)
