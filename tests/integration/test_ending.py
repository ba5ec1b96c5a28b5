"""How a run ends, as its trailer and the error tell it: true at every instant at which it may be stopped."""

import errno
import logging
import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from attrs import define
from faulty_disk import CountingDisk, FailingDisk

from astrodriz import AstrodrizError, Settings
from astrodriz_core.errors import InputError, StorageError
from astrodriz_core.names import Rootname
from astrodriz_core.records.run import FileDigest
from astrodriz_io.inputs.association import Association, DrizzleSwitch, InputKind
from astrodriz_io.run.ending import RunEnding
from astrodriz_io.run.record import omitted_record
from astrodriz_io.runtime.log import run_log
from astrodriz_io.storage.digests import sha256_of
from astrodriz_io.storage.publishing import publish, recover
from astrodriz_io.storage.trailer_file import TrailerFile, add_to_trailer
from astrodriz_io.terminal.aftermath import Aftermath, aftermath_of

logger = logging.getLogger("astrodriz_io.test")

OLD = {"a_flt.fits": "old exposure", "a_decisions.json": "old record"}
NEW = {"a_flt.fits": "new exposure", "a_decisions.json": "new record", "a_drz.fits": "new product"}
BEFORE = b"calacs \xff\xfe\x00 ended without a line feed"


@define
class InterruptingDisk(CountingDisk):
    """The user presses Ctrl-C at one call: before it or after it."""

    at: int = 0
    after: bool = False

    def act(self, name, call):
        self.calls += 1
        if self.calls == self.at and not self.after:
            raise KeyboardInterrupt
        result = call()
        if self.calls == self.at:
            raise KeyboardInterrupt
        return result


def association(home):
    return Association(
        InputKind.EXPOSURE, "a_flt.fits", Rootname("a"), Rootname("a"), "WFC3", (), DrizzleSwitch.OMIT, home
    )


@pytest.fixture
def home(tmp_path):
    return prepared(tmp_path / "home")


def prepared(home):
    (home / "work").mkdir(parents=True)
    for name, text in OLD.items():
        (home / name).write_text(text)
    for name, text in NEW.items():
        (home / "work" / name).write_text(text)
    (home / "a.tra").write_bytes(BEFORE)
    return home


def ended(home, disk=None, error=None):
    """A run that publishes its results on a disk, and stops with an error; what comes out of it."""
    record = omitted_record(association(home), Settings().as_record(), datetime.now(UTC))
    digest = FileDigest("a_decisions.json", sha256_of(home / "work" / "a_decisions.json"))
    try:
        with run_log() as log, RunEnding(association(home), log) as ending:
            ending.tell(record, digest)
            publish([home / "work" / name for name in NEW], home, "a", disk=disk)
            if error is not None:
                raise error
    except (AstrodrizError, KeyboardInterrupt, ZeroDivisionError) as stopped:
        return stopped
    return None


def contents(home):
    return {path.name: path.read_text() for path in home.iterdir() if path.name in NEW}


def trailer(home):
    data = (home / "a.tra").read_bytes()
    assert data.startswith(BEFORE + b"\n")
    return data.removeprefix(BEFORE).decode()


def test_a_run_that_is_done_says_so_last(home):
    assert ended(home) is None
    lines = trailer(home).splitlines()
    assert " begins " in lines[2]
    assert "a_flt.fits" in lines[2]
    assert lines[-1].startswith("Ended ")
    assert "not done" not in lines[-1]


@pytest.mark.parametrize("after", [False, True])
def test_an_interruption_at_any_call_of_the_commit_tells_what_is_true(tmp_path, after):
    told = []
    for at in range(1, calls_of_a_commit(tmp_path) + 1):
        home = prepared(tmp_path / f"home{at}")
        error = ended(home, InterruptingDisk(at=at, after=after))
        assert type(error) is KeyboardInterrupt
        expected = {Aftermath.UNTOUCHED: OLD, Aftermath.COMPLETE: NEW}
        assert contents(home) == expected[aftermath_of(error)], at
        assert trailer(home).splitlines()[-3:-1] == ["INTERRUPTED: KeyboardInterrupt.", aftermath_of(error).value]
        told.append(aftermath_of(error))
    assert set(told) == {Aftermath.UNTOUCHED, Aftermath.COMPLETE}


def test_an_interruption_after_the_commit_says_that_all_was_published(home):
    error = ended(home, error=KeyboardInterrupt())
    assert aftermath_of(error) is Aftermath.COMPLETE
    assert contents(home) == NEW
    assert "The exposures are as they were" not in trailer(home)


def test_a_disk_that_refuses_everything_in_the_commit_is_not_told_as_if_nothing_had_happened(tmp_path):
    told = set()
    for at in range(1, calls_of_a_commit(tmp_path) + 1):
        home = prepared(tmp_path / f"home{at}")
        error = ended(home, FailingDisk(at=at, forever=True))
        if error is None:
            continue
        told.add(aftermath_of(error))
        assert aftermath_of(error) is not Aftermath.UNTOUCHED or contents(home) == OLD
        assert f"FAILED: {error}" in trailer(home)
    assert told == {Aftermath.UNTOUCHED, Aftermath.HALF_WAY}


