"""Worker processes: what goes to them and comes back, and how they end."""

import logging
import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import calls_for_workers as calls
import numpy as np
import pytest
from astropy.io import fits
from attrs import evolve
from whole_runs import run

from astrodriz_core.errors import MissingFilesError, ResourceError
from astrodriz_io.drizzling.store import ImageStore
from astrodriz_io.runtime.log import run_log
from astrodriz_io.runtime.mapped import name_of
from astrodriz_io.runtime.worker import packed, unpacked
from astrodriz_io.runtime.workers import Workers, worker_processes

PATIENCE = 60.0
"""Seconds after which something will not happen any more; the machine may be busy."""


@pytest.fixture(scope="module")
def workers():
    with worker_processes(2) as both:
        yield both


def is_running(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def wait_for(reached) -> None:
    end = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.02)


def is_told(place: Path) -> bool:
    return place.exists() and place.read_text() != ""


def stop_when(workers: Workers, reached) -> None:
    wait_for(reached)
    workers._kill()


def test_large_work_goes_to_processes_that_stay_and_small_work_does_not(workers):
    apart = [set(workers.map(calls.process_id, range(6), pixels=10_000_000)) for _ in range(2)]
    assert os.getpid() not in apart[0] | apart[1]
    assert len(apart[0] | apart[1]) <= 2
    assert set(workers.map(calls.process_id, range(3), pixels=1000)) == {os.getpid()}
    assert set(workers.map(calls.process_id, range(3), pixels=None)) == {os.getpid()}
    assert set(Workers(1).map(calls.process_id, range(3), pixels=10_000_000)) == {os.getpid()}


def test_results_come_in_the_order_of_the_items(workers):
    images = [np.full((2, 3), i) for i in range(7)]
    doubled = workers.map(calls.double, images, pixels=10_000_000)
    assert [int(image[0, 0]) for image in doubled] == [0, 2, 4, 6, 8, 10, 12]


def test_the_libraries_in_a_worker_start_no_threads_of_their_own(workers):
    assert set(workers.map(calls.settings_of_libraries, range(2), pixels=10_000_000)) == {"1"}


def test_an_image_in_a_mapped_file_goes_there_and_back_by_name(workers, tmp_path):
    image = ImageStore(tmp_path).put("sky", np.arange(3_000_000.0).reshape(1000, 3000))
    part = image[200:300]
    assert len(packed(part)) < 1000
    np.testing.assert_array_equal(unpacked(packed(part)), part)
    ((same, writable),) = workers.map(calls.itself, [part], pixels=10_000_000)
    assert name_of(same) == name_of(part)
    assert not writable
    np.testing.assert_array_equal(same, part)


def test_an_image_with_gaps_or_in_memory_is_copied(tmp_path):
    image = ImageStore(tmp_path).put("sky", np.arange(24.0).reshape(4, 6))
    for other in (image[:, 1:3], np.arange(5)):
        assert name_of(other) is None
        np.testing.assert_array_equal(unpacked(packed(other)), other)


@pytest.mark.parametrize("shape", [(6, 4), (3, 6, 4)])
@pytest.mark.parametrize("in_memory", [True, False])
def test_room_is_filled_by_rows(shape, in_memory, tmp_path):
    room = ImageStore(None if in_memory else tmp_path).reserve("product", shape, np.int32)
    image = np.arange(np.prod(shape), dtype=np.int32).reshape(shape)
    for rows in (slice(4, 6), slice(0, 1)):
        room.put(image[..., rows, :], rows.start)
    np.testing.assert_array_equal(room.image()[..., 4:, :], image[..., 4:, :])
    np.testing.assert_array_equal(room.image()[..., 0, :], image[..., 0, :])
    assert not room.image()[..., 1:4, :].any()


def test_what_a_worker_logs_and_warns_of_is_told_in_the_run(workers, capfd):
    with run_log() as log, pytest.warns(UserWarning, match="warning [12]") as warned:
        assert list(workers.map(calls.speak, [1, 2], pixels=10_000_000)) == [1, 2]
    assert [line.rpartition(" INFO    ")[2] for line in log.lines] == ["message 1", "message 2"]
    assert warned[0].filename == calls.__file__
    assert capfd.readouterr().out == ""


