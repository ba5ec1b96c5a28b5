"""What the simulator knows of each detector: one data file each, read into frozen records.

The data files (``data/simulator_*.json``) name where their figures come from in ``provenance``.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

import cattrs
from attrs import frozen

from astrodriz_core.errors import UsageError

__all__ = [
    "BadPixels",
    "DetectorModel",
    "DistortionRow",
    "DistortionTable",
    "Filter",
    "LookupTable",
    "SimulatedChip",
    "SimulatedElectronics",
    "detector_model",
    "detector_names",
]

REFERENCE_CHIPS: dict[str, int] = {"ACS/WFC": 2, "WFC3/UVIS": 2, "WFPC2/PC": 3}
"""The chip with which stwcs moves the others, by the detector's name."""

ALIASES: dict[str, str] = {"WFPC2": "WFPC2/PC"}
"""Other names of detectors."""

Scalar = str | int | float | bool | None
"""A value of a header card in the data files; None marks a value that the exposure supplies."""


@frozen
class SimulatedChip:
    """One chip of a detector.

    Attributes
    ----------
    number : int
        Its number in CCDCHIP (or DETECTOR, CAMERA).
    extver : int
        EXTVER of its extensions.
    naxis : tuple of int
        NAXIS1, NAXIS2 of the whole chip.
    anchor : tuple of float
        Where a cut of the chip lies: 0 at the low end of the axis, 1 at the high end, (x, y). Chosen
        so that the cuts of neighbouring chips adjoin.
    readout : str
        ``low`` where charge moves towards row 0 on readout, ``high`` where it moves to the last row.
    gain : float or None
        Electrons for each count, where the chips differ; None takes that of the detector.
    """

    number: int
    extver: int
    naxis: tuple[int, int]
    anchor: tuple[float, float]
    readout: str
    gain: float | None = None

    def cut(self, size: int | None) -> tuple[int, int, int, int]:
        """Origin (0-based x0, y0) and NAXIS1, NAXIS2 of the part of the chip that is simulated."""
        nx, ny = (n if size is None else min(size, n) for n in self.naxis)
        x0, y0 = (round((full - n) * a) for full, n, a in zip(self.naxis, (nx, ny), self.anchor, strict=True))
        return x0, y0, nx, ny


@frozen
class DistortionRow:
    """One row of an IDCTAB: the polynomial of one chip, in the units of that table.

    ``cx[i - 1][j]`` is CXij, arcsec for each pixel to the power of i; ``xref`` and ``yref`` are 1-based.
    """

    chip: int
    size: tuple[int, int]
    xref: float
    yref: float
    v2ref: float
    v3ref: float
    scale: float
    theta: float
    cx: tuple[tuple[float, ...], ...]
    cy: tuple[tuple[float, ...], ...]


@frozen
class DistortionTable:
    """An IDCTAB: the rows, and what its primary header says besides."""

    filename: str
    norder: int
    parity: int
    filter_columns: tuple[str, ...]
    keywords: dict[str, float]
    rows: tuple[DistortionRow, ...]

    def row(self, chip: int) -> DistortionRow:
        """Return the row of a chip."""
        return next(row for row in self.rows if row.chip == chip)


@frozen
class LookupTable:
    """An NPOLFILE or D2IMFILE: sampled every ``step`` pixels, ``amplitude`` pixels at its largest."""

    filename: str
    step: int
    amplitude: float


@frozen
class SimulatedElectronics:
    """How the detector turns light into numbers.

    Attributes
    ----------
    gain : float
        Electrons for each count (CCDGAIN).
    amplifier_gains, amplifier_read_noise : tuple of float
        ATODGN* and READNSE* of amplifiers A to D.
    read_noise : float
        Electrons, of one pixel of the calibrated exposure.
    dark : float
        Electrons for each second and pixel.
    full_well : float
        Electrons.
    saturated_bit : int
        DQ bit of a pixel above it.
    unit : str
        BUNIT of the calibrated exposure.
    cosmic_ray_rate : float
        Hits for each second and 10**6 pixels that remain in a calibrated exposure.
    cosmic_ray_length : float
        Mean length of a track, pixels.
    cosmic_ray_charge : float
        Median charge of a hit, electrons.
    corrects_cte : bool
        An FLC file, corrected for charge transfer, stands beside the FLT.
    ramp : bool
        Read out many times in one exposure (MULTIACCUM): a rate, SAMP and TIME extensions, no bleeding.
    diffusion : float
        Width (sigma) of charge diffusion, pixels.
    """

    gain: float
    amplifier_gains: tuple[float, ...]
    read_noise: float
    amplifier_read_noise: tuple[float, ...]
    dark: float
    full_well: float
    saturated_bit: int
    unit: str
    cosmic_ray_rate: float
    cosmic_ray_length: float
    cosmic_ray_charge: float
    corrects_cte: bool
    ramp: bool
    diffusion: float


