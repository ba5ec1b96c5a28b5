"""Final drizzle: all chips of all exposures into one image, with weights and a context image."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from astrodriz_core.arrays import Float32Image
from astrodriz_core.instruments.detectors import SignalUnit
from astrodriz_core.parameters.choices import ProcessingUnit, Units, WeightType
from astrodriz_core.parameters.drizzle import DrizzleParameters
from astrodriz_core.records.drizzling import OutputFrame
from astrodriz_io.drizzling.chips import DrizzleChip
from astrodriz_io.drizzling.frame import chip_scale_ratio, drizzle_margin, padded_frame
from astrodriz_io.drizzling.inputs import ChipMasks, CombinationInputs
from astrodriz_io.drizzling.resample import CHIPS_IN_PLANE
from astrodriz_io.drizzling.together import ProductTask, WeightedChip, drizzle_product

__all__ = ["FinalImage", "drizzle_together"]


@frozen(eq=False)
class FinalImage:
    """The arrays of a product.

    Attributes
    ----------
    frame : OutputFrame
        The grid.
    sci : ndarray of float32
        Science image, in `units`.
    wht : ndarray of float32
        Weight image.
    ctx : ndarray of int32, shape (planes, ny, nx), or None
        Bit k of plane p is set where chip 32 p + k has contributed; None where ``context`` is off.
    exptime : float
        Sum of the exposure times, s.
    units : str
        Value of BUNIT.
    electron_rate_per_unit : float
        Factor from `sci` to electrons/s.
    """

    frame: OutputFrame
    sci: Float32Image
    wht: Float32Image
    ctx: NDArray[np.int32] | None
    exptime: float
    units: str
    electron_rate_per_unit: np.float32


def drizzle_together(inputs: CombinationInputs, frame: OutputFrame, cosmic_rays: ChipMasks) -> FinalImage:
    """Drizzle all chips onto one image, leaving cosmic rays out.

    Parameters
    ----------
    inputs : CombinationInputs
        The combination.
    frame : OutputFrame
        Grid of the product, which need not be the common grid.
    cosmic_rays : mapping
        Cosmic-ray mask by `DrizzleChip.key`; a chip without an entry has none. A mask that would leave no
        pixel of its chip is not applied.
    """
    resources = inputs.resources
    task = _task(inputs, frame, cosmic_rays)
    made = resources.workers.map(drizzle_product, [task], inputs.separable_work)
    list(resources.progress.track(made, "final drizzle", 1))
    ctx = None if task.ctx is None else task.ctx.image()
    per_unit, units = _units(inputs)
    return FinalImage(frame, task.sci.image(), task.wht.image(), ctx, inputs.exptime, units, per_unit)


def _empty_value(parameters: DrizzleParameters) -> float:
    """Value of pixels without data: ``final_fillval``, else ``final_maskval``, else NaN."""
    given = (parameters.final_fillval, parameters.final_maskval)
    return next((value for value in given if value is not None), np.nan)


def _task(inputs: CombinationInputs, frame: OutputFrame, cosmic_rays: ChipMasks) -> ProductTask:
    parameters, store = inputs.parameters, inputs.resources.store
    margin = drizzle_margin(frame, inputs.chips)
    padded = padded_frame(frame, margin)
    weight = WEIGHTS[parameters.final_wht_type]
    planes = -(-len(inputs.chips) // CHIPS_IN_PLANE)
    return ProductTask(
        chips=tuple(
            WeightedChip(inputs.placed(chip, padded), cosmic_rays.get(chip.key), weight(inputs, chip, padded))
            for chip in inputs.chips
        ),
        shape=padded.shape,
        margin=margin,
        kernel=parameters.final_kernel.value,
        pixfrac=parameters.final_pixfrac,
        bits=parameters.final_bits,
        per_unit=_units(inputs)[0],
        empty=_empty_value(parameters),
        sci=store.reserve("product sci", frame.shape, np.float32),
        wht=store.reserve("product wht", frame.shape, np.float32),
        ctx=store.reserve("product ctx", (planes, *frame.shape), np.int32) if parameters.context else None,
    )


def _exposure_weight(inputs: CombinationInputs, chip: DrizzleChip, frame: OutputFrame) -> np.float32:
    """EXP: exposure time, s."""
    return np.float32(chip.exptime)


def _error_weight(inputs: CombinationInputs, chip: DrizzleChip, frame: OutputFrame) -> None:
    """ERR: every pixel has its own."""


def _variance_weight(inputs: CombinationInputs, chip: DrizzleChip, frame: OutputFrame) -> np.float32:
    """IVM: inverse variance of the background in an output pixel: sky, dark current and read noise."""
    sky = inputs.native_sky(chip) * chip.electrons_per_unit
    variance = (max(sky, 0.0) + chip.dark + chip.read_noise**2) / chip.exptime**2
    return np.float32(1 / (variance * chip_scale_ratio(frame, chip) ** 4))


WEIGHTS: Mapping[WeightType, Callable[[CombinationInputs, DrizzleChip, OutputFrame], np.float32 | None]] = {
    WeightType.EXP: _exposure_weight,
    WeightType.ERR: _error_weight,
    WeightType.IVM: _variance_weight,
}


def _units(inputs: CombinationInputs) -> tuple[np.float32, str]:
    """Electrons/s in one unit of the product, and its BUNIT."""
    chip, parameters = inputs.chips[-1], inputs.parameters
    gain, quantity = chip.gain, chip.chip.unit.value.partition("/")[0]
    if parameters.proc_unit is ProcessingUnit.ELECTRONS:
        gain, quantity = 1.0, SignalUnit.ELECTRONS.value
    if parameters.final_units is Units.COUNTS:
        return np.float32(gain / inputs.exptime), quantity
    return np.float32(gain), f"{quantity}/S"
