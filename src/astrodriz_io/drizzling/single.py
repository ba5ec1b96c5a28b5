"""The single-drizzled image of one exposure, in this process or another."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from astrodriz_core.measure.images import DrizzledImage
from astrodriz_io.drizzling.placed import INNER, PlacedChip
from astrodriz_io.drizzling.resample import add_chip, flagged_places, new_drizzle, without_margin
from astrodriz_io.drizzling.store import Room

__all__ = ["SingleTask", "drizzle_single"]


@frozen(eq=False)
class SingleTask:
    """What is to be drizzled, and where the image goes.

    Attributes
    ----------
    name : str
        Rootname of the exposure.
    chips : tuple of PlacedChip
        On the frame with its margin.
    shape : tuple of int
        (ny, nx) of that.
    margin : int
        Pixels on each side that are cut off at the end.
    kernel : str
        Name of the kernel.
    fill : float or None
        Value of pixels without data; None for NaN.
    pixfrac : float
        Side of the drop, in detector pixels.
    bits : int or None
        DQ bits that do not make a pixel bad.
    saturation_bits : int
        DQ bits of saturated pixels.
    sci, wht, saturated : Room
        For the image, without the margin.
    """

    name: str
    chips: tuple[PlacedChip, ...]
    shape: tuple[int, int]
    margin: int
    kernel: str
    fill: float | None
    pixfrac: float
    bits: int | None
    saturation_bits: int
    sci: Room
    wht: Room
    saturated: Room


def drizzle_single(task: SingleTask) -> DrizzledImage:
    """Drizzle the chips of one exposure together, electrons/s; weights are seconds."""
    drizzle = new_drizzle(task.shape, task.kernel, task.fill, len(task.chips), context=False)
    saturated = np.zeros(task.shape, dtype=bool)
    for chip in task.chips:
        pixel_map = chip.pixel_map()
        rate, good = chip.signal(task.bits)
        add_chip(drizzle, chip, rate, (chip.exptime * good).astype(np.float32), pixel_map, task.pixfrac)
        flags = (chip.pixels.dq() & task.saturation_bits) != 0
        np.put(saturated, flagged_places(flags, pixel_map[INNER], task.shape), True)
    for room, image in ((task.sci, drizzle.out_img), (task.wht, drizzle.out_wht), (task.saturated, saturated)):
        room.put(without_margin(image, task.margin))
    return DrizzledImage(
        name=task.name,
        sci=task.sci.image(),
        wht=task.wht.image(),
        exptime=task.chips[0].exptime,
        saturated=task.saturated.image(),
    )
