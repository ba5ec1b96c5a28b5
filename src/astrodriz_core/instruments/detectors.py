"""The detectors by name, and the electronics of an exposure from its header values."""

from __future__ import annotations

from attrs import frozen

from astrodriz_core.errors import InputError
from astrodriz_core.instruments.table import DETECTORS
from astrodriz_core.instruments.types import (
    ChipConstants,
    DetectorDescription,
    DetectorKind,
    ReadoutDirection,
    SignalUnit,
)

__all__ = [
    "DETECTORS",
    "ChipConstants",
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