def test_an_error_in_a_worker_is_that_of_the_call(workers):
    with pytest.raises(MissingFilesError, match=r"asn: Two files are missing\. Find them\.") as caught:
        list(workers.map(calls.fail, range(3), pixels=10_000_000))
    assert caught.value.files == ("a", "b")
    with pytest.raises(ZeroDivisionError) as defect:
        list(workers.map(calls.fail_unexpectedly, range(3), pixels=10_000_000))
    assert "in fail_unexpectedly" in defect.value.__notes__[0]


def test_a_worker_that_is_killed_is_an_error_with_its_signal_and_another_takes_its_place(workers):
    with pytest.raises(ResourceError, match=r"ended from outside \(signal SIGKILL\)\. Give one core"):
        list(workers.map(calls.be_killed, range(3), pixels=10_000_000))
    assert len(list(workers.map(calls.process_id, range(3), pixels=10_000_000))) == 3


def test_who_wants_no_more_results_does_not_wait_for_those_under_way(tmp_path):
    places = [tmp_path / name for name in "ab"]
    with worker_processes(2) as workers:
        results = workers.map(calls.tell_and_wait, places, pixels=10_000_000)
        impatient = threading.Thread(target=stop_when, args=(workers, lambda: all(map(is_told, places))))
        impatient.start()
        with pytest.raises(ResourceError):
            next(results)
        impatient.join()
    wait_for(lambda: not any(is_running(int(place.read_text())) for place in places))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
def test_no_worker_outlives_a_run_that_is_killed(tmp_path):
    place = tmp_path / "worker"
    script = (
        f"import sys; sys.path[:] = {sys.path!r}\n"
        "import calls_for_workers as calls\nfrom pathlib import Path\n"
        "from astrodriz_io.runtime.workers import Workers\n"
        f"list(Workers(2).map(calls.tell_and_wait, [Path({str(place)!r})], pixels=10_000_000))\n"
    )
    with subprocess.Popen([sys.executable, "-c", script]) as run:
        wait_for(lambda: is_told(place))
        run.kill()
    wait_for(lambda: not is_running(int(place.read_text())))


def test_messages_that_nobody_wants_stay_in_the_worker(workers, caplog):
    with caplog.at_level(logging.WARNING, "astrodriz_io"), pytest.warns(UserWarning):
        assert list(workers.map(calls.speak, [1], pixels=10_000_000)) == [1]
    assert caplog.messages == []


@pytest.fixture
def everything_goes_to_workers(monkeypatch):
    monkeypatch.setattr("astrodriz_io.runtime.workers.WORTH_A_PROCESS", 0)


def contents(folder: Path) -> dict[str, bytes]:
    """All files but those that tell of times and settings, and logs."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix == ".fits"}


def test_a_run_in_processes_leaves_the_same_files(ir_association, tmp_path, monkeypatch, everything_goes_to_workers):
    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(2026, 1, 1, tzinfo=UTC)

    monkeypatch.setattr("astrodriz_io.run.pipeline.datetime", Clock)
    records = [run(ir_association, tmp_path / str(count), num_cores=count) for count in (1, 3)]
    one, several = contents(tmp_path / "1"), contents(tmp_path / "3")
    assert one.keys() == several.keys()
    # The exposures have times of the day in their WCSCORR tables.
    exposures = {name for name in one if name.endswith("_flt.fits")}
    assert {name for name in one if one[name] != several[name]} <= exposures
    for name in exposures:
        flags = [fits.getdata(tmp_path / count / name, "DQ") for count in ("1", "3")]
        np.testing.assert_array_equal(*flags)
    of_one, of_several = ([evolve(stage, states=()) for stage in record.stages] for record in records)
    assert of_one == of_several


def test_a_run_whose_worker_is_killed_leaves_the_exposures_as_they_were(
    ir_association, tmp_path, monkeypatch, everything_goes_to_workers
):
    monkeypatch.setattr("astrodriz_io.drizzling.rejection.compare_chip", calls.be_killed)
    with pytest.raises(ResourceError, match="signal SIGKILL"):
        run(ir_association, tmp_path / "run")
    assert contents(tmp_path / "run") == contents(ir_association.folder)
