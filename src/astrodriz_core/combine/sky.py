"""Sky background: the level of a chip, and the levels to subtract from a set of exposures.

Levels of different chips and detectors are compared as brightness, that is the level in one square
arcsecond and, for data in counts, in one second. Measuring (`measure_sky`) and deciding what to subtract
(`solve_sky`) are two functions; the overlaps in between are pairs of pooled levels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attrs import field, frozen
from attrs.validators import gt, optional

from astrodriz_core.arrays import Image, Mask
from astrodriz_core.combine.statistics import ClippingParameters, estimate_level, iraf_statistics
from astrodriz_core.errors import MeasurementError
from astrodriz_core.parameters.choices import SkyMethod, SkyStatistic

__all__ = [
    "ChipScale",
    "OverlapSky",
    "SkyLevel",
    "match_sky",
    "measure_sky",
    "minimum_brightness",
    "pool_levels",
    "solve_sky",
]


RANK_TOLERANCE = 1.0e-12
"""Singular values below this fraction of the largest one belong to levels that no overlap ties down."""


@frozen
class SkyLevel:
    """A sky level and the number of pixels behind it.

    Attributes
    ----------
    value : float
        In the units of the array it was measured on, or brightness after `ChipScale.brightness`.
    npix : int
        Pixels left after clipping.
    """

    value: float
    npix: int


@frozen
class ChipScale:
    """What turns a level of one chip into a brightness.

    Attributes
    ----------
    pixel_scale : float
        Nominal side of a pixel, arcsec (IDCSCALE).
    exptime : float or None
        Exposure time in s for data in counts or electrons; None for rates.
    """

    pixel_scale: float = field(validator=gt(0.0))
    exptime: float | None = field(default=None, validator=optional(gt(0.0)))

    @property
    def area_time(self) -> float:
        """Square arcseconds, or square arcseconds times seconds, in one pixel of the data."""
        return self.pixel_scale**2 * (1.0 if self.exptime is None else self.exptime)

    def brightness(self, level: SkyLevel) -> SkyLevel:
        """Turn a level in the units of the chip into brightness."""
        return SkyLevel(level.value / self.area_time, level.npix)

    def level(self, brightness: float) -> float:
        """Turn a brightness into the value to subtract from each pixel of the chip."""
        return brightness * self.area_time


@frozen
class OverlapSky:
    """The sky of two exposures in the part of the sky that both see.

    Attributes
    ----------
    first, second : int
        Position of the exposures in the list.
    sky_first, sky_second : float
        Their brightness there.
    npix_first, npix_second : int
        Pixels behind it.
    """

    first: int
    second: int
    sky_first: float
    sky_second: float
    npix_first: int
    npix_second: int


def measure_sky(
    image: Image, good: Mask | None, statistic: SkyStatistic, clipping: ClippingParameters
) -> SkyLevel | None:
    """Sky level of a chip, or of a part of it.

    Parameters
    ----------
    image : ndarray
        SCI array [y, x].
    good : ndarray of bool or None
        True where a pixel counts; None = everywhere.
    statistic : SkyStatistic
        Estimator.
    clipping : ClippingParameters
        Limits (``skylower`` and ``skyupper``, in the units of the image) and sigma clipping.

    Returns
    -------
    SkyLevel or None
        Level in the units of the image; None where no finite good pixel is left within the limits.

    Raises
    ------
    MeasurementError
        The shapes of image and mask differ.
    """
    if good is not None and good.shape != image.shape:
        raise MeasurementError(f"image {image.shape} and mask {good.shape} differ in shape")
    sample = np.ravel(image) if good is None else image[good]
    sample = np.asarray(sample, dtype=np.float32)
    finite = np.isfinite(sample)
    if not finite.all():
        sample = sample[finite]
    clipped = iraf_statistics(sample, clipping)
    if clipped is None:
        return None
    return SkyLevel(estimate_level(sample, clipped, statistic, clipping.binwidth), clipped.npix)


def pool_levels(levels: Sequence[SkyLevel | None]) -> SkyLevel | None:
    """Mean of brightnesses, weighted by their pixels; None where none has any.

    The parts are those in which the chips of one exposure overlap the chips of another one.
    """
    present = [level for level in levels if level is not None and level.npix > 0]
    npix = sum(level.npix for level in present)
    if npix == 0:
        return None
    return SkyLevel(sum(level.value * level.npix for level in present) / npix, npix)


def minimum_brightness(levels: Sequence[SkyLevel | None]) -> float | None:
    """Lowest brightness of the chips of one exposure; None where no chip could be measured."""
    return min((level.value for level in levels if level is not None), default=None)


def match_sky(exposures: int, overlaps: Sequence[OverlapSky]) -> tuple[float | None, ...]:
    """Brightness to subtract from each exposure so that they agree where they overlap.

    The solution of least norm of the least squares problem ``W (d_i - d_j) = W (s_i - s_j)``, one
    equation for each overlap, with W the mean of its two numbers of pixels; then shifted so that the
    lowest of all is 0. Groups of exposures that no overlap connects are solved each by itself, with mean
    0, and shifted together.

    Parameters
    ----------
    exposures : int
        Number of exposures.
    overlaps : sequence of OverlapSky
        Pairs of exposures; pairs without pixels in one of the two are left out.

    Returns
    -------
    tuple of float or None
        One for each exposure; None for those that overlap no other one.

    Raises
    ------
    MeasurementError
        An overlap names an exposure that does not exist, or the same one twice.
    """
    valid = [overlap for overlap in overlaps if min(overlap.npix_first, overlap.npix_second) > 0]
    involved = _involved(exposures, valid)
    if not valid:
        return (None,) * exposures
    weight = np.array([0.5 * (overlap.npix_first + overlap.npix_second) for overlap in valid])
    differences = np.array([overlap.sky_first - overlap.sky_second for overlap in valid])
    design = np.zeros((len(valid), exposures))
    rows = np.arange(len(valid))
    design[rows, [overlap.first for overlap in valid]] = weight
    design[rows, [overlap.second for overlap in valid]] = -weight
    deltas = np.linalg.pinv(design, rcond=RANK_TOLERANCE) @ (weight * differences)
    lowest = deltas[sorted(involved)].min()
    return tuple(float(deltas[i] - lowest) if i in involved else None for i in range(exposures))


def solve_sky(
    method: SkyMethod, minima: Sequence[float | None], overlaps: Sequence[OverlapSky] = ()
) -> tuple[float, ...]:
    """Brightness to subtract from every chip of each exposure.

    Parameters
    ----------
    method : SkyMethod
        Which level.
    minima : sequence of float or None
        `minimum_brightness` of each exposure; `SkyMethod.MATCH` uses only their number.
    overlaps : sequence of OverlapSky
        For the two methods that match.

    Returns
    -------
    tuple of float
        One for each exposure; `ChipScale.level` turns it into the value for a chip. 0 where nothing
        could be measured. An exposure that overlaps no other one is not matched: it gets 0 from
        `SkyMethod.MATCH` and the common minimum from `SkyMethod.GLOBALMIN_MATCH`.
    """
    if method is SkyMethod.LOCALMIN:
        return tuple(0.0 if minimum is None else minimum for minimum in minima)
    deltas = [0.0] * len(minima)
    if method is not SkyMethod.GLOBALMIN:
        deltas = [delta or 0.0 for delta in match_sky(len(minima), overlaps)]
    if method is SkyMethod.MATCH:
        return tuple(deltas)
    matched = [minimum - delta for minimum, delta in zip(minima, deltas, strict=True) if minimum is not None]
    common = min(matched, default=0.0)
    return tuple(delta + common for delta in deltas)


def _involved(exposures: int, overlaps: Sequence[OverlapSky]) -> set[int]:
    involved: set[int] = set()
    for overlap in overlaps:
        if overlap.first == overlap.second or not {overlap.first, overlap.second} <= set(range(exposures)):
            raise MeasurementError(f"exposures {overlap.first} and {overlap.second} of {exposures} cannot overlap")
        involved |= {overlap.first, overlap.second}
    return involved
