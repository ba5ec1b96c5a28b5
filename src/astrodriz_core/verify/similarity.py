"""Similarity of an exposure to the product: Hamming distance of source masks, mean squared error.

Both are 0 for equal images, grow with any difference, a pure shift included, and reach 1 where as much
differs as is there.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attrs import frozen

from astrodriz_core.arrays import Image, Mask
from astrodriz_core.measure.robust import MEDIAN_ABSOLUTE
from astrodriz_core.records.verification import ExposureSimilarity, SimilarityMeasurements

__all__ = [
    "DifferenceSums",
    "exposure_similarity",
    "hamming_distance",
    "mean_squared_error_index",
    "similarity_measurements",
]


@frozen
class DifferenceSums:
    """Sums over pixels from which the similarity follows; they add up over strips.

    Attributes
    ----------
    mask_pixels : int
        Pixels of the exposure's source mask.
    differing_pixels : int
        Pixels in which the two source masks differ.
    source_pixels : int
        Pixels of either mask, over which the squares are summed.
    squared_difference, squared_signal : float
        Sums of (exposure - product)^2 and of the mean of exposure^2 and product^2 there.
    sky_pixels : int
        Pixels outside both masks.
    sky_difference, sky_signal : float
        The same sums over pixels outside both masks: what noise alone gives.
    """

    mask_pixels: int = 0
    differing_pixels: int = 0
    source_pixels: int = 0
    squared_difference: float = 0.0
    squared_signal: float = 0.0
    sky_pixels: int = 0
    sky_difference: float = 0.0
    sky_signal: float = 0.0

    def __add__(self, other: DifferenceSums) -> DifferenceSums:
        return DifferenceSums(
            self.mask_pixels + other.mask_pixels,
            self.differing_pixels + other.differing_pixels,
            self.source_pixels + other.source_pixels,
            self.squared_difference + other.squared_difference,
            self.squared_signal + other.squared_signal,
            self.sky_pixels + other.sky_pixels,
            self.sky_difference + other.sky_difference,
            self.sky_signal + other.sky_signal,
        )

    @classmethod
    def of_strip(
        cls,
        exposure: Image,
        product: Image,
        exposure_mask: Mask,
        product_mask: Mask,
        compared: Mask,
    ) -> DifferenceSums:
        """Sums over the compared pixels of one strip.

        Parameters
        ----------
        exposure, product : numpy.ndarray, shape (rows, nx)
            Science images, background taken off.
        exposure_mask, product_mask : numpy.ndarray of bool, shape (rows, nx)
            Cores of the sources in each.
        compared : numpy.ndarray of bool, shape (rows, nx)
            Pixels to compare; others count nowhere.
        """
        compared = compared & np.isfinite(exposure) & np.isfinite(product)
        own, other = exposure_mask & compared, product_mask & compared
        either = own | other
        sky = compared & ~either
        return cls(
            int(np.count_nonzero(own)),
            int(np.count_nonzero(own != other)),
            *_squares(exposure[either], product[either]),
            *_sky_squares(exposure[sky], product[sky]),
        )


def _squares(exposure: Image, product: Image) -> tuple[int, float, float]:
    """Number, sum of squared differences, sum of the mean of squares."""
    one, other = exposure.astype(np.float64), product.astype(np.float64)
    return one.size, float(((one - other) ** 2).sum()), float((one @ one + other @ other) / 2)


#: Of this many rows, one serves to measure the noise of the sky.
SKY_SAMPLING = 15


def _sky_squares(exposure: Image, product: Image) -> tuple[int, float, float]:
    """Number and squares of the sky, from the median absolute value, blind to faint sources."""
    one, other = exposure[::SKY_SAMPLING], product[::SKY_SAMPLING]
    if not one.size:
        return 0, 0.0, 0.0
    spread = [float(np.median(np.abs(v)) / MEDIAN_ABSOLUTE) ** 2 * one.size for v in (one - other, one, other)]
    return one.size, spread[0], (spread[1] + spread[2]) / 2


def hamming_distance(sums: DifferenceSums) -> float | None:
    """Pixels in which the masks differ over the pixels of the exposure's mask; None if that is empty."""
    return sums.differing_pixels / sums.mask_pixels if sums.mask_pixels else None


def mean_squared_error_index(sums: DifferenceSums) -> float | None:
    r"""Mean squared difference over mean squared signal on the sources, noise taken off both.

    :math:`\sum (a - b)^2 / \tfrac12 \sum (a^2 + b^2)`, each sum less what the sky noise adds to it. It is 0
    for equal images and 1 where there is as much difference as signal; two images without any source in
    common reach 2. It does not change when the images change places or are scaled together.

    Returns
    -------
    float or None
        None where the sources hold no signal above the noise.
    """
    if not sums.source_pixels:
        return None
    scale = sums.source_pixels / sums.sky_pixels if sums.sky_pixels else 0.0
    signal = sums.squared_signal - scale * sums.sky_signal
    difference = max(sums.squared_difference - scale * sums.sky_difference, 0.0)
    return difference / signal if signal > 0 else None


def exposure_similarity(rootname: str, sums: DifferenceSums, exposure_weight: float) -> ExposureSimilarity:
    """Record of one exposure.

    Parameters
    ----------
    rootname : str
        Rootname of the exposure.
    sums : DifferenceSums
        Sums over the exposure against the product.
    exposure_weight : float
        Exposure time over the longest of the association; scales the Hamming distance.
    """
    distance = hamming_distance(sums)
    hamming = None if distance is None else distance * exposure_weight
    error = mean_squared_error_index(sums)
    known = [value for value in (hamming, error) if value is not None]
    return ExposureSimilarity(rootname, hamming, error, min(known, default=None))


def similarity_measurements(exposures: Sequence[ExposureSimilarity]) -> SimilarityMeasurements:
    """Record of an association: the index is the maximum over the exposures that have one."""
    known = [exposure.index for exposure in exposures if exposure.index is not None]
    return SimilarityMeasurements(tuple(exposures), max(known, default=None))
