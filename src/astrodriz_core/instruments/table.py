"""The imaging detectors of HST, one frozen description each.

Figures: pixel scales, PSF widths and formats from the instrument handbooks; LoG sigma and good bits as
runastrodriz uses them (detectors that it does not know take those of the most similar one); gains, read
noises and dark rates from the handbooks where the headers do not carry them.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve

from astrodriz_core.instruments.types import (
    ChipConstants,
    ChipReadout,
    DetectorDescription,
    DetectorKind,
    ReadoutDirection,
    SignalUnit,
)

__all__ = ["DETECTORS"]

_AMPLIFIER_GAINS = ("ATODGNA", "ATODGNB", "ATODGNC", "ATODGND")
_AMPLIFIER_NOISES = ("READNSEA", "READNSEB", "READNSEC", "READNSED")
_STANDING = (ChipReadout("", ReadoutDirection.NONE),)
# Chip 2 is the lower one in both wide cameras and is read by amplifiers C and D at its bottom.
_TWO_CHIPS = (ChipReadout("2", ReadoutDirection.DOWN), ChipReadout("1", ReadoutDirection.UP))
_FULL_WELL = 256
_A_TO_D = 2048

_ACS_WFC = DetectorDescription(
    instrument="ACS",
    detector="WFC",
    kind=DetectorKind.CCD,
    pixel_scale_arcsec=0.05,
    psf_fwhm_arcsec=0.10,
    log_sigma_pixels=1.5,
    good_bits=1360,
    saturation_bits=_FULL_WELL | _A_TO_D,
    native_unit=SignalUnit.ELECTRONS,
    shape=(2048, 4096),
    reference_variable="jref",
    readout=_TWO_CHIPS,
    chips=(2, 1),
    chip_keyword="CCDCHIP",
    gain_keywords=_AMPLIFIER_GAINS,
    read_noise_keywords=_AMPLIFIER_NOISES,
    dark_keyword="MEANDARK",
)

_ACS_HRC = evolve(
    _ACS_WFC,
    detector="HRC",
    pixel_scale_arcsec=0.025,
    psf_fwhm_arcsec=0.06,
    shape=(1024, 1024),
    # One chip, read by one of four amplifiers in its corners: C and D stand at the bottom.
    readout=(
        ChipReadout("A", ReadoutDirection.UP),
        ChipReadout("B", ReadoutDirection.UP),
        ChipReadout("C", ReadoutDirection.DOWN),
        ChipReadout("D", ReadoutDirection.DOWN),
    ),
    chips=(1,),
    chip_keyword="",
)

_ACS_SBC = evolve(
    _ACS_HRC,
    detector="SBC",
    kind=DetectorKind.PHOTON_COUNTER,
    psf_fwhm_arcsec=0.07,
    log_sigma_pixels=2.0,
    good_bits=0,
    readout=_STANDING,
    gain_keywords=(),
    read_noise_keywords=(),
    gain_constant=1.0,
    read_noise_constant=0.0,
)

_WFC3_UVIS = evolve(
    _ACS_WFC,
    instrument="WFC3",
    detector="UVIS",
    pixel_scale_arcsec=0.0396,
    psf_fwhm_arcsec=0.067,
    shape=(2051, 4096),
    reference_variable="iref",
)

_WFC3_IR = evolve(
    _WFC3_UVIS,
    detector="IR",
    kind=DetectorKind.INFRARED,
    pixel_scale_arcsec=0.1283,
    psf_fwhm_arcsec=0.141,
    log_sigma_pixels=2.0,
    good_bits=512,
    saturation_bits=_FULL_WELL,
    native_unit=SignalUnit.ELECTRONS_PER_SECOND,
    shape=(1014, 1014),
    readout=_STANDING,
    chips=(1,),
    chip_keyword="",
)

# Measured gain and read noise of each WFPC2 chip at the commanded gains 7 and 15 (WFPC2 Instrument
# Handbook, table of the camera configurations).
_WFPC2_CONSTANTS = (
    ChipConstants(1, 7.0, 7.12, 5.24),
    ChipConstants(1, 15.0, 13.99, 7.02),
    ChipConstants(2, 7.0, 7.12, 5.51),
    ChipConstants(2, 15.0, 14.50, 7.84),
    ChipConstants(3, 7.0, 6.90, 5.22),
    ChipConstants(3, 15.0, 13.95, 6.99),
    ChipConstants(4, 7.0, 7.10, 5.19),
    ChipConstants(4, 15.0, 13.95, 8.32),
)

_WFPC2 = DetectorDescription(
    instrument="WFPC2",
    detector="PC",
    kind=DetectorKind.CCD,
    pixel_scale_arcsec=0.0455,
    other_pixel_scale_arcsec=0.0996,
    psf_fwhm_arcsec=0.066,
    log_sigma_pixels=1.5,
    good_bits=1360,
    saturation_bits=8,
    native_unit=SignalUnit.COUNTS,
    shape=(800, 800),
    reference_variable="uref",
    readout=(ChipReadout("", ReadoutDirection.DOWN),),
    chips=(1, 2, 3, 4),
    chip_keyword="DETECTOR",
    gain_keywords=("ATODGAIN",),
    chip_constants=_WFPC2_CONSTANTS,
    dark_rate=0.005,
    dark_time_keyword="DARKTIME",
)

_STIS_CCD = DetectorDescription(
    instrument="STIS",
    detector="CCD",
    kind=DetectorKind.CCD,
    pixel_scale_arcsec=0.05072,
    psf_fwhm_arcsec=0.08,
    log_sigma_pixels=1.5,
    good_bits=1296,
    saturation_bits=_FULL_WELL,
    native_unit=SignalUnit.COUNTS,
    shape=(1024, 1024),
    reference_variable="oref",
    # The usual amplifier, D, stands at the top.
    readout=(ChipReadout("", ReadoutDirection.UP),),
    gain_keywords=("ATODGAIN",),
    read_noise_keywords=("READNSE",),
    dark_rate=0.009,
)

_STIS_NUV = evolve(
    _STIS_CCD,
    detector="NUV-MAMA",
    kind=DetectorKind.PHOTON_COUNTER,
    pixel_scale_arcsec=0.0248,
    psf_fwhm_arcsec=0.06,
    log_sigma_pixels=2.0,
    readout=_STANDING,
    gain_keywords=(),
    read_noise_keywords=(),
    gain_constant=1.0,
    read_noise_constant=0.0,
    dark_rate=0.0013,
)

_STIS_FUV = evolve(_STIS_NUV, detector="FUV-MAMA", pixel_scale_arcsec=0.0246, psf_fwhm_arcsec=0.08, dark_rate=7e-6)

_NICMOS_1 = DetectorDescription(
    instrument="NICMOS",
    detector="1",
    kind=DetectorKind.INFRARED,
    pixel_scale_arcsec=0.0432,
    psf_fwhm_arcsec=0.11,
    log_sigma_pixels=2.0,
    good_bits=512 | 1024,
    saturation_bits=64,
    native_unit=SignalUnit.COUNTS_PER_SECOND,
    shape=(256, 256),
    reference_variable="nref",
    readout=_STANDING,
    chip_keyword="CAMERA",
    gain_constant=5.4,
    read_noise_constant=26.0,
    dark_rate=0.08,
)

_NICMOS_2 = evolve(_NICMOS_1, detector="2", pixel_scale_arcsec=0.0759, psf_fwhm_arcsec=0.15, chips=(2,))
_NICMOS_3 = evolve(
    _NICMOS_1,
    detector="3",
    pixel_scale_arcsec=0.2025,
    psf_fwhm_arcsec=0.22,
    chips=(3,),
    gain_constant=6.5,
    read_noise_constant=29.0,
    dark_rate=0.15,
)

DETECTORS: Mapping[str, DetectorDescription] = {
    description.name: description
    for description in (
        _WFC3_UVIS,
        _WFC3_IR,
        _ACS_WFC,
        _ACS_HRC,
        _ACS_SBC,
        _WFPC2,
        _STIS_CCD,
        _STIS_FUV,
        _STIS_NUV,
        _NICMOS_1,
        _NICMOS_2,
        _NICMOS_3,
    )
}
"""Every detector that astrodriz knows, by its name."""
