"""What an exposure is, from its header values: whether it can be combined, and whether it can be aligned.

The conditions are those by which the documented analysis step of the alignment leaves exposures out, and
the ones that make an exposure useless for any product.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum

from attrs import frozen

__all__ = [
    "CONSEQUENCES",
    "Condition",
    "Consequence",
    "Observation",
    "ObservationHeader",
    "classify_observation",
]

_ZERO_SECONDS = 1e-5
_CALIBRATION_TARGETS = ("DARK", "TUNG", "BIAS", "FLAT", "DEUT", "EARTH-CAL")
_WFPC2_CALIBRATION_TARGETS = ("INTFLAT", "UVFLAT", "VISFLAT", "KSPOTS", "DARK", "BIAS", "EARTH-CALIB")
_SCAN_TYPES = ("C", "D")
_UNGUIDED = ("GY", "COARSE")
_GUIDING_FAILED = ("GSFAIL", "TDF-DOWN")
_NOT_DRIZZLED = ("OMIT", "SKIPPED")


class Consequence(Enum):
    """What a condition means for the exposure."""

    LEFT_OUT = "left out of every product"
    NOT_ALIGNED = "combined, but its sources are not used; it takes the WCS of its companions"
    COMPROMISED = "combined and aligned; the result is to be looked at"


class Condition(Enum):
    """Something about an exposure that a run has to heed; the value says what."""

    ZERO_EXPOSURE_TIME = "EXPTIME is 0: the shutter never opened or the exposure was lost"
    NO_GOOD_PIXELS = "NGOODPIX is 0: calibration found no usable pixel"
    NOT_IMAGING = "OBSTYPE is not IMAGING: a spectrum or a coronagraphic exposure"
    GRISM = "a grism disperses every source into a spectrum"
    PRISM = "a prism disperses every source into a spectrum"
    BLOCKED = "the filter is a block: an internal calibration without light"
    MOVING_TARGET = "MTFLAG is T: the telescope followed a moving target, so stars are trailed"
    SCAN = "SCAN_TYP is C or D: the telescope moved during the exposure, so sources are trailed"
    CALIBRATION_TARGET = "TARGNAME is that of a dark, bias, flat or another internal calibration"
    CHARGE_INJECTION = "CHINJECT is not NONE: charge was injected into rows of the detector"
    NOT_TO_BE_DRIZZLED = "DRIZCORR is OMIT or SKIPPED"
    NO_FILTER = "the headers name no filter, so that distortion and drizzle parameters cannot depend on it"
    UNGUIDED = "FGSLOCK names gyros or coarse lock: the telescope may have drifted"
    GUIDING_FAILED = "QUALITY reports that a guide star was lost"


CONSEQUENCES: Mapping[Condition, Consequence] = {
    Condition.ZERO_EXPOSURE_TIME: Consequence.LEFT_OUT,
    Condition.NO_GOOD_PIXELS: Consequence.LEFT_OUT,
    Condition.NOT_IMAGING: Consequence.NOT_ALIGNED,
    Condition.GRISM: Consequence.NOT_ALIGNED,
    Condition.PRISM: Consequence.NOT_ALIGNED,
    Condition.BLOCKED: Consequence.NOT_ALIGNED,
    Condition.MOVING_TARGET: Consequence.NOT_ALIGNED,
    Condition.SCAN: Consequence.NOT_ALIGNED,
    Condition.CALIBRATION_TARGET: Consequence.NOT_ALIGNED,
    Condition.CHARGE_INJECTION: Consequence.NOT_ALIGNED,
    Condition.NOT_TO_BE_DRIZZLED: Consequence.NOT_ALIGNED,
    Condition.NO_FILTER: Consequence.COMPROMISED,
    Condition.UNGUIDED: Consequence.COMPROMISED,
    Condition.GUIDING_FAILED: Consequence.COMPROMISED,
}
"""What each condition means; the first column of the table in the documentation."""

NO_POSITIONS = frozenset(
    {
        Condition.NOT_IMAGING,
        Condition.GRISM,
        Condition.PRISM,
        Condition.BLOCKED,
        Condition.MOVING_TARGET,
        Condition.SCAN,
        Condition.CALIBRATION_TARGET,
    }
)
"""Conditions under which an image does not show the sky as points and extended sources at rest: spectra, trails, lamps.
Offsets that are measured on it may be off by many pixels with a small error, so that they are no measurement."""


@frozen
class ObservationHeader:
    """The header values that decide, as stripped upper-case text; empty where a keyword is missing.

    Attributes
    ----------
    instrument : str
        INSTRUME.
    exposure_time : float
        EXPTIME, seconds.
    filters : tuple of str
        Names of the optical elements, blanks left out.
    observation_type : str
        OBSTYPE.
    image_type : str
        IMAGETYP.
    target : str
        TARGNAME.
    moving_target : bool
        MTFLAG is T.
    scan_type : str
        SCAN_TYP.
    guiding : str
        FGSLOCK.
    quality : str
        QUALITY.
    charge_injection : str
        CHINJECT.
    drizzle_switch : str
        DRIZCORR.
    n_good_pixels : int or None
        Sum of NGOODPIX over the chips; None where no chip has it.
    """

    instrument: str
    exposure_time: float
    filters: tuple[str, ...] = ()
    observation_type: str = ""
    image_type: str = ""
    target: str = ""
    moving_target: bool = False
    scan_type: str = ""
    guiding: str = ""
    quality: str = ""
    charge_injection: str = ""
    drizzle_switch: str = ""
    n_good_pixels: int | None = None


@frozen
class Observation:
    """What was found out about an exposure.

    Attributes
    ----------
    conditions : tuple of Condition
        Everything that holds, in the order of `Condition`; empty for a plain guided image.
    """

    conditions: tuple[Condition, ...]

    @property
    def can_be_combined(self) -> bool:
        """Whether the exposure may enter a product."""
        return not self._any(Consequence.LEFT_OUT)

    @property
    def can_be_aligned(self) -> bool:
        """Whether its sources may be used for a fit."""
        return self.can_be_combined and not self._any(Consequence.NOT_ALIGNED)

    @property
    def unverifiable(self) -> str | None:
        """Why positions in the image say nothing about its place on the sky; None where they do."""
        return "; ".join(condition.value for condition in self.conditions if condition in NO_POSITIONS) or None

    @property
    def reasons(self) -> tuple[str, ...]:
        """What holds and what it means, a sentence each."""
        return tuple(f"{item.value}; {CONSEQUENCES[item].value}." for item in self.conditions)

    def _any(self, consequence: Consequence) -> bool:
        return any(CONSEQUENCES[condition] is consequence for condition in self.conditions)


def classify_observation(header: ObservationHeader) -> Observation:
    """Name every condition that holds for an exposure.

    Parameters
    ----------
    header : ObservationHeader
        Its header values.

    Returns
    -------
    Observation
        A missing keyword fulfils no condition, since headers of older instruments lack many of them; but
        there has to be a filter. An exposure time that is not a number counts as 0.
    """
    return Observation(tuple(condition for condition, holds in _TESTS.items() if holds(header)))


def _no_time(header: ObservationHeader) -> bool:
    return not header.exposure_time > _ZERO_SECONDS


def _filter_starts(header: ObservationHeader, start: str) -> bool:
    return any(name.startswith(start) for name in header.filters)


def _calibration_target(header: ObservationHeader) -> bool:
    if header.instrument == "WFPC2":
        named = any(name in header.target for name in _WFPC2_CALIBRATION_TARGETS)
        # WFPC2 took science exposures of targets with such names; they have IMAGETYP EXT.
        return named and header.image_type != "EXT"
    return any(name in header.target for name in _CALIBRATION_TARGETS)


_TESTS: Mapping[Condition, Callable[[ObservationHeader], bool]] = {
    Condition.ZERO_EXPOSURE_TIME: _no_time,
    Condition.NO_GOOD_PIXELS: lambda header: header.n_good_pixels == 0,
    Condition.NOT_IMAGING: lambda header: header.observation_type not in ("", "IMAGING"),
    Condition.GRISM: lambda header: _filter_starts(header, "G"),
    Condition.PRISM: lambda header: _filter_starts(header, "PR"),
    Condition.BLOCKED: lambda header: _filter_starts(header, "BLOCK"),
    Condition.MOVING_TARGET: lambda header: header.moving_target,
    Condition.SCAN: lambda header: header.scan_type in _SCAN_TYPES,
    Condition.CALIBRATION_TARGET: _calibration_target,
    Condition.CHARGE_INJECTION: lambda header: header.charge_injection not in ("", "NONE"),
    Condition.NOT_TO_BE_DRIZZLED: lambda header: header.drizzle_switch in _NOT_DRIZZLED,
    Condition.NO_FILTER: lambda header: not header.filters,
    Condition.UNGUIDED: lambda header: any(word in header.guiding for word in _UNGUIDED),
    Condition.GUIDING_FAILED: lambda header: any(word in header.quality for word in _GUIDING_FAILED),
}
