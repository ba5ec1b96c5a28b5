"""Where the exposures cover the output frame, where they overlap most, and where focus may be measured."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from astrodriz_core.arrays import Mask
from astrodriz_core.measure.images import DrizzledImage, check_common_grid
from astrodriz_core.records.verification import OverlapRegion

__all__ = ["coverage_map", "largest_count", "maximum_overlap", "overlap_region", "row_strips", "usable_everywhere"]

#: Rows that are read of every image at a time.
STRIP_ROWS = 256
#: A plateau of coverage smaller than this part of the covered area is noise of the footprint's edge.
SMALLEST_PLATEAU = 0.005


def row_strips(ny: int) -> Iterator[slice]:
    """Slices that walk over `ny` rows."""
    for start in range(0, ny, STRIP_ROWS):
        yield slice(start, min(start + STRIP_ROWS, ny))


def coverage_map(exposures: tuple[DrizzledImage, ...]) -> NDArray[np.uint16]:
    """Number of exposures that cover each pixel.

    Parameters
    ----------
    exposures : tuple of DrizzledImage
        Single-drizzled images on one grid, at most 65535.

    Returns
    -------
    numpy.ndarray of uint16, shape (ny, nx)

    Raises
    ------
    MeasurementError
        If there is no image or the shapes differ.
    """
    count = np.zeros(check_common_grid(exposures), np.uint16)
    for exposure in exposures:
        for rows in row_strips(count.shape[0]):
            count[rows] += exposure.covered((rows, slice(None)))
    return count


def maximum_overlap(coverage: NDArray[np.integer], covered: Mask, n_exposures: int | None = None) -> Mask:
    """Pixels of one exposure in which most exposures overlap.

    Parameters
    ----------
    coverage : numpy.ndarray of int, shape (ny, nx)
        Number of exposures on each pixel.
    covered : numpy.ndarray of bool, shape (ny, nx)
        Where this exposure has data.
    n_exposures : int, optional
        The largest number of exposures that overlap, if it is known already.

    Returns
    -------
    numpy.ndarray of bool, shape (ny, nx)
        For an exposure that misses the region of maximum overlap, the pixels in which it overlaps at
        least one other; all false where there is none.
    """
    count = largest_count(coverage) if n_exposures is None else n_exposures
    best = (coverage == count) & covered
    return best if best.any() else (coverage > 1) & covered


def overlap_region(coverage: NDArray[np.integer]) -> OverlapRegion | None:
    """Bounding box of the region of maximum overlap; None where nothing is covered."""
    count = largest_count(coverage)
    if count == 0:
        return None
    inside = coverage == count
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    return OverlapRegion(
        y_start=int(rows[0]),
        y_stop=int(rows[-1]) + 1,
        x_start=int(columns[0]),
        x_stop=int(columns[-1]) + 1,
        n_pixels=int(np.count_nonzero(inside)),
        n_exposures=count,
    )


def largest_count(coverage: NDArray[np.integer]) -> int:
    """Largest number of exposures that a sizeable part of the covered area has; 0 without coverage."""
    counts = range(1, int(coverage.max()) + 1)
    pixels = np.array([np.count_nonzero(coverage == count) for count in counts])
    enough = np.flatnonzero(pixels > SMALLEST_PLATEAU * pixels.sum())
    return int(enough[-1]) + 1 if enough.size else 0


def usable_everywhere(images: tuple[DrizzledImage, ...], iterations: int) -> Mask:
    """Pixels where the focus of all images may be compared.

    They are covered in every image, saturated in none, and at least `iterations` steps away from any
    pixel that is not.
    """
    usable = np.ones(check_common_grid(images), np.bool_)
    for image in images:
        for rows in row_strips(usable.shape[0]):
            usable[rows] &= image.covered((rows, slice(None)))
            if image.saturated is not None:
                usable[rows] &= ~image.saturated[rows]
    return np.asarray(ndimage.binary_erosion(usable, iterations=iterations)) if iterations else usable
