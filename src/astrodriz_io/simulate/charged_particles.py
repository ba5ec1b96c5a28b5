"""Cosmic rays: straight tracks of electrons that a charged particle leaves in a detector."""

from __future__ import annotations

import numpy as np

from astrodriz_core.arrays import Float32Image

__all__ = ["cosmic_ray_electrons"]

STEP_PIX = 0.25
"""Distance of the points along a track."""
MIN_TRACK_PIX = 0.7
MAX_TRACK_PIX = 60.0
CHARGE_SPREAD = 0.8
"""Sigma of the natural logarithm of the charge."""
CHARGED_LENGTH_PIX = 6.0
"""Tracks leave charge in proportion to their length up to here."""


def cosmic_ray_electrons(
    shape: tuple[int, int], hits: float, length_pix: float, charge: float, rng: np.random.Generator
) -> Float32Image:
    """Return the electrons that cosmic rays leave in an exposure, shape (ny, nx).

    Parameters
    ----------
    shape : tuple of int
        (ny, nx).
    hits : float
        Expected number of tracks; 0 gives zeros.
    length_pix : float
        Mean length of the exponential distribution of lengths.
    charge : float
        Median electrons for each pixel of a short track; log-normal.
    rng : Generator
    """
    number = int(rng.poisson(hits))
    start = rng.uniform(size=(number, 2)) * np.array(shape)
    angle = rng.uniform(0.0, np.pi, number)
    length = np.minimum(rng.exponential(length_pix, number) + MIN_TRACK_PIX, MAX_TRACK_PIX)
    electrons = charge * rng.lognormal(0.0, CHARGE_SPREAD, number) * np.minimum(length, CHARGED_LENGTH_PIX)
    points = np.maximum((length / STEP_PIX).astype(np.int64), 1)
    track = np.repeat(np.arange(number), points)
    along = (np.arange(points.sum()) - np.repeat(np.cumsum(points) - points, points)) * STEP_PIX
    direction = np.stack([np.sin(angle), np.cos(angle)], axis=-1)
    pixel = np.floor(start[track] + along[:, None] * direction[track]).astype(np.int64)
    inside = np.all((pixel >= 0) & (pixel < np.array(shape)), axis=1)
    flat = pixel[inside, 0] * shape[1] + pixel[inside, 1]
    deposited = np.bincount(flat, weights=(electrons / points)[track][inside], minlength=shape[0] * shape[1])
    return deposited.reshape(shape).astype(np.float32)
