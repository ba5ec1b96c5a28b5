"""The imaging detectors of HST: one frozen description each, in a table, and their electronics.

Figures: pixel scales, PSF widths and detector formats from the instrument handbooks; LoG sigma and good
bits as runastrodriz uses them (detectors it does not know take those of the most similar one); gains, read
noises and dark rates from the handbooks where the headers do not carry them.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from attrs import evolve, frozen

from astrodriz_core.errors import InputError

__all__ = [
    "DETECTORS",
    "ChipReadout",
    "DetectorDescription",
    "DetectorKind",
    "Electronics",
    "ReadoutDirection",
    "SignalUnit",
    "dark_electrons",
    "detector_description",
    "electrons_per_unit",
    "gain",
    "readout_direction",
    "readout_noise_electrons",
]


class SignalUnit(Enum):
    """Unit of a calibrated image; the values are how BUNIT spells it."""

    ELECTRONS = "ELECTRONS"
    ELECTRONS_PER_SECOND = "ELECTRONS/S"
    COUNTS = "COUNTS"
    COUNTS_PER_SECOND = "COUNTS/S"

    @property
    def is_rate(self) -> bool:
        """Whether the image is in units for each second."""
        return self in (SignalUnit.ELECTRONS_PER_SECOND, SignalUnit.COUNTS_PER_SECOND)

    @property
    def in_electrons(self) -> bool:
        """Whether the image is in electrons, so that no gain stands between it and the noise."""
        return self in (SignalUnit.ELECTRONS, SignalUnit.ELECTRONS_PER_SECOND)


class DetectorKind(Enum):
    """How a detector collects its signal."""

    CCD = "CCD"
    INFRARED = "infrared array, read without destruction"
    PHOTON_COUNTER = "photon counter (MAMA)"


class ReadoutDirection(Enum):
    """Where the charge of a chip moves along y on its way to the amplifier.

    Charge lost on the way appears as a tail on the side that is read later.
    """

    DOWN = "toward y = 0; tails point to larger y"
    UP = "toward larger y; tails point to y = 0"
    NONE = "charge does not move from pixel to pixel"


@frozen
class ChipReadout:
    """Direction of readout of one chip or of one amplifier.

    Attributes
    ----------
    key : str
        Value of the chip keyword, or letter of the amplifier in CCDAMP; empty where it holds for all.
    direction : ReadoutDirection
        Where the charge moves.
    """

    key: str
    direction: ReadoutDirection


@frozen
class ChipConstants:
    """Electronics that headers do not carry, for one chip at one commanded gain (WFPC2).

    Attributes
    ----------
    chip : int
        Number of the chip.
    commanded_gain : float
        Value of the gain keyword.
    gain : float
        Measured electrons for each count.
    read_noise : float
        Electrons.
    """

    chip: int
    commanded_gain: float
    gain: float
    read_noise: float


@frozen
class DetectorDescription:
    """What a detector is, whichever exposure it took.

    Attributes
    ----------
    instrument, detector : str
        INSTRUME and DETECTOR (NICMOS: CAMERA) of the primary header. WFPC2 is one entry, "PC", since its
        four chips are exposed together.
    kind : DetectorKind
        How it collects its signal.
    pixel_scale_arcsec : float
        Nominal size of a pixel; of the PC for WFPC2, whose WF chips have `other_pixel_scale_arcsec`.
    other_pixel_scale_arcsec : float or None
        Pixel size of chips that differ from the first.
    psf_fwhm_arcsec : float
        Typical width of a point source, for smoothing where the image itself cannot tell.
    log_sigma_pixels : float
        Sigma of the Laplacian of Gaussian of the focus index.
    good_bits : int
        DQ bits that verification lets pass.
    cosmic_ray_bit : int
        DQ bit that this instrument's calibration or drizzle gives to cosmic rays.
    saturation_bits : int
        DQ bits of saturated pixels.
    native_unit : SignalUnit
        Unit of the calibrated exposure where BUNIT does not say it.
    chips : tuple of int
        Numbers of the chips of a full exposure, in the usual order of their extensions.
    chip_keyword : str
        Keyword of the SCI header (NICMOS: of the primary) that names the chip; empty for a single chip.
    shape : tuple of int
        (ny, nx) of a full-frame chip in the calibrated exposure.
    gain_keywords, read_noise_keywords : tuple of str
        Keywords of the primary header, for each amplifier.
    gain_constant, read_noise_constant : float or None
        Values that hold where there are no keywords: electrons for each count, electrons.
    chip_constants : tuple of ChipConstants
        Measured values for each chip and commanded gain.
    dark_keyword : str
        Keyword of the SCI header with the mean dark signal that was subtracted; empty if none.
    dark_rate : float or None
        Electrons for each second where there is no keyword.
    dark_time_keyword : str
        Keyword of the seconds over which `dark_rate` acts.
    readout : tuple of ChipReadout
        Directions of readout, looked up by chip, then by amplifier.
    has_flc : bool
        Whether calibration makes charge-transfer-corrected exposures (FLC).
    reference_variable : str
        Variable of its reference files, such as jref.
    """

    instrument: str
    detector: str
    kind: DetectorKind
    pixel_scale_arcsec: float
    psf_fwhm_arcsec: float
    log_sigma_pixels: float
    good_bits: int
    saturation_bits: int
    native_unit: SignalUnit
    shape: tuple[int, int]
    reference_variable: str
    readout: tuple[ChipReadout, ...]
    chips: tuple[int, ...] = (1,)
    chip_keyword: str = ""
    other_pixel_scale_arcsec: float | None = None
    cosmic_ray_bit: int = 4096
    gain_keywords: tuple[str, ...] = ()
    read_noise_keywords: tuple[str, ...] = ()
    gain_constant: float | None = None
    read_noise_constant: float | None = None
    chip_constants: tuple[ChipConstants, ...] = ()
    dark_keyword: str = ""
    dark_rate: float | None = None
    dark_time_keyword: str = "EXPTIME"
    has_flc: bool = False

    @property
    def name(self) -> str:
        """Instrument and detector, such as ``WFC3/IR``."""
        return f"{self.instrument}/{self.detector}"


@frozen
class Electronics:
    """What the headers of one chip say about its electronics; None or empty where they are silent.

    Attributes
    ----------
    chip : int
        Number of the chip.
    amplifiers : str
        CCDAMP, the letters of the amplifiers in use; empty where there is none.
    gains : tuple of float
        Values of the gain keywords that exist, electrons for each count.
    read_noises : tuple of float
        Values of the read noise keywords that exist, electrons.
    dark : float or None
        Value of the dark keyword, electrons.
    dark_time : float or None
        Seconds over which dark current was collected.
    """

    chip: int
    amplifiers: str = ""
    gains: tuple[float, ...] = ()
    read_noises: tuple[float, ...] = ()
    dark: float | None = None
    dark_time: float | None = None


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
    has_flc=True,
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
    has_flc=False,
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
    has_flc=False,
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
    cosmic_ray_bit=8192,
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

_STIS_FUV = evolve(
    _STIS_NUV, detector="FUV-MAMA", pixel_scale_arcsec=0.0246, psf_fwhm_arcsec=0.08, dark_rate=7e-6
)

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


def detector_description(instrume: str, detector: str) -> DetectorDescription:
    """Look up a detector.

    Parameters
    ----------
    instrume : str
        INSTRUME of the primary header, in any case.
    detector : str
        DETECTOR of the primary header (NICMOS: CAMERA; WFPC2: anything, its chips are one entry).

    Returns
    -------
    DetectorDescription
        The entry of `DETECTORS`.

    Raises
    ------
    InputError
        The detector is not known; the message lists those that are.
    """
    instrument = instrume.strip().upper()
    key = "WFPC2/PC" if instrument == "WFPC2" else f"{instrument}/{detector.strip().upper()}"
    if key not in DETECTORS:
        known = ", ".join(sorted(DETECTORS))
        raise InputError(f"the detector {key!r} is not known.", remedy=f"Known detectors: {known}.")
    return DETECTORS[key]


def gain(description: DetectorDescription, electronics: Electronics) -> float:
    """Electrons for each count: measured constants first, else the mean over the amplifiers.

    Parameters
    ----------
    description : DetectorDescription
        The detector.
    electronics : Electronics
        Header values of the chip; gains of 0 belong to amplifiers that were not used and do not count.

    Returns
    -------
    float
        Electrons for each count.

    Raises
    ------
    InputError
        Neither a header value nor a constant gives it.
    """
    measured = _chip_constants(description, electronics)
    if measured is not None:
        return measured.gain
    return _known(electronics.gains, description.gain_constant, description.gain_keywords, description)


def electrons_per_unit(description: DetectorDescription, electronics: Electronics, unit: SignalUnit) -> float:
    """Electrons for each unit of a calibrated image: 1 in electrons, the gain in counts (rates alike)."""
    return 1.0 if unit.in_electrons else gain(description, electronics)


def readout_noise_electrons(description: DetectorDescription, electronics: Electronics) -> float:
    """Read noise: measured constants first, else the mean over the amplifiers (as AstroDrizzle takes it).

    Parameters
    ----------
    description : DetectorDescription
        The detector.
    electronics : Electronics
        Header values of the chip; values of 0 belong to amplifiers that were not used and do not count.

    Returns
    -------
    float
        Electrons, sigma of one read.

    Raises
    ------
    InputError
        Neither a header value nor a constant gives it.
    """
    measured = _chip_constants(description, electronics)
    if measured is not None:
        return measured.read_noise
    keywords = description.read_noise_keywords
    return _known(electronics.read_noises, description.read_noise_constant, keywords, description)


def dark_electrons(description: DetectorDescription, electronics: Electronics) -> float:
    """Mean dark signal of the exposure.

    Parameters
    ----------
    description : DetectorDescription
        The detector.
    electronics : Electronics
        Header values of the chip.

    Returns
    -------
    float
        Electrons: the dark keyword, else the dark rate times the dark time.

    Raises
    ------
    InputError
        The header has neither.
    """
    if electronics.dark is not None:
        return electronics.dark
    if description.dark_rate is not None and electronics.dark_time is not None:
        return description.dark_rate * electronics.dark_time
    keyword = description.dark_keyword or description.dark_time_keyword
    raise _missing_value((keyword,), description)


def readout_direction(description: DetectorDescription, electronics: Electronics) -> ReadoutDirection:
    """Where the charge of a chip moves: by the chip, else by the first amplifier, else as all of it.

    A detector whose amplifiers differ and whose header names none gives `ReadoutDirection.NONE`.
    """
    directions = {readout.key: readout.direction for readout in description.readout}
    keys = (str(electronics.chip), electronics.amplifiers[:1], "")
    return next((directions[key] for key in keys if key in directions), ReadoutDirection.NONE)


def _chip_constants(description: DetectorDescription, electronics: Electronics) -> ChipConstants | None:
    """Match exactly: a commanded gain that was never measured must not get another one's noise."""
    if not description.chip_constants:
        return None
    for constants in description.chip_constants:
        if constants.chip == electronics.chip and electronics.gains == (constants.commanded_gain,):
            return constants
    raise _missing_value(description.gain_keywords, description)


def _known(
    values: tuple[float, ...],
    constant: float | None,
    keywords: tuple[str, ...],
    description: DetectorDescription,
) -> float:
    in_use = tuple(value for value in values if value != 0.0)
    if in_use:
        return sum(in_use) / len(in_use)
    if constant is None:
        raise _missing_value(keywords, description)
    return constant


def _missing_value(keywords: tuple[str, ...], description: DetectorDescription) -> InputError:
    names = ", ".join(keywords)
    return InputError(
        f"the headers of this {description.name} exposure give no usable {names}.",
        remedy="Calibrate the exposure again or set the keyword.",
    )
