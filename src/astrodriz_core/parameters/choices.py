"""The choices that drizzle parameters offer, and the record of a frame that a user asks for."""

from __future__ import annotations

from enum import Enum

from attrs import frozen

__all__ = [
    "BlotInterpolation",
    "CombineType",
    "FitGeometry",
    "FrameRequest",
    "Kernel",
    "ProcessingUnit",
    "SkyMethod",
    "SkyStatistic",
    "Units",
    "WeightScale",
    "WeightType",
]


class Kernel(Enum):
    """Shape of the drop onto which the flux of an input pixel falls."""

    SQUARE = "square"
    POINT = "point"
    TURBO = "turbo"
    GAUSSIAN = "gaussian"
    LANCZOS3 = "lanczos3"


class BlotInterpolation(Enum):
    """How the median image is sampled at the pixels of an exposure."""

    NEAREST = "nearest"
    LINEAR = "linear"
    POLY3 = "poly3"
    POLY5 = "poly5"
    SINC = "sinc"
    LAN3 = "lan3"
    LAN5 = "lan5"


class WeightType(Enum):
    """What the weights of the final drizzle stand for."""

    EXP = "EXP"
    """Exposure time."""
    ERR = "ERR"
    """Inverse variance from the ERR arrays."""
    IVM = "IVM"
    """Inverse variance of the background: sky, dark current, read noise."""


class WeightScale(Enum):
    """Factor by which each exposure's weights are multiplied."""

    EXPTIME = "exptime"
    EXPSQ = "expsq"
    ONE = "1"


class Units(Enum):
    """Units of the final product."""

    CPS = "cps"
    COUNTS = "counts"


class ProcessingUnit(Enum):
    """Units of intermediate images; both give the same masks and products here."""

    NATIVE = "native"
    ELECTRONS = "electrons"


@frozen
class FrameRequest:
    """What a user asked of an output frame; None leaves it to the exposures.

    Attributes
    ----------
    refimage : str or None
        Image whose frame is taken.
    rot : float or None
        Position angle of the y axis, degrees east of north.
    scale : float or None
        Size of a pixel, arcsec.
    outnx, outny : int or None
        Size, pixels.
    ra, dec : float or None
        Centre, ICRS degrees.
    crpix1, crpix2 : float or None
        Reference pixel, 1-based.
    """

    refimage: str | None
    rot: float | None
    scale: float | None
    outnx: int | None
    outny: int | None
    ra: float | None
    dec: float | None
    crpix1: float | None
    crpix2: float | None


class CombineType(Enum):
    """How the stack is combined (parameter ``combine_type``)."""

    MINMED = "minmed"
    IMINMED = "iminmed"
    """The same as `MINMED`: what the leading i means is lost where every exposure is masked."""
    MEDIAN = "median"
    IMEDIAN = "imedian"
    """Median; where every exposure is masked, the value of the first one instead of 0."""
    MEAN = "mean"
    IMEAN = "imean"
    """Mean; where every exposure is masked, the value of the first one instead of 0."""
    SUM = "sum"


class SkyMethod(Enum):
    """Which level is subtracted (parameter ``skymethod``)."""

    LOCALMIN = "localmin"
    """From each exposure the lowest of its chips."""
    GLOBALMIN = "globalmin"
    """From all exposures the lowest of all chips."""
    MATCH = "match"
    """What makes the exposures equal where they overlap; from the faintest one nothing."""
    GLOBALMIN_MATCH = "globalmin+match"
    """As `MATCH`, and then from all the lowest of the matched chips."""


class SkyStatistic(Enum):
    """Estimator of the level of the background (parameter ``skystat``)."""

    MEAN = "mean"
    MEDIAN = "median"
    MODE = "mode"
    """Peak of the histogram, by the parabola through its highest bin and that bin's neighbours."""
    MIDPT = "midpt"
    """Value that halves the histogram, interpolated inside a bin."""


class FitGeometry(Enum):
    """What a linear fit may change; from the poorest to the richest."""

    SHIFT = "shift"
    """Two shifts."""
    RSHIFT = "rshift"
    """Shifts and one rotation."""
    RSCALE = "rscale"
    """Shifts, one rotation and one scale."""
    GENERAL = "general"
    """Shifts and a free 2 x 2 matrix."""
