"""`astrodriz clean`: what dead runs have left is listed and removed, and nothing that is a user's or a living run's."""

import hashlib
import json
import os
import subprocess
import sys

import pytest
from dead_runs import NAMES, dead_workspace

from astrodriz_io.cli import astrodriz
from astrodriz_io.storage.cleaning import LeftoverKind, find_leftovers, remove_leftovers
from astrodriz_io.storage.locking import lock_path, locked
from astrodriz_io.storage.workspace import workspace

NEW = b"new product"


@pytest.fixture
def left(tmp_path):
    """A folder with what a run of ``a`` has left that was killed while it renamed its results; its trailer too."""
    dead_workspace(tmp_path)
    commit = tmp_path / ".a_astrodriz_commit"
    for part in ("new", "old"):
        (commit / part).mkdir(parents=True)
    (commit / "new" / "a_drz.fits").write_bytes(NEW)
    entry = {"name": "a_drz.fits", "sha256": hashlib.sha256(NEW).hexdigest(), "replaces": False}
    (commit / "commit.json").write_text(json.dumps([entry]))
    (tmp_path / ".a_astrodriz_draft").write_text("half a text")
    for name in ("a", "a1q"):
        lock_path(tmp_path, name).write_text("")
    (tmp_path / "a.tra").write_text("begins\n")
    (tmp_path / "a1q_flt.fits").write_text("an exposure")
    return tmp_path


def names(folder):
    return {path.name for path in folder.iterdir()}


def snapshot(folder):
    return {path: path.is_file() and path.read_bytes() for path in folder.rglob("*")}


def test_listing_tells_of_everything_and_changes_nothing(left, capsys):
    before = snapshot(left)
    assert astrodriz(["clean", str(left)]) == 0
    printed = capsys.readouterr().out
    assert snapshot(left) == before
    found = {name for name in names(left) if name.startswith(".")}
    assert len(found) == 5
    assert all(name in printed for name in found)
    assert "--remove" in printed
    assert {each.kind for each in find_leftovers(left)} == set(LeftoverKind)


def test_removing_ends_what_was_half_done_and_leaves_the_users_files(left, capsys):
    assert astrodriz(["clean", "--remove", str(left)]) == 0
    assert names(left) == {"a.tra", "a1q_flt.fits", "a_drz.fits"}
    assert (left / "a_drz.fits").read_bytes() == NEW
    assert (left / "a.tra").read_text().endswith("they are in place now.\n")
    assert "they are in place now" in capsys.readouterr().out
    assert astrodriz(["clean", str(left)]) == 0
    assert capsys.readouterr().out == "Nothing is left of dead runs.\n"


def test_what_a_living_run_holds_is_not_touched(tmp_path, capsys):
    (tmp_path / "ram").mkdir()
    for newpath, place in ((None, tmp_path), (tmp_path / "ram", tmp_path / "ram")):
        with locked(tmp_path, NAMES), workspace(tmp_path, "a", newpath=newpath, keep=False, names=NAMES) as space:
            space.scratch.joinpath("images_00.raw").write_text("an image")
            before = snapshot(tmp_path)
            assert astrodriz(["clean", str(place)]) == 0
            assert f"In use by process {os.getpid()} " in capsys.readouterr().out
            assert astrodriz(["clean", "--remove", str(place)]) == 0
            assert f"stays: Another run holds it: process {os.getpid()} " in capsys.readouterr().out
            assert snapshot(tmp_path) == before


def test_a_living_run_whose_locks_somebody_has_removed_keeps_its_workspace(tmp_path, capsys):
    with locked(tmp_path, NAMES), workspace(tmp_path, "a", newpath=None, keep=False, names=NAMES) as space:
        for name in NAMES:
            lock_path(tmp_path, name).unlink()
        before = snapshot(tmp_path)
        assert astrodriz(["clean", "--remove", str(tmp_path)]) == 0
        assert "stays: it is in use" in capsys.readouterr().out
        assert snapshot(tmp_path) == before
        assert space.folder.is_dir()


def test_a_file_of_the_users_in_a_workspace_stays_and_is_told(tmp_path, capsys):
    dead = dead_workspace(tmp_path, tmp_path / "ram")
    (dead / "notes.txt").write_text("mine")
    assert astrodriz(["clean", "--remove", str(tmp_path / "ram")]) == 0
    assert [path.name for path in (tmp_path / "ram").rglob("*")] == ["a", "notes.txt"]
    assert "stays: it holds what is not of a run" in capsys.readouterr().out
    assert find_leftovers(tmp_path / "ram") == ()


def test_what_only_looks_like_ours_is_not_listed(tmp_path):
    (tmp_path / ".a_astrodriz_ab3_xyz9").mkdir()
    (tmp_path / ".a_astrodriz_ab3_xyz9" / "mine.fits").write_text("mine")
    (tmp_path / "mine_astrodriz_commit").mkdir()
    (tmp_path / "mine_astrodriz_commit" / "commit.json").write_text("[]")
    (tmp_path / "store").mkdir()
    (tmp_path / ".b_astrodriz_commit").symlink_to(tmp_path / "store")
    (tmp_path / ".b.astrodriz.lock").symlink_to(tmp_path / "store")
    (tmp_path / ".B.astrodriz.lock").write_text("")
    with workspace(tmp_path, "a", newpath=None, keep=True, names=NAMES):
        pass
    before = snapshot(tmp_path)
    assert find_leftovers(tmp_path) == ()
    assert list(remove_leftovers(tmp_path)) == []
    assert snapshot(tmp_path) == before


def test_a_damaged_journal_keeps_nothing_else_from_being_removed(left, capsys):
    (left / ".a_astrodriz_commit" / "commit.json").write_text("{")
    other = dead_workspace(left / "sub")
    other.rename(left / ".0_astrodriz_ab3_xyz9")
    assert astrodriz(["clean", "--remove", str(left)]) == 8
    captured = capsys.readouterr()
    assert ".0_astrodriz_ab3_xyz9: workspace" in captured.out
    assert "damaged" in captured.err
    assert (left / ".a_astrodriz_commit" / "new" / "a_drz.fits").read_bytes() == NEW


def test_a_folder_that_is_not_there_ends_with_2(tmp_path):
    assert astrodriz(["clean", str(tmp_path / "gone")]) == 2


KILLED = """
import os, sys, pathlib
from astrodriz_io.storage.locking import locked
from astrodriz_io.storage.workspace import workspace
home = pathlib.Path(sys.argv[1])
with locked(home, ("a",)), workspace(home, "a", newpath=None, keep=False) as space:
    (space.folder / "a_drz.fits").write_text("half of it")
    os.kill(os.getpid(), 9)
"""


def test_what_a_process_leaves_that_was_killed_is_removed_whole(tmp_path):
    assert subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False).returncode == -9
    assert {each.kind for each in find_leftovers(tmp_path)} == {LeftoverKind.WORKSPACE, LeftoverKind.LOCK}
    assert {what for _, what in remove_leftovers(tmp_path)} == {"removed"}
    assert names(tmp_path) == set()
