"""Results enter the user's folder all or none, whatever happens at whatever call to the file system."""

import errno
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time

import pytest
from faulty_disk import CountingDisk, Crash, FailingDisk, PowerLossDisk, StoppingDisk

from astrodriz_core.errors import StorageError
from astrodriz_io.storage.disk import Disk
from astrodriz_io.storage.leftovers import clear_leftovers
from astrodriz_io.storage.publishing import commit_folder, publish, recover, replace_text
from astrodriz_io.storage.workspace import workspace

OLD = {"a_flt.fits": "old a", "b_flt.fits": "old b", "a_decisions.json": "old record"}
NEW = {"a_flt.fits": "new a", "b_flt.fits": "new b", "a_decisions.json": "new record", "a_drz.fits": "new product"}
CALLS = 60
"""More than any commit of four files has; the walks check that they reach the end."""


class NoLinks(Disk):
    def link(self, source, target):
        return False


class OtherFileSystem(Disk):
    """The workspace is on another file system."""

    def move(self, source, target):
        return False if target.parent.name == "new" else super().move(source, target)


@pytest.fixture
def home(tmp_path):
    return prepared(tmp_path / "home")


def prepared(home):
    (home / "work").mkdir(parents=True)
    for name, text in OLD.items():
        (home / name).write_text(text)
    for name, text in NEW.items():
        (home / "work" / name).write_text(text)
    return home


def published(home, disk=None):
    return publish([home / "work" / name for name in NEW], home, "a", disk=disk)


def contents(home):
    return {path.name: path.read_text() for path in home.iterdir() if path.is_file() and path.name[0] != "."}


def come_back(home):
    """What the next run does first."""
    recovered = recover(home)
    clear_leftovers(home, "a")
    return recovered


def hidden(home):
    return [path.name for path in home.iterdir() if path.name.startswith(".")]


def test_all_files_are_there_afterwards_and_nothing_else(home):
    assert published(home) == tuple(home / name for name in NEW)
    assert contents(home) == NEW
    assert hidden(home) == []


@pytest.mark.parametrize("disk", [NoLinks(), OtherFileSystem()])
def test_file_systems_without_links_or_apart_from_the_workspace_will_do(home, disk):
    published(home, disk)
    assert contents(home) == NEW
    assert hidden(home) == []


def test_a_replaced_file_keeps_its_permissions(home):
    (home / "a_flt.fits").chmod(0o440)
    published(home)
    assert stat.S_IMODE((home / "a_flt.fits").stat().st_mode) == 0o440


def test_a_link_is_replaced_and_what_it_points_at_stays(home, tmp_path):
    store = tmp_path / "store.fits"
    store.write_text("archive")
    (home / "a_flt.fits").unlink()
    (home / "a_flt.fits").symlink_to(store)
    published(home)
    assert contents(home) == NEW
    assert store.read_text() == "archive"


def test_a_link_is_back_where_the_commit_fails(home, tmp_path):
    store = tmp_path / "store.fits"
    store.write_text("archive")
    (home / "a_flt.fits").unlink()
    (home / "a_flt.fits").symlink_to(store)
    with pytest.raises(StorageError):
        published(home, FailingDisk(at=calls_of_a_commit(tmp_path) - 5))
    assert (home / "a_flt.fits").readlink() == store


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EACCES])
def test_an_error_at_any_one_call_leaves_the_old_set_or_the_new_one(tmp_path, number):
    for at in range(1, calls_of_a_commit(tmp_path) + 1):
        home = prepared(tmp_path / f"home{at}")
        try:
            published(home, FailingDisk(number=number, at=at))
        except StorageError as error:
            assert os.strerror(number) in error.problem
            assert contents(home) == OLD, at
        else:
            assert contents(home) == NEW, at
        come_back(home)
        assert contents(home) in (OLD, NEW)
        assert hidden(home) == []
    assert at > len(NEW) * 3


def test_a_disk_that_refuses_everything_from_any_call_on_leaves_one_set_to_the_next_run(tmp_path):
    left = set()
    for at in range(1, calls_of_a_commit(tmp_path) + 1):
        home = prepared(tmp_path / f"home{at}")
        try:
            published(home, FailingDisk(at=at, forever=True))
        except StorageError:
            left.add("failed")
        come_back(home)
        assert contents(home) in (OLD, NEW), at
        assert hidden(home) == []
        left.add("old" if contents(home) == OLD else "new")
    assert left == {"failed", "old", "new"}


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_at_any_call_leaves_one_set_to_the_next_run(tmp_path, after):
    ends = set()
    for at in range(1, calls_of_a_commit(tmp_path) + 1):
        home = prepared(tmp_path / f"home{at}")
        with pytest.raises(Crash):
            published(home, StoppingDisk(at=at, after=after))
        come_back(home)
        assert contents(home) in (OLD, NEW), at
        assert hidden(home) == []
        ends.add(contents(home) == NEW)
    assert ends == {True, False}


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_at_any_call_of_the_recovery_is_recovered_from_as_well(tmp_path, after):
    commit = calls_of_a_commit(tmp_path)
    walked = 0
    for at in range(1, commit + 1):
        for again in range(1, CALLS):
            home = prepared(tmp_path / f"home{at}_{again}")
            with pytest.raises(Crash):
                published(home, StoppingDisk(at=at, after=after))
            try:
                recover(home, disk=StoppingDisk(at=again, after=not after))
            except Crash:
                walked += 1
            else:
                break
            finally:
                come_back(home)
                assert contents(home) in (OLD, NEW), (at, again)
                assert hidden(home) == []
                shutil.rmtree(home)
    assert walked > 2 * len(NEW)


