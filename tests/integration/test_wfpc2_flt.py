"""WFPC2: c0m and c1m made into one FLT that the rest of a run can read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from tiny_files import SIZE, write_exposure, write_raw

from astrodriz_core.errors import InputError, MissingFilesError
from astrodriz_io.fits.arrays import read_dq, read_err, read_sci
from astrodriz_io.inputs.association import DrizzleSwitch, InputKind, read_association
from astrodriz_io.inputs.exposures import read_exposure
from astrodriz_io.inputs.wfpc2 import write_wfpc2_flt
from astrodriz_io.run.working_copies import find_untouched
from astrodriz_io.storage.workspace import Workspace


def write_c0m(folder: Path, root: str = "u2eb0101t") -> Path:
    path = write_exposure(folder / f"{root}_c0m.fits", "WFPC2/PC")
    with fits.open(path) as hdulist:
        kept = fits.HDUList([hdu for hdu in hdulist if hdu.name in ("PRIMARY", "SCI")])
        kept[0].header["NEXTEND"] = 4
        kept.writeto(folder / "made.fits")
    (folder / "made.fits").replace(path)
    return path


def write_c1m(folder: Path, root: str = "u2eb0101t", shape: tuple[int, int] = (SIZE, SIZE)) -> Path:
    images = [fits.ImageHDU(np.full(shape, ver, "i2"), name="SDQ", ver=ver) for ver in range(1, 5)]
    path = folder / f"{root}_c1m.fits"
    fits.HDUList([fits.PrimaryHDU(), *images]).writeto(path)
    return path


def test_flt_has_three_extensions_for_each_chip(tmp_path: Path) -> None:
    c0m, c1m, flt = write_c0m(tmp_path), write_c1m(tmp_path), tmp_path / "u2eb0101t_flt.fits"
    write_wfpc2_flt(c0m, c1m, flt)
    exposure = read_exposure(flt)
    assert [chip.electronics.chip for chip in exposure.chips] == [1, 2, 3, 4]
    assert exposure.configuration == "WFPC2/PC F606W"
    for extver in range(1, 5):
        np.testing.assert_array_equal(read_sci(flt, extver), read_sci(c0m, extver))
        assert (read_dq(flt, extver) == extver).all()
    with fits.open(flt) as hdulist:
        assert hdulist[0].header["NEXTEND"] == len(hdulist) - 1 == 12
        assert hdulist[0].header["FILENAME"] == flt.name


def test_uncertainty_is_photon_and_read_noise(tmp_path: Path) -> None:
    c0m, flt = write_c0m(tmp_path), tmp_path / "u2eb0101t_flt.fits"
    with fits.open(c0m, mode="update") as hdulist:
        hdulist["SCI", 2].data[0, :3] = (100.0, -50.0, np.nan)
    write_wfpc2_flt(c0m, None, flt)
    error = read_err(flt, 2)
    assert error is not None
    expected = np.sqrt(np.array([100 * 7.12, 0, np.nan]) + 5.51**2) / 7.12
    np.testing.assert_allclose(error[0, :3], expected, rtol=1e-6)


def test_without_flags_every_pixel_is_good(tmp_path: Path) -> None:
    flt = tmp_path / "u2eb0101t_flt.fits"
    write_wfpc2_flt(write_c0m(tmp_path), None, flt)
    assert not read_dq(flt, 3).any()


def test_flags_of_another_shape_are_refused(tmp_path: Path) -> None:
    c0m, c1m = write_c0m(tmp_path), write_c1m(tmp_path, shape=(4, 4))
    with pytest.raises(InputError, match="the flags of chip 1"):
        write_wfpc2_flt(c0m, c1m, tmp_path / "x_flt.fits")
    assert not (tmp_path / "x_flt.fits").exists()


def test_other_instruments_and_missing_files_are_refused(tmp_path: Path) -> None:
    other = write_exposure(tmp_path / "iabc_flt.fits")
    with pytest.raises(InputError, match="not a WFPC2"):
        write_wfpc2_flt(other, None, tmp_path / "x_flt.fits")
    with pytest.raises(MissingFilesError):
        write_wfpc2_flt(tmp_path / "gone_c0m.fits", None, tmp_path / "x_flt.fits")


def test_association_offers_c0m_where_there_is_no_flt(tmp_path: Path) -> None:
    raw = write_raw(tmp_path / "u2eb0101t_d0m.fits", INSTRUME="WFPC2")
    write_c0m(tmp_path)
    association = read_association(raw)
    (member,) = association.members
    assert association.kind is InputKind.RAW
    assert (member.flt, member.c0m, member.c1m) == ("u2eb0101t_flt.fits", "u2eb0101t_c0m.fits", None)
    assert association.drizcorr is DrizzleSwitch.PERFORM
    write_c1m(tmp_path)
    assert read_association(raw).members[0].c1m == "u2eb0101t_c1m.fits"
    write_exposure(tmp_path / "u2eb0101t_flt.fits", "WFPC2/PC")
    assert read_association(raw).members[0].c0m is None


def test_bare_c0m_is_an_input(tmp_path: Path) -> None:
    association = read_association(write_c0m(tmp_path))
    assert association.kind is InputKind.EXPOSURE
    assert association.members[0].c0m == "u2eb0101t_c0m.fits"
    assert association.to_be_drizzled


@pytest.mark.parametrize("flags", [True, False])
def test_a_replay_makes_the_flt_as_the_run_did(tmp_path: Path, flags: bool) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "work").mkdir()
    c0m = write_c0m(tmp_path / "in")
    c1m = write_c1m(tmp_path / "in") if flags else None
    write_wfpc2_flt(c0m, c1m, tmp_path / "u2eb0101t_flt.fits")
    found = find_untouched(tmp_path / "in", "u2eb0101t_flt.fits", Workspace(tmp_path / "work", "u2eb0101t"))
    assert found.read_bytes() == (tmp_path / "u2eb0101t_flt.fits").read_bytes()
    assert sorted(path.name for path in (tmp_path / "in").iterdir()) == sorted(
        path.name for path in (c0m, c1m) if path is not None
    )


def test_a_replay_without_the_exposure_or_its_parts_is_refused(tmp_path: Path) -> None:
    write_c1m(tmp_path)
    with pytest.raises(MissingFilesError, match="u2eb0101t_flt"):
        find_untouched(tmp_path, "u2eb0101t_flt.fits", Workspace(tmp_path, "u2eb0101t"))
