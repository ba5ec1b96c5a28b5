"""Exposures taken apart and made again: byte for byte, with little in the sidecar, or refused."""

import hashlib
import json
import zipfile

import numpy as np
import pytest
from astropy.io import fits
from tiny_files import write_exposure

from astrodriz_core.errors import DifferentInputError, MissingFilesError, RecordError
from astrodriz_core.records.run import FileDigest
from astrodriz_io.record_files.exposure_states import keep_state, restore_state
from astrodriz_io.record_files.sidecar import Piece, SidecarWriter, read_sidecar

NAME = "iabc01abq_flt.fits"


def change_headers(hdus):
    hdus["SCI", 1].header["CRVAL1"] = 12.3456789012345
    hdus[0].header.add_history("x" * 400)


def flag_cosmic_rays(hdus):
    hdus["DQ", 1].data[3:5, 7] |= 4096
    hdus["DQ", 1].data[9, 9] &= ~4096


def flag_more(hdus):
    hdus["DQ", 1].data[0, 0] |= 8


def append_table(hdus):
    table = fits.BinTableHDU.from_columns([fits.Column("A", "D", array=[1.0, 2.0])], name="WCSCORR")
    hdus.append(table)


def change_pixels(hdus):
    hdus["SCI", 1].data[0, 0] += 1


def remove_errors(hdus):
    del hdus["ERR", 1]


CHANGES = {
    "nothing": (lambda hdus: None, set()),
    "headers": (change_headers, set()),
    "cosmic rays": (flag_cosmic_rays, {"masks"}),
    "another flag": (flag_more, {"data"}),
    "a table": (append_table, {"data"}),
    "pixels": (change_pixels, {"data"}),
    "an extension less": (remove_errors, set()),
    "all": (lambda hdus: [c(hdus) for c in (change_headers, flag_cosmic_rays, append_table)], {"masks", "data"}),
}


@pytest.fixture
def untouched(tmp_path):
    (tmp_path / "in").mkdir()
    path = write_exposure(tmp_path / "in" / NAME)
    with fits.open(path, mode="update") as hdus:
        hdus["DQ", 1].data[9, 9] = 4096 + 16
    return path


@pytest.fixture
def changed(untouched, tmp_path):
    def make(change):
        path = tmp_path / NAME
        path.write_bytes(untouched.read_bytes())
        with fits.open(path, mode="update") as hdus:
            change(hdus)
        return path

    return make


def kept(path, untouched):
    writer = SidecarWriter(path.parent / "x_decisions.zip")
    state = keep_state(path, untouched, writer)
    return state, writer.close()


def restored(state, digest, untouched, folder):
    target = folder / "again.fits"
    with read_sidecar(folder, digest) as sidecar:
        restore_state(state, untouched, target, sidecar)
    return target.read_bytes()


@pytest.mark.parametrize(("change", "stored"), CHANGES.values(), ids=CHANGES)
def test_an_exposure_comes_back_byte_for_byte(change, stored, untouched, changed, tmp_path):
    path = changed(change)
    state, digest = kept(path, untouched)
    assert state.name == NAME
    assert restored(state, digest, untouched, tmp_path) == path.read_bytes()
    with zipfile.ZipFile(tmp_path / digest.name) as archive:
        folders = {name.split("/")[0] for name in archive.namelist()}
    assert folders - {"headers", "exposures"} == stored


def test_what_two_exposures_share_is_kept_once(untouched, changed, tmp_path):
    path = changed(append_table)
    writer = SidecarWriter(tmp_path / "x_decisions.zip")
    assert keep_state(path, untouched, writer) == keep_state(path, untouched, writer)
    writer.close()
    with zipfile.ZipFile(tmp_path / "x_decisions.zip") as archive:
        names = archive.namelist()
        assert len(names) == len(set(names))
        assert all(hashlib.sha256(archive.read(name)).hexdigest() == name.split("/")[1] for name in names)


def test_the_same_pieces_give_the_same_file(untouched, changed, tmp_path):
    path = changed(CHANGES["all"][0])
    for name in ("a.zip", "b.zip"):
        writer = SidecarWriter(tmp_path / name)
        keep_state(path, untouched, writer)
        writer.close()
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def rewritten(tmp_path, change):
    """A sidecar with one state changed, and the digests of both."""
    writer = SidecarWriter(tmp_path / "y_decisions.zip")
    with zipfile.ZipFile(tmp_path / "x_decisions.zip") as archive:
        for name in archive.namelist():
            folder, content = name.split("/")[0], archive.read(name)
            if folder == Piece.STATE.value:
                tree = json.loads(content)
                change(tree)
                state = FileDigest(NAME, writer.add(Piece.STATE, json.dumps(tree).encode()))
            else:
                writer.add(next(piece for piece in Piece if piece.value == folder), content)
    return state, writer.close()


DAMAGES = {
    "an unknown field": lambda tree: tree.update(surplus=1),
    "no units": lambda tree: tree.pop("units"),
    "an unknown source": lambda tree: tree["units"][1].update(source="elsewhere"),
    "a header that is not there": lambda tree: tree["units"][0].update(header="0" * 64),
    "another name": lambda tree: tree["units"][1].update(name="NONE"),
    "flags of an image": lambda tree: tree["units"][1].update(source="untouched exposure, cosmic rays flagged"),
    "a mask that is not there": lambda tree: tree["units"][3].update(content="0" * 64),
    "no mask": lambda tree: tree["units"][3].update(content=None),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_state_that_does_not_fit_is_refused(damage, untouched, changed, tmp_path):
    kept(changed(flag_cosmic_rays), untouched)
    state, digest = rewritten(tmp_path, damage)
    with pytest.raises(RecordError):
        restored(state, digest, untouched, tmp_path)


def test_a_mask_of_another_shape_is_refused(untouched, changed, tmp_path):
    state, digest = kept(changed(flag_cosmic_rays), untouched)
    with fits.open(untouched, mode="update") as hdus:
        hdus["DQ", 1].data = np.zeros((8, 8), np.int16)
    with pytest.raises(RecordError, match=r"\[DQ,1\]"):
        restored(state, digest, untouched, tmp_path)


def test_a_sidecar_that_is_no_archive_is_refused(tmp_path):
    (tmp_path / "x.zip").write_bytes(b"no archive")
    digest = FileDigest("x.zip", hashlib.sha256(b"no archive").hexdigest())
    with pytest.raises(RecordError, match="ZIP"), read_sidecar(tmp_path, digest):
        pass
    with pytest.raises(DifferentInputError), read_sidecar(tmp_path, FileDigest("x.zip", "0" * 64)):
        pass
    with pytest.raises(MissingFilesError), read_sidecar(tmp_path, FileDigest("y.zip", "0" * 64)):
        pass
