"""Cosmic rays: median of the single-drizzled images, blotted back, compared with every chip."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from astrodriz_core.arrays import Array, Float32Image
from astrodriz_core.combine.cosmic_rays import (
    ChipNoise,
    CosmicRayParameters,
    CteTail,
    absolute_derivative,
    find_cosmic_rays,
)
from astrodriz_core.combine.median import CombineParameters
from astrodriz_core.combine.minmed import ExposureNoise
from astrodriz_core.combine.stack import combine, low_weight_limit
from astrodriz_core.instruments.detectors import ReadoutDirection, readout_direction
from astrodriz_core.measure.images import DrizzledImage
from astrodriz_core.names import ChipKey
from astrodriz_io.drizzling.chips import DrizzleChip, DrizzleExposure
from astrodriz_io.drizzling.frame import INNER
from astrodriz_io.drizzling.inputs import CombinationInputs, Mask
from astrodriz_io.drizzling.resample import blot_chip, project_flags
from astrodriz_io.runtime.parallel import ordered_map

__all__ = ["combine_median", "flag_cosmic_rays"]

TAILS = {
    ReadoutDirection.DOWN: CteTail.TOWARDS_LARGER_Y,
    ReadoutDirection.UP: CteTail.TOWARDS_SMALLER_Y,
    ReadoutDirection.NONE: CteTail.NONE,
}


def combine_median(inputs: CombinationInputs, singles: Sequence[DrizzledImage]) -> Float32Image:
    """Combine the single-drizzled images into one without cosmic rays, electrons/s."""
    parameters = inputs.parameters
    limits = [low_weight_limit(single.wht, parameters.combine_maskpt) for single in singles]
    return combine(
        [single.sci for single in singles],
        [single.wht for single in singles],
        [_noise(inputs, exposure) for exposure in inputs.exposures],
        CombineParameters(
            combine_type=parameters.combine_type,
            nlow=parameters.combine_nlow,
            nhigh=parameters.combine_nhigh,
            lthresh=parameters.combine_lthresh,
            hthresh=parameters.combine_hthresh,
            nsigma=parameters.combine_nsigma,
            grow=parameters.combine_grow,
        ),
        low_weights=limits if parameters.median_newmasks else None,
    )


def flag_cosmic_rays(inputs: CombinationInputs, median: Float32Image) -> tuple[dict[ChipKey, Mask], dict[str, Mask]]:
    """Find the cosmic rays of every chip.

    Parameters
    ----------
    inputs : CombinationInputs
        The combination.
    median : ndarray of float32
        From `combine_median`.

    Returns
    -------
    masks : dict
        By `DrizzleChip.key`: True = cosmic ray, on the detector.
    planes : dict
        By rootname: the same, projected onto the common grid.
    """
    masks: dict[ChipKey, Mask] = {}
    planes: dict[str, Mask] = {}
    chips = inputs.chips
    results = ordered_map(partial(_compare, inputs, median), chips, inputs.resources.threads)
    for chip, (mask, pixel_map) in zip(
        chips, inputs.resources.progress.track(results, "cosmic rays", len(chips)), strict=True
    ):
        masks[chip.key] = inputs.resources.store.put(f"{chip.key}_cosmic_rays", mask)
        plane = planes.setdefault(chip.exposure.rootname, np.zeros(inputs.frame.shape, dtype=bool))
        project_flags(mask, pixel_map, plane)
    return masks, planes


def _compare(inputs: CombinationInputs, median: Float32Image, chip: DrizzleChip) -> tuple[Mask, Array]:
    """Cosmic rays of one chip, and its map into the common grid."""
    parameters = inputs.parameters
    pixel_map = inputs.pixel_map(chip, inputs.frame)
    blotted = blot_chip(median, chip, inputs.frame, pixel_map, parameters.blot_interp, parameters.blot_sinscl)
    blotted *= np.float32(chip.exptime)
    sky = inputs.native_sky(chip) * chip.electrons_per_unit
    added = sky if parameters.blot_addsky else parameters.blot_skyval * chip.electrons_per_unit
    blotted += np.float32(added)
    mask = find_cosmic_rays(
        chip.sci() * np.float32(chip.electrons_per_unit),
        blotted[INNER],
        # The sky is in the blotted image already: once more stands for the noise of the median itself.
        ChipNoise(read_noise=chip.read_noise, sky=sky),
        CosmicRayParameters(
            snr=parameters.driz_cr_snr,
            scale=parameters.driz_cr_scale,
            grow=parameters.driz_cr_grow,
            ctegrow=parameters.driz_cr_ctegrow,
        ),
        TAILS[readout_direction(chip.exposure.description, chip.chip.electronics)],
        derivative=absolute_derivative(blotted)[INNER],
    )
    return mask, pixel_map[INNER]


def _noise(inputs: CombinationInputs, exposure: DrizzleExposure) -> ExposureNoise:
    skies = [inputs.native_sky(chip) * chip.electrons_per_unit for chip in exposure.chips]
    variances = [chip.read_noise**2 for chip in exposure.chips]
    return ExposureNoise(exptime=exposure.exptime, sky=min(skies), read_noise=float(np.sqrt(np.mean(variances))))
