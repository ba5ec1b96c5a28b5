"""One file takes the place of another whole, or not at all, and no draft stays."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from astropy.io import fits
from faulty_disk import FailingDisk

from astrodriz_core.errors import StorageError
from astrodriz_io.storage.disk import Disk, storage_errors
from astrodriz_io.storage.replacing import replacing, replacing_together
from astrodriz_io.wcs.headers import edit_together

OLD = {"a": "old", "b": "old"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in OLD.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_what_the_block_has_written_takes_the_place_of_the_file(folder):
    with replacing(folder / "a") as draft:
        assert (draft.name, draft.exists()) == ("a", False)
        draft.write_text("new")
        assert (folder / "a").read_text() == "old"
    assert contents(folder) == {"a": "new", "b": "old"}


@pytest.mark.parametrize("name", [None, ".own_draft"])
@pytest.mark.parametrize("at", [1, 2])
def test_where_the_disk_fails_the_file_stays_and_no_draft_does(folder, name, at):
    place = None if name is None else folder / name
    with (
        pytest.raises(StorageError),
        replacing(folder / "a", draft=place, disk=FailingDisk(at=at)) as draft,
    ):
        draft.write_text("new")
    assert contents(folder) == OLD


@pytest.mark.parametrize("name", [None, ".own_draft"])
def test_where_the_block_fails_the_file_stays_and_no_draft_does(folder, name):
    with (
        pytest.raises(KeyError, match="ours"),
        replacing(folder / "a", draft=None if name is None else folder / name) as draft,
    ):
        draft.write_text("half")
        raise KeyError("ours")
    assert contents(folder) == OLD


@pytest.fixture
def second_not_on_the_medium(monkeypatch):
    calls = []

    def synchronise(_: Disk, path: Path) -> None:
        calls.append(path)
        if len(calls) == 2:
            with storage_errors(path.name):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Disk, "synchronise", synchronise)


@pytest.mark.usefixtures("second_not_on_the_medium")
def test_of_several_none_is_replaced_before_all_are_on_the_medium(folder):
    with pytest.raises(StorageError, match="b: No space"), replacing_together([folder / "a", folder / "b"]) as drafts:
        for draft in drafts:
            draft.write_text("new")
    assert contents(folder) == OLD


@pytest.mark.usefixtures("second_not_on_the_medium")
def test_exposures_whose_edited_copies_do_not_reach_the_medium_stay_as_they_were(tmp_path):
    paths = [tmp_path / "a_flt.fits", tmp_path / "b_flt.fits"]
    for path in paths:
        fits.PrimaryHDU().writeto(path)
    before = [path.read_bytes() for path in paths]
    with pytest.raises(StorageError, match=r"b_flt.fits: No space"):
        edit_together(paths, lambda _, hdulist: hdulist[0].header.set("NEW", 1))
    assert [path.read_bytes() for path in paths] == before
    assert sorted(tmp_path.iterdir()) == paths
