"""What describes a detector: kinds, units, readout, and the frozen description itself."""

from __future__ import annotations

from enum import Enum

from attrs import frozen

__all__ = [
    "ChipConstants",
    "ChipReadout",
    "DetectorDescription",
    "DetectorKind",
    "ReadoutDirection",
    "SignalUnit",
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
    gain_keywords: tuple[str, ...] = ()
    read_noise_keywords: tuple[str, ...] = ()
    gain_constant: float | None = None
    read_noise_constant: float | None = None
    chip_constants: tuple[ChipConstants, ...] = ()
    dark_keyword: str = ""
    dark_rate: float | None = None
    dark_time_keyword: str = "EXPTIME"

    @property
    def name(self) -> str:
        """Instrument and detector, such as ``WFC3/IR``."""
        return f"{self.instrument}/{self.detector}"
