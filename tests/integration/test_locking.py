"""One run at a time on an association and on each exposure; runs on others are not disturbed."""

import json
import os
import subprocess
import sys
import threading
import time

import pytest

from astrodriz_core.errors import LockedError, StorageError
from astrodriz_io.storage.locking import lock_path, locked

HOLDER = """
import sys, time, pathlib
from astrodriz_io.storage.locking import locked
with locked(pathlib.Path(sys.argv[1]), ("ie6d07",)):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def other_process(tmp_path):
    """A process that holds the lock of ie6d07."""
    child = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE)
    assert child.stdout.readline() == b"held\n"
    yield child
    child.kill()
    child.wait()
    child.stdout.close()


def test_the_lock_file_tells_the_holder_and_goes_away(tmp_path):
    with locked(tmp_path, ("ie6d07",)):
        (path,) = tmp_path.iterdir()
        assert path == lock_path(tmp_path, "IE6D07")
        assert json.loads(path.read_text())["pid"] == os.getpid()
    assert list(tmp_path.iterdir()) == []


def test_a_second_process_is_told_who_holds_it(tmp_path, other_process):
    with pytest.raises(LockedError, match=f"process {other_process.pid} on") as failure, locked(tmp_path, ("ie6d07",)):
        pass
    assert failure.value.where == "ie6d07"
    assert "--wait" in failure.value.remedy
    assert lock_path(tmp_path, "ie6d07").exists()


def test_the_lock_of_a_killed_process_holds_nobody_up(tmp_path, other_process):
    other_process.kill()
    other_process.wait()
    assert lock_path(tmp_path, "ie6d07").exists()
    with locked(tmp_path, ("ie6d07",)):
        pass
    assert list(tmp_path.iterdir()) == []


def test_two_threads_of_one_process_exclude_each_other(tmp_path):
    refused = []

    def second():
        try:
            with locked(tmp_path, ("a", "b")):
                pass
        except LockedError as error:
            refused.append(error.where)

    with locked(tmp_path, ("b", "c")):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
    assert refused == ["b"]
    assert list(tmp_path.iterdir()) == []


def test_other_names_and_other_folders_are_free(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    with locked(tmp_path, ("a",)), locked(tmp_path, ("b",)), locked(tmp_path / "elsewhere", ("a",)):
        pass


def test_a_waiting_run_goes_on_when_the_first_has_ended(tmp_path, other_process):
    threading.Timer(0.5, other_process.kill).start()
    before = time.monotonic()
    with locked(tmp_path, ("ie6d07",), wait=30):
        assert 0.3 < time.monotonic() - before < 20


def test_waiting_ends_after_the_given_time(tmp_path, other_process):
    before = time.monotonic()
    with pytest.raises(LockedError), locked(tmp_path, ("ie6d07",), wait=0.4):
        pass
    assert 0.4 <= time.monotonic() - before < 10


def test_what_was_locked_before_the_refusal_is_free_again(tmp_path, other_process):
    with pytest.raises(LockedError), locked(tmp_path, ("a", "ie6d07", "z")):
        pass
    assert not lock_path(tmp_path, "a").exists()
    with locked(tmp_path, ("a", "z")):
        pass


def test_never_are_two_inside_at_a_time(tmp_path):
    inside, seen, failures = [], [], []

    def work():
        for _ in range(15):
            try:
                with locked(tmp_path, ("x", "y"), wait=120):
                    inside.append(1)
                    seen.append(len(inside))
                    time.sleep(0.001)
                    inside.pop()
            except LockedError as error:
                failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert seen == [1] * 60
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", [b"", b"{", b"[1]", b'{"pid": "x"}', b"\xff\x00" * 4000, b"[" * 100000])
def test_an_odd_text_in_a_lock_file_is_no_obstacle(tmp_path, other_process, text):
    lock_path(tmp_path, "ie6d07").write_bytes(text)
    with pytest.raises(LockedError), locked(tmp_path, ("ie6d07",)):
        pass


def test_a_link_in_the_place_of_the_lock_file_is_not_followed(tmp_path):
    (tmp_path / "outside").write_text("mine")
    lock_path(tmp_path, "a").symlink_to(tmp_path / "outside")
    with pytest.raises(StorageError), locked(tmp_path, ("a",)):
        pass
    assert (tmp_path / "outside").read_text() == "mine"


def test_a_folder_that_is_not_there_is_a_storage_error(tmp_path):
    with pytest.raises(StorageError), locked(tmp_path / "missing", ("a",)):
        pass