@frozen
class BadPixels:
    """A kind of bad pixel: its DQ bit, the fraction of pixels, and how it behaves."""

    bit: int
    fraction: float
    kind: str


@frozen
class Filter:
    """One filter: its keywords, wavelengths (Angstrom), AB zero point of one electron per second, sky.

    ``sky`` is in electrons for each second and pixel.
    """

    keywords: dict[str, Scalar]
    pivot: float
    width: float
    zero_point: float
    sky: float


@frozen
class DetectorModel:
    """Everything that the simulator knows of one detector.

    Attributes
    ----------
    name : str
        Instrument and detector, as in ``ACS/WFC``.
    instrument, detector : str
        INSTRUME, and DETECTOR (CAMERA of NICMOS).
    letter : str
        First character of its rootnames, and of the variable of its reference files.
    provenance : str
        Where the figures come from.
    chips : tuple of SimulatedChip
        In the order of EXTVER.
    idctab : DistortionTable
    npol, d2im : LookupTable or None
        NPOLFILE and D2IMFILE, where the detector has them.
    electronics : SimulatedElectronics
    bad_pixels : tuple of BadPixels
    exptime, epoch : float
        Usual exposure time (seconds) and time of observation (Julian year).
    filters : dict of str to Filter
    default_filter : str
    photmode : str
        PHOTMODE, with ``{filter}`` in it.
    primary, sci : tuple of (keyword, value, comment)
        Cards of the headers in their order; what has the value None the exposure supplies.
    raw_suffix, flt_suffix : str
        How the names of raw and calibrated files end.
    geis_suffixes : tuple of str, or None
        How the names of signal and data quality end where they come in two files besides.
    """

    name: str
    instrument: str
    detector: str
    letter: str
    provenance: str
    chips: tuple[SimulatedChip, ...]
    idctab: DistortionTable
    npol: LookupTable | None
    d2im: LookupTable | None
    electronics: SimulatedElectronics
    bad_pixels: tuple[BadPixels, ...]
    exptime: float
    epoch: float
    filters: dict[str, Filter]
    default_filter: str
    photmode: str
    primary: tuple[tuple[str, Scalar, str], ...]
    sci: tuple[tuple[str, Scalar, str], ...]
    raw_suffix: str = "raw"
    flt_suffix: str = "flt"
    geis_suffixes: tuple[str, str] | None = None

    @property
    def reference_variable(self) -> str:
        """Environment variable of the reference files: ``jref`` and the like."""
        return f"{self.letter}ref"

    @property
    def reference_chip(self) -> SimulatedChip:
        """The chip whose reference point stwcs moves the others with; the first where there is only one."""
        wanted = REFERENCE_CHIPS.get(self.name)
        return next((chip for chip in self.chips if chip.number == wanted), self.chips[0])

    def electrons_per_unit(self, chip: SimulatedChip, exptime: float) -> float:
        """Return the electrons of one unit of BUNIT in an exposure of `exptime` seconds."""
        unit = self.electronics.unit
        gain = (chip.gain or self.electronics.gain) if unit.startswith("COUNTS") else 1.0
        return gain * exptime if unit.endswith("/S") else gain

    def keyword_value(self, keyword: str) -> Scalar:
        """Return the constant value that a primary keyword has in the data file; None without one."""
        return next((value for name, value, _ in self.primary if name == keyword), None)


def _converter() -> cattrs.Converter:
    """Return the converter for the data files: a card's value is one of the plain JSON scalars."""
    converter = cattrs.Converter(forbid_extra_keys=True)
    converter.register_structure_hook_func(lambda kind: kind == Scalar, lambda value, _: value)
    return converter


def _file_name(name: str) -> str:
    """Name of the data file of a detector."""
    full = ALIASES.get(name.upper(), name)
    return f"simulator_{full.lower().replace('/', '_').replace('-', '_')}.json"


@cache
def detector_names() -> tuple[str, ...]:
    """Names of the detectors that can be simulated."""
    folder = files("astrodriz_io") / "data"
    found = (entry for entry in folder.iterdir() if entry.name.startswith("simulator_"))
    return tuple(sorted(json.loads(entry.read_text(encoding="utf-8"))["name"] for entry in found))


@cache
def detector_model(name: str) -> DetectorModel:
    """Return the model of a detector.

    Parameters
    ----------
    name : str
        Instrument and detector, as in ``WFC3/IR``, in capital letters or not.

    Raises
    ------
    UsageError
        No such detector; the message lists those there are.
    """
    entry = files("astrodriz_io") / "data" / _file_name(name)
    if not entry.is_file():
        known = ", ".join(detector_names())
        raise UsageError(f"no simulator for the detector {name!r}.", remedy=f"Known detectors: {known}.")
    return _converter().structure(json.loads(entry.read_text(encoding="utf-8")), DetectorModel)
