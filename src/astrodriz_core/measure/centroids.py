"""Centroids in a Gaussian window, for many sources at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from astrodriz_core.arrays import Array, Image

__all__ = ["WindowedMoments", "stamps", "windowed_moments"]

ITERATIONS = 12
"""The step shrinks about threefold each time: after 12 it is far below a thousandth of a pixel."""


@frozen(eq=False)
class WindowedMoments:
    """First and second moments in a Gaussian window.

    Attributes
    ----------
    x, y : ndarray of float, shape (N,)
        0-based positions, pixels.
    variance : ndarray of float, shape (N,)
        Variance of the source along one axis, pixels squared, with the window taken out; infinite for a
        source as wide as its window, NaN where the centroid was not found.
    """

    x: Array
    y: Array
    variance: Array


def stamps(image: NDArray[Any], x: Array, y: Array, half: int) -> tuple[Array, NDArray[np.int_], NDArray[np.int_]]:
    """Squares of ``2 half + 1`` pixels around the pixels nearest to (x, y).

    Returns
    -------
    squares : ndarray of float, shape (N, 2 half + 1, 2 half + 1)
        Pixels beyond the edge are 0.
    columns, rows : ndarray of int, shape (N,)
        The central pixel of each square.
    """
    columns, rows = np.rint(x).astype(int), np.rint(y).astype(int)
    grid = np.arange(-half, half + 1)
    r, c = rows[:, None, None] + grid[:, None], columns[:, None, None] + grid
    inside = (r >= 0) & (r < image.shape[0]) & (c >= 0) & (c < image.shape[1])
    values = image[np.clip(r, 0, image.shape[0] - 1), np.clip(c, 0, image.shape[1] - 1)]
    return np.where(inside, values, 0.0).astype(np.float64), columns, rows


def windowed_moments(image: Image, x: Array, y: Array, window_sigma: float) -> WindowedMoments:
    r"""Centroids and widths in a Gaussian window that follows the source.

    With :math:`w_i = \exp(-r_i^2 / 2 s^2)` around the present position, the position moves by
    :math:`2 \sum w_i I_i d_i / \sum w_i I_i` (the factor 2 makes the iteration converge for a source as
    wide as its window). The second moment :math:`M` of the window times the source gives the variance of the
    source :math:`M s^2 / (s^2 - M)`, exact for a Gaussian. Source: E. Bertin, SExtractor manual, windowed
    positional parameters.

    Parameters
    ----------
    image : ndarray of float, shape (ny, nx)
        Background subtracted; must be finite.
    x, y : ndarray of float, shape (N,)
        0-based first positions.
    window_sigma : float
        Standard deviation :math:`s` of the window, pixels.

    Returns
    -------
    WindowedMoments
        A position that left its first place by more than two window sigmas, or whose weighted flux is not
        positive, is NaN.
    """
    half = int(np.ceil(3 * window_sigma)) + 1
    grid = np.arange(-half, half + 1)
    first_x, first_y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    squares, columns, rows = stamps(image, first_x, first_y, half)
    cx, cy = first_x.copy(), first_y.copy()
    with np.errstate(all="ignore"):
        for _ in range(ITERATIONS):
            total, mx, my, _ = _moments(squares, columns - cx, rows - cy, grid, window_sigma)
            cx, cy = cx + 2 * mx / total, cy + 2 * my / total
        total, _, _, m2 = _moments(squares, columns - cx, rows - cy, grid, window_sigma)
        second = m2 / total / 2
        variance = second * window_sigma**2 / (window_sigma**2 - second)
        lost = ~(np.hypot(cx - first_x, cy - first_y) <= 2 * window_sigma) | ~(total > 0)
    variance = np.where(second >= window_sigma**2, np.inf, variance)
    return WindowedMoments(*(np.where(lost, np.nan, value) for value in (cx, cy, variance)))


def _moments(
    squares: Array,
    x_origin: Array,
    y_origin: Array,
    grid: NDArray[np.int_],
    window_sigma: float,
) -> tuple[Array, Array, Array, Array]:
    """Weighted sums of intensity, of its x, its y, and its squared distance."""
    dx, dy = x_origin[:, None] + grid, y_origin[:, None] + grid
    wx, wy = np.exp(-(dx**2) / (2 * window_sigma**2)), np.exp(-(dy**2) / (2 * window_sigma**2))
    rows = np.einsum("nyx,nx->ny", squares, wx)
    rows_x = np.einsum("nyx,nx->ny", squares, wx * dx)
    rows_xx = np.einsum("nyx,nx->ny", squares, wx * dx**2)
    total, mx = (rows * wy).sum(1), (rows_x * wy).sum(1)
    return total, mx, (rows * wy * dy).sum(1), (rows_xx * wy).sum(1) + (rows * wy * dy**2).sum(1)
