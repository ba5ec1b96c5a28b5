"""Laplacian of Gaussian of large images, strip by strip.

The filter is separable: ``LoG = D(y) G(x) + G(y) D(x)`` with the sampled Gaussian ``G`` and its second
derivative ``D``. Each direction is a product with a banded matrix, for a strip of rows and for tiles of
columns that stay in the processor's cache; the zeros that are multiplied in vain cost less than what
matrix products gain over sums of shifted images.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from attrs import frozen
from numpy.lib.stride_tricks import sliding_window_view

from astrodriz_core.arrays import Image, Indices, Mask
from astrodriz_core.errors import MeasurementError

__all__ = ["kernel_radius", "laplacian_of_gaussian", "laplacian_strips", "reflected"]

#: The kernel ends at this many standard deviations, as in `scipy.ndimage`.
TRUNCATE = 4.0
#: Rows of a strip and columns of a tile: a few times the kernel, few enough that the bands are not thin.
STRIP_ROWS, TILE_COLUMNS = 24, 32


def kernel_radius(sigma: float) -> int:
    """Pixels on either side of the centre that the filter of standard deviation `sigma` reads."""
    return int(TRUNCATE * sigma + 0.5)


def laplacian_of_gaussian(image: Image, sigma: float) -> Image:
    """Laplacian of Gaussian of a whole image.

    Equal to ``scipy.ndimage.gaussian_laplace(image, sigma)`` (mode "reflect") up to the rounding of the
    dtype, and in the dtype of the image; integers become float64.

    Parameters
    ----------
    image : numpy.ndarray, shape (ny, nx)
        Pixels that are not finite count as 0.
    sigma : float
        Standard deviation of the Gaussian, pixels.

    Returns
    -------
    numpy.ndarray, shape (ny, nx)
        The response; negative on the peak of a source.
    """
    return np.concatenate([strip.copy() for _, strip in laplacian_strips(image, sigma)], axis=0)


def laplacian_strips(
    image: Image, sigma: float, *, overlap: int = 0, keep: Mask | None = None, fill: float = 0.0
) -> Iterator[tuple[int, Image]]:
    """Walk over an image and yield its Laplacian of Gaussian in strips of whole rows.

    Parameters
    ----------
    image : numpy.ndarray, shape (ny, nx)
        The image; pixels that are not finite count as `fill`.
    sigma : float
        Standard deviation of the Gaussian, pixels.
    overlap : int
        Rows that each strip repeats of the one before and of the one after, so that neighbours of a
        pixel can be seen; strips at the edges of the image have none beyond it.
    keep : numpy.ndarray of bool, shape (ny, nx), optional
        Pixels where this is false count as `fill`.
    fill : float
        Value that stands in for missing pixels.

    Yields
    ------
    first_row : int
        Row of the image that the first row of the strip is.
    response : numpy.ndarray, shape (rows, nx)
        A view of a buffer that the next strip overwrites.

    Raises
    ------
    MeasurementError
        If the image is empty or not two-dimensional, or sigma is not positive.
    """
    if image.ndim != 2 or 0 in image.shape:
        raise MeasurementError(f"A filled two-dimensional image is needed, not one of shape {image.shape}.")
    if not sigma > 0:
        raise MeasurementError(f"The standard deviation of the filter must be positive, not {sigma}.")
    ny, nx = image.shape
    kernels = _kernels(sigma, np.result_type(image.dtype, np.float32))
    across = [np.ascontiguousarray(_banded(kernel, TILE_COLUMNS).T) for kernel in kernels]
    radius = kernel_radius(sigma)
    benches: dict[int, Workbench] = {}
    for start in range(0, ny, STRIP_ROWS):
        first, last = max(start - overlap, 0), min(start + STRIP_ROWS + overlap, ny)
        rows = _rows_with_margin(first, last, radius, ny)
        block = _framed(image[rows], radius, kernels.dtype)
        inside = block[:, radius : radius + nx]
        _fill_missing(inside, None if keep is None else keep[rows], fill)
        _mirror_columns(block, radius, nx)
        if last - first not in benches:
            benches[last - first] = _workbench(kernels, last - first, block.shape[1])
        yield first, _filter_block(block, benches[last - first], across)[:, :nx]


@frozen(eq=False)
class Workbench:
    """Matrix and buffers for strips of one height; new ones for each strip would cost as much as the work.

    Attributes
    ----------
    down : numpy.ndarray, shape (2 rows, rows + 2 radius)
        Filters columns by the Gaussian, and below that by its second derivative.
    filtered : numpy.ndarray, shape (2 rows, width)
        Receives both.
    tiles, second : numpy.ndarray, shape (n_tiles, rows, TILE_COLUMNS)
        Receive the two terms of the response.
    response : numpy.ndarray, shape (rows, n_tiles * TILE_COLUMNS)
        Receives their sum, tiles side by side.
    """

    down: Image
    filtered: Image
    tiles: Image
    second: Image
    response: Image


def _workbench(kernels: Image, n_rows: int, width: int) -> Workbench:
    """Workbench for framed blocks of `width` columns that give `n_rows` rows."""
    n_tiles = (width - kernels.shape[1] + 1) // TILE_COLUMNS
    return Workbench(
        down=np.concatenate([_banded(kernel, n_rows) for kernel in kernels]),
        filtered=np.empty((2 * n_rows, width), kernels.dtype),
        tiles=np.empty((n_tiles, n_rows, TILE_COLUMNS), kernels.dtype),
        second=np.empty((n_tiles, n_rows, TILE_COLUMNS), kernels.dtype),
        response=np.empty((n_rows, n_tiles * TILE_COLUMNS), kernels.dtype),
    )


def _kernels(sigma: float, dtype: np.dtype) -> Image:
    """Gaussian and its second derivative, shape (2, 2 radius + 1)."""
    offsets = np.arange(-kernel_radius(sigma), kernel_radius(sigma) + 1)
    gaussian = np.exp(-0.5 * (offsets / sigma) ** 2)
    gaussian /= gaussian.sum()
    second = gaussian * (offsets**2 / sigma**4 - 1 / sigma**2)
    return np.array([gaussian, second], dtype)


def _banded(kernel: Image, size: int) -> Image:
    """Matrix that filters ``size + 2 radius`` values down to `size`, by a symmetric kernel."""
    matrix = np.zeros((size, size + len(kernel) - 1), kernel.dtype)
    for row in range(size):
        matrix[row, row : row + len(kernel)] = kernel
    return matrix


def _rows_with_margin(first: int, last: int, radius: int, ny: int) -> slice | Indices:
    """Rows `first` to `last` and `radius` real or reflected rows on either side."""
    if first >= radius and last + radius <= ny:
        return slice(first - radius, last + radius)
    return reflected(np.arange(first - radius, last + radius), ny)


def _framed(strip: Image, radius: int, dtype: np.dtype) -> Image:
    """Copy of the strip with `radius` columns of zeros before it and enough after it to fill the tiles."""
    n_rows, nx = strip.shape
    width = -(-nx // TILE_COLUMNS) * TILE_COLUMNS + 2 * radius
    block = np.zeros((n_rows, width), dtype)
    block[:, radius : radius + nx] = strip
    return block


def _fill_missing(strip: Image, keep: Mask | None, fill: float) -> None:
    """Fill pixels that are not finite or not kept, in place.

    A sum shows in one pass whether anything is not finite, which is rare.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        complete = np.isfinite(strip.sum())
    if not complete:
        np.copyto(strip, fill, where=~np.isfinite(strip))
    if keep is not None:
        np.copyto(strip, fill, where=~keep)


