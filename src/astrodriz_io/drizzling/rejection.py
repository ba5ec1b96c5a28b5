"""Cosmic rays: median of the single-drizzled images, blotted back, compared with every chip."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from astrodriz_core.arrays import Float32Image, Mask
from astrodriz_core.combine.cosmic_rays import ChipNoise, CosmicRayParameters, CteTail
from astrodriz_core.combine.median import CombineParameters
from astrodriz_core.combine.minmed import ExposureNoise
from astrodriz_core.combine.stack import combine, low_weight_limit
from astrodriz_core.instruments.detectors import ReadoutDirection, readout_direction
from astrodriz_core.measure.images import DrizzledImage
from astrodriz_core.names import ChipKey
from astrodriz_io.drizzling.chips import DrizzleChip, DrizzleExposure
from astrodriz_io.drizzling.compare import ComparisonTask, compare_chip
from astrodriz_io.drizzling.inputs import CombinationInputs

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
    resources, chips = inputs.resources, inputs.chips
    reference = resources.store.put("median", median)
    tasks = (_task(inputs, reference, chip) for chip in chips)
    results = resources.workers.map(compare_chip, tasks, inputs.separable_work)
    for chip, (mask, places) in zip(chips, resources.progress.track(results, "cosmic rays", len(chips)), strict=True):
        masks[chip.key] = mask
        plane = planes.setdefault(chip.exposure.rootname, np.zeros(inputs.frame.shape, dtype=bool))
        np.put(plane, places, True)
    return masks, planes


def _task(inputs: CombinationInputs, median: Float32Image, chip: DrizzleChip) -> ComparisonTask:
    parameters = inputs.parameters
    sky = inputs.native_sky(chip) * chip.electrons_per_unit
    return ComparisonTask(
        chip=inputs.placed(chip, inputs.frame),
        median=median,
        interpolation=parameters.blot_interp,
        sinscl=parameters.blot_sinscl,
        added=sky if parameters.blot_addsky else parameters.blot_skyval * chip.electrons_per_unit,
        # The sky is in the blotted image already: once more stands for the noise of the median itself.
        noise=ChipNoise(read_noise=chip.read_noise, sky=sky),
        search=CosmicRayParameters(
            snr=parameters.driz_cr_snr,
            scale=parameters.driz_cr_scale,
            grow=parameters.driz_cr_grow,
            ctegrow=parameters.driz_cr_ctegrow,
        ),
        tail=TAILS[readout_direction(chip.exposure.description, chip.chip.electronics)],
        mask=inputs.resources.store.reserve(f"{chip.key}_cosmic_rays", chip.chip.shape, np.bool_),
    )


def _noise(inputs: CombinationInputs, exposure: DrizzleExposure) -> ExposureNoise:
    skies = [inputs.native_sky(chip) * chip.electrons_per_unit for chip in exposure.chips]
    variances = [chip.read_noise**2 for chip in exposure.chips]
    return ExposureNoise(exptime=exposure.exptime, sky=min(skies), read_noise=float(np.sqrt(np.mean(variances))))
