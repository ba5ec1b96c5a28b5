"""Compact sources of drizzled images: peaks of the LoG response, and what is measured in cut-outs."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from astrodriz_core.arrays import Array, Image, Indices, Mask, Positions
from astrodriz_core.measure.images import DrizzledImage, VerificationParameters
from astrodriz_core.measure.robust import FWHM_PER_SIGMA, MEDIAN_ABSOLUTE

__all__ = [
    "Cutouts",
    "Peaks",
    "background_level",
    "cut_out",
    "parabola_top",
    "response_noise",
    "strip_peaks",
    "window_sigma",
    "windowed_centroids",
]


#: A peak counts from this many times the noise of the LoG response.
DETECTION_SIGMA = 5.0
#: Of this many rows, and of this many columns, one serves to measure the noise of a strip.
NOISE_SAMPLING = (2, 7)
#: The background is the median of about this many pixels.
BACKGROUND_SAMPLE = 40_000
#: A missing pixel spoils a cut-out within this part of its half width from the middle.
CORE_FRACTION = 0.6
#: Largest part of the rim of a cut-out that may be missing.
MISSING_RIM = 0.3
#: A centroid moves by less than a hundredth of a pixel in the last of these steps.
CENTROID_STEPS = 10


@frozen(eq=False)
class Peaks:
    """Local maxima of the negative LoG response of one image.

    Attributes
    ----------
    positions : numpy.ndarray, shape (n, 2)
        x, y to a fraction of a pixel, by a parabola through three pixels along each axis.
    strength : numpy.ndarray, shape (n,)
        Negative LoG response at the peak.
    """

    positions: Positions
    strength: Array

    def brightest(self, limit: int) -> Peaks:
        """At most `limit` peaks, the strongest."""
        order = np.argsort(-self.strength, kind="stable")[:limit]
        return Peaks(self.positions[order], self.strength[order])

    @staticmethod
    def joined(parts: list[Peaks]) -> Peaks:
        """All peaks of several strips."""
        if not parts:
            return Peaks(np.empty((0, 2)), np.empty(0))
        positions = np.concatenate([part.positions for part in parts])
        return Peaks(positions, np.concatenate([part.strength for part in parts]))


@frozen(eq=False)
class Cutouts:
    """Square cut-outs around sources, background taken off.

    Attributes
    ----------
    values : numpy.ndarray, shape (n, size, size)
        NaN where a pixel near the middle is missing, or the rim is.
    corners : numpy.ndarray of int, shape (n, 2)
        x, y of the first pixel of each.
    noise : numpy.ndarray, shape (n,)
        Noise of a pixel, from the outermost pixels of each.
    """

    values: Array
    corners: Indices
    noise: Array


def background_level(image: DrizzledImage) -> float:
    """Median of the covered pixels, from a regular sample; 0 where nothing is covered."""
    ny, nx = image.shape
    step = max(1, int(np.sqrt(ny * nx / BACKGROUND_SAMPLE)))
    window = slice(step // 2, None, step), slice(step // 2, None, step)
    values = image.sci[window][image.covered(window)]
    return float(np.median(values)) if values.size else 0.0


def strip_peaks(first_row: int, response: Image, covered: Mask, own: slice, noise: float) -> Peaks:
    """Peaks of one strip of the LoG response.

    Parameters
    ----------
    first_row : int
        Row of the image that the first row of the strip is.
    response, covered : numpy.ndarray, shape (rows, nx)
        LoG response, and where the image has data.
    own : slice
        Rows of the strip whose peaks count; the others only serve as neighbours.
    noise : float
        That of the response, `response_noise`.

    Returns
    -------
    Peaks
        Covered local maxima above `DETECTION_SIGMA` times the noise.
    """
    threshold = DETECTION_SIGMA * noise
    y, x = np.nonzero((response < -threshold) & covered)
    inside = (y >= max(own.start, 1)) & (y < min(own.stop, len(response) - 1))
    inside &= (x > 0) & (x < response.shape[1] - 1)
    y, x = y[inside], x[inside]
    around = -np.array([response[y + j, x + i] for j in (-1, 0, 1) for i in (-1, 0, 1)], np.float64)
    top = np.flatnonzero((around[4] >= around).all(axis=0) & (around[4] > np.minimum(around[1], around[3])))
    y, x, around = y[top], x[top], around[:, top]
    dx, dy = parabola_top(around[3:6]), parabola_top(around[1:8:3])
    return Peaks(np.column_stack([x + dx, first_row + y + dy]), around[4])


def response_noise(response: Image, covered: Mask) -> float:
    """Robust standard deviation of the LoG response; infinite where nothing is covered.

    It is the median of |response| over a sample of the covered pixels, in units of a normal
    distribution, which few sources hardly raise.
    """
    sample = tuple(slice(None, None, step) for step in NOISE_SAMPLING)
    levels = np.abs(response[sample][covered[sample]])
    return float(np.median(levels)) / MEDIAN_ABSOLUTE if levels.size else float("inf")


def parabola_top(values: Array) -> Array:
    """Place of the top of the parabola through three values, shape (3, ...), from the middle one.

    0 where the three do not bend downwards.
    """
    before, middle, after = np.asarray(values, np.float64)
    bend = before - 2 * middle + after
    return np.asarray(np.divide(before - after, 2 * bend, out=np.zeros_like(bend), where=bend < 0))


def cut_out(image: DrizzledImage, positions: Positions, half: int) -> Cutouts:
    """Squares of ``2 half + 1`` pixels around the pixel nearest to each position.

    Parameters
    ----------
    image : DrizzledImage
        Only the cut-outs are read.
    positions : numpy.ndarray, shape (n, 2)
        x, y, finite.
    half : int
        Pixels on either side.

    Returns
    -------
    Cutouts
        The background of each is the median of its outermost pixels, the noise their median absolute
        deviation. Missing pixels are set to the background, except near the middle, where they stay
        NaN; all is NaN where more than `MISSING_RIM` of the outermost pixels are missing.
    """
    ny, nx = image.shape
    corners = np.rint(positions).astype(np.intp) - half
    steps = np.arange(2 * half + 1)
    y, x = corners[:, 1, None, None] + steps[:, None], corners[:, 0, None, None] + steps
    inside = (y >= 0) & (y < ny) & (x >= 0) & (x < nx)
    y, x = np.clip(y, 0, ny - 1), np.clip(x, 0, nx - 1)
    values = np.asarray(image.sci[y, x], np.float64)
    values[~inside | ~(np.asarray(image.wht[y, x]) > 0) | ~np.isfinite(values)] = np.nan
    distance = np.hypot(steps - half, steps[:, None] - half)
    level, noise = _rim_statistics(values[:, (np.abs(steps - half) == half) | (distance > half)])
    values -= level[:, None, None]
    values[np.isnan(values) & (distance > CORE_FRACTION * half) & np.isfinite(level)[:, None, None]] = 0
    return Cutouts(values, corners, noise)


def _rim_statistics(rim: Array) -> tuple[Array, Array]:
    """Median and robust standard deviation of each row; NaN where too many of its values are missing."""
    full = np.isnan(rim).mean(axis=1) <= MISSING_RIM
    level, noise = np.full((2, len(rim)), np.nan)
    level[full] = np.nanmedian(rim[full], axis=1)
    spread = np.abs(rim[full] - level[full, None])
    noise[full] = np.nanmedian(spread, axis=1) / MEDIAN_ABSOLUTE
    return level, noise


def windowed_centroids(cutouts: Cutouts, start: Positions, parameters: VerificationParameters) -> Positions:
    r"""Centroids in a Gaussian window of the width of the point spread function.

    With weights :math:`w_i = \exp(-r_i^2 / 2 s^2)` around the present position, each step moves it by
    :math:`2 \sum w_i I_i d_i / \sum w_i I_i`. Source: E. Bertin, SExtractor manual, windowed positional
    parameters.

    Parameters
    ----------
    cutouts : Cutouts
        Cut-outs of n sources.
    start : numpy.ndarray, shape (n, 2)
        First positions.
    parameters : VerificationParameters
        Give the width of the window.

    Returns
    -------
    numpy.ndarray, shape (n, 2)
        NaN where a pixel near the middle is missing, or the position left its first place by more than
        the full width at half maximum.
    """
    sigma = window_sigma(parameters)
    steps = np.arange(cutouts.values.shape[-1])
    origin = start - cutouts.corners
    place = origin.copy()
    with np.errstate(all="ignore"):
        for _ in range(CENTROID_STEPS):
            dx, dy = steps - place[:, :1], steps - place[:, 1:]
            wx, wy = np.exp(-0.5 * (dx / sigma) ** 2), np.exp(-0.5 * (dy / sigma) ** 2)
            columns = np.einsum("nyx,ny->nx", cutouts.values, wy)
            rows = np.einsum("nyx,nx->ny", cutouts.values, wx)
            total = (columns * wx).sum(1)
            moments = np.column_stack([(columns * wx * dx).sum(1), (rows * wy * dy).sum(1)])
            place = place + 2 * moments / total[:, None]
        reach = max(parameters.psf_fwhm_pix, 1.5)
        lost = ~(np.hypot(*(place - origin).T) <= reach) | ~(total > 0)
    return np.where(lost[:, None], np.nan, place + cutouts.corners)


def window_sigma(parameters: VerificationParameters) -> float:
    """Standard deviation of the window: that of the point spread function, at least one pixel."""
    return max(parameters.psf_fwhm_pix / FWHM_PER_SIGMA, 1.0)
