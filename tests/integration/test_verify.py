"""The verification by itself: it takes what a run takes, by the same first steps, and needs to write nowhere."""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from whole_runs import copied

from astrodriz import (
    Settings,
    SilentProgress,
    SimulatedAssociation,
    SimulationSpec,
    Verdict,
    settings_from_environment,
    simulate_association,
    verify,
)
from astrodriz_core.errors import LockedError, MissingFilesError, NoViableDataError, StorageError
from astrodriz_io.cli import astrodriz
from astrodriz_io.inputs.reference_folders import ReferenceFolders
from astrodriz_io.storage.locking import lock_path
from astrodriz_io.storage.publishing import commit_folder
from astrodriz_io.wcs.distortion import apply_distortion

OFF = 1.5


@pytest.fixture(scope="module")
def wfpc2(tmp_path_factory) -> SimulatedAssociation:
    """Two WFPC2 exposures, the second off its place."""
    spec = SimulationSpec(detector="WFPC2", size=128, exposures=2, stars=60, misalign=((1, OFF),))
    return simulate_association(tmp_path_factory.mktemp("wfpc2"), spec)


def settings_for(association: SimulatedAssociation, **changes) -> Settings:
    return settings_from_environment(Settings(num_cores=1, **changes), association.environment)[0]


def verified(association: SimulatedAssociation, folder: Path, **changes):
    settings = settings_for(association, **changes)
    return verify(folder / association.input.name, settings, SilentProgress())


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def compressed(path: Path) -> None:
    """Replace the images of an exposure by compressed ones that hold the same."""
    with fits.open(path) as hdus:
        images = [
            fits.CompImageHDU(hdu.data, hdu.header, compression_type="GZIP_1", quantize_level=0) for hdu in hdus[1:]
        ]
        fits.HDUList([hdus[0].copy(), *images]).writeto(path.with_suffix(".new"))
    path.with_suffix(".new").replace(path)


def without_flt(folder: Path) -> None:
    for path in folder.glob("*_flt.fits"):
        path.unlink()


def without_flags(folder: Path) -> None:
    without_flt(folder)
    for path in folder.glob("*_c1m.fits"):
        path.unlink()


def with_compressed_images(folder: Path) -> None:
    for path in folder.glob("*_flt.fits"):
        compressed(path)


@pytest.mark.parametrize("change", [without_flt, without_flags, with_compressed_images])
def test_exposures_are_verified_in_every_form_in_which_a_run_takes_them(wfpc2, tmp_path, change):
    folder = copied(wfpc2, tmp_path / "run").parent
    change(folder)
    before = contents(folder)
    found = verified(wfpc2, folder)
    assert found.verdict is Verdict.MISALIGNED
    assert found.worst.offset_pix == pytest.approx(OFF, abs=0.2)
    assert contents(folder) == before


def test_flc_exposures_are_verified_without_a_look_at_their_flt(acs_pair, tmp_path):
    folder = copied(acs_pair, tmp_path / "run").parent
    for path in folder.glob("*_flt.fits"):
        path.write_bytes(b"no FITS file")
    assert verified(acs_pair, folder).verdict is Verdict.ALIGNED


def test_the_wcs_that_stands_is_verified_and_not_the_default_one(ir_association, tmp_path):
    folder = copied(ir_association, tmp_path / "run").parent
    files = sorted(folder.glob("*_flt.fits"))
    apply_distortion(files, ReferenceFolders.from_environment(ir_association.environment))
    with fits.open(files[1], mode="update") as hdus:
        hdus["SCI", 1].header["CRPIX1"] += OFF
    found = verified(ir_association, folder)
    assert found.verdict is Verdict.MISALIGNED
    assert found.worst.rootname == ir_association.rootnames[1]
    assert found.worst.offset_pix == pytest.approx(OFF, abs=0.2)


@pytest.mark.parametrize("ending", ["flt", "raw"])
def test_one_exposure_has_nothing_to_be_aligned_to(ir_association, ending):
    path = ir_association.folder / f"{ir_association.rootnames[0]}_{ending}.fits"
    with pytest.raises(NoViableDataError, match="nothing to be aligned to"):
        verify(path, settings_for(ir_association), SilentProgress())


