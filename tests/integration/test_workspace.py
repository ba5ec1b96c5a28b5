"""The private folder of a run, and how its results enter the user's folder."""

from pathlib import Path

import pytest
from dead_runs import NAMES, dead_workspace

from astrodriz_core.errors import LockedError, StorageError
from astrodriz_io.storage.leftovers import clear_leftovers
from astrodriz_io.storage.locking import locked
from astrodriz_io.storage.publishing import publish
from astrodriz_io.storage.workspace import workspace


def test_the_workspace_goes_away_also_after_a_failure(tmp_path):
    with pytest.raises(RuntimeError), workspace(tmp_path, "ie6d07", newpath=None, keep=False):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_newpath_is_a_folder_named_after_the_root(tmp_path):
    home, ram = tmp_path / "home", tmp_path / "ram"
    home.mkdir()
    with workspace(home, "ie6d07", newpath=ram, keep=False) as space:
        assert space.folder == ram / "ie6d07"
    assert list(ram.iterdir()) == []


def test_an_existing_folder_under_newpath_is_not_taken(tmp_path):
    (tmp_path / "ram" / "ie6d07").mkdir(parents=True)
    with pytest.raises(StorageError), workspace(tmp_path, "ie6d07", newpath=tmp_path / "ram", keep=False):
        pass
    assert (tmp_path / "ram" / "ie6d07").is_dir()


def test_a_stage_works_on_copies(tmp_path):
    exposure = tmp_path / "a_flt.fits"
    exposure.write_text("as it was")
    with workspace(tmp_path, "a", newpath=None, keep=False) as space:
        with space.stage("apriori", [exposure], keep=False) as (copy,):
            copy.write_text("changed")
            assert copy.parent.name == "a_apriori"
        assert not copy.exists()
    assert exposure.read_text() == "as it was"


def test_published_files_replace_the_old_ones(tmp_path):
    (tmp_path / "a_flt.fits").write_text("old")
    with workspace(tmp_path, "a", newpath=None, keep=False) as space:
        new = space.folder / "a_flt.fits"
        new.write_text("new")
        assert publish([new], tmp_path, "a") == (tmp_path / "a_flt.fits",)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a_flt.fits", "new")]


def test_nothing_is_published_where_one_result_is_missing(tmp_path):
    (tmp_path / "a_flt.fits").write_text("old")
    with workspace(tmp_path, "a", newpath=None, keep=False) as space:
        new = space.folder / "a_flt.fits"
        new.write_text("new")
        with pytest.raises(StorageError):
            publish([new, space.folder / "lost.fits"], tmp_path, "a")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a_flt.fits", "old")]


def test_what_a_killed_run_has_left_is_removed_and_nothing_else(tmp_path):
    dead = dead_workspace(tmp_path)
    (tmp_path / ".a_astrodriz_empty_00").mkdir()
    (tmp_path / ".a_astrodriz_commit" / "new").mkdir(parents=True)
    (tmp_path / ".a_astrodriz_draft").write_text("half a trailer")
    others = (".b_astrodriz_ab3_xyz9", ".a_astrodriz_notes.txt", "a_workspace_ab3_xyz9", ".aa_astrodriz_commit")
    for name in others:
        (tmp_path / name / "sub").mkdir(parents=True)
    ours = {dead.name, ".a_astrodriz_empty_00", ".a_astrodriz_commit", ".a_astrodriz_draft"}
    assert set(clear_leftovers(tmp_path, "a")) == ours
    assert {path.name for path in tmp_path.iterdir()} == set(others)


def test_a_folder_without_our_mark_is_not_removed_whatever_its_name(tmp_path):
    theirs = tmp_path / ".a_astrodriz_ab3_xyz9" / "a1q_flt.fits"
    theirs.parent.mkdir()
    theirs.write_text("mine")
    for text in (None, "", "{", "[1]", '{"roots": 1}', '{"roots": [1]}', "[" * 100000):
        if text is not None:
            (theirs.parent / ".astrodriz_workspace").write_text(text)
        assert clear_leftovers(tmp_path, "a") == ()
        assert theirs.read_text() == "mine"