def _mirror_columns(block: Image, radius: int, nx: int) -> None:
    """Reflect the image into the columns on either side, in place."""
    for start in (-radius, nx):
        outside = np.arange(start, start + radius)
        block[:, outside + radius] = block[:, reflected(outside, nx) + radius]


def reflected(index: Indices, size: int) -> Indices:
    """Index folded into the image: ... 1 0 | 0 1 2 ... n-1 | n-1 n-2 ..."""
    folded = np.mod(index, 2 * size)
    return np.where(folded < size, folded, 2 * size - 1 - folded)


def _filter_block(block: Image, bench: Workbench, across: list[Image]) -> Image:
    """Response of a framed block; columns beyond the image are meaningless."""
    smooth, curve = across
    np.matmul(bench.down, block, out=bench.filtered)
    windows = sliding_window_view(bench.filtered, smooth.shape[0], axis=1)[:, ::TILE_COLUMNS]
    n_rows = len(bench.response)
    np.matmul(windows[:n_rows].transpose(1, 0, 2), curve, out=bench.tiles)
    np.matmul(windows[n_rows:].transpose(1, 0, 2), smooth, out=bench.second)
    sides = bench.response.reshape(n_rows, -1, TILE_COLUMNS)
    np.add(bench.tiles.transpose(1, 0, 2), bench.second.transpose(1, 0, 2), out=sides)
    return bench.response
