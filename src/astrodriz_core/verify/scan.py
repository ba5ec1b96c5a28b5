"""One walk over each image: its focus index, its peaks, and its difference from the product.

The Laplacian of Gaussian of a strip serves all three, so that each image is filtered once. Nothing as large as
an image is kept but masks and the response of the product, which every exposure is compared with.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from attrs import frozen
from scipy import ndimage

from astrodriz_core.arrays import Image, Mask
from astrodriz_core.measure.images import DrizzledImage, VerificationParameters
from astrodriz_core.measure.laplacian import laplacian_strips
from astrodriz_core.verify.focus import Peak, larger_peak
from astrodriz_core.verify.similarity import DifferenceSums
from astrodriz_core.verify.sources import Peaks, background_level, response_noise, strip_peaks

__all__ = ["ExposureScan", "ProductScan", "contaminated", "find_peaks", "scan_exposure", "scan_product"]

#: A source reaches this many pixels beyond the core that the LoG outlines.
SOURCE_MARGIN = 2
#: A cosmic ray changes the LoG response this many pixels around it.
COSMIC_RAY_MARGIN = 2
#: The core of a source is where the negative LoG response exceeds this many times its noise.
CORE_SIGMA = 5.0


@frozen(eq=False)
class ProductScan:
    """What the walk over the product gives.

    Attributes
    ----------
    peak : Peak or None
        Focus index.
    level : float
        Background.
    response : numpy.ndarray, shape (ny, nx)
        LoG response.
    sources : numpy.ndarray of bool, shape (ny, nx)
        Cores of the sources, grown by `SOURCE_MARGIN`.
    """

    peak: Peak | None
    level: float
    response: Image
    sources: Mask


@frozen(eq=False)
class ExposureScan:
    """What the walk over one exposure gives."""

    peak: Peak | None
    peaks: Peaks
    difference: DifferenceSums


def scan_product(product: DrizzledImage, usable: Mask, parameters: VerificationParameters) -> ProductScan:
    """Focus index of the product where `usable` allows it, and where its sources are."""
    covered, level = product.covered(), background_level(product)
    sources = np.zeros(product.shape, np.bool_)
    whole = np.empty(product.shape, np.result_type(product.sci.dtype, np.float32))
    best: Peak | None = None
    for first_row, response in _responses(product, covered, level, parameters):
        rows = slice(first_row, first_row + len(response))
        whole[rows] = response
        best = larger_peak(best, first_row, response, usable[rows])
        core = response < -CORE_SIGMA * response_noise(response, covered[rows])
        sources[rows] |= core & covered[rows]
    grown = np.asarray(ndimage.binary_dilation(sources, iterations=SOURCE_MARGIN))
    return ProductScan(best, level, whole, grown)


def find_peaks(image: DrizzledImage, parameters: VerificationParameters) -> Peaks:
    """Find the peaks of one image."""
    covered, parts = image.covered(), []
    for first_row, response in _responses(image, covered, background_level(image), parameters):
        rows = slice(first_row, first_row + len(response))
        inner = _inner_rows(first_row, len(response), image.shape[0])
        noise = response_noise(response, covered[rows])
        parts.append(strip_peaks(first_row, response, covered[rows], inner, noise))
    return Peaks.joined(parts)


def contaminated(exposure: DrizzledImage, sources: Mask) -> Mask:
    """Pixels that a real cosmic ray spoils in one exposure.

    A flagged pixel on a source of the product is most likely the core of that source, flagged because
    the exposure is off its place or sharper than the others; it is not taken for a cosmic ray.
    """
    if exposure.cosmic_rays is None:
        return np.zeros(exposure.shape, np.bool_)
    hit = np.asarray(exposure.cosmic_rays, np.bool_) & ~sources
    return np.asarray(ndimage.binary_dilation(hit, iterations=COSMIC_RAY_MARGIN))


def scan_exposure(
    exposure: DrizzledImage,
    product: DrizzledImage,
    seen: ProductScan,
    usable: Mask,
    region: Mask,
    parameters: VerificationParameters,
) -> ExposureScan:
    """Focus index, peaks and difference from the product of one exposure.

    Parameters
    ----------
    exposure, product : DrizzledImage
        On one grid.
    seen : ProductScan
        What the walk over the product gave.
    usable : numpy.ndarray of bool, shape (ny, nx)
        Where the focus indices of all images may be compared.
    region : numpy.ndarray of bool, shape (ny, nx)
        Region of overlap in which exposure and product are compared.
    parameters : VerificationParameters
        How to measure.
    """
    covered, spoiled, level = exposure.covered(), contaminated(exposure, seen.sources), background_level(exposure)
    clean, compared = usable & ~spoiled, region & ~spoiled
    best: Peak | None = None
    peaks: list[Peaks] = []
    sums = DifferenceSums()
    for first_row, response in _responses(exposure, covered, level, parameters):
        rows = slice(first_row, first_row + len(response))
        inner = _inner_rows(first_row, len(response), exposure.shape[0])
        best = larger_peak(best, first_row, response, clean[rows])
        noise = response_noise(response, covered[rows])
        peaks.append(strip_peaks(first_row, response, covered[rows], inner, noise))
        cut = slice(first_row + inner.start, first_row + inner.stop)
        sums += DifferenceSums.of_strip(
            exposure.sci[cut] - level,
            product.sci[cut] - seen.level,
            response[inner] < -CORE_SIGMA * noise,
            seen.response[cut] < -CORE_SIGMA * noise,
            compared[cut],
        )
    return ExposureScan(best, Peaks.joined(peaks), sums)


def _responses(
    image: DrizzledImage, covered: Mask, level: float, parameters: VerificationParameters
) -> Iterator[tuple[int, Image]]:
    """Strips of the LoG response that overlap by one row, missing pixels at the background level."""
    return laplacian_strips(image.sci, parameters.log_sigma_pix, overlap=1, keep=covered, fill=level)


def _inner_rows(first_row: int, n_rows: int, ny: int) -> slice:
    """Rows of a strip that belong to no other strip."""
    return slice(0 if first_row == 0 else 1, n_rows - (0 if first_row + n_rows == ny else 1))
