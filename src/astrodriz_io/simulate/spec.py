"""What is asked of the simulator: one frozen, validated record, and the presets of the sky."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

from attrs import Attribute, field, frozen, validators

from astrodriz_core.errors import UsageError
from astrodriz_io.simulate.detectors import DetectorModel, Filter, SimulatedChip, detector_model

__all__ = ["FIELDS", "FieldKind", "FieldPreset", "SimulationSpec"]

MIN_SIZE = 80
"""Smallest cut of a chip, pixels; to stwcs a lookup table as large as the image is of the old form."""

MAX_EXPOSURES = 35
"""One character of the rootname numbers the exposures."""


class FieldKind(Enum):
    """What the sky holds."""

    CROWDED = "crowded"
    """A star cluster."""
    SPARSE = "sparse"
    """High galactic latitude: galaxies and some stars."""
    BRIGHT_STAR = "bright-star"
    """A sparse field with one star far beyond saturation in the middle."""
    GALAXIES = "galaxies"
    """No star at all, so that no star catalogue helps."""
    FAINT = "faint"
    """Very few and faint sources."""
    SATURATED = "saturated"
    """A field where a large part of the stars is saturated."""
    STANDARDS = "standards"
    """Bright stars far from each other, for photometry; nothing else."""


@frozen
class FieldPreset:
    """Numbers of sources and their magnitudes.

    Star magnitudes follow an exponential of e-folding ``scale`` from ``faint`` to ``bright``, both in
    magnitudes brighter than the zero point of the filter (one electron per second), so that each
    detector sees alike fields.

    With a ``spacing_pix`` the stars stand near the points of a grid of so many pixels of the reference chip,
    and their number follows from it.
    """

    stars_per_arcmin2: float
    least_stars: int
    galaxies_per_arcmin2: float
    least_galaxies: int
    faint: float
    bright: float
    scale: float
    central_star: float | None = None
    spacing_pix: float | None = None


FIELDS: dict[FieldKind, FieldPreset] = {
    FieldKind.CROWDED: FieldPreset(360.0, 150, 6.0, 3, faint=1.0, bright=10.5, scale=2.0),
    FieldKind.SPARSE: FieldPreset(9.0, 60, 60.0, 20, faint=1.5, bright=9.5, scale=2.5),
    FieldKind.BRIGHT_STAR: FieldPreset(9.0, 60, 60.0, 20, faint=1.5, bright=9.5, scale=2.5, central_star=14.0),
    FieldKind.GALAXIES: FieldPreset(0.0, 0, 100.0, 60, faint=1.5, bright=9.5, scale=2.5),
    FieldKind.FAINT: FieldPreset(1.0, 4, 20.0, 8, faint=-1.5, bright=1.0, scale=0.5),
    FieldKind.SATURATED: FieldPreset(60.0, 60, 6.0, 3, faint=2.0, bright=14.0, scale=5.0),
    FieldKind.STANDARDS: FieldPreset(0.0, 0, 0.0, 0, faint=4.5, bright=5.5, scale=1.0, spacing_pix=45.0),
}


def _checked(accept: Callable[[Any], bool], expectation: str) -> Callable[[Any, Any, Any], None]:
    """Attrs validator that raises UsageError, naming the field and what it expects."""

    def check(_: object, attribute: Attribute[Any], value: object) -> None:
        if not accept(value):
            raise UsageError(f"{attribute.name} is {value!r}, but must be {expectation}.")

    return check


def _pairs_of_index(_: SimulationSpec, attribute: Attribute[Any], value: tuple[tuple[int, float], ...]) -> None:
    if any(index < 0 or pixels < 0 for index, pixels in value):
        raise UsageError(f"{attribute.name} is {value!r}, but must be (index, pixels), neither below 0.")


_POSITIVE = _checked(lambda value: value > 0, "above 0")
_NOT_NEGATIVE = _checked(lambda value: value >= 0, "0 or more")
_NOT_NEGATIVE_OR_NONE = validators.optional(_NOT_NEGATIVE)
_POSITIVE_OR_NONE = validators.optional(_POSITIVE)


@frozen(kw_only=True)
class SimulationSpec:
    """One association to simulate.

    Attributes
    ----------
    detector : str
        Instrument and detector, as in ``WFC3/IR``; `detector_names` lists them.
    filter : str or None
        Filter; None takes the detector's usual one.
    exposures : int
        Number of exposures, 1 to 35.
    seed : int
        Seed of everything random: the same spec gives the same bytes.
    exptime : float or None
        Exposure time, seconds; None takes the detector's usual one.
    sky : FieldKind
        What the sky holds.
    stars, galaxies : int or None
        Their number; None takes the density of the field. Where the stars stand on a grid, the most of them.
    cosmic_ray_rate : float or None
        Hits for each second and 10**6 pixels; None takes the detector's.
    pointing_arcsec : float
        Error of the header WCS, the same for all exposures: the truth lies so far from the header.
    pointing_pa_deg : float
        Its direction, degrees east of north.
    roll_deg : float
        Error of the orientation, the same for all: the true sky is turned by it, east of north.
    jitter_pix : float
        Scatter of the pointing of each exposure, pixels rms along each axis.
    misalign : tuple of (int, float)
        Index of an exposure, and by how many pixels it lies off its place, in a random direction.
    blur : tuple of (int, float)
        Index of an exposure, and the sigma in pixels of the Gaussian that blurs it.
    size : int or None
        Only a cut of this many pixels on a side of each chip, as if the detector had no more.
    subarray : bool
        The cut is a subarray of the detector: one chip, with the tables of the whole and LTV1, LTV2 to
        say where it lies. Needs `size`.
    singleton : bool
        No association table; needs one exposure.
    target : tuple of float
        Right ascension and declination of the middle of the field, ICRS degrees.
    pa_v3_deg : float
        Position angle of the V3 axis, degrees.
    epoch : float or None
        Julian year of the first exposure; None takes a usual one for the detector.
    """

    detector: str = "WFC3/IR"
    filter: str | None = None
    exposures: int = field(default=4, validator=_checked(lambda n: 1 <= n <= MAX_EXPOSURES, f"1 to {MAX_EXPOSURES}"))
    seed: int = field(default=1, validator=_NOT_NEGATIVE)
    exptime: float | None = field(default=None, validator=_POSITIVE_OR_NONE)
    sky: FieldKind = FieldKind.SPARSE
    stars: int | None = field(default=None, validator=_NOT_NEGATIVE_OR_NONE)
    galaxies: int | None = field(default=None, validator=_NOT_NEGATIVE_OR_NONE)
    cosmic_ray_rate: float | None = field(default=None, validator=_NOT_NEGATIVE_OR_NONE)
    pointing_arcsec: float = field(default=0.35, validator=_NOT_NEGATIVE)
    pointing_pa_deg: float = 34.0
    roll_deg: float = 0.004
    jitter_pix: float = field(default=0.01, validator=_NOT_NEGATIVE)
    misalign: tuple[tuple[int, float], ...] = field(default=(), validator=_pairs_of_index)
    blur: tuple[tuple[int, float], ...] = field(default=(), validator=_pairs_of_index)
    size: int | None = field(
        default=None,
        validator=validators.optional(_checked(lambda n: n >= MIN_SIZE, f"{MIN_SIZE} or more")),
    )
    subarray: bool = False
    singleton: bool = False
    target: tuple[float, float] = (150.1, 2.2)
    pa_v3_deg: float = 68.0
    epoch: float | None = None

    def __attrs_post_init__(self) -> None:
        """Check what concerns more than one field."""
        last = max((index for index, _ in (*self.misalign, *self.blur)), default=0)
        if last >= self.exposures:
            raise UsageError(f"misalign or blur names exposure {last}, but there are only {self.exposures}.")
        if self.singleton and self.exposures != 1:
            raise UsageError(f"a singleton is one exposure, but exposures is {self.exposures}.")
        if self.subarray and self.size is None:
            raise UsageError("a subarray needs a size.", remedy="Give the pixels on a side.")
        filters = self.model.filters
        if self.filter is not None and self.filter not in filters:
            raise UsageError(f"{self.detector} has no filter {self.filter!r}.", remedy=f"Known: {', '.join(filters)}.")

    @property
    def model(self) -> DetectorModel:
        """The detector that is simulated."""
        return detector_model(self.detector)

    @property
    def chips(self) -> tuple[SimulatedChip, ...]:
        """The chips that are read, in the order of EXTVER."""
        return self.model.chips[:1] if self.subarray else self.model.chips

    @property
    def reference_chip(self) -> SimulatedChip:
        """The detector's reference chip, or the first where that is not read."""
        wanted = self.model.reference_chip
        return wanted if wanted in self.chips else self.chips[0]

    @property
    def table_size(self) -> int | None:
        """Pixels on a side of each chip for which the distortion tables are made; None for whole chips."""
        return None if self.subarray else self.size

    @property
    def filter_name(self) -> str:
        """The filter, the detector's usual one where none is asked for."""
        return self.model.default_filter if self.filter is None else self.filter

    @property
    def filter_model(self) -> Filter:
        """The filter's figures."""
        return self.model.filters[self.filter_name]

    @property
    def exposure_time(self) -> float:
        """Exposure time, seconds."""
        return self.model.exptime if self.exptime is None else self.exptime

    @property
    def start_epoch(self) -> float:
        """Julian year of the first exposure."""
        return self.model.epoch if self.epoch is None else self.epoch

    @property
    def program(self) -> str:
        """The characters that open every rootname of the association: instrument, program, visit."""
        return f"{self.model.letter}{_base36(self.seed % 36**3):0>3}01"

    @property
    def association_root(self) -> str:
        """Rootname of the association."""
        return f"{self.program}010"

    @property
    def rootnames(self) -> tuple[str, ...]:
        """Rootname of every exposure, nine characters as the archive gives them."""
        return tuple(f"{self.program}a{_base36(index)}q" for index in range(1, self.exposures + 1))


def _base36(number: int) -> str:
    """Write a number with the digits 0 to 9 and a to z."""
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    high, low = divmod(number, 36)
    return (_base36(high) if high else "") + digits[low]
