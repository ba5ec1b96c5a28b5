"""Static masks and sky of the exposures of one combination, measured on their own pixels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np

from astrodriz_core.arrays import Array, Mask
from astrodriz_core.combine.sky import ChipScale, OverlapSky, SkyLevel, solve_sky
from astrodriz_core.names import ChipKey
from astrodriz_core.parameters.choices import SkyMethod
from astrodriz_core.parameters.drizzle import DrizzleParameters
from astrodriz_io.drizzling.chips import DrizzleChip, DrizzleExposure
from astrodriz_io.drizzling.inputs import RegionMasks
from astrodriz_io.drizzling.levels import (
    ChipSkyTask,
    SkyTask,
    StaticMaskTask,
    make_static_mask,
    measure_exposure_sky,
)
from astrodriz_io.drizzling.resources import DrizzleResources

__all__ = ["measure_skies", "static_masks"]


def static_masks(
    exposures: Sequence[DrizzleExposure], parameters: DrizzleParameters, resources: DrizzleResources
) -> dict[str, Mask]:
    """Static mask of every region of the detector, by `DrizzleChip.detector_region`; none where the step is off."""
    if not parameters.static:
        return {}
    by_region: dict[str, list[DrizzleChip]] = {}
    for exposure in exposures:
        for chip in exposure.chips:
            by_region.setdefault(chip.detector_region, []).append(chip)
    tasks = (
        StaticMaskTask(
            chips=tuple(chip.pixels for chip in chips),
            sigma=parameters.static_sig,
            mask=resources.store.reserve(f"static mask of {region}", chips[0].chip.shape, np.bool_),
        )
        for region, chips in by_region.items()
    )
    masks = resources.workers.map(make_static_mask, tasks, resources.separable_work(exposures))
    return dict(zip(by_region, masks, strict=True))


def measure_skies(
    exposures: Sequence[DrizzleExposure],
    static: RegionMasks,
    parameters: DrizzleParameters,
    resources: DrizzleResources,
) -> dict[ChipKey, float]:
    """Sky to subtract from every chip, by `DrizzleChip.key`, in native units; none where the step is off.

    With fewer than two exposures there is nothing to match, and nothing is subtracted.
    """
    method = parameters.skymethod
    matching = method in (SkyMethod.MATCH, SkyMethod.GLOBALMIN_MATCH)
    if not parameters.skysub or (matching and len(exposures) < 2):
        return {}
    regions = _overlaps(exposures) if matching else {}
    tasks = (
        SkyTask(tuple(_chip_sky(chip, regions.get(index, {}), static) for chip in exposure.chips), parameters)
        for index, exposure in enumerate(exposures)
    )
    measured = list(resources.workers.map(measure_exposure_sky, tasks, resources.separable_work(exposures)))
    minima, levels = [minimum for minimum, _ in measured], dict(enumerate(in_overlaps for _, in_overlaps in measured))
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


def _chip_sky(chip: DrizzleChip, regions: Polygons, static: RegionMasks) -> ChipSkyTask:
    return ChipSkyTask(
        pixels=chip.pixels,
        scale=_scale(chip),
        static=static.get(chip.detector_region),
        regions={other: tuple(polygons[chip.key]) for other, polygons in regions.items()},
    )


def _scale(chip: DrizzleChip) -> ChipScale:
    return ChipScale(chip.pixel_scale_arcsec, None if chip.chip.unit.is_rate else chip.exptime)


def _pairs(levels: Mapping[int, Mapping[int, SkyLevel]]) -> Iterator[OverlapSky]:
    for first, second in combinations(sorted(levels), 2):
        if second in levels[first] and first in levels[second]:
            one, two = levels[first][second], levels[second][first]
            yield OverlapSky(first, second, one.value, two.value, one.npix, two.npix)
