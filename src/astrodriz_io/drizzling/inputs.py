"""What all drizzle steps of one combination share: exposures, frame, masks and sky."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from attrs import frozen

from astrodriz_core.arrays import Mask
from astrodriz_core.names import ChipKey
from astrodriz_core.parameters.drizzle import DrizzleParameters
from astrodriz_core.records.drizzling import OutputFrame
from astrodriz_io.drizzling.chips import DrizzleChip, DrizzleExposure
from astrodriz_io.drizzling.frame import chip_scale_ratio
from astrodriz_io.drizzling.placed import MAP_BORDER, PlacedChip
from astrodriz_io.drizzling.resources import DrizzleResources

__all__ = ["ChipMasks", "CombinationInputs", "RegionMasks"]

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

    @property
    def exptime(self) -> float:
        """Sum of the exposure times, s."""
        return sum(exposure.exptime for exposure in self.exposures)

    @property
    def separable_work(self) -> int | None:
        """See `DrizzleResources`."""
        return self.resources.separable_work(self.exposures)

    def placed(self, chip: DrizzleChip, frame: OutputFrame) -> PlacedChip:
        """A chip at its place on a frame."""
        return PlacedChip(
            pixels=chip.pixels,
            exptime=chip.exptime,
            electrons_per_unit=chip.electrons_per_unit,
            rate_per_unit=chip.rate_per_unit,
            sky=self.native_sky(chip),
            static=self.static.get(chip.detector_region),
            undistorted=self.resources.undistorted.of(chip, MAP_BORDER),
            homography=chip.homography(frame),
            scale_ratio=chip_scale_ratio(frame, chip),
        )

    def native_sky(self, chip: DrizzleChip) -> float:
        """Subtracted sky of a chip in the units of its SCI array."""
        return self.sky.get(chip.key, 0.0)
