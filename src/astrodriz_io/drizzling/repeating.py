"""A combination made again from what was measured the first time: nothing is detected, nothing is fitted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

from astrodriz_core.errors import RecordError
from astrodriz_core.parameters.drizzle import DrizzleParameters
from astrodriz_core.records.drizzling import DrizzleRecord, OutputFrame
from astrodriz_io.drizzling.chips import load_exposure
from astrodriz_io.drizzling.combination import Combination
from astrodriz_io.drizzling.final import drizzle_together
from astrodriz_io.drizzling.frame_checks import check_frames, product_use
from astrodriz_io.drizzling.inputs import ChipMasks, CombinationInputs, RegionMasks
from astrodriz_io.drizzling.resources import DrizzleResources

__all__ = ["RecordedCombination", "repeat_combination"]

REMEDY = "Give the record that the run wrote."


@frozen(eq=False)
class RecordedCombination:
    """What a combination measured.

    Attributes
    ----------
    record : DrizzleRecord
        Exposures, frames, sky.
    static : mapping
        Static mask by `DrizzleChip.detector_region`.
    cosmic_rays : mapping
        Cosmic-ray mask by `DrizzleChip.key`.
    """

    record: DrizzleRecord
    static: RegionMasks
    cosmic_rays: ChipMasks


def repeat_combination(
    files: Sequence[Path],
    parameters: DrizzleParameters,
    measured: RecordedCombination,
    resources: DrizzleResources,
) -> Combination:
    """Drizzle exposures together as an earlier combination did; see `combine_exposures`.

    There are no single-drizzled images: they serve to find cosmic rays and to verify, which was done.

    Raises
    ------
    RecordError
        The exposures, their chips or the shapes of their masks are not those of the record, or its frame cannot be
        filled.
    """
    record = measured.record
    if record.product_frame is None:
        raise RecordError("The record does not have the frame of the product.")
    loaded = [load_exposure(file, coeffs=parameters.coeffs, resetbits=parameters.resetbits) for file in files]
    exposures = tuple(exposure for exposure in loaded if exposure.rootname in record.exposures)
    inputs = CombinationInputs(
        exposures=exposures,
        default_frame=record.frame,
        frame=record.frame,
        product_frame=record.product_frame,
        parameters=parameters,
        static=measured.static,
        sky={sky.key: sky.value for sky in record.sky},
        resources=resources,
    )
    _check(inputs, measured)
    use = product_use(record.product_frame, exposures, context=parameters.context, request=None)
    check_frames((use,), exposures, resources.store, recorded=True)
    final = drizzle_together(inputs, record.product_frame, measured.cosmic_rays)
    return Combination(record, inputs, final, (), measured.cosmic_rays)


def _check(inputs: CombinationInputs, measured: RecordedCombination) -> None:
    _check_grid(inputs.product_frame)
    recorded = [sky.key for sky in measured.record.sky]
    if [chip.key for chip in inputs.chips] != recorded:
        raise RecordError("The chips of the exposures are not those of the record.")
    for chip in inputs.chips:
        masks = (measured.cosmic_rays.get(chip.key), measured.static.get(chip.detector_region))
        if any(mask is not None and mask.shape != chip.chip.shape for mask in masks):
            raise RecordError("A mask has another shape than its chip.", where=f"{chip.exposure.path.name}")


def _check_grid(frame: OutputFrame) -> None:
    """A record is a text that anybody can change."""
    numbers = (*frame.crval, *frame.crpix, *frame.cd[0], *frame.cd[1])
    if min(frame.shape) < 1 or not all(map(math.isfinite, numbers)) or frame.pixel_scale_arcsec == 0.0:
        raise RecordError("The record has a frame without pixels, or without a scale.", remedy=REMEDY)