def test_an_exposure_that_gives_nothing_is_left_out_as_in_a_run(wfpc2, tmp_path):
    folder = copied(wfpc2, tmp_path / "run").parent
    with fits.open(folder / f"{wfpc2.rootnames[0]}_flt.fits", mode="update") as hdus:
        for hdu in hdus:
            if hdu.name == "SCI":
                hdu.data[:] = np.nan
    with pytest.raises(NoViableDataError, match="Fewer than two"):
        verified(wfpc2, folder)


def test_a_reference_without_a_variable_is_looked_for_beside_the_exposures(ir_association, tmp_path):
    folder = copied(ir_association, tmp_path / "run").parent
    for path in folder.glob("*_flt.fits"):
        name = fits.getval(path, "IDCTAB").partition("$")[2]
        fits.setval(path, "IDCTAB", value=name)
        (folder / name).write_bytes((dict(ir_association.references)["iref"] / name).read_bytes())
    found = verify(folder / ir_association.input.name, Settings(num_cores=1), SilentProgress())
    assert found.verdict is Verdict.ALIGNED


@pytest.fixture
def read_only(wfpc2, tmp_path, monkeypatch) -> Iterator[Path]:
    """A copy of the association in a folder that may only be read; root is refused by the patched call alone."""
    folder = copied(wfpc2, tmp_path / "run").parent
    without_flt(folder)
    really_open = os.open

    def refusing(path, flags, *arguments, **options):
        if flags & os.O_CREAT and Path(os.fsdecode(path)).parent == folder:
            raise PermissionError(13, "Permission denied", path)
        return really_open(path, flags, *arguments, **options)

    monkeypatch.setattr(os, "open", refusing)
    folder.chmod(0o555)
    yield folder
    folder.chmod(0o755)


def test_exposures_in_a_folder_that_may_only_be_read_are_verified_elsewhere(wfpc2, read_only, caplog):
    before = contents(read_only)
    assert verified(wfpc2, read_only).verdict is Verdict.MISALIGNED
    assert contents(read_only) == before
    told = next(message for message in caplog.messages if "may only be read" in message)
    elsewhere = Path(told.removesuffix(".").rpartition(" ")[2])
    assert str(read_only) in told
    assert elsewhere.name.startswith("astrodriz_")
    assert not elsewhere.exists()


def test_a_run_that_holds_a_folder_that_may_only_be_read_is_waited_for(wfpc2, read_only):
    folder = read_only
    folder.chmod(0o755)
    lock = lock_path(folder, wfpc2.rootnames[0])
    lock.write_text('{"pid": 7, "host": "there", "since": "2026-11-21T00:00:00"}\n')
    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(LockedError, match="process 7 on 'there'"):
            verified(wfpc2, folder, wait=0.1)
    assert verified(wfpc2, folder).verdict is Verdict.MISALIGNED


def test_a_half_done_commit_in_a_folder_that_may_only_be_read_is_told(wfpc2, read_only):
    read_only.chmod(0o755)
    commit = commit_folder(read_only, "other")
    commit.mkdir()
    (commit / "commit.json").write_text("[]")
    with pytest.raises(StorageError, match="cut short"):
        verified(wfpc2, read_only)


def test_other_failures_of_the_file_system_are_not_taken_for_a_folder_that_may_only_be_read(
    wfpc2, tmp_path, monkeypatch
):
    folder = copied(wfpc2, tmp_path / "run").parent
    really_open = os.open

    def full(path, flags, *arguments, **options):
        if flags & os.O_CREAT and Path(os.fsdecode(path)).parent == folder:
            raise OSError(28, "No space left on device", path)
        return really_open(path, flags, *arguments, **options)

    monkeypatch.setattr(os, "open", full)
    with pytest.raises(StorageError, match="No space left"):
        verified(wfpc2, folder)


def test_warnings_of_the_settings_are_told(monkeypatch, tmp_path, caplog):
    monkeypatch.setenv("ASTROMETRY_STEP_CONTROL", "off")
    with caplog.at_level(logging.WARNING):
        assert astrodriz(["verify", str(tmp_path / "iabc01010_asn.fits")]) == 5
    assert any("ASTROMETRY_STEP_CONTROL is deprecated" in message for message in caplog.messages)


def test_a_call_of_verify_tells_warnings_of_the_environment_too(monkeypatch, tmp_path, caplog):
    monkeypatch.setenv("ASTROMETRY_STEP_CONTROL", "off")
    with caplog.at_level(logging.WARNING), pytest.raises(MissingFilesError):
        verify(tmp_path / "none_flt.fits")
    assert any("ASTROMETRY_STEP_CONTROL is deprecated" in message for message in caplog.messages)
