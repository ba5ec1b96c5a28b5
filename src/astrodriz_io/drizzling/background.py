"""Static masks and sky of the exposures of one combination, measured on their own pixels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np

from astrodriz_core.arrays import Array, Float32Image
from astrodriz_core.combine.polygons import polygon_mask
from astrodriz_core.combine.sky import (
    ChipScale,
    OverlapSky,
    SkyLevel,
    measure_sky,
    minimum_brightness,
    pool_levels,
    solve_sky,
)
from astrodriz_core.combine.static_mask import static_mask
from astrodriz_core.combine.statistics import ClippingParameters
from astrodriz_core.instruments.dq import good_pixels
from astrodriz_core.names import ChipKey
from astrodriz_core.parameters.choices import SkyMethod
from astrodriz_core.parameters.drizzle import DrizzleParameters
from astrodriz_io.drizzling.chips import DrizzleChip, DrizzleExposure
from astrodriz_io.drizzling.inputs import Mask, RegionMasks

__all__ = ["measure_skies", "static_masks"]

DEFAULT_BIN_WIDTH = 0.1
"""Width of a bin of the sky's histogram, in sigma, where ``skywidth`` is INDEF: AstroDrizzle's default."""


def static_masks(exposures: Sequence[DrizzleExposure], parameters: DrizzleParameters) -> dict[str, Mask]:
    """Static mask of every region of the detector, by `DrizzleChip.detector_region`; none where the step is off."""
    if not parameters.static:
        return {}
    by_region: dict[str, list[DrizzleChip]] = {}
    for exposure in exposures:
        for chip in exposure.chips:
            by_region.setdefault(chip.detector_region, []).append(chip)
    return {
        region: static_mask((chip.sci() for chip in chips), parameters.static_sig)[0]
        for region, chips in by_region.items()
    }


def measure_skies(
    exposures: Sequence[DrizzleExposure], static: RegionMasks, parameters: DrizzleParameters
) -> dict[ChipKey, float]:
    """Sky to subtract from every chip, by `DrizzleChip.key`, in native units; none where the step is off.

    With fewer than two exposures there is nothing to match, and nothing is subtracted.
    """
    method = parameters.skymethod
    matching = method in (SkyMethod.MATCH, SkyMethod.GLOBALMIN_MATCH)
    if not parameters.skysub or (matching and len(exposures) < 2):
        return {}
    regions = _overlaps(exposures) if matching else {}
    minima, levels = [], {}
    for index, exposure in enumerate(exposures):
        minimum, in_overlaps = _measure_exposure(exposure, regions.get(index, {}), static, parameters)
        minima.append(minimum)
        levels[index] = in_overlaps
    brightness = solve_sky(method, minima, tuple(_pairs(levels)))
    return {
        chip.key: _scale(chip).level(value)
        for exposure, value in zip(exposures, brightness, strict=True)
        for chip in exposure.chips
    }


Polygons = Mapping[int, Mapping[ChipKey, Sequence[Array]]]
"""For each other exposure and each chip key: where the other's chips lie, in pixels of this chip."""


def _overlaps(exposures: Sequence[DrizzleExposure]) -> dict[int, Polygons]:
    corners = [[_sky_corners(chip) for chip in exposure.chips] for exposure in exposures]
    return {
        index: {
            other: {chip.key: [_in_pixels(chip, sky) for sky in corners[other]] for chip in exposure.chips}
            for other in range(len(exposures))
            if other != index
        }
        for index, exposure in enumerate(exposures)
    }


def _sky_corners(chip: DrizzleChip) -> Array:
    """Right ascension and declination of the outer corners of a chip, shape (4, 2)."""
    ny, nx = chip.chip.shape
    corners = np.array([(-0.5, -0.5), (nx - 0.5, -0.5), (nx - 0.5, ny - 0.5), (-0.5, ny - 0.5)])
    sky: Array = chip.wcs.all_pix2world(corners, 0)
    return sky


def _in_pixels(chip: DrizzleChip, sky: Array) -> Array:
    """Where points of the sky lie in pixels of a chip.

    Without the chip's distortion, which is not defined beyond its edges: a border of the overlap that is
    wrong by a few pixels does not matter to its sky level.
    """
    pixels: Array = chip.wcs.wcs_world2pix(sky, 0)
    return pixels


def _measure_exposure(
    exposure: DrizzleExposure, regions: Polygons, static: RegionMasks, parameters: DrizzleParameters
) -> tuple[float | None, dict[int, SkyLevel]]:
    """Minimum brightness of an exposure, and its brightness where it overlaps each other exposure."""
    whole: list[SkyLevel | None] = []
    parts: dict[int, list[SkyLevel | None]] = {other: [] for other in regions}
    for chip in exposure.chips:
        image, good = chip.sci(), _sky_pixels(chip, static, parameters)
        if parameters.skymethod is not SkyMethod.MATCH:
            whole.append(_brightness(chip, image, good, parameters))
        for other, polygons in regions.items():
            for polygon in polygons[chip.key]:
                inside = polygon_mask(polygon, image.shape) & good
                parts[other].append(_brightness(chip, image, inside, parameters) if inside.any() else None)
    pooled = {other: pool_levels(levels) for other, levels in parts.items()}
    return minimum_brightness(whole), {other: level for other, level in pooled.items() if level is not None}


def _sky_pixels(chip: DrizzleChip, static: RegionMasks, parameters: DrizzleParameters) -> Mask:
    good = good_pixels(chip.dq(), parameters.sky_bits)
    if parameters.use_static and chip.detector_region in static:
        good &= ~static[chip.detector_region]
    return good


def _brightness(chip: DrizzleChip, image: Float32Image, good: Mask, parameters: DrizzleParameters) -> SkyLevel | None:
    clipping = ClippingParameters(
        lower=parameters.skylower,
        upper=parameters.skyupper,
        nclip=parameters.skyclip,
        lsigma=parameters.skylsigma,
        usigma=parameters.skyusigma,
        binwidth=DEFAULT_BIN_WIDTH if parameters.skywidth is None else parameters.skywidth,
    )
    level = measure_sky(image, good, parameters.skystat, clipping)
    return None if level is None else _scale(chip).brightness(level)


def _scale(chip: DrizzleChip) -> ChipScale:
    return ChipScale(chip.pixel_scale_arcsec, None if chip.chip.unit.is_rate else chip.exptime)


def _pairs(levels: Mapping[int, Mapping[int, SkyLevel]]) -> Iterator[OverlapSky]:
    for first, second in combinations(sorted(levels), 2):
        if second in levels[first] and first in levels[second]:
            one, two = levels[first][second], levels[second][first]
            yield OverlapSky(first, second, one.value, two.value, one.npix, two.npix)