@pytest.mark.parametrize("seed", range(12))
def test_a_power_loss_at_any_call_leaves_one_set_to_the_next_run(tmp_path, seed):
    ends = set()
    for at in range(1, calls_of_a_commit(tmp_path) + 1):
        home, shadow = prepared(tmp_path / f"home{at}"), tmp_path / f"shadow{at}"
        shadow.mkdir()
        with pytest.raises(Crash):
            published(home, PowerLossDisk(at=at, seed=seed, shadow=shadow))
        come_back(home)
        assert contents(home) in (OLD, NEW), at
        assert hidden(home) == []
        ends.add(contents(home) == NEW)
    assert ends == {True, False}


def test_a_run_after_a_crash_at_any_call_succeeds(tmp_path):
    for at in range(1, calls_of_a_commit(tmp_path) + 1):
        home = prepared(tmp_path / f"home{at}")
        with pytest.raises(Crash):
            published(home, StoppingDisk(at=at))
        come_back(home)
        shutil.rmtree(home / "work")
        with workspace(home, "a", newpath=None, keep=False) as space:
            for name in NEW:
                (space.folder / name).write_text("newest")
            publish([space.folder / name for name in NEW], home, "a")
        assert contents(home) == dict.fromkeys(NEW, "newest")
        assert hidden(home) == []


def test_what_the_user_has_changed_since_the_crash_is_not_overwritten(tmp_path):
    changed = 0
    for at in range(1, calls_of_a_commit(tmp_path) + 1):
        home = prepared(tmp_path / f"home{at}")
        with pytest.raises(Crash):
            published(home, StoppingDisk(at=at))
        for name in ("a_flt.fits", "b_flt.fits"):
            (home / name).unlink()
            (home / name).write_text("fetched again")
        come_back(home)
        after = contents(home)
        assert after.pop("a_flt.fits") == after.pop("b_flt.fits") == "fetched again"
        assert after in (
            {"a_decisions.json": OLD["a_decisions.json"]},
            {name: NEW[name] for name in ("a_decisions.json", "a_drz.fits")},
        )
        changed += 1
    assert changed


@pytest.mark.parametrize("text", ["", "{", "[]x", '[{"name": 1}]', '{"a": 2}', "[" * 100000, "\x00\xff"])
def test_a_damaged_journal_is_a_typed_error_and_nothing_is_touched(home, text):
    folder = commit_folder(home, "a")
    folder.mkdir()
    (folder / "commit.json").write_text(text, encoding="latin-1")
    with pytest.raises(StorageError, match="damaged"):
        recover(home)
    assert contents(home) == OLD


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "..", "", "a/b", "a\0b"])
def test_a_journal_that_names_a_file_elsewhere_is_refused(home, tmp_path, name):
    (tmp_path / "outside").write_text("mine")
    folder = commit_folder(home, "a")
    folder.mkdir()
    (folder / "abort.json").write_text(json.dumps([{"name": name, "sha256": "", "replaces": False}]))
    with pytest.raises(StorageError, match="damaged"):
        recover(home)
    assert (tmp_path / "outside").read_text() == "mine"


def test_a_text_is_replaced_whole_or_not_at_all(tmp_path):
    (tmp_path / "a_decisions.json").write_text("old")
    for at in (1, 2, 3):
        with pytest.raises(StorageError):
            replace_text(tmp_path / "a_decisions.json", "new", "a", disk=FailingDisk(at=at))
        assert contents(tmp_path) == {"a_decisions.json": "old"}
    replace_text(tmp_path / "a_decisions.json", "new", "a")
    assert contents(tmp_path) == {"a_decisions.json": "new"}


KILLED = """
import sys, pathlib
from astrodriz_io.storage.publishing import publish
home = pathlib.Path(sys.argv[1])
for turn in range(10**6):
    work = home / "work"
    for name in ("a", "b", "c", "d"):
        (work / name).write_text(str(turn))
    publish([work / name for name in ("a", "b", "c", "d")], home, "a")
    if turn == 0:
        print("ready", flush=True)
"""


def test_kill_at_random_instants_of_many_commits_never_leaves_a_mixture(tmp_path):
    (tmp_path / "work").mkdir()
    for turn in range(5):
        child = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE)
        child.stdout.readline()
        time.sleep(0.05 + 0.0137 * turn)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        come_back(tmp_path)
        assert len(set(contents(tmp_path).values()) - {""}) == 1
        assert set(contents(tmp_path)) >= {"a", "b", "c", "d"}


def calls_of_a_commit(tmp_path):
    """How many calls an undisturbed commit makes."""
    home = prepared(tmp_path / "undisturbed")
    disk = CountingDisk()
    published(home, disk)
    shutil.rmtree(home)
    return disk.calls
