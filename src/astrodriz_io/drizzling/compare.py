"""The cosmic rays of one chip by comparison with the median, in this process or another."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from astrodriz_core.arrays import Float32Image, Indices, Mask
from astrodriz_core.combine.cosmic_rays import (
    ChipNoise,
    CosmicRayParameters,
    CteTail,
    absolute_derivative,
    find_cosmic_rays,
)
from astrodriz_core.parameters.choices import BlotInterpolation
from astrodriz_io.drizzling.placed import INNER, PlacedChip
from astrodriz_io.drizzling.resample import blot_chip, flagged_places
from astrodriz_io.drizzling.store import Room

__all__ = ["ComparisonTask", "compare_chip"]


@frozen(eq=False)
class ComparisonTask:
    """What is compared, and where the mask goes.

    Attributes
    ----------
    chip : PlacedChip
        On the common grid.
    median : ndarray of float32
        Electrons/s on the common grid.
    interpolation : BlotInterpolation
        How the median is sampled.
    sinscl : float
        Width of the sinc function, pixels.
    added : float
        Sky that is added to the blotted median, electrons.
    noise, search, tail
        For `find_cosmic_rays`.
    mask : Room
        For the mask of the chip.
    """

    chip: PlacedChip
    median: Float32Image
    interpolation: BlotInterpolation
    sinscl: float
    added: float
    noise: ChipNoise
    search: CosmicRayParameters
    tail: CteTail
    mask: Room


def compare_chip(task: ComparisonTask) -> tuple[Mask, Indices]:
    """Cosmic rays of one chip, and the pixels of the ravelled common grid that they lie on."""
    chip = task.chip
    pixel_map = chip.pixel_map()
    blotted = blot_chip(task.median, chip.scale_ratio, pixel_map, task.interpolation, task.sinscl)
    blotted *= np.float32(chip.exptime)
    blotted += np.float32(task.added)
    mask = find_cosmic_rays(
        chip.pixels.sci() * np.float32(chip.electrons_per_unit),
        blotted[INNER],
        task.noise,
        task.search,
        task.tail,
        derivative=absolute_derivative(blotted)[INNER],
    )
    task.mask.put(mask)
    return task.mask.image(), flagged_places(mask, pixel_map[INNER], task.median.shape)
