"""Separate drizzle: every exposure by itself on the common grid."""

from __future__ import annotations

import numpy as np

from astrodriz_core.measure.images import DrizzledImage
from astrodriz_io.drizzling.chips import DrizzleExposure
from astrodriz_io.drizzling.frame import drizzle_margin, padded_frame
from astrodriz_io.drizzling.inputs import CombinationInputs
from astrodriz_io.drizzling.single import SingleTask, drizzle_single

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
    resources = inputs.resources
    tasks = (_task(inputs, exposure) for exposure in inputs.exposures)
    images = resources.workers.map(drizzle_single, tasks, inputs.separable_work)
    return tuple(resources.progress.track(images, "separate drizzle", len(inputs.exposures)))


def _task(inputs: CombinationInputs, exposure: DrizzleExposure) -> SingleTask:
    parameters, store = inputs.parameters, inputs.resources.store
    margin = drizzle_margin(inputs.frame, exposure.chips)
    frame = padded_frame(inputs.frame, margin)
    return SingleTask(
        name=exposure.rootname,
        chips=tuple(inputs.placed(chip, frame) for chip in exposure.chips),
        shape=frame.shape,
        margin=margin,
        kernel=parameters.driz_sep_kernel.value,
        fill=parameters.driz_sep_fillval,
        pixfrac=parameters.driz_sep_pixfrac,
        bits=parameters.driz_sep_bits,
        saturation_bits=exposure.exposure.description.saturation_bits,
        sci=store.reserve(f"{exposure.rootname}_single_sci", inputs.frame.shape, np.float32),
        wht=store.reserve(f"{exposure.rootname}_single_wht", inputs.frame.shape, np.float32),
        saturated=store.reserve(f"{exposure.rootname}_single_saturated", inputs.frame.shape, np.bool_),
    )
