"""The private folder of a run, and how its results enter the user's folder."""

import pytest

from astrodriz_core.errors import StorageError
from astrodriz_io.outputs.workspace import publish, workspace


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
        assert publish([new], tmp_path) == (tmp_path / "a_flt.fits",)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a_flt.fits", "new")]


def test_nothing_is_published_where_one_result_is_missing(tmp_path):
    (tmp_path / "a_flt.fits").write_text("old")
    with workspace(tmp_path, "a", newpath=None, keep=False) as space:
        new = space.folder / "a_flt.fits"
        new.write_text("new")
        with pytest.raises(StorageError):
            publish([new, space.folder / "lost.fits"], tmp_path)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a_flt.fits", "old")]
