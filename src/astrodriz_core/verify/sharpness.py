"""How concentrated the sources of each exposure are, source by source against the other exposures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from astrodriz_core.arrays import Array, Positions
from astrodriz_core.measure.robust import DEVIATION_OF_MEDIAN_ABSOLUTE, MEDIAN_ERROR
from astrodriz_core.records.verification import ExposureSharpness, FocusDistribution
from astrodriz_core.verify.calibration import small_sample_factor
from astrodriz_core.verify.sources import Cutouts

__all__ = [
    "concentration",
    "exposure_sharpness",
    "focus_distribution",
    "gaussian_concentration",
    "laplacian_at",
    "weighted_flux",
]

#: Widths of the core and of the wide window, in standard deviations of the point spread function.
CORE_WIDTH, WIDE_WIDTH = 0.8, 2.0
#: A comparison from fewer sources than this says nothing.
FEWEST_SOURCES = 4


def weighted_flux(cutouts: Cutouts, positions: Positions, sigma: float) -> Array:
    """Sum of each cut-out weighted by a Gaussian at the position of the source, shape (n,)."""
    wx, wy, _, _ = _gaussians(cutouts, positions, sigma)
    return np.asarray(np.einsum("nyx,ny,nx->n", cutouts.values, wy, wx))


def laplacian_at(cutouts: Cutouts, positions: Positions, sigma: float) -> Array:
    """Negative Laplacian of Gaussian of each cut-out at the position of the source, shape (n,)."""
    wx, wy, dx, dy = _gaussians(cutouts, positions, sigma)
    norm = 1 / (2 * np.pi * sigma**2)
    cx, cy = wx * (dx**2 / sigma**4 - 1 / sigma**2), wy * (dy**2 / sigma**4 - 1 / sigma**2)
    along_x = np.einsum("nyx,ny,nx->n", cutouts.values, wy, cx)
    along_y = np.einsum("nyx,ny,nx->n", cutouts.values, cy, wx)
    return np.asarray(-norm * (along_x + along_y))


def _gaussians(cutouts: Cutouts, positions: Positions, sigma: float) -> tuple[Array, ...]:
    """Gaussians along x and y around each position, and the distances that they are taken at."""
    steps = np.arange(cutouts.values.shape[-1])
    place = positions - cutouts.corners
    dx, dy = steps - place[:, :1], steps - place[:, 1:]
    return np.exp(-0.5 * (dx / sigma) ** 2), np.exp(-0.5 * (dy / sigma) ** 2), dx, dy


def concentration(cutouts: Cutouts, positions: Positions, psf_sigma: float) -> Array:
    """Logarithm of core flux over wide flux of each source; NaN where either is not positive.

    A blur lowers the ratio, whatever the flux; see `gaussian_concentration`.
    """
    core = weighted_flux(cutouts, positions, CORE_WIDTH * psf_sigma)
    wide = weighted_flux(cutouts, positions, WIDE_WIDTH * psf_sigma)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where((core > 0) & (wide > 0), np.log(core / wide), np.nan)


def gaussian_concentration(variance: float, psf_sigma: float) -> float:
    """Concentration of a round Gaussian source of the given variance along one axis, pixels squared.

    In a window of variance s, a source of variance v and unit flux gives s / (s + v).
    """
    core, wide = (width * psf_sigma for width in (CORE_WIDTH, WIDE_WIDTH))
    return float(np.log(core**2 / (core**2 + variance)) - np.log(wide**2 / (wide**2 + variance)))


def exposure_sharpness(
    rootname: str, index: int, concentrations: Array, core_flagged: float | None
) -> ExposureSharpness:
    """Sharpness of one exposure relative to the median of the others.

    Parameters
    ----------
    rootname : str
        Rootname of the exposure.
    index : int
        Its column.
    concentrations : numpy.ndarray, shape (n_sources, n_exposures)
        Logarithms; NaN where a source was not measured.
    core_flagged : float or None
        Fraction of its sources with a flagged core.

    Returns
    -------
    ExposureSharpness
        Without a ratio where fewer than `FEWEST_SOURCES` sources were measured in this exposure and
        in another.
    """
    others = np.delete(concentrations, index, axis=1)
    known = np.isfinite(concentrations[:, index]) & np.isfinite(others).any(axis=1)
    if known.sum() < FEWEST_SOURCES:
        return ExposureSharpness(rootname, None, None, int(known.sum()), core_flagged)
    ratio = concentrations[known, index] - np.nanmedian(others[known], axis=1)
    middle = float(np.median(ratio))
    spread = DEVIATION_OF_MEDIAN_ABSOLUTE * float(np.median(np.abs(ratio - middle)))
    sigma = MEDIAN_ERROR * spread / np.sqrt(len(ratio)) * small_sample_factor(len(ratio))
    return ExposureSharpness(rootname, middle, float(sigma), len(ratio), core_flagged)


def focus_distribution(product: Array, exposures: Array) -> FocusDistribution:
    """Quartiles of the LoG peak in the product over the mean of the exposures, source by source.

    Parameters
    ----------
    product : numpy.ndarray, shape (n_sources,)
        Negative LoG of each source; NaN where it was not measured.
    exposures : numpy.ndarray, shape (n_sources, n_exposures)
        The same in each exposure.
    """
    known = np.isfinite(product) & np.isfinite(exposures).any(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = product[known] / np.nanmean(exposures[known], axis=1) if known.any() else np.empty(0)
    ratio = ratio[np.isfinite(ratio)]
    if not ratio.size:
        return FocusDistribution(0, None, None, None)
    quartiles: Sequence[float] = [float(q) for q in np.quantile(ratio, [0.25, 0.5, 0.75])]
    return FocusDistribution(len(ratio), *quartiles)
