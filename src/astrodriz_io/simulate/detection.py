"""From expected electrons to a calibrated exposure: noise, bad pixels, saturation, charge transfer."""

from __future__ import annotations

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from astrodriz_core.arrays import Array, Float32Image
from astrodriz_io.simulate.charged_particles import cosmic_ray_electrons
from astrodriz_io.simulate.detectors import SimulatedChip
from astrodriz_io.simulate.random_streams import Purpose, stream
from astrodriz_io.simulate.spec import SimulationSpec

__all__ = ["Detected", "detect", "with_charge_trails"]

LEAST_VARIANCE = np.float32(1.0)
"""Electrons squared: what a counter of photons that counted none is taken to be sure of."""
HOT_ELECTRONS = 200.0
WARM_ELECTRONS = 12.0
DEAD_FRACTION = 0.2
FLAT_FRACTION = 0.8
TRAP_FRACTION = 0.9
"""What the kinds of bad pixel add (mean of an exponential), or by what they multiply."""
TRAIL_FRACTION = 0.004
"""Part of the charge that a pixel at the far end loses to its trail on a detector of 2048 rows."""
TRAIL_DECAY = 0.6
TRAIL_PIXELS = 8
FULL_TRANSFER_ROWS = 2048


@frozen(eq=False)
class Detected:
    """One chip of one exposure.

    Attributes
    ----------
    electrons, error : ndarray of float32, shape (ny, nx)
        Signal and its standard deviation, electrons.
    dq : ndarray of int16, shape (ny, nx)
    cosmic_rays : ndarray of float32, shape (ny, nx)
        Electrons that cosmic rays left.
    """

    electrons: Float32Image = field(repr=False)
    error: Float32Image = field(repr=False)
    dq: NDArray[np.int16] = field(repr=False)
    cosmic_rays: Float32Image = field(repr=False)


def detect(spec: SimulationSpec, chip: SimulatedChip, exposure: int, expected: Float32Image) -> Detected:
    """Return what the detector makes of the expected electrons.

    Parameters
    ----------
    spec : SimulationSpec
    chip : SimulatedChip
    exposure : int
        Index of the exposure; noise and cosmic rays differ, the bad pixels do not.
    expected : ndarray of float32, shape (ny, nx)
        Electrons, sky included.
    """
    electronics = spec.model.electronics
    rays = _cosmic_rays(spec, chip, exposure, expected.shape)
    dq = _bad_pixel_flags(spec, chip, expected.shape)
    charge = _with_bad_pixels(spec, chip, expected, dq) + rays
    if not electronics.ramp:
        charge = _bleed(charge, electronics.full_well)
    dark = electronics.dark * spec.exposure_time
    rng = stream(spec.seed, Purpose.NOISE, exposure, chip.number)
    signal = rng.poisson(charge + dark).astype(np.float32) - np.float32(dark)
    signal += np.float32(electronics.read_noise) * rng.standard_normal(signal.shape, dtype=np.float32)
    dq[charge >= electronics.full_well] |= electronics.saturated_bit
    if not electronics.ramp:
        np.minimum(signal, np.float32(electronics.full_well), out=signal)
    variance = np.clip(signal, 0.0, None) + np.float32(dark + electronics.read_noise**2)
    error = np.sqrt(np.maximum(variance, LEAST_VARIANCE))
    return Detected(signal, error, dq, rays)


def _cosmic_rays(spec: SimulationSpec, chip: SimulatedChip, exposure: int, shape: tuple[int, int]) -> Float32Image:
    """Electrons of the cosmic rays of one chip and exposure."""
    electronics = spec.model.electronics
    rate = electronics.cosmic_ray_rate if spec.cosmic_ray_rate is None else spec.cosmic_ray_rate
    hits = rate * spec.exposure_time * shape[0] * shape[1] / 1e6
    rng = stream(spec.seed, Purpose.COSMIC_RAYS, exposure, chip.number)
    return cosmic_ray_electrons(shape, hits, electronics.cosmic_ray_length, electronics.cosmic_ray_charge, rng)


def _bad_pixel_flags(spec: SimulationSpec, chip: SimulatedChip, shape: tuple[int, int]) -> NDArray[np.int16]:
    """DQ flags of the detector's permanent bad pixels; each pixel has one kind at most."""
    lot = stream(spec.seed, Purpose.BAD_PIXELS, chip=chip.number).uniform(size=shape)
    dq = np.zeros(shape, dtype=np.int16)
    start = 0.0
    for bad in spec.model.bad_pixels:
        dq[(lot >= start) & (lot < start + bad.fraction)] = bad.bit
        start += bad.fraction
    return dq


def _with_bad_pixels(
    spec: SimulationSpec, chip: SimulatedChip, expected: Float32Image, dq: NDArray[np.int16]
) -> Float32Image:
    """Return the expected electrons with what the bad pixels do to them."""
    charge = expected.copy()
    rng = stream(spec.seed, Purpose.BAD_PIXELS, exposure=1, chip=chip.number)
    multiply = {"dead": DEAD_FRACTION, "flat": FLAT_FRACTION, "trap": TRAP_FRACTION}
    add = {"hot": HOT_ELECTRONS, "warm": WARM_ELECTRONS}
    for bad in spec.model.bad_pixels:
        pixels = dq == bad.bit
        charge[pixels] *= np.float32(multiply.get(bad.kind, 1.0))
        charge[pixels] += (add.get(bad.kind, 0.0) * rng.exponential(1.0, int(pixels.sum()))).astype(np.float32)
    return charge


def _bleed(charge: Float32Image, full_well: float) -> Float32Image:
    """Let charge above the full well run along its column, half of it each way; the rest leaves the chip."""
    result = charge
    for x in np.flatnonzero((charge > full_well).any(axis=0)):
        column = result[:, x].astype(np.float64)
        excess = np.clip(column - full_well, 0.0, None)
        column -= excess
        _fill(column, excess / 2.0, full_well)
        _fill(column[::-1], excess[::-1] / 2.0, full_well)
        result[:, x] = column
    return result


def _fill(column: Array, excess: Array, full_well: float) -> None:
    """Carry excess charge upwards in place, filling every pixel on the way."""
    carried = 0.0
    first = int(np.flatnonzero(excess)[0])
    for y in range(first, len(column)):
        carried += excess[y]
        taken = min(carried, full_well - column[y])
        column[y] += taken
        carried -= taken


def with_charge_trails(chip: SimulatedChip, electrons: Float32Image) -> Float32Image:
    """Return the signal as it is before the correction of charge transfer, shape (ny, nx).

    Every pixel loses a part of its charge, in proportion to its distance from the readout, to the pixels
    that are read after it. Only what stands above the median takes part.
    """
    flipped = electrons[::-1] if chip.readout == "high" else electrons
    rows = np.arange(flipped.shape[0], dtype=np.float32)[:, None] / FULL_TRANSFER_ROWS
    lost = np.clip(flipped - np.median(flipped[::7, ::7]), 0.0, None) * (TRAIL_FRACTION * rows)
    weights = TRAIL_DECAY ** np.arange(1, TRAIL_PIXELS + 1, dtype=np.float32)
    trailed = flipped - lost
    for distance, weight in enumerate(weights / weights.sum(), start=1):
        trailed[distance:] += np.float32(weight) * lost[:-distance]
    result: Float32Image = trailed[::-1] if chip.readout == "high" else trailed
    return result