FOREIGN = (
    "notes.txt",
    "a1q_flt_backup.fits",
    "a1q_raw.fits",
    "scratch/notes.txt",
    "a_aposteriori/notes.txt",
    "mine/a1q_flt.fits",
    ".draft-abcd_f01/notes.txt",
    "untouched/notes.txt",
)


@pytest.mark.parametrize("newpath", [None, "ram"])
@pytest.mark.parametrize("foreign", FOREIGN)
def test_a_file_of_the_users_in_the_workspace_of_a_killed_run_stays(tmp_path, newpath, foreign):
    ram = None if newpath is None else tmp_path / newpath
    dead = dead_workspace(tmp_path, ram)
    (dead / foreign).parent.mkdir(exist_ok=True)
    (dead / foreign).write_text("mine")
    clear_leftovers(dead.parent, "a")
    assert [path for path in dead.rglob("*") if path.is_file()] == [dead / foreign]
    assert (dead / foreign).read_text() == "mine"
    clear_leftovers(dead.parent, "a")
    assert (dead / foreign).read_text() == "mine"


@pytest.mark.parametrize("newpath", [None, "ram"])
@pytest.mark.parametrize("foreign", ["notes.txt", "a_apriori/notes.txt"])
def test_a_file_that_the_user_puts_into_the_workspace_of_a_living_run_stays(tmp_path, newpath, foreign):
    exposure = tmp_path / "a1q_flt.fits"
    exposure.write_text("as it was")
    ram = None if newpath is None else tmp_path / newpath
    with (
        workspace(tmp_path, "a", newpath=ram, keep=False, names=NAMES) as space,
        space.stage("apriori", [space.adopt(exposure)], keep=False),
    ):
        (space.folder / foreign).write_text("mine")
    assert [path for path in space.folder.rglob("*") if path.is_file()] == [space.folder / foreign]


def test_a_link_in_the_workspace_is_not_followed(tmp_path):
    (tmp_path / "store" / "scratch").mkdir(parents=True)
    (tmp_path / "store" / "scratch" / "images_00.raw").write_text("mine")
    with workspace(tmp_path, "a", newpath=None, keep=False) as space:
        (space.folder / "scratch").symlink_to(tmp_path / "store" / "scratch")
    assert (tmp_path / "store" / "scratch" / "images_00.raw").read_text() == "mine"


def test_a_file_of_the_users_in_the_folder_of_a_commit_stays(tmp_path):
    commit = ".a_astrodriz_commit"
    (tmp_path / commit / "new").mkdir(parents=True)
    (tmp_path / commit / "notes.txt").write_text("mine")
    clear_leftovers(tmp_path, "a")
    with workspace(tmp_path, "a", newpath=None, keep=False) as space:
        (space.folder / "a_drz.fits").write_text("new")
        publish([space.folder / "a_drz.fits"], tmp_path, "a")
    assert (tmp_path / commit / "notes.txt").read_text() == "mine"
    assert (tmp_path / "a_drz.fits").read_text() == "new"


@pytest.mark.parametrize("spelling", [".", "home/", "home/../home", "link"])
def test_a_newpath_that_is_the_folder_of_the_input_is_as_none(tmp_path, spelling, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "link").symlink_to(home)
    monkeypatch.chdir(home if spelling == "." else tmp_path)
    with locked(home, ("a",)), workspace(home, "a", newpath=Path(spelling), keep=False) as space:
        assert space.folder.parent == home
    assert list(home.iterdir()) == []


