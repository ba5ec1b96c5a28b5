"""Final drizzle: all chips of all exposures into one image, with weights and a context image."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from astrodriz_core.arrays import Array, Float32Image
from astrodriz_core.errors import InputError
from astrodriz_core.instruments.detectors import SignalUnit
from astrodriz_core.parameters.choices import ProcessingUnit, Units, WeightType
from astrodriz_core.parameters.drizzle import DrizzleParameters
from astrodriz_core.records.drizzling import OutputFrame
from astrodriz_io.drizzling.chips import DrizzleChip
from astrodriz_io.drizzling.frame import chip_scale_ratio, drizzle_margin, padded_frame
from astrodriz_io.drizzling.inputs import ChipMasks, CombinationInputs
from astrodriz_io.drizzling.resample import add_chip, new_drizzle, without_margin
from astrodriz_io.runtime.parallel import ordered_map

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
    parameters = inputs.parameters
    chips = inputs.chips
    margin = drizzle_margin(frame, chips)
    padded = padded_frame(frame, margin)
    drizzle = new_drizzle(padded, parameters.final_kernel.value, None, len(chips), context=parameters.context)
    work = partial(_chip_input, inputs, padded, cosmic_rays)
    contributions = ordered_map(work, chips, inputs.resources.threads)
    # Chips are added one after the other, so that the sums are the same for any number of threads.
    for chip, (rate, weight, pixel_map) in zip(
        chips, inputs.resources.progress.track(contributions, "final drizzle", len(chips)), strict=True
    ):
        add_chip(drizzle, chip, padded, rate, weight, pixel_map, parameters.final_pixfrac)
    sci, wht = without_margin(drizzle.out_img, margin), without_margin(drizzle.out_wht, margin)
    ctx = without_margin(drizzle.out_ctx, margin) if parameters.context else None
    exptime = sum(exposure.exptime for exposure in inputs.exposures)
    per_unit, units = _units(chips[-1], parameters, exptime)
    sci /= per_unit
    sci[wht == 0] = _empty_value(parameters)
    return FinalImage(frame, sci, wht, ctx, exptime, units, per_unit)


def _empty_value(parameters: DrizzleParameters) -> float:
    """Value of pixels without data: ``final_fillval``, else ``final_maskval``, else NaN."""
    given = (parameters.final_fillval, parameters.final_maskval)
    return next((value for value in given if value is not None), np.nan)


def _chip_input(
    inputs: CombinationInputs, frame: OutputFrame, cosmic_rays: ChipMasks, chip: DrizzleChip
) -> tuple[Float32Image, Float32Image, Array]:
    weight = WEIGHTS[inputs.parameters.final_wht_type](inputs, chip, frame)
    rate, good = inputs.signal(chip, inputs.parameters.final_bits)
    if chip.key in cosmic_rays:
        clean = good & ~cosmic_rays[chip.key]
        good = clean if clean.any() else good
    weight[~good] = 0
    return rate, weight, inputs.pixel_map(chip, frame)


def _exposure_weight(inputs: CombinationInputs, chip: DrizzleChip, frame: OutputFrame) -> Float32Image:
    """EXP: exposure time, s."""
    return np.full(chip.chip.shape, chip.exptime, dtype=np.float32)


def _error_weight(inputs: CombinationInputs, chip: DrizzleChip, frame: OutputFrame) -> Float32Image:
    """ERR: inverse variance of the rate in an output pixel, from the ERR array; 0 where ERR is not positive."""
    native = chip.err()
    if native is None:
        raise InputError(
            "the file has no ERR extension, which final_wht_type ERR needs.",
            where=chip.exposure.path.name,
            remedy="Take final_wht_type EXP or IVM.",
        )
    error = native * np.float32(chip.rate_per_unit)
    usable = np.isfinite(error) & (error > 0)
    variance = np.where(usable, error, np.float32(1)) ** 2 * np.float32(chip_scale_ratio(frame, chip) ** 4)
    return np.where(usable, 1 / variance, np.float32(0))


def _variance_weight(inputs: CombinationInputs, chip: DrizzleChip, frame: OutputFrame) -> Float32Image:
    """IVM: inverse variance of the background in an output pixel: sky, dark current and read noise."""
    sky = inputs.native_sky(chip) * chip.electrons_per_unit
    variance = (max(sky, 0.0) + chip.dark + chip.read_noise**2) / chip.exptime**2
    return np.full(chip.chip.shape, 1 / (variance * chip_scale_ratio(frame, chip) ** 4), dtype=np.float32)


WEIGHTS: Mapping[WeightType, Callable[[CombinationInputs, DrizzleChip, OutputFrame], Float32Image]] = {
    WeightType.EXP: _exposure_weight,
    WeightType.ERR: _error_weight,
    WeightType.IVM: _variance_weight,
}


def _units(chip: DrizzleChip, parameters: DrizzleParameters, exptime: float) -> tuple[np.float32, str]:
    """Electrons/s in one unit of the product, and its BUNIT."""
    gain, quantity = chip.gain, chip.chip.unit.value.partition("/")[0]
    if parameters.proc_unit is ProcessingUnit.ELECTRONS:
        gain, quantity = 1.0, SignalUnit.ELECTRONS.value
    if parameters.final_units is Units.COUNTS:
        return np.float32(gain / exptime), quantity
    return np.float32(gain), f"{quantity}/S"
