"""The pipeline-default WCS: the same as stwcs gives with environment variables, without its side effects."""

from __future__ import annotations

import errno
import logging
import shutil
import threading
from pathlib import Path
from typing import Any

import astropy
import numpy as np
import pytest
from aligned_exposures import LINEAR, linear_terms
from astropy.io import fits
from stwcs import updatewcs as stwcs_updatewcs
from stwcs.wcsutil import HSTWCS
from tiny_files import SIZE, write_exposure, write_idctab, write_lookup

from astrodriz_core.errors import InputError, MissingFilesError, ReferenceFileError, StorageError
from astrodriz_io.drizzling.chips import load_exposure
from astrodriz_io.inputs.reference_folders import ReferenceFolders
from astrodriz_io.storage.digests import sha256_of
from astrodriz_io.wcs.distortion import DistortionOutcome, DistortionResult, apply_distortion, exposure_wcs
from astrodriz_io.wcs.stwcs_calls import quiet_stwcs

VARIABLES = {"WFC3": "iref", "ACS": "jref", "WFPC2": "uref", "STIS": "oref", "NICMOS": "nref"}


@pytest.fixture
def references(tmp_path: Path) -> Path:
    folder = tmp_path / "refs"
    folder.mkdir()
    return folder


def folders(references: Path) -> ReferenceFolders:
    return ReferenceFolders.from_environment(dict.fromkeys(VARIABLES.values(), str(references)))


def exposure_with_model(tmp_path: Path, references: Path, detector: str, **primary: object) -> Path:
    instrument = detector.split("/")[0]
    write_idctab(references / "a1b2c_idc.fits", detector)
    idctab = f"{VARIABLES[instrument]}$a1b2c_idc.fits"
    return write_exposure(tmp_path / "xabc01aaq_flt.fits", detector, primary={"IDCTAB": idctab, **primary})


@pytest.mark.parametrize("detector", ["WFC3/IR", "WFC3/UVIS", "ACS/WFC", "ACS/HRC", "STIS/CCD", "NICMOS/2", "WFPC2/PC"])
def test_equal_to_stwcs_with_environment_variables(
    tmp_path: Path, references: Path, monkeypatch: pytest.MonkeyPatch, detector: str
) -> None:
    ours = exposure_with_model(tmp_path, references, detector)
    theirs = shutil.copy(ours, tmp_path / "theirs_flt.fits")
    original = linear_terms(ours)
    (result,) = apply_distortion([ours], folders(references))
    monkeypatch.setenv(VARIABLES[detector.split("/")[0]], f"{references}/")
    monkeypatch.chdir(tmp_path)
    stwcs_updatewcs.updatewcs("theirs_flt.fits", use_db=False, checkfiles=False)
    # stwcs rounds the WCS of the telescope, which is kept to the last digit here.
    difference = fits.FITSDiff(str(ours), str(theirs), ignore_keywords=[f"{keyword}O" for keyword in LINEAR])
    assert difference.identical, difference.report()
    assert linear_terms(ours, key="O") == original == pytest.approx(linear_terms(theirs, key="O"), rel=1e-12)
    assert result.outcome is DistortionOutcome.APPLIED
    assert result.wcsname == "IDC_a1b2c"


