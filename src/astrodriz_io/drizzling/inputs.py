"""What all drizzle steps of one combination share: exposures, frame, masks and sky."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
from attrs import frozen

from astrodriz_core.arrays import Array, Float32Image, Mask
from astrodriz_core.instruments.dq import good_pixels
from astrodriz_core.names import ChipKey
from astrodriz_core.parameters.drizzle import DrizzleParameters
from astrodriz_core.records.drizzling import OutputFrame
from astrodriz_io.drizzling.chips import DrizzleChip, DrizzleExposure
from astrodriz_io.drizzling.frame import MAP_BORDER
from astrodriz_io.drizzling.resources import DrizzleResources

__all__ = ["ChipMasks", "CombinationInputs", "Mask", "RegionMasks"]

ChipMasks: TypeAlias = Mapping[ChipKey, Mask]
"""Masks by `DrizzleChip.key`; True = not to be used."""
RegionMasks: TypeAlias = Mapping[str, Mask]
"""Masks by `DrizzleChip.detector_region`; True = not to be used."""


@frozen(eq=False)
class CombinationInputs:
    """One combination, before anything is resampled.

    Attributes
    ----------
    exposures : tuple of DrizzleExposure
        Those that take part, in order.
    default_frame : OutputFrame
        The grid that follows from the exposures alone.
    frame : OutputFrame
        The common grid of the separate images: the default one, changed as the user asked.
    product_frame : OutputFrame
        The grid of the product.
    parameters : DrizzleParameters
        The parameters of all steps.
    static : mapping
        Static mask by `DrizzleChip.detector_region`, True = bad; empty where the step is off.
    sky : mapping
        Subtracted sky by `DrizzleChip.key`, native units; chips without an entry have 0.
    resources : DrizzleResources
        With which the steps work.
    """

    exposures: tuple[DrizzleExposure, ...]
    default_frame: OutputFrame
    frame: OutputFrame
    product_frame: OutputFrame
    parameters: DrizzleParameters
    static: RegionMasks
    sky: Mapping[ChipKey, float]
    resources: DrizzleResources

    @property
    def chips(self) -> tuple[DrizzleChip, ...]:
        """All chips of all exposures, in order."""
        return tuple(chip for exposure in self.exposures for chip in exposure.chips)

    def pixel_map(self, chip: DrizzleChip, frame: OutputFrame) -> Array:
        """Position in a frame of the pixels of a chip and of `MAP_BORDER` beyond its edges; see `DrizzleChip`."""
        return chip.pixel_map(frame, self.resources.undistorted.of(chip, MAP_BORDER))

    def native_sky(self, chip: DrizzleChip) -> float:
        """Subtracted sky of a chip in the units of its SCI array."""
        return self.sky.get(chip.key, 0.0)

    def signal(self, chip: DrizzleChip, bits: int | None) -> tuple[Float32Image, Mask]:
        """Sky-subtracted image in electrons/s, and its good pixels.

        The image is 0 where a pixel has no value. Good are pixels with a value, with no DQ bit outside `bits`, and
        not in the static mask either.
        """
        image = chip.sci()
        good = good_pixels(chip.dq(), bits) & np.isfinite(image)
        if chip.detector_region in self.static:
            good &= ~self.static[chip.detector_region]
        rate: Float32Image = (image - np.float32(self.native_sky(chip))) * np.float32(chip.rate_per_unit)
        rate[np.isnan(rate)] = 0
        return rate, good