def test_a_stage_that_is_kept_for_debugging_leaves_its_copies_also_where_they_were_taken_over(tmp_path):
    exposure = tmp_path / "a1q_flt.fits"
    exposure.write_text("as it was")
    with workspace(tmp_path, "a", newpath=None, keep=True, names=NAMES) as space:
        files = (space.adopt(exposure),)
        with space.stage("apriori", files, keep=True) as copies:
            copies[0].write_text("solved")
            space.take_over(copies, files, keep=True)
        assert files[0].read_text() == "solved"
    assert (space.kept_as / "a_apriori" / "a1q_flt.fits").read_text() == "solved"
    assert not list(space.kept_as.glob(".*"))


def test_a_commit_that_can_be_ended_is_not_removed(tmp_path):
    (tmp_path / ".a_astrodriz_commit").mkdir()
    (tmp_path / ".a_astrodriz_commit" / "commit.json").write_text("[]")
    assert clear_leftovers(tmp_path, "a") == ()


def test_a_link_with_the_name_of_a_leftover_is_not_of_a_run(tmp_path):
    dead = dead_workspace(tmp_path).rename(tmp_path / "mine")
    before = sorted(dead.rglob("*"))
    (tmp_path / ".a_astrodriz_ab3_xyz9").symlink_to(dead)
    (tmp_path / ".a_astrodriz_commit").symlink_to(dead)
    assert clear_leftovers(tmp_path, "a") == ()
    assert sorted(dead.rglob("*")) == before


def test_a_root_is_no_pattern(tmp_path):
    (tmp_path / ".ab_astrodriz_ab3_xyz9").mkdir()
    assert clear_leftovers(tmp_path, "a.") == clear_leftovers(tmp_path, "*") == ()


def test_a_kept_workspace_is_visible_and_survives_the_next_run(tmp_path):
    with workspace(tmp_path, "a", newpath=None, keep=True):
        pass
    with workspace(tmp_path, "a", newpath=None, keep=False):
        pass
    (kept,) = tmp_path.iterdir()
    assert kept.name.startswith("a_workspace_")


def test_a_folder_under_newpath_that_a_killed_run_has_left_is_taken_again(tmp_path):
    dead_workspace(tmp_path, tmp_path / "ram")
    with workspace(tmp_path, "a", newpath=tmp_path / "ram", keep=False) as space:
        assert not (space.folder / "a1q_flt.fits").exists()
    assert list((tmp_path / "ram").iterdir()) == []


def test_a_folder_under_newpath_with_a_file_of_the_users_is_refused_and_nothing_is_left_beside_it(tmp_path):
    dead = dead_workspace(tmp_path, tmp_path / "ram")
    (dead / "notes.txt").write_text("mine")
    for _ in range(2):
        with (
            pytest.raises(StorageError, match="there already"),
            workspace(tmp_path, "a", newpath=tmp_path / "ram", keep=False),
        ):
            pass
    assert [path.name for path in (tmp_path / "ram").rglob("*")] == ["a", "notes.txt"]


def test_a_folder_under_newpath_that_another_run_uses_is_refused(tmp_path):
    for home in ("one", "two"):
        (tmp_path / home).mkdir()
    with (
        workspace(tmp_path / "one", "a", newpath=tmp_path / "ram", keep=False) as space,
        pytest.raises(LockedError),
        workspace(tmp_path / "two", "a", newpath=tmp_path / "ram", keep=False),
    ):
        pass
    assert not space.folder.exists()


def test_a_kept_folder_under_newpath_is_the_users(tmp_path):
    with workspace(tmp_path, "a", newpath=tmp_path / "ram", keep=True):
        pass
    with pytest.raises(StorageError), workspace(tmp_path, "a", newpath=tmp_path / "ram", keep=False):
        pass
    assert (tmp_path / "ram" / "a").is_dir()


def test_a_working_copy_of_a_read_only_file_can_be_written_to(tmp_path):
    exposure = tmp_path / "a_flt.fits"
    exposure.write_text("as it was")
    exposure.chmod(0o444)
    with workspace(tmp_path, "a", newpath=None, keep=False) as space:
        assert space.adopt(exposure).stat().st_mode & 0o200
