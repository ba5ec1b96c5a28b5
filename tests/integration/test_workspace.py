"""The private folder of a run, and how its results enter the user's folder."""

import shutil

import pytest

from astrodriz_core.errors import LockedError, StorageError
from astrodriz_io.outputs.publishing import publish
from astrodriz_io.outputs.workspace import clear_leftovers, workspace


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
    ours = (".a_astrodriz_ab3_xyz9", ".a_astrodriz_commit")
    others = (".b_astrodriz_ab3_xyz9", ".a_astrodriz_notes.txt", "a_workspace_ab3_xyz9", ".aa_astrodriz_commit")
    for name in (*ours, *others):
        (tmp_path / name / "sub").mkdir(parents=True)
    (tmp_path / ".a_astrodriz_draft").write_text("half a trailer")
    assert set(clear_leftovers(tmp_path, "a")) == {*ours, ".a_astrodriz_draft"}
    assert {path.name for path in tmp_path.iterdir()} == set(others)


def test_a_commit_that_can_be_ended_is_not_removed(tmp_path):
    (tmp_path / ".a_astrodriz_commit").mkdir()
    (tmp_path / ".a_astrodriz_commit" / "commit.json").write_text("[]")
    assert clear_leftovers(tmp_path, "a") == ()


def test_leftovers_that_are_links_are_removed_without_what_they_point_at(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / ".a_astrodriz_ab3_xyz9").symlink_to(tmp_path / "mine")
    clear_leftovers(tmp_path, "a")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


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
    made = workspace(tmp_path, "a", newpath=tmp_path / "ram", keep=False)
    left = made.__enter__()
    (left.folder / "scratch.fits").write_text("half an image")
    shutil.copytree(left.folder, tmp_path / "copy")
    made.__exit__(None, None, None)
    shutil.copytree(tmp_path / "copy", tmp_path / "ram" / "a")
    with workspace(tmp_path, "a", newpath=tmp_path / "ram", keep=False) as space:
        assert not (space.folder / "scratch.fits").exists()
    assert list((tmp_path / "ram").iterdir()) == []


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
