"""Laplacian of Gaussian of large images, strip by strip.

The filter is separable: ``LoG = D(y) G(x) + G(y) D(x)`` with the sampled Gaussian ``G`` and its second
derivative ``D``. Each strip of rows is small enough to stay in the processor's cache, and symmetric
taps are added before they are multiplied.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from astrodriz_core.errors import MeasurementError
from astrodriz_core.verify.images import BoolImage, FloatImage

__all__ = ["kernel_radius", "laplacian_of_gaussian", "laplacian_strips"]

#: The kernel ends at this many standard deviations, as in `scipy.ndimage`.
TRUNCATE = 4.0
#: Pixels of one strip: about five such arrays of float32 fit in a second-level cache of 1 to 2 MB.
STRIP_PIXELS = 80_000


def kernel_radius(sigma: float) -> int:
    """Pixels on either side of the centre that the filter of standard deviation `sigma` reads."""
    return int(TRUNCATE * sigma + 0.5)


def laplacian_of_gaussian(image: FloatImage, sigma: float) -> FloatImage:
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
    strips = [strip.copy() for _, strip in laplacian_strips(image, sigma)]
    return np.concatenate(strips, axis=0)


def laplacian_strips(
    image: FloatImage, sigma: float, *, overlap: int = 0, keep: BoolImage | None = None, fill: float = 0.0
) -> Iterator[tuple[int, FloatImage]]:
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
        A view of a buffer that the next step overwrites.
    """
    if image.ndim != 2 or 0 in image.shape:
        raise MeasurementError(f"A filled two-dimensional image is needed, not one of shape {image.shape}.")
    if not sigma > 0:
        raise MeasurementError(f"The standard deviation of the filter must be positive, not {sigma}.")
    ny, nx = image.shape
    dtype = np.result_type(image.dtype, np.float32)
    smooth, curve = _half_kernels(sigma, dtype)
    radius = len(smooth) - 1
    step = max(8, STRIP_PIXELS // (nx + 2 * radius))
    buffers = np.empty((5, (step + 2 * overlap) * (nx + 2 * radius)), dtype)
    for start in range(0, ny, step):
        first, last = max(start - overlap, 0), min(start + step + overlap, ny)
        rows = _rows_with_margin(first, last, radius, ny)
        strip = _filled(image[rows], None if keep is None else keep[rows], fill, dtype)
        block = np.pad(strip, ((0, 0), (radius, radius)), mode="symmetric")
        yield first, _filter_block(block, smooth, curve, buffers)[:, :nx]


def _half_kernels(sigma: float, dtype: np.dtype) -> tuple[FloatImage, FloatImage]:
    """Gaussian and its second derivative at 0, 1, 2, ... pixels; both are symmetric."""
    offsets = np.arange(-kernel_radius(sigma), kernel_radius(sigma) + 1)
    gaussian = np.exp(-0.5 * (offsets / sigma) ** 2)
    gaussian /= gaussian.sum()
    second = gaussian * (offsets**2 / sigma**4 - 1 / sigma**2)
    middle = len(offsets) // 2
    return gaussian[middle:].astype(dtype), second[middle:].astype(dtype)


def _rows_with_margin(first: int, last: int, radius: int, ny: int) -> slice | NDArray[np.intp]:
    """Rows `first` to `last` and `radius` real or reflected rows on either side."""
    if first >= radius and last + radius <= ny:
        return slice(first - radius, last + radius)
    return _reflected(np.arange(first - radius, last + radius), ny)


def _filled(strip: FloatImage, keep: BoolImage | None, fill: float, dtype: np.dtype) -> FloatImage:
    """Copy of the strip in the dtype of the work, missing pixels filled."""
    strip = np.array(strip, dtype)
    strip[~np.isfinite(strip)] = fill
    if keep is not None:
        strip[~keep] = fill
    return strip


def _reflected(index: NDArray[np.intp], size: int) -> NDArray[np.intp]:
    """Index folded into the image: ... 1 0 | 0 1 2 ... n-1 | n-1 n-2 ..."""
    folded = np.mod(index, 2 * size)
    return np.where(folded < size, folded, 2 * size - 1 - folded)


def _filter_block(block: FloatImage, smooth: FloatImage, curve: FloatImage, buffers: FloatImage) -> FloatImage:
    """Response of a padded block; the last ``2 * radius`` columns are meaningless.

    Rows are laid end to end, so that every operation runs over one contiguous array; what wraps from
    one row into the next falls into those columns.
    """
    radius = len(smooth) - 1
    rows, width = block.shape[0] - 2 * radius, block.shape[1]
    size = rows * width
    smoothed, curved, pair, scaled, response = buffers[:, :size]
    flat = block.ravel()
    taps = [flat[k * width : k * width + size] for k in range(2 * radius + 1)]
    np.multiply(taps[radius], smooth[0], out=smoothed)
    np.multiply(taps[radius], curve[0], out=curved)
    for k in range(1, radius + 1):
        np.add(taps[radius - k], taps[radius + k], out=pair)
        smoothed += np.multiply(pair, smooth[k], out=scaled)
        curved += np.multiply(pair, curve[k], out=scaled)
    inner = size - 2 * radius
    out, pair, scaled = response[:inner], pair[:inner], scaled[:inner]
    np.multiply(smoothed[radius : radius + inner], curve[0], out=out)
    out += np.multiply(curved[radius : radius + inner], smooth[0], out=scaled)
    for k in range(1, radius + 1):
        for source, kernel in ((smoothed, curve), (curved, smooth)):
            before, after = source[radius - k :][:inner], source[radius + k :][:inner]
            np.add(before, after, out=pair)
            out += np.multiply(pair, kernel[k], out=scaled)
    return np.asarray(response.reshape(rows, width))
