"""Static mask of a region of the detector and sky of an exposure, in this process or another."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from astrodriz_core.arrays import Array, Float32Image, Mask
from astrodriz_core.combine.polygons import polygon_mask
from astrodriz_core.combine.sky import ChipScale, SkyLevel, measure_sky, minimum_brightness, pool_levels
from astrodriz_core.combine.static_mask import static_mask
from astrodriz_core.combine.statistics import ClippingParameters
from astrodriz_core.instruments.dq import good_pixels
from astrodriz_core.parameters.choices import SkyMethod
from astrodriz_core.parameters.drizzle import DrizzleParameters
from astrodriz_io.drizzling.placed import ChipPixels
from astrodriz_io.drizzling.store import Room

__all__ = ["ChipSkyTask", "SkyTask", "StaticMaskTask", "make_static_mask", "measure_exposure_sky"]

DEFAULT_BIN_WIDTH = 0.1
"""Width of a bin of the sky's histogram, in sigma, where ``skywidth`` is INDEF: AstroDrizzle's default."""


@frozen(eq=False)
class StaticMaskTask:
    """The chips of all exposures through one region, the limit in sigma, and where the mask goes."""

    chips: tuple[ChipPixels, ...]
    sigma: float
    mask: Room


@frozen(eq=False)
class ChipSkyTask:
    """A chip on which the sky is measured.

    Attributes
    ----------
    pixels : ChipPixels
        Its arrays.
    scale : ChipScale
        What makes a brightness of a level.
    static : ndarray of bool, or None
        Static mask, True = bad.
    regions : mapping of int to tuple of ndarray, shape (n, 2)
        For each other exposure: where its chips lie, in pixels of this chip.
    """

    pixels: ChipPixels
    scale: ChipScale
    static: Mask | None
    regions: Mapping[int, tuple[Array, ...]]


@frozen(eq=False)
class SkyTask:
    """The chips of an exposure, and how the sky is measured."""

    chips: tuple[ChipSkyTask, ...]
    parameters: DrizzleParameters


def make_static_mask(task: StaticMaskTask) -> Mask:
    """The static mask of one region."""
    mask, _ = static_mask((chip.sci() for chip in task.chips), task.sigma)
    task.mask.put(mask)
    kept: Mask = task.mask.image()
    return kept


def measure_exposure_sky(task: SkyTask) -> tuple[float | None, dict[int, SkyLevel]]:
    """Minimum brightness of an exposure, and its brightness where it overlaps each other exposure."""
    whole: list[SkyLevel | None] = []
    parts: dict[int, list[SkyLevel | None]] = {}
    for chip in task.chips:
        image, good = chip.pixels.sci(), _sky_pixels(chip, task.parameters)
        if task.parameters.skymethod is not SkyMethod.MATCH:
            whole.append(_brightness(chip, image, good, task.parameters))
        for other, polygons in chip.regions.items():
            for polygon in polygons:
                inside = polygon_mask(polygon, image.shape) & good
                level = _brightness(chip, image, inside, task.parameters) if inside.any() else None
                parts.setdefault(other, []).append(level)
    pooled = {other: pool_levels(levels) for other, levels in parts.items()}
    return minimum_brightness(whole), {other: level for other, level in pooled.items() if level is not None}


def _sky_pixels(chip: ChipSkyTask, parameters: DrizzleParameters) -> Mask:
    good = good_pixels(chip.pixels.dq(), parameters.sky_bits)
    if parameters.use_static and chip.static is not None:
        good &= ~chip.static
    return good


def _brightness(chip: ChipSkyTask, image: Float32Image, good: Mask, parameters: DrizzleParameters) -> SkyLevel | None:
    clipping = ClippingParameters(
        lower=parameters.skylower,
        upper=parameters.skyupper,
        nclip=parameters.skyclip,
        lsigma=parameters.skylsigma,
        usigma=parameters.skyusigma,
        binwidth=DEFAULT_BIN_WIDTH if parameters.skywidth is None else parameters.skywidth,
    )
    level = measure_sky(image, good, parameters.skystat, clipping)
    return None if level is None else chip.scale.brightness(level)