def test_a_run_that_fails_before_the_commit_says_that_nothing_was_touched(home):
    with pytest.raises(InputError) as failure, run_log() as log, RunEnding(association(home), log):
        logger.info("looking at the exposure")
        raise InputError("it is damaged.", where="a_flt.fits")
    assert aftermath_of(failure.value) is Aftermath.UNTOUCHED
    lines = trailer(home).splitlines()
    assert any(line.endswith("looking at the exposure") for line in lines)
    assert "FAILED: a_flt.fits: it is damaged." in lines
    assert Aftermath.UNTOUCHED.value in lines


def test_a_defect_names_its_crash_report_and_what_is_true(home):
    error = ended(home, error=ZeroDivisionError("a defect"))
    assert aftermath_of(error) is Aftermath.COMPLETE
    assert Aftermath.COMPLETE.value in (home / "a_crash.txt").read_text()
    assert "Please report it, with the file a_crash.txt." in trailer(home)


def test_the_trailer_grows_line_by_line_and_is_left_alone_afterwards(home):
    with run_log() as log:
        logger.info("before the lock was taken")
        with RunEnding(association(home), log):
            assert "before the lock was taken" in trailer(home)
            assert "Ended" not in trailer(home)
            logger.warning("a service is away")
            assert trailer(home).endswith("a service is away\n")
        size = (home / "a.tra").stat().st_size
        logger.info("after the run")
        assert (home / "a.tra").stat().st_size == size


def test_what_a_later_run_makes_of_a_commit_that_was_cut_short_stands_in_the_trailer(tmp_path):
    said = set()
    for at in range(1, calls_of_a_commit(tmp_path) + 1):
        home = prepared(tmp_path / f"home{at}")
        ended(home, FailingDisk(at=at, forever=True))
        for root, what in recover(home).items():
            assert root == "a"
            assert trailer(home).endswith(f"; {what}.\n")
            said.add(what)
    assert said


def calls_of_a_commit(tmp_path):
    home, disk = prepared(tmp_path / "undisturbed"), CountingDisk()
    assert ended(home, disk) is None
    return disk.calls


def added(home, text="ours\n"):
    file = TrailerFile(home, "a")
    file.write(text)
    file.close()


def test_a_trailer_that_is_a_link_becomes_a_file_with_what_it_pointed_at(home, tmp_path):
    (home / "a.tra").rename(tmp_path / "archive.tra")
    (home / "a.tra").symlink_to(tmp_path / "archive.tra")
    added(home)
    assert not (home / "a.tra").is_symlink()
    assert (home / "a.tra").read_bytes() == BEFORE + b"\nours\n"
    assert (tmp_path / "archive.tra").read_bytes() == BEFORE


def test_a_link_that_leads_nowhere_is_replaced(home, tmp_path):
    (home / "a.tra").unlink()
    (home / "a.tra").symlink_to(tmp_path / "gone")
    added(home)
    assert (home / "a.tra").read_text() == "ours\n"
    assert not (tmp_path / "gone").exists()


def test_a_trailer_with_another_name_elsewhere_is_not_changed_there(home, tmp_path):
    os.link(home / "a.tra", tmp_path / "archive.tra")
    added(home)
    assert (home / "a.tra").read_bytes() == BEFORE + b"\nours\n"
    assert (tmp_path / "archive.tra").read_bytes() == BEFORE


def test_a_trailer_that_may_not_be_written_to_is_continued_and_keeps_its_permissions(home, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    (home / "a.tra").chmod(0o440)
    added(home)
    assert (home / "a.tra").read_bytes() == BEFORE + b"\nours\n"
    assert stat.S_IMODE((home / "a.tra").stat().st_mode) == 0o440


def test_a_trailer_of_any_size_is_neither_read_nor_copied(home):
    os.truncate(home / "a.tra", 10**12)
    added(home)
    assert (home / "a.tra").stat().st_size == 10**12 + len("\nours\n")
    assert (home / "a.tra").stat().st_blocks * 512 < 10**6


@pytest.mark.parametrize("kind", ["folder", "pipe", "link to a device"])
def test_what_is_no_file_in_the_place_of_the_trailer_is_refused(home, kind):
    path = home / "a.tra"
    path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(StorageError) as failure:
        TrailerFile(home, "a")
    assert failure.value.where == "a.tra"
    add_to_trailer(home, "a", "a line")


def test_a_trailer_that_cannot_be_begun_stops_the_run_and_leaves_no_open_file(home, monkeypatch):
    def full(*_args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = len(list(Path("/proc/self/fd").iterdir()))
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StorageError), run_log() as log, RunEnding(association(home), log):
        pass
    monkeypatch.undo()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_full_disk_stops_a_run_before_it_publishes_and_hides_no_other_error(home, monkeypatch):
    def full(*_args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(InputError), run_log() as log, RunEnding(association(home), log) as ending:
        monkeypatch.setattr(os, "write", full)
        logger.info("a line that finds no room")
        record = omitted_record(association(home), Settings().as_record(), datetime.now(UTC))
        with pytest.raises(StorageError):
            ending.tell(record, FileDigest("a_decisions.json", ""))
        raise InputError("another error.")
    assert contents(home) == OLD
