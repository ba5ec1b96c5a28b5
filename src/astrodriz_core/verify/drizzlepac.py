"""The numbers that version 3.11 of drizzlepac derives from the same images.

They are reproduced, not endorsed: masked pixels are set to zero before the filter, a similarity is the
absolute value of a sum of differences (so that a pure shift scores about 0), and the region is the whole
frame, because the footprint of a single-drizzled file is that of the output frame.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from astrodriz_core.arrays import Image, Mask
from astrodriz_core.measure.clipping import SigmaClippedStatistics, sigma_clipped_statistics
from astrodriz_core.measure.footprint import row_strips
from astrodriz_core.measure.images import DrizzledImage, VerificationParameters
from astrodriz_core.measure.laplacian import laplacian_strips, reflected
from astrodriz_core.records.verification import DrizzlepacExposure, DrizzlepacNumbers
from astrodriz_core.verify.each import Each
from astrodriz_core.verify.focus import focus_index

__all__ = ["absolute_sum_similarity", "drizzlepac_hamming_distance", "drizzlepac_numbers", "positive_response_mask"]

#: Standard deviation of the LoG that outlines the sources, pixels.
OUTLINE_SIGMA = 3.0
#: Sources stand this many standard deviations above the clipped mean.
THRESHOLD_SIGMA = 4.0
#: Clipping limit of the background statistics.
CLIP_SIGMA = 3.0
#: A blank field (background below its noise and below this level) is median filtered with a square box.
BLANK_LEVEL = 1.0
MEDIAN_BOX = 5
#: An image is rebinned to a quarter of its largest power of two, unless that is 64 pixels or less.
REBIN_BITS, SMALLEST_REBIN_BITS = 2, 6
#: The similarity is doubled to compare it with the Hamming distance.
SIMILARITY_SCALE = 2.0


def drizzlepac_numbers(
    product: DrizzledImage,
    exposures: tuple[DrizzledImage, ...],
    parameters: VerificationParameters,
    each: Each = map,
) -> DrizzlepacNumbers:
    """Focus values, Hamming distances and similarities of one association.

    Parameters
    ----------
    product : DrizzledImage
        The combination.
    exposures : tuple of DrizzledImage
        Single-drizzled images on the same grid, 0 or NaN where there is no coverage.
    parameters : VerificationParameters
        Give the sigma of the focus index and the erosion.
    each : callable, optional
        As for `measure_alignment`.
    """
    keep = _nonzero_everywhere(exposures, parameters.erosion_iterations)
    sigma = parameters.log_sigma_pix
    longest = max(exposure.exptime for exposure in exposures)
    records = tuple(each(partial(_exposure_record, product.sci, keep, sigma, longest), exposures))
    focus = [record.focus for record in records]
    return DrizzlepacNumbers(
        product_focus=_focus(product.sci, sigma, keep),
        exposures=records,
        focus_mean=float(np.mean(focus)),
        focus_sigma=float(np.std(focus)),
    )


def _nonzero_everywhere(exposures: tuple[DrizzledImage, ...], iterations: int) -> Mask:
    """Pixels that are not 0 in any exposure, eroded."""
    nonzero = np.ones(exposures[0].shape, np.bool_)
    for exposure in exposures:
        for rows in row_strips(nonzero.shape[0]):
            nonzero[rows] &= exposure.sci[rows] != 0
    return np.asarray(ndimage.binary_erosion(nonzero, iterations=iterations)) if iterations else nonzero


def _focus(image: Image, sigma: float, keep: Mask) -> float:
    """Maximum of |LoG| with the masked pixels set to 0 before."""
    peak = focus_index(image, sigma, keep=keep)
    return 0.0 if peak is None else peak.value


def _exposure_record(
    product: Image, keep: Mask, sigma: float, longest: float, exposure: DrizzledImage
) -> DrizzlepacExposure:
    """Focus of one exposure, and its distance and similarity to the product where the exposure is positive."""
    focus = _focus(exposure.sci, sigma, keep)
    exposure_weight = exposure.exptime / longest if longest > 0 else 1.0
    positive = np.asarray(exposure.sci > 0)
    if not positive.any():
        return DrizzlepacExposure(exposure.name, focus, None, None, None)
    rows, columns = (np.flatnonzero(positive.any(axis=axis)) for axis in (1, 0))
    window = slice(int(rows[0]), int(rows[-1])), slice(int(columns[0]), int(columns[-1]))
    inside = positive[window]
    single = np.where(inside, exposure.sci[window], 0)
    combined = np.where(inside & np.isfinite(product[window]), product[window], 0)
    hamming = drizzlepac_hamming_distance(single, combined)
    similarity = absolute_sum_similarity(single, combined)
    weighted = None if hamming is None else hamming * exposure_weight
    known = [
        value
        for value in (weighted, None if similarity is None else SIMILARITY_SCALE * similarity)
        if value is not None
    ]
    return DrizzlepacExposure(exposure.name, focus, weighted, similarity, min(known, default=None))


def drizzlepac_hamming_distance(single: Image, combined: Image) -> float | None:
    """Pixels that differ between the source masks over those of the exposure's mask; None if it is empty."""
    if single.size == 0:
        return None
    mask = positive_response_mask(single)
    count = int(np.count_nonzero(mask))
    return int(np.count_nonzero(mask != positive_response_mask(combined))) / count if count else None


