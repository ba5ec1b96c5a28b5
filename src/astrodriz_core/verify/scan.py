"""One walk over each image: its focus index, its peaks, and its difference from the product.

The Laplacian of Gaussian of a strip serves all three, so that each image is filtered once and nothing as
large as an image is kept but masks.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from attrs import frozen
from scipy import ndimage

from astrodriz_core.verify.focus import Peak, larger_peak
from astrodriz_core.verify.images import BoolImage, DrizzledImage, FloatImage, VerificationParameters
from astrodriz_core.verify.laplacian import laplacian_strips
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
    sources : numpy.ndarray of bool, shape (ny, nx)
        Cores of the sources, grown by `SOURCE_MARGIN`.
    """

    peak: Peak | None
    sources: BoolImage


@frozen(eq=False)
class ExposureScan:
    """What the walk over one exposure gives."""

    peak: Peak | None
    peaks: Peaks
    difference: DifferenceSums


def scan_product(product: DrizzledImage, usable: BoolImage, parameters: VerificationParameters) -> ProductScan:
    """Focus index of the product where `usable` allows it, and where its sources are."""
    covered = product.covered()
    sources = np.zeros(product.shape, np.bool_)
    best: Peak | None = None
    for first_row, response in _responses(product, covered, background_level(product), parameters):
        rows = slice(first_row, first_row + len(response))
        best = larger_peak(best, first_row, response, usable[rows])
        core = response < -CORE_SIGMA * response_noise(response, covered[rows])
        sources[rows] |= core & covered[rows]
    return ProductScan(best, np.asarray(ndimage.binary_dilation(sources, iterations=SOURCE_MARGIN)))


def find_peaks(image: DrizzledImage, parameters: VerificationParameters) -> Peaks:
    """Peaks of one image."""
    covered, parts = image.covered(), []
    for first_row, response in _responses(image, covered, background_level(image), parameters):
        rows = slice(first_row, first_row + len(response))
        inner = _inner_rows(first_row, len(response), image.shape[0])
        parts.append(strip_peaks(first_row, response, covered[rows], inner))
    return Peaks.joined(parts)


def contaminated(exposure: DrizzledImage, sources: BoolImage) -> BoolImage:
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
    usable: BoolImage,
    region: BoolImage,
    sources: BoolImage,
    parameters: VerificationParameters,
) -> ExposureScan:
    """Focus index, peaks and difference from the product of one exposure.

    Parameters
    ----------
    exposure, product : DrizzledImage
        On one grid.
    usable : numpy.ndarray of bool, shape (ny, nx)
        Where the focus indices of all images may be compared.
    region : numpy.ndarray of bool, shape (ny, nx)
        Region of overlap in which exposure and product are compared.
    sources : numpy.ndarray of bool, shape (ny, nx)
        Sources of the product.
    parameters : VerificationParameters
        How to measure.
    """
    covered, spoiled = exposure.covered(), contaminated(exposure, sources)
    clean, compared = usable & ~spoiled, region & ~spoiled
    levels = background_level(exposure), background_level(product)
    best: Peak | None = None
    peaks: list[Peaks] = []
    sums = DifferenceSums()
    own = _responses(exposure, covered, levels[0], parameters)
    other = _responses(product, product.covered(), levels[1], parameters)
    for (first_row, response), (_, combined) in zip(own, other, strict=True):
        rows = slice(first_row, first_row + len(response))
        inner = _inner_rows(first_row, len(response), exposure.shape[0])
        best = larger_peak(best, first_row, response, clean[rows])
        peaks.append(strip_peaks(first_row, response, covered[rows], inner))
        cut = slice(first_row + inner.start, first_row + inner.stop)
        threshold = CORE_SIGMA * response_noise(response, covered[rows])
        sums += DifferenceSums.of_strip(
            exposure.sci[cut] - levels[0],
            product.sci[cut] - levels[1],
            response[inner] < -threshold,
            combined[inner] < -threshold,
            compared[cut],
        )
    return ExposureScan(best, Peaks.joined(peaks), sums)


def _responses(
    image: DrizzledImage, covered: BoolImage, level: float, parameters: VerificationParameters
) -> Iterator[tuple[int, FloatImage]]:
    """Strips of the LoG response that overlap by one row, missing pixels at the background level."""
    return laplacian_strips(image.sci, parameters.log_sigma_pix, overlap=1, keep=covered, fill=level)


def _inner_rows(first_row: int, n_rows: int, ny: int) -> slice:
    """Rows of a strip that belong to no other strip."""
    return slice(0 if first_row == 0 else 1, n_rows - (0 if first_row + n_rows == ny else 1))
