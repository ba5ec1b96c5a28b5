"""What a run will take, estimated before it begins: a simple model of time and memory, by pixels and exposures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attrs import frozen

from astrodriz_core.records.common import ChipWcs, ExposureWcs
from astrodriz_io.drizzling.frame_checks import CONTEXT, FLAGS, IMAGES, MEDIAN
from astrodriz_io.drizzling.resample import CHIPS_IN_PLANE

__all__ = ["Estimate", "estimate_run", "frame_pixels"]

LOADED_BYTES, LOADED_SECONDS = 350_000_000, 5.0
"""What Python and the libraries take."""

CHIP_BYTES = 100
"""For each pixel of a chip that is under way: image, errors, flags, weights, and its place in the frame."""

CHIP_SECONDS, FRAME_SECONDS = 0.3e-6, 1.1e-6
"""Of one core, for each pixel of an input, and of the frame for each exposure, in one combination.

From the runs of docs/astrometry-measured.md: 25 s for four WFC3/IR exposures, 400 s for four of ACS/WFC with FLTs.
"""

COMBINATIONS = 3
"""Pipeline default, a priori, a posteriori; a stage that is switched off makes none."""


@frozen
class Estimate:
    """What a run will take, by a simple model; on another machine it may be off by a factor of two or three.

    Attributes
    ----------
    input_pixels, frame_pixels : int
        Of all chips, and of the common frame.
    combinations : int
        How many products are made and verified.
    cpu_seconds : float
        Of one core.
    memory_bytes : int
    """

    input_pixels: int
    frame_pixels: int
    combinations: int
    cpu_seconds: float
    memory_bytes: int


def estimate_run(exposures: Sequence[ExposureWcs], *, combinations: int, threads: int, in_memory: bool) -> Estimate:
    """Estimate a run on deciding exposures.

    Seconds are ``5 + combinations * (0.3e-6 * input pixels + 1.1e-6 * exposures * frame pixels)``. Bytes are 350 MB,
    the images of the frame as the drizzle steps count them, and 100 for each pixel of the chips that are under way.

    Parameters
    ----------
    exposures : sequence of ExposureWcs
        One or more.
    combinations : int
        How many products are made: up to `COMBINATIONS`, and one more of the FLT files beside FLC files.
    threads : int
        How many chips are worked on at a time.
    in_memory : bool
        Whether the single images are kept in memory.
    """
    sizes = [chip.naxis[0] * chip.naxis[1] for exposure in exposures for chip in exposure.chips]
    frame, number = frame_pixels(exposures), len(exposures)
    planes = -(-len(sizes) // CHIPS_IN_PLANE)
    images = 2 * IMAGES + CONTEXT * planes + MEDIAN + FLAGS * number + IMAGES * number * in_memory
    under_way = min(threads + 1, len(sizes)) * max(sizes)
    seconds = LOADED_SECONDS + combinations * (CHIP_SECONDS * sum(sizes) + FRAME_SECONDS * number * frame)
    memory = LOADED_BYTES + images * frame + CHIP_BYTES * under_way
    return Estimate(sum(sizes), frame, combinations, seconds, memory)


def frame_pixels(exposures: Sequence[ExposureWcs]) -> int:
    """Pixels of the box around all chips in the orientation of the first one, as if the sky were flat there."""
    first = exposures[0].chips[0]
    corners = np.concatenate([_corners(chip, first) for exposure in exposures for chip in exposure.chips])
    sides = np.ceil(corners.max(axis=0) - corners.min(axis=0))
    return int(sides.prod())


def _corners(chip: ChipWcs, first: ChipWcs) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Corners of a chip in pixels of the first one, shape (4, 2), by the linear terms alone."""
    nx, ny = chip.naxis
    pixels = np.array([[0.5, 0.5], [nx + 0.5, 0.5], [0.5, ny + 0.5], [nx + 0.5, ny + 0.5]]) - chip.crpix
    east = (chip.crval[0] - first.crval[0] + 180.0) % 360.0 - 180.0
    apart = np.array([east * np.cos(np.deg2rad(first.crval[1])), chip.crval[1] - first.crval[1]])
    offsets = pixels @ np.array(chip.cd).T + apart
    return np.linalg.solve(np.array(first.cd), offsets.T).T
