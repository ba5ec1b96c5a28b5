"""Point spread function of the telescope on a detector: obstructed pupil, jitter, diffusion, pixel.

The monochromatic image is the squared modulus of the Fourier transform of the pupil, evaluated straight
on the oversampled pixel grid (matrix Fourier transform, Soummer et al. 2007, Optics Express 15, 15935),
and averaged over the filter's width.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, uniform_filter

from astrodriz_core.arrays import Array, Float32Image, Mask
from astrodriz_core.units import ARCSEC_PER_DEGREE

__all__ = ["PsfTable", "encircled_energy", "psf_table"]

APERTURE_M = 2.4
OBSCURATION = 0.33
"""Diameter of the secondary's shadow over the aperture's."""
VANE_WIDTH = 0.022
"""Width of the four vanes that hold the secondary, over the aperture's diameter."""
LEAST_PUPIL_SAMPLES = 192
PERIOD_OVER_REACH = 2.5
"""A pupil of n samples makes images that repeat after n wavelengths over aperture; that lies so far out."""
JITTER_ARCSEC = 0.007
"""Pointing jitter in fine lock, one axis."""
WAVELENGTH_SAMPLES = 5
ARCSEC = np.deg2rad(1.0 / ARCSEC_PER_DEGREE)
CORE = (24, 15)
WINGS = (96, 5)
"""Half-width in pixels and odd oversampling of the tables for usual and for very bright stars."""


@frozen(eq=False)
class PsfTable:
    """Images of a star of unit flux for a grid of positions within a pixel.

    Attributes
    ----------
    half : int
        The images have ``2 * half + 1`` pixels on a side.
    over : int
        Positions for each pixel; odd.
    phases : ndarray of float32, shape (n, n, side, side)
        ``phases[q, p]`` is the star at ``(q - centre) / over`` pixels along y and likewise x from the
        middle of the central pixel.
    """

    half: int
    over: int
    phases: NDArray[np.float32] = field(repr=False)

    def image(self, dx: float, dy: float) -> Float32Image:
        """Return the star at (dx, dy), within half a pixel of the middle of the central pixel.

        Linear between the four nearest phases: the centroid is exact, the width grows by less than
        half a phase.
        """
        centre = self.phases.shape[0] // 2
        x, y = centre + dx * self.over, centre + dy * self.over
        p, q = int(x), int(y)
        a, b = np.float32(x - p), np.float32(y - q)
        low = (1 - a) * self.phases[q, p] + a * self.phases[q, p + 1]
        high = (1 - a) * self.phases[q + 1, p] + a * self.phases[q + 1, p + 1]
        result: Float32Image = (1 - b) * low + b * high
        return result


@lru_cache(maxsize=8)
def psf_table(
    pivot_angstrom: float, width_angstrom: float, scale_arcsec: float, diffusion_pix: float
) -> tuple[PsfTable, PsfTable]:
    """Return the tables for usual and for very bright stars, normalised alike.

    Parameters
    ----------
    pivot_angstrom, width_angstrom : float
        Pivot wavelength and rms width of the filter.
    scale_arcsec : float
        Pixel scale.
    diffusion_pix : float
        Sigma of charge diffusion.

    Returns
    -------
    core, wings : PsfTable
        The flux within the larger table is 1; the smaller one lacks what lies beyond it.
    """
    wavelengths = pivot_angstrom + width_angstrom * np.linspace(-1.5, 1.5, WAVELENGTH_SAMPLES)
    farthest = (WINGS[0] + 1) * scale_arcsec * ARCSEC * APERTURE_M / (wavelengths.min() * 1e-10)
    samples = max(LEAST_PUPIL_SAMPLES, int(np.ceil(PERIOD_OVER_REACH * farthest)))
    core, wings = (
        _oversampled(half, over, samples, wavelengths * 1e-10, scale_arcsec, diffusion_pix)
        for half, over in (CORE, WINGS)
    )
    total = float(wings.sum()) / WINGS[1] ** 2
    return _table(core / total, *CORE), _table(wings / total, *WINGS)


def encircled_energy(table: PsfTable, radius_pix: float) -> float:
    """Return the part of a star's flux within a radius, for a star anywhere in its pixel on average.

    Parameters
    ----------
    table : PsfTable
    radius_pix : float
        At most the half-width of the table; 0 gives 0 or nearly so.
    """
    centre = table.phases.shape[0] // 2
    pixel = np.arange(-table.half, table.half + 1)
    steps = range(-(table.over // 2), table.over // 2 + 1)
    total = 0.0
    for q in steps:
        for p in steps:
            radius = np.hypot((pixel - p / table.over)[None, :], (pixel - q / table.over)[:, None])
            total += float(table.phases[centre + q, centre + p][radius <= radius_pix].sum(dtype=np.float64))
    return total / table.over**2


def _pupil(u: Array) -> Array:
    """Return the transmission of the aperture, [v, u], at positions along its diameter; vanes at 45 degrees."""
    radius = np.hypot(u[None, :], u[:, None])
    vane = np.abs(np.abs(u[None, :]) - np.abs(u[:, None])) < VANE_WIDTH / np.sqrt(2.0)
    clear: Mask = (radius <= 0.5) & (radius >= OBSCURATION / 2.0) & ~vane
    return clear.astype(np.float64)


def _oversampled(
    half: int, over: int, samples: int, wavelengths_m: Array, scale_arcsec: float, diffusion_pix: float
) -> Array:
    """Star at the middle of the array, for pixels `over` times finer, spread over a pixel; any unit."""
    reach = half * over + over // 2 + 1
    angle = np.arange(-reach, reach + 1) / over * scale_arcsec * ARCSEC
    u = (np.arange(samples) + 0.5) / samples - 0.5
    pupil = _pupil(u)
    image = np.zeros((2 * reach + 1, 2 * reach + 1))
    for wavelength in wavelengths_m:
        waves = np.cos(2.0 * np.pi * np.outer(angle * APERTURE_M / wavelength, u))
        image += (waves @ pupil @ waves.T / (wavelength * samples**2)) ** 2
    image = gaussian_filter(image, over * np.hypot(JITTER_ARCSEC / scale_arcsec, diffusion_pix), mode="nearest")
    spread: Array = uniform_filter(image, over, mode="nearest")
    return spread


def _table(oversampled: Array, half: int, over: int) -> PsfTable:
    """Sort an oversampled image into phases."""
    reach = over // 2 + 1
    side = 2 * half + 1
    phases = np.empty((2 * reach + 1, 2 * reach + 1, side, side), dtype=np.float32)
    for q in range(2 * reach + 1):
        for p in range(2 * reach + 1):
            rows = slice(2 * reach - q, 2 * reach - q + side * over, over)
            columns = slice(2 * reach - p, 2 * reach - p + side * over, over)
            phases[q, p] = oversampled[rows, columns]
    phases.setflags(write=False)
    return PsfTable(half, over, phases)
