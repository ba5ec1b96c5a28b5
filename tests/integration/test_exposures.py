"""Reading of calibrated exposures: metadata, arrays on demand, and one typed error for every damage."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from tiny_files import PIXEL_ARCSEC, SIZE, write_exposure

from astrodriz_core.errors import InputError, MissingFilesError, StorageError
from astrodriz_core.instruments.detectors import (
    SignalUnit,
    dark_electrons,
    gain,
    readout_direction,
    readout_noise_electrons,
)
from astrodriz_core.instruments.observation import Condition
from astrodriz_io.fits.arrays import read_dq, read_err, read_header, read_sci
from astrodriz_io.inputs.exposure_sets import check_same_configuration
from astrodriz_io.inputs.exposures import filter_names, read_exposure


@pytest.mark.parametrize("detector", sorted(PIXEL_ARCSEC))
def test_every_detector_is_read(tmp_path: Path, detector: str) -> None:
    exposure = read_exposure(write_exposure(tmp_path / "xabc01aaq_flt.fits", detector))
    assert exposure.description.name == detector
    assert exposure.rootname == "xabc01aaq"
    assert tuple(chip.electronics.chip for chip in exposure.chips) == exposure.description.chips
    assert exposure.observation.can_be_aligned
    for chip in exposure.chips:
        assert chip.shape == (SIZE, SIZE)
        assert chip.unit is exposure.description.native_unit
        assert gain(exposure.description, chip.electronics) > 0
        assert readout_noise_electrons(exposure.description, chip.electronics) >= 0
        assert dark_electrons(exposure.description, chip.electronics) > 0
        readout_direction(exposure.description, chip.electronics)


def test_metadata_of_an_acs_exposure(tmp_path: Path) -> None:
    exposure = read_exposure(write_exposure(tmp_path / "jabc01aaq_flc.fits", "ACS/WFC"))
    assert exposure.filters == ("F606W", "CLEAR2L")
    assert exposure.configuration == "ACS/WFC F606W,CLEAR2L"
    assert exposure.exposure_time == 100.0
    assert (exposure.start, exposure.end) == (57085.1, 57085.2)
    assert not exposure.subarray
    first, second = exposure.chips
    assert (first.extver, first.electronics.chip, second.extver, second.electronics.chip) == (1, 2, 2, 1)
    assert first.electronics.gains == (2.0, 2.1, 2.2, 2.3)
    assert first.n_good_pixels == SIZE * SIZE


@pytest.mark.parametrize(("ccdamp", "expected"), [("ABCD", 2.15), ("AC", 2.1), ("D", 2.3), ("", 2.15)])
def test_only_the_amplifiers_in_use_give_gain_and_read_noise(tmp_path: Path, ccdamp: str, expected: float) -> None:
    path = write_exposure(tmp_path / "jabc01aaq_flc.fits", "ACS/WFC", primary={"CCDAMP": ccdamp})
    exposure = read_exposure(path)
    electronics = exposure.chips[0].electronics
    assert gain(exposure.description, electronics) == pytest.approx(expected)
    assert readout_noise_electrons(exposure.description, electronics) == pytest.approx(expected + 2.0)


@pytest.mark.parametrize(
    ("primary", "condition"),
    [
        ({"EXPTIME": 0.0}, Condition.ZERO_EXPOSURE_TIME),
        ({"FILTER": "G141"}, Condition.GRISM),
        ({"MTFLAG": "T"}, Condition.MOVING_TARGET),
        ({"MTFLAG": True}, Condition.MOVING_TARGET),
        ({"SCAN_TYP": "C"}, Condition.SCAN),
        ({"OBSTYPE": "SPECTROSCOPIC"}, Condition.NOT_IMAGING),
        ({"TARGNAME": "DARK-NM"}, Condition.CALIBRATION_TARGET),
        ({"FGSLOCK": "GYROS"}, Condition.UNGUIDED),
    ],
)
def test_conditions_come_from_the_headers(tmp_path: Path, primary: dict[str, object], condition: Condition) -> None:
    exposure = read_exposure(write_exposure(tmp_path / "iabc01aaq_flt.fits", primary=primary))
    assert exposure.observation.conditions == (condition,)


def test_good_pixels_are_summed_over_the_chips(tmp_path: Path) -> None:
    path = write_exposure(tmp_path / "jabc01aaq_flc.fits", "ACS/WFC")
    fits.setval(path, "NGOODPIX", value=0, extname="SCI", extver=1)
    assert read_exposure(path).observation.can_be_combined
    fits.setval(path, "NGOODPIX", value=0, extname="SCI", extver=2)
    assert read_exposure(path).observation.conditions == (Condition.NO_GOOD_PIXELS,)


def test_unit_comes_from_bunit_else_from_the_detector(tmp_path: Path) -> None:
    path = write_exposure(tmp_path / "iabc01aaq_flt.fits")
    fits.setval(path, "BUNIT", value="electrons", ext=1)
    assert read_exposure(path).chips[0].unit is SignalUnit.ELECTRONS
    fits.delval(path, "BUNIT", ext=1)
    assert read_exposure(path).chips[0].unit is SignalUnit.ELECTRONS_PER_SECOND


def test_unknown_unit_names_file_extension_and_keyword(tmp_path: Path) -> None:
    path = write_exposure(tmp_path / "iabc01aaq_flt.fits")
    fits.setval(path, "BUNIT", value="JY", ext=1)
    with pytest.raises(InputError, match=r"iabc01aaq_flt.fits\[SCI,1\]: BUNIT"):
        read_exposure(path)


def test_missing_exposure_time_names_the_keyword(tmp_path: Path) -> None:
    path = write_exposure(tmp_path / "iabc01aaq_flt.fits")
    fits.delval(path, "EXPTIME", ext=0)
    with pytest.raises(InputError, match="EXPTIME"):
        read_exposure(path)


def test_unknown_detector_lists_the_known_ones(tmp_path: Path) -> None:
    path = write_exposure(tmp_path / "iabc01aaq_flt.fits")
    fits.setval(path, "DETECTOR", value="NEW", ext=0)
    with pytest.raises(InputError, match="ACS/WFC"):
        read_exposure(path)


def test_file_without_sci_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x_flt.fits"
    fits.PrimaryHDU(header=fits.Header({"INSTRUME": "ACS", "DETECTOR": "WFC"})).writeto(path)
    with pytest.raises(InputError, match="no SCI"):
        read_exposure(path)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(MissingFilesError, match=r"File x_flt.fits not found"):
        read_exposure(tmp_path / "x_flt.fits")


def test_arrays_are_native_and_owned(tmp_path: Path) -> None:
    path = write_exposure(tmp_path / "iabc01aaq_flt.fits")
    for array in (read_sci(path, 1), read_err(path, 1)):
        assert array is not None
        assert array.dtype == np.float32
        assert array.dtype.isnative
        assert array.flags.writeable
    assert read_dq(path, 1).dtype == np.uint16
    np.testing.assert_array_equal(read_sci(path, 1), fits.getdata(path, ext=("SCI", 1)))


def test_integer_sci_with_scaling_becomes_float32(tmp_path: Path) -> None:
    path = tmp_path / "x_flt.fits"
    hdu = fits.ImageHDU(np.arange(16, dtype="i2").reshape(4, 4), name="SCI", ver=1)
    hdu.header["BSCALE"], hdu.header["BZERO"] = 0.5, 10.0
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(path)
    with fits.open(path, mode="update", do_not_scale_image_data=True) as hdulist:
        hdulist[1].header["BSCALE"], hdulist[1].header["BZERO"] = 0.5, 10.0
    sci = read_sci(path, 1)
    assert sci.dtype == np.float32
    assert (sci[0, 0], sci[3, 3]) == (10.0, 17.5)


def test_compressed_images_are_read(tmp_path: Path) -> None:
    plain = write_exposure(tmp_path / "iabc01aaq_flt.fits")
    with fits.open(plain) as hdulist:
        dq = hdulist["DQ"].data
        dq[3, 4] = 4096
        packed = [hdulist[0], *(fits.CompImageHDU(h.data, h.header, name=h.name) for h in hdulist[1:])]
        fits.HDUList(packed).writeto(tmp_path / "packed_flt.fits")
    path = tmp_path / "packed_flt.fits"
    assert read_exposure(path).chips[0].shape == (SIZE, SIZE)
    assert read_dq(path, 1)[3, 4] == 4096
    np.testing.assert_allclose(read_sci(path, 1), read_sci(plain, 1), atol=0.2)


def test_missing_err_is_none_and_missing_dq_is_all_good(tmp_path: Path) -> None:
    path = tmp_path / "x_flt.fits"
    sci = fits.ImageHDU(np.ones((3, 5), "f4"), name="SCI", ver=1)
    fits.HDUList([fits.PrimaryHDU(), sci]).writeto(path)
    assert read_err(path, 1) is None
    assert read_dq(path, 1).shape == (3, 5)
    assert not read_dq(path, 1).any()


def test_null_arrays_stand_for_constant_ones(tmp_path: Path) -> None:
    path = tmp_path / "x_flt.fits"
    sci = fits.ImageHDU(np.ones((3, 5), "f4"), name="SCI", ver=1)
    null = fits.ImageHDU(name="ERR", ver=1)
    null.header.update({"NPIX1": 5, "NPIX2": 3, "PIXVALUE": 2.5})
    fits.HDUList([fits.PrimaryHDU(), sci, null]).writeto(path)
    np.testing.assert_array_equal(read_err(path, 1), np.full((3, 5), 2.5, np.float32))


def test_sign_bit_of_dq_is_the_highest_flag(tmp_path: Path) -> None:
    path = write_exposure(tmp_path / "iabc01aaq_flt.fits")
    with fits.open(path, mode="update") as hdulist:
        hdulist["DQ"].data[0, 0] = -32768
    assert read_dq(path, 1)[0, 0] == 32768


@pytest.mark.parametrize(("extname", "reader"), [("ERR", read_err), ("DQ", read_dq)])
def test_shapes_that_differ_are_refused(tmp_path: Path, extname: str, reader: object) -> None:
    path = write_exposure(tmp_path / "iabc01aaq_flt.fits")
    with fits.open(path, mode="update") as hdulist:
        hdulist[extname].data = np.zeros((3, 3), hdulist[extname].data.dtype)
    with pytest.raises(InputError, match=rf"\[{extname},1\]: the shape"):
        reader(path, 1)  # type: ignore[operator]


def test_float_dq_is_refused(tmp_path: Path) -> None:
    path = write_exposure(tmp_path / "iabc01aaq_flt.fits")
    with fits.open(path, mode="update") as hdulist:
        hdulist["DQ"].data = np.zeros((SIZE, SIZE), "f4")
    with pytest.raises(InputError, match="whole numbers"):
        read_dq(path, 1)


def test_missing_extension_is_named(tmp_path: Path) -> None:
    path = write_exposure(tmp_path / "iabc01aaq_flt.fits")
    with pytest.raises(InputError, match=r"iabc01aaq_flt.fits\[SCI,2\]"):
        read_sci(path, 2)
    with pytest.raises(InputError, match=r"\[WHT,1\]"):
        read_header(path, "WHT")


def test_cube_in_place_of_an_image_is_refused(tmp_path: Path) -> None:
    path = write_exposure(tmp_path / "iabc01aaq_flt.fits")
    with fits.open(path, mode="update") as hdulist:
        hdulist["SCI"].data = np.zeros((2, 3, 4), "f4")
    with pytest.raises(InputError, match="two-dimensional"):
        read_exposure(path)
    with pytest.raises(InputError, match="two-dimensional"):
        read_sci(path, 1)


@pytest.mark.parametrize("keep", [100, 2880, 6000, 9000, 14000, 14400, 17280, 20160])
def test_truncated_files_are_refused(tmp_path: Path, keep: int) -> None:
    path = write_exposure(tmp_path / "iabc01aaq_flt.fits")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match=r"iabc01aaq_flt\.fits"):
        read_exposure(path)


def test_file_that_lost_its_second_chip_is_refused(tmp_path: Path) -> None:
    path = write_exposure(tmp_path / "jabc01aaq_flc.fits", "ACS/WFC")
    with fits.open(path) as hdulist:
        end_of_first_chip = hdulist["SCI", 2].fileinfo()["hdrLoc"]
    path.write_bytes(path.read_bytes()[:end_of_first_chip])
    with pytest.raises(InputError, match="NEXTEND promises 6"):
        read_exposure(path)


def test_header_that_promises_more_than_the_file_holds_is_refused(tmp_path: Path) -> None:
    path = write_exposure(tmp_path / "iabc01aaq_flt.fits")
    content = path.read_bytes()
    lie = content.replace(b"NAXIS1  =                   32", b"NAXIS1  =            900000000")
    assert lie != content
    path.write_bytes(lie)
    with pytest.raises(InputError, match="beyond the end"):
        read_sci(path, 1)


def test_file_that_the_system_refuses_is_a_storage_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_exposure(tmp_path / "iabc01aaq_flt.fits")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("astropy.io.fits.open", refuse)
    with pytest.raises(StorageError, match="Permission denied"):
        read_exposure(path)
    monkeypatch.setattr("pathlib.Path.stat", refuse)
    with pytest.raises(StorageError, match="Permission denied"):
        read_exposure(path)


def test_missing_dq_takes_its_shape_from_sci_which_must_be_there(tmp_path: Path) -> None:
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(name="SCI", ver=1)]).writeto(tmp_path / "x_flt.fits")
    with pytest.raises(InputError, match=r"\[SCI,1\]"):
        read_dq(tmp_path / "x_flt.fits", 1)


def test_mixed_configurations_are_refused_with_the_list(tmp_path: Path) -> None:
    a = read_exposure(write_exposure(tmp_path / "iabc01aaq_flt.fits"))
    b = read_exposure(write_exposure(tmp_path / "iabc01abq_flt.fits", primary={"FILTER": "F160W"}))
    c = read_exposure(write_exposure(tmp_path / "jabc01abq_flt.fits", "ACS/WFC"))
    check_same_configuration([a, a])
    check_same_configuration([])
    with pytest.raises(InputError) as caught:
        check_same_configuration([a, b, c])
    for part in ("WFC3/IR F140W: iabc01aaq", "WFC3/IR F160W: iabc01abq", "ACS/WFC F606W,CLEAR2L: jabc01abq"):
        assert part in str(caught.value)


def test_reading_leaves_the_file_alone(tmp_path: Path) -> None:
    path = write_exposure(tmp_path / "iabc01aaq_flt.fits")
    before = path.read_bytes()
    read_exposure(path)
    read_sci(path, 1)[:] = 0
    read_dq(path, 1)[:] = 1
    assert path.read_bytes() == before


def test_filter_names_of_an_unknown_instrument_are_none() -> None:
    assert filter_names(fits.Header({"INSTRUME": "COS", "FILTER": "X"})) == ()
