"""One combination of a set of exposures, from their files to a product image and cosmic-ray masks."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from attrs import evolve, frozen

from astrodriz_core.arrays import Mask
from astrodriz_core.combine.masks import pack_mask
from astrodriz_core.measure.images import DrizzledImage
from astrodriz_core.parameters.drizzle import DrizzleParameters
from astrodriz_core.records.drizzling import (
    ChipSky,
    CosmicRayCount,
    DrizzleRecord,
    ExcludedExposure,
    MaskDigest,
    StaticMaskCount,
)
from astrodriz_io.drizzling.background import measure_skies, static_masks
from astrodriz_io.drizzling.chips import DrizzleExposure, load_exposure
from astrodriz_io.drizzling.final import FinalImage, drizzle_together
from astrodriz_io.drizzling.frame import common_frame, requested_frame
from astrodriz_io.drizzling.frame_checks import check_frames, product_use, separate_use
from astrodriz_io.drizzling.inputs import ChipMasks, CombinationInputs
from astrodriz_io.drizzling.rejection import combine_median, flag_cosmic_rays
from astrodriz_io.drizzling.resources import DrizzleResources
from astrodriz_io.drizzling.separate import drizzle_separately
from astrodriz_io.drizzling.viability import viable_exposures
from astrodriz_io.runtime.library_warnings import library_warnings

__all__ = ["Combination", "combine_exposures"]


@frozen(eq=False)
class Combination:
    """What one drizzle run made of a set of exposures.

    Attributes
    ----------
    record : DrizzleRecord
        Everything that was measured on the way.
    inputs : CombinationInputs
        Exposures, frame, masks and sky that went in.
    final : FinalImage
        The product's arrays.
    singles : tuple of DrizzledImage
        The single-drizzled images on the common grid; empty for one exposure and where a combination is repeated.
    cosmic_rays : mapping
        Cosmic-ray mask of every chip.
    """

    record: DrizzleRecord
    inputs: CombinationInputs
    final: FinalImage
    singles: tuple[DrizzledImage, ...]
    cosmic_rays: ChipMasks

    def at(self, files: Mapping[str, Path]) -> Combination:
        """The same combination, of exposures whose files have been moved; `files` are the new ones by rootname."""
        exposures = tuple(exposure.at(files[exposure.rootname]) for exposure in self.inputs.exposures)
        return evolve(self, inputs=evolve(self.inputs, exposures=exposures))


@library_warnings()
def combine_exposures(
    files: Sequence[Path],
    parameters: DrizzleParameters,
    resources: DrizzleResources,
    *,
    title: str = "this combination",
) -> Combination:
    """Run all drizzle steps on a set of exposures; their files are only read.

    Parameters
    ----------
    files : sequence of Path
        FLC or FLT files, with the WCS under which they are to be combined.
    parameters : DrizzleParameters
        The parameters of all steps.
    resources : DrizzleResources
        With which the steps work; the result does not depend on them.
    title : str
        What the record calls this combination.

    Raises
    ------
    NoViableDataError
        No exposure has anything to give; the message says why each was left out.
    UsageError, ResourceError
        A frame cannot be filled; see `check_frames`.
    """
    loaded = [load_exposure(file, coeffs=parameters.coeffs, resetbits=parameters.resetbits) for file in files]
    exposures, excluded = viable_exposures(loaded, parameters)
    inputs = _combination_inputs(exposures, parameters, resources)
    rejecting = parameters.driz_cr and len(exposures) > 1
    # Whatever driz_separate says: the verification needs them wherever there is something to compare.
    singles = drizzle_separately(inputs) if len(exposures) > 1 else ()
    cosmic_rays: ChipMasks = {}
    if rejecting:
        cosmic_rays, planes = flag_cosmic_rays(inputs, combine_median(inputs, singles))
        singles = tuple(evolve(single, cosmic_rays=planes[single.name]) for single in singles)
    final = drizzle_together(inputs, inputs.product_frame, cosmic_rays)
    record = _record(inputs, excluded, cosmic_rays, title)
    return Combination(record, inputs, final, singles, cosmic_rays)


def _combination_inputs(
    exposures: tuple[DrizzleExposure, ...], parameters: DrizzleParameters, resources: DrizzleResources
) -> CombinationInputs:
    default_frame = common_frame(exposures)
    frame = requested_frame(default_frame, parameters.separate_frame)
    product_frame = requested_frame(default_frame, parameters.final_frame)
    uses = (
        separate_use(frame, exposures, in_memory=resources.store.in_memory, request=parameters.separate_frame),
        product_use(product_frame, exposures, context=parameters.context, request=parameters.final_frame),
    )
    check_frames(uses if len(exposures) > 1 else uses[1:], exposures, resources.store)
    static = static_masks(exposures, parameters, resources)
    return CombinationInputs(
        exposures=exposures,
        default_frame=default_frame,
        frame=frame,
        product_frame=product_frame,
        parameters=parameters,
        static=static,
        sky=measure_skies(exposures, static, parameters, resources),
        resources=resources,
    )


def _record(
    inputs: CombinationInputs,
    excluded: tuple[ExcludedExposure, ...],
    cosmic_rays: ChipMasks,
    title: str,
) -> DrizzleRecord:
    return DrizzleRecord(
        exposures=tuple(exposure.rootname for exposure in inputs.exposures),
        excluded=excluded,
        frame=inputs.frame,
        sky=tuple(
            ChipSky(chip.exposure.rootname, chip.chip.extver, inputs.native_sky(chip), chip.chip.unit.value)
            for chip in inputs.chips
        ),
        static_mask=tuple(
            StaticMaskCount(region, int(np.count_nonzero(mask)), _digest(mask))
            for region, mask in inputs.static.items()
        ),
        cosmic_rays=tuple(
            CosmicRayCount(
                chip.exposure.rootname,
                chip.chip.extver,
                pixels := int(np.count_nonzero(cosmic_rays[chip.key])),
                pixels / cosmic_rays[chip.key].size,
                _digest(cosmic_rays[chip.key]),
            )
            for chip in inputs.chips
            if chip.key in cosmic_rays
        ),
        cosmic_rays_from=title,
        product_frame=inputs.product_frame,
    )


def _digest(mask: Mask) -> MaskDigest:
    """Shape and SHA-256 by which a mask is found in the sidecar."""
    ny, nx = mask.shape
    return MaskDigest((ny, nx), hashlib.sha256(pack_mask(mask)).hexdigest())
