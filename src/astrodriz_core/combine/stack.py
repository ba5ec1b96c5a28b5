"""The stack of separately drizzled images, combined in blocks of rows.

The images may be memory maps: only a block of rows of each is in memory at a time, and the result is
that of one block, to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from attrs import frozen

from astrodriz_core.arrays import Image, Mask, Stack
from astrodriz_core.combine.median import CombineParameters, mean_combine, median_combine, sum_combine
from astrodriz_core.combine.minmed import ExposureNoise, minmed_combine
from astrodriz_core.errors import MeasurementError
from astrodriz_core.parameters.choices import CombineType

__all__ = ["RowBlock", "combine", "low_weight_limit", "row_blocks"]


NO_WEIGHT = 1e-8
"""Weights below this belong to pixels without data and do not count for the mean weight."""

BLOCK_PIXELS = 2**20
"""Output pixels in one block of rows, unless the caller says otherwise: some 100 MB for ten exposures."""

MINMED_TYPES = (CombineType.MINMED, CombineType.IMINMED)
METHODS = {
    CombineType.MEDIAN: median_combine,
    CombineType.IMEDIAN: median_combine,
    CombineType.MEAN: mean_combine,
    CombineType.IMEAN: mean_combine,
    CombineType.SUM: sum_combine,
}


@frozen
class RowBlock:
    """Rows that are computed together.

    Attributes
    ----------
    start, stop : int
        Output rows of this block.
    read_start, read_stop : int
        The same with the halo: rows that have to be read.
    """

    start: int
    stop: int
    read_start: int
    read_stop: int

    @property
    def read(self) -> slice:
        """Rows to read from each image."""
        return slice(self.read_start, self.read_stop)

    @property
    def inner(self) -> slice:
        """Rows of the block within the rows read."""
        return slice(self.start - self.read_start, self.stop - self.read_start)


def row_blocks(ny: int, block_rows: int, halo: int) -> Iterator[RowBlock]:
    """Divide `ny` rows into blocks whose results, put together, equal the result of the whole.

    Parameters
    ----------
    ny : int
        Number of rows of the image.
    block_rows : int
        Rows of a block without its halo; at least 1.
    halo : int
        Rows on either side that the result of a row depends on: ``grow`` for minmed, 0 for the others.

    Yields
    ------
    RowBlock
        In the order of the rows; every row belongs to exactly one block. No row gives no block.
    """
    for start in range(0, ny, max(block_rows, 1)):
        stop = min(start + max(block_rows, 1), ny)
        yield RowBlock(start, stop, max(start - halo, 0), min(stop + halo, ny))


def low_weight_limit(weight: Image, maskpt: float) -> float:
    """Weight below which a pixel of a separately drizzled image counts as masked.

    It is ``maskpt`` times the mean of the weights that are at least 1e-8.

    Parameters
    ----------
    weight : ndarray
        Weight image [y, x], may be a memory map: it is read in blocks of rows.
    maskpt : float
        Fraction of the mean (parameter ``combine_maskpt``).

    Returns
    -------
    float
        The limit; 0 where no pixel has weight, so that nothing is masked by it.
    """
    total, count = 0.0, 0
    for block in row_blocks(weight.shape[0], _rows_of_a_block(weight.shape[1]), 0):
        rows = np.asarray(weight[block.read])
        seen = rows[rows >= NO_WEIGHT]
        total += float(seen.sum(dtype=np.float64))
        count += seen.size
    return maskpt * total / count if count else 0.0


def combine(
    images: Sequence[Image],
    weights: Sequence[Image],
    noise: Sequence[ExposureNoise],
    parameters: CombineParameters,
    *,
    low_weights: Sequence[float] | None,
    block_rows: int | None = None,
) -> Stack:
    """Combine separately drizzled images, in blocks of rows.

    Parameters
    ----------
    images, weights : sequence of ndarray
        One [y, x] array for each exposure, electrons per second and seconds; memory maps will do, and
        any byte order.
    noise : sequence of ExposureNoise
        One for each exposure; only minmed looks at it.
    parameters : CombineParameters
        Method and its parameters.
    low_weights : sequence of float or None
        For each exposure the weight below which a pixel is masked (`low_weight_limit`), or None for no
        masks at all (parameter ``median_newmasks`` off).
    block_rows : int, optional
        Output rows of a block; by default as many as make about a million pixels. The result does not
        depend on it.

    Returns
    -------
    ndarray of float32
        [y, x]; see the function of the method for masked pixels.

    Raises
    ------
    MeasurementError
        There is no image, or the shapes or numbers differ; see also the functions of the methods.
    """
    shape = _common_shape([*images, *weights])
    numbers = {len(images), len(weights), len(noise), len(images if low_weights is None else low_weights)}
    if len(numbers) != 1:
        raise MeasurementError("the combination needs one weight, noise and weight limit for each image")
    halo = parameters.grow if parameters.combine_type in MINMED_TYPES else 0
    result = np.empty(shape, dtype=np.float32)
    for block in row_blocks(shape[0], block_rows or _rows_of_a_block(shape[1]), halo):
        stack, weight = _read(images, block), _read(weights, block)
        masked = _low_weight(weight, low_weights)
        combined = _combine_block(stack, weight, masked, noise, parameters)
        result[block.start : block.stop] = combined[block.inner]
    return result


def _combine_block(
    stack: Stack, weight: Stack, masked: Mask, noise: Sequence[ExposureNoise], parameters: CombineParameters
) -> Stack:
    if parameters.combine_type in MINMED_TYPES:
        return minmed_combine(stack, weight, masked, noise, parameters)
    return METHODS[parameters.combine_type](stack, masked, parameters)


def _rows_of_a_block(nx: int) -> int:
    return max(1, BLOCK_PIXELS // max(nx, 1))


def _read(images: Sequence[Image], block: RowBlock) -> Stack:
    return np.stack([np.asarray(image[block.read], dtype=np.float32) for image in images])


def _low_weight(weight: Stack, limits: Sequence[float] | None) -> Mask:
    if limits is None:
        return np.zeros(weight.shape, dtype=bool)
    return weight < np.asarray(limits, dtype=np.float64).reshape(-1, 1, 1)


def _common_shape(images: Sequence[Image]) -> tuple[int, int]:
    if not images:
        raise MeasurementError("the combination needs at least one image")
    if len({image.shape for image in images}) != 1 or images[0].ndim != 2:
        raise MeasurementError("the combination needs images and weights of one shape [y, x]")
    ny, nx = images[0].shape
    return ny, nx