def positive_response_mask(image: Image) -> Mask:
    """Cores of the sources: where the negative LoG of what stands above the threshold is positive."""
    above = _above_background(image)
    mask = np.empty(image.shape, np.bool_)
    for first_row, response in laplacian_strips(above, OUTLINE_SIGMA):
        np.less(response, 0, out=mask[first_row : first_row + len(response)])
    return mask


def _above_background(image: Image) -> Image:
    """What the image has above the clipped mean plus `THRESHOLD_SIGMA` standard deviations, else 0."""
    sky = _background(image)
    threshold = sky.mean + THRESHOLD_SIGMA * sky.sigma
    if sky.median < sky.sigma and sky.median < BLANK_LEVEL:
        return _median_above(image, threshold)
    above = image - np.asarray(threshold, image.dtype)
    return np.clip(above, 0, None, out=above)


def _background(image: Image) -> SigmaClippedStatistics:
    """Clipped statistics; the number of rounds grows with the largest value, none is without end."""
    largest = float(image.max())
    if largest == 0:
        return SigmaClippedStatistics(*np.zeros(3, image.dtype))
    return sigma_clipped_statistics(image, CLIP_SIGMA, int(np.log10(largest / 2) + 0.5) or None)


def _median_above(image: Image, threshold: np.floating) -> Image:
    """What the median filtered image has above the threshold, else 0.

    The median of 25 pixels exceeds a level only where 13 of them do. Counting these is much faster than
    the median, which is then needed at the sources only.
    """
    y, x = np.nonzero(_box_counts(image > threshold) > MEDIAN_BOX**2 // 2)
    steps = np.arange(MEDIAN_BOX) - MEDIAN_BOX // 2
    above = np.zeros(image.shape, image.dtype)
    for part in np.array_split(np.arange(len(y)), len(y) // 200_000 + 1):
        rows, columns = (
            reflected(place[part, None] + steps, size) for place, size in zip((y, x), image.shape, strict=True)
        )
        boxes = image[rows[:, :, None], columns[:, None, :]].reshape(len(part), MEDIAN_BOX**2)
        above[y[part], x[part]] = np.median(boxes, axis=1) - np.asarray(threshold, image.dtype)
    return above


def _box_counts(flags: Mask) -> NDArray[np.uint8]:
    """Number of flags in the box around each pixel; the image is reflected at its edges."""
    ny, nx = flags.shape
    ones = np.pad(flags, MEDIAN_BOX // 2, mode="symmetric").view(np.uint8)
    columns = ones[:ny].copy()
    for k in range(1, MEDIAN_BOX):
        columns += ones[k : k + ny]
    counts = columns[:, :nx].copy()
    for k in range(1, MEDIAN_BOX):
        counts += columns[:, k : k + nx]
    return counts


def absolute_sum_similarity(image: Image, reference: Image) -> float | None:
    """|sum of (image - reference)| over the sum of the image, of the largest square of 2^k pixels.

    None where the image sums to 0 or has no pixel.
    """
    smallest = min(image.shape)
    if smallest == 0:
        return None
    bits = smallest.bit_length() - 1
    window = slice(0, 2**bits), slice(0, 2**bits)
    size = 2 ** (bits - REBIN_BITS if bits - REBIN_BITS > SMALLEST_REBIN_BITS else bits)
    binned, other = _rebinned(image[window], size), _rebinned(reference[window], size)
    total = float(binned.sum())
    return float(abs((binned - other).sum())) / total if total else None


def _rebinned(image: Image, size: int) -> Image:
    """Sum of the image in ``size x size`` blocks."""
    block = image.shape[0] // size
    return np.asarray(image.reshape(size, block, size, block).sum(-1).sum(1))
