"""Separate drizzle: every exposure by itself on the common grid."""

from __future__ import annotations

from functools import partial

import numpy as np

from astrodriz_core.measure.images import DrizzledImage
from astrodriz_io.drizzling.chips import DrizzleExposure
from astrodriz_io.drizzling.frame import INNER, drizzle_margin, padded_frame
from astrodriz_io.drizzling.inputs import CombinationInputs
from astrodriz_io.drizzling.resample import add_chip, new_drizzle, project_flags, without_margin
from astrodriz_io.runtime.parallel import ordered_map

__all__ = ["drizzle_separately"]


def drizzle_separately(inputs: CombinationInputs) -> tuple[DrizzledImage, ...]:
    """Drizzle each exposure onto the common grid, electrons/s, cosmic rays left in.

    Parameters
    ----------
    inputs : CombinationInputs
        The combination.

    Returns
    -------
    tuple of DrizzledImage
        One for each exposure, kept in the store. Weights are seconds.
    """
    work = partial(_drizzle_exposure, inputs)
    images = ordered_map(work, inputs.exposures, inputs.resources.threads)
    return tuple(inputs.resources.progress.track(images, "separate drizzle", len(inputs.exposures)))


def _drizzle_exposure(inputs: CombinationInputs, exposure: DrizzleExposure) -> DrizzledImage:
    parameters = inputs.parameters
    margin = drizzle_margin(inputs.frame, exposure.chips)
    frame = padded_frame(inputs.frame, margin)
    kernel, fill = parameters.driz_sep_kernel.value, parameters.driz_sep_fillval
    drizzle = new_drizzle(frame, kernel, fill, len(exposure.chips), context=False)
    saturated = np.zeros(frame.shape, dtype=bool)
    for chip in exposure.chips:
        pixel_map = inputs.pixel_map(chip, frame)
        inner = pixel_map[INNER]
        rate, good = inputs.signal(chip, parameters.driz_sep_bits)
        add_chip(
            drizzle,
            chip,
            frame,
            rate,
            (chip.exptime * good).astype(np.float32),
            pixel_map,
            parameters.driz_sep_pixfrac,
        )
        project_flags(chip.saturated(), inner, saturated)
    return DrizzledImage(
        name=exposure.rootname,
        sci=inputs.resources.store.put(f"{exposure.rootname}_single_sci", without_margin(drizzle.out_img, margin)),
        wht=inputs.resources.store.put(f"{exposure.rootname}_single_wht", without_margin(drizzle.out_wht, margin)),
        exptime=exposure.exptime,
        saturated=without_margin(saturated, margin),
    )