def test_lookup_tables_are_applied_and_all_names_stay_as_they_were(
    tmp_path: Path, references: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_lookup(references / "a_npl.fits", (2, 1))
    write_lookup(references / "a_d2i.fits", (2, 1))
    tables = {"NPOLFILE": "jref$a_npl.fits", "D2IMFILE": "jref$a_d2i.fits"}
    ours = exposure_with_model(tmp_path, references, "ACS/WFC", **tables)
    theirs = shutil.copy(ours, tmp_path / "theirs_flt.fits")
    (result,) = apply_distortion([ours], folders(references))
    monkeypatch.setenv("jref", f"{references}/")
    stwcs_updatewcs.updatewcs(str(theirs), use_db=False, checkfiles=False)
    assert fits.FITSDiff(str(ours), str(theirs), ignore_keywords=[f"{keyword}O" for keyword in LINEAR]).identical
    with fits.open(ours) as hdulist:
        assert {hdu.name for hdu in hdulist} >= {"WCSDVARR", "D2IMARR"}
        assert hdulist["SCI", 1].header["NPOLEXT"] == "jref$a_npl.fits"
        assert not any(str(tmp_path) in str(value) for hdu in hdulist for value in hdu.header.values())
    assert [reference.name for reference in result.references] == [
        "a1b2c_idc.fits",
        "a_npl.fits",
        "a_d2i.fits",
    ]
    assert result.references[0].sha256 == sha256_of(references / "a1b2c_idc.fits")


def test_second_time_gives_the_same_wcs(tmp_path: Path, references: Path) -> None:
    path = exposure_with_model(tmp_path, references, "ACS/WFC")
    first = apply_distortion([path], folders(references))
    terms = [fits.getval(path, "A_2_0", ext=("SCI", extver)) for extver in (1, 2)]
    assert apply_distortion([path], folders(references)) == first
    assert [fits.getval(path, "A_2_0", ext=("SCI", extver)) for extver in (1, 2)] == terms


def test_arrays_are_kept_to_the_bit(tmp_path: Path, references: Path) -> None:
    path = exposure_with_model(tmp_path, references, "WFC3/IR")
    with fits.open(path, mode="update") as hdulist:
        hdulist["SCI"].data[0, 0] = np.nan
        hdulist["DQ"].data[1, 1] = -32768
    before = [fits.getdata(path, ext=(name, 1)).tobytes() for name in ("SCI", "ERR", "DQ")]
    apply_distortion([path], folders(references))
    assert [fits.getdata(path, ext=(name, 1)).tobytes() for name in ("SCI", "ERR", "DQ")] == before


def test_wcs_of_every_chip_is_returned(tmp_path: Path, references: Path) -> None:
    path = exposure_with_model(tmp_path, references, "ACS/WFC")
    (result,) = apply_distortion([path], folders(references))
    assert result.wcs == exposure_wcs(path)
    assert result.wcs.rootname == "xabc01aaq"
    assert [chip.extver for chip in result.wcs.chips] == [1, 2]
    assert result.wcs.chips[0].naxis == (SIZE, SIZE)
    header = fits.getheader(path, ext=("SCI", 2))
    assert result.wcs.chips[1].crval == (header["CRVAL1"], header["CRVAL2"])
    assert result.wcs.chips[1].cd[0][1] == header["CD1_2"]


def test_without_a_model_the_outcome_says_so(tmp_path: Path, references: Path) -> None:
    path = write_exposure(tmp_path / "iabc01aaq_flt.fits")
    (result,) = apply_distortion([path], folders(references))
    assert result.outcome is DistortionOutcome.NO_MODEL
    assert result.wcsname == ""
    assert result.references == ()


def test_missing_reference_is_told_before_any_file_is_touched(tmp_path: Path, references: Path) -> None:
    good = exposure_with_model(tmp_path, references, "WFC3/IR")
    bad = write_exposure(tmp_path / "bad_flt.fits", primary={"IDCTAB": "iref$gone_idc.fits"})
    before = good.read_bytes()
    with pytest.raises(ReferenceFileError, match=r"bad_flt.fits: IDCTAB: gone_idc.fits"):
        apply_distortion([good, bad], folders(references))
    assert good.read_bytes() == before


def test_damaged_reference_leaves_the_exposure_alone(tmp_path: Path, references: Path) -> None:
    path = exposure_with_model(tmp_path, references, "WFC3/IR")
    (references / "a1b2c_idc.fits").write_bytes(b"nothing")
    before = path.read_bytes()
    with pytest.raises(InputError, match=r"a1b2c_idc.fits: this is not FITS"):
        apply_distortion([path], folders(references))
    assert path.read_bytes() == before
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["refs", "xabc01aaq_flt.fits"]


def test_missing_exposure(tmp_path: Path, references: Path) -> None:
    with pytest.raises(MissingFilesError):
        apply_distortion([tmp_path / "gone_flt.fits"], folders(references))


def test_folders_may_have_any_name(tmp_path: Path) -> None:
    odd = tmp_path / "my refs (copy), $1"
    odd.mkdir()
    path = exposure_with_model(odd, odd, "WFC3/IR")
    (result,) = apply_distortion([path], folders(odd))
    assert result.wcsname == "IDC_a1b2c"
    assert fits.getval(path, "IDCTAB", ext=1) == "iref$a1b2c_idc.fits"


def test_nothing_is_printed_and_no_logger_is_changed(
    tmp_path: Path,
    references: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    path = exposure_with_model(tmp_path, references, "WFC3/IR")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(astropy.log, "level", logging.ERROR)
    monkeypatch.setattr(logging.getLogger("stwcs.updatewcs"), "level", logging.DEBUG)
    with caplog.at_level(logging.DEBUG, logger="astrodriz_io"):
        apply_distortion([path], folders(references))
    assert capfd.readouterr().out == ""
    assert (astropy.log.level, logging.getLogger("stwcs.updatewcs").level) == (logging.ERROR, logging.DEBUG)
    assert "IDCTAB: Distortion model from row 1" in caplog.text
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["refs", "xabc01aaq_flt.fits"]


def test_output_of_other_threads_passes(capsys: pytest.CaptureFixture[str]) -> None:
    with quiet_stwcs("x_flt.fits"):
        print("from stwcs")  # noqa: T201
        thread = threading.Thread(target=print, args=("from elsewhere",))
        thread.start()
        thread.join()
    assert capsys.readouterr().out == "from elsewhere\n"


def test_messages_of_astropy_go_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    thread = threading.Thread(target=astropy.log.warning, args=("from elsewhere",))
    with caplog.at_level(logging.DEBUG, logger="astrodriz_io"), quiet_stwcs("x_flt.fits"):
        astropy.log.warning("from astropy")
        thread.start()
        thread.join()
    logged = {record.getMessage(): record.name for record in caplog.records}
    assert logged["x_flt.fits: stwcs: from astropy"] == "astrodriz_io.wcs.stwcs_calls"
    assert "from astropy" not in logged
    assert not astropy.log.filters


def test_two_threads_at_once(tmp_path: Path, references: Path) -> None:
    one = exposure_with_model(tmp_path, references, "WFC3/IR")
    paths = [Path(shutil.copy(one, tmp_path / f"x{i}_flt.fits")) for i in range(6)]
    results: list[DistortionResult] = []

    def work(path: Path) -> None:
        results.extend(apply_distortion([Path(path)], folders(references)))

    threads = [threading.Thread(target=work, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({result.wcs for result in results}) == 1
    assert len(results) == len(paths)


def test_wfpc2_column_correction_is_made_from_the_dgeofile(tmp_path: Path, references: Path) -> None:
    hdus: list[Any] = [fits.PrimaryHDU(header=fits.Header({"INSTRUME": "WFPC2"}))]
    for extver in range(1, 5):
        hdus += [fits.ImageHDU(np.full((SIZE, SIZE), 0.1, "f4"), name=axis, ver=extver) for axis in ("DX", "DY")]
    fits.HDUList(hdus).writeto(references / "a_dxy.fits")
    path = exposure_with_model(tmp_path, references, "WFPC2/PC", DGEOFILE="uref$a_dxy.fits")
    (result,) = apply_distortion([path], folders(references))
    assert [reference.keyword for reference in result.references] == ["IDCTAB", "DGEOFILE"]
    header = fits.getheader(path)
    assert (header["DGEOFILE"], header["ODGEOFIL"]) == ("N/A", "uref$a_dxy.fits")
    assert header["D2IMFILE"] == "xabc01aaq_flt_d2im.fits" or header["D2IMFILE"] == "xabc01aaq_d2im.fits"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["refs", "xabc01aaq_flt.fits"]
    assert apply_distortion([path], folders(references))[0].wcs == result.wcs


def test_full_disk_is_told_and_leaves_the_exposure_alone(
    tmp_path: Path, references: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = exposure_with_model(tmp_path, references, "WFC3/IR")
    before = path.read_bytes()

    def no_space(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", no_space)
    with pytest.raises(StorageError, match=r"xabc01aaq_flt.fits: No space left"):
        apply_distortion([path], folders(references))
    assert path.read_bytes() == before
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["refs", "xabc01aaq_flt.fits"]


def test_where_links_are_forbidden_references_are_copied(
    tmp_path: Path, references: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = exposure_with_model(tmp_path, references, "WFC3/IR")

    def forbidden(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr("pathlib.Path.symlink_to", forbidden)
    assert apply_distortion([path], folders(references))[0].wcsname == "IDC_a1b2c"


@pytest.mark.parametrize(
    ("keyword", "value", "ext"), [("CD1_1", 0.0, 1), ("CRPIX1", float("1e300"), 1), ("DATE-OBS", "yesterday", 0)]
)
def test_absurd_headers_never_leave_a_half_written_file(
    tmp_path: Path, references: Path, keyword: str, value: object, ext: int
) -> None:
    path = exposure_with_model(tmp_path, references, "ACS/WFC")
    fits.setval(path, keyword, value=value, ext=ext)
    if ext:
        for other in ("CD1_2", "CD2_1", "CD2_2"):
            fits.setval(path, other, value=0.0, ext=ext)
    before = path.read_bytes()
    try:
        apply_distortion([path], folders(references))
    except InputError as failure:
        assert "xabc01aaq_flt.fits" in str(failure)
        assert path.read_bytes() == before
    else:
        exposure_wcs(path)


@pytest.mark.filterwarnings("ignore::astropy.io.fits.verify.VerifyWarning")
def test_unparsable_card_that_nobody_needs_does_no_harm(tmp_path: Path, references: Path) -> None:
    path = exposure_with_model(tmp_path, references, "WFC3/IR")
    content = path.read_bytes()
    damaged = content.replace(b"TARGNAME= 'NGC-1   '", b"TARGNAME= 'NGC-1    ")
    assert damaged != content
    path.write_bytes(damaged)
    assert apply_distortion([path], folders(references))[0].wcsname == "IDC_a1b2c"


def test_unparsable_card_of_the_wcs_is_an_input_error(tmp_path: Path, references: Path) -> None:
    path = exposure_with_model(tmp_path, references, "WFC3/IR")
    path.write_bytes(path.read_bytes().replace(b"CRVAL1  =                 30.0", b"CRVAL1  =                 3'.0"))
    with pytest.raises(InputError, match=r"xabc01aaq_flt.fits"):
        exposure_wcs(path)
    with pytest.raises(InputError, match=r"xabc01aaq_flt.fits"):
        apply_distortion([path], folders(references))


def test_checksums_stay_right(tmp_path: Path, references: Path) -> None:
    path = exposure_with_model(tmp_path, references, "WFC3/IR")
    with fits.open(path) as hdulist:
        hdulist.writeto(tmp_path / "summed_flt.fits", checksum=True)
    summed = tmp_path / "summed_flt.fits"
    apply_distortion([summed], folders(references))
    with fits.open(summed, checksum=True) as hdulist:
        for hdu in hdulist:
            if "CHECKSUM" in hdu.header:
                assert hdu.verify_checksum() == 1
                assert hdu.verify_datasum() == 1


def test_singular_matrix_is_told(tmp_path: Path, references: Path) -> None:
    path = exposure_with_model(tmp_path, references, "WFC3/IR")
    fits.setval(path, "CD1_1", value=0.0, ext=1)
    with pytest.raises(InputError, match=r"\[SCI,1\]: CD1_1.* singular"):
        apply_distortion([path], folders(references))


@pytest.mark.parametrize("keyword", ["CDELT3", "CTYPE3", "CD3_3", "CD1_0", "PC1_1", "PC2_2"])
def test_keywords_of_other_axes_are_refused(tmp_path: Path, keyword: str) -> None:
    path = write_exposure(tmp_path / "iabc01aaq_flt.fits")
    fits.setval(path, keyword, value="X" if keyword == "CTYPE3" else 1.0, extname="SCI")
    with pytest.raises(InputError, match=rf"\[SCI,1\]: {keyword}"):
        exposure_wcs(path)


def test_a_damaged_lookup_table_is_told_by_its_exposure(tmp_path: Path, references: Path) -> None:
    write_lookup(references / "a_npl.fits", (2, 1))
    path = exposure_with_model(tmp_path, references, "ACS/WFC", NPOLFILE="jref$a_npl.fits")
    apply_distortion([path], folders(references))
    fits.setval(path, "CDELT2", value="x", extname="WCSDVARR", extver=1)
    with pytest.raises(InputError, match="xabc01aaq"):
        load_exposure(path)


def test_incomplete_wcs_names_the_keyword(tmp_path: Path) -> None:
    path = write_exposure(tmp_path / "iabc01aaq_flt.fits")
    fits.setval(path, "CD1_1", value="x", ext=1)
    with pytest.raises(InputError, match=r"\[SCI,1\]: CD1_1"):
        exposure_wcs(path)


@pytest.mark.parametrize("binning", [2, 4])
def test_distortion_of_a_binned_exposure_is_that_of_its_pixels(tmp_path: Path, references: Path, binning: int) -> None:
    """stwcs alone takes the wrong power of the binning from the third order on."""
    plain = exposure_with_model(tmp_path, references, "STIS/CCD")
    with fits.open(references / "a1b2c_idc.fits", mode="update") as hdulist:
        hdulist[1].data["CX30"] = hdulist[1].data["CY31"] = 1e-7
    with_bins = Path(shutil.copy(plain, tmp_path / "bins_flt.fits"))
    with fits.open(with_bins, mode="update") as hdulist:
        for hdu in hdulist[1:]:
            hdu.data = hdu.data[::binning, ::binning].copy()
            for axis in (1, 2):
                hdu.header[f"BINAXIS{axis}"] = binning
                hdu.header[f"CRPIX{axis}"] = SIZE / 2 / binning
                hdu.header[f"CD{axis}_{axis}"] = hdu.header.get(f"CD{axis}_{axis}", 0.0) * binning
    apply_distortion([plain, with_bins], folders(references))
    # Fractions of the chip, as offsets from the reference pixel; the sky that they see is the same.
    fraction = np.linspace(-0.4, 0.4, 5)
    skies = []
    for path, side in ((plain, SIZE), (with_bins, SIZE // binning)):
        wcs = HSTWCS(str(path), ext=("SCI", 1))
        skies.append(np.array(wcs.all_pix2world(*(wcs.wcs.crpix[:, None] - 1.0 + fraction * side), 0)))
    np.testing.assert_allclose(skies[1], skies[0], rtol=0, atol=1e-10)
