"""The shared sources as every image shows them: positions, concentrations, LoG peaks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attrs import frozen

from astrodriz_core.arrays import Array, Mask, Positions
from astrodriz_core.measure.images import DrizzledImage, VerificationParameters
from astrodriz_core.measure.robust import FWHM_PER_SIGMA
from astrodriz_core.verify.matching import SharedSources
from astrodriz_core.verify.registration import SourceTable
from astrodriz_core.verify.sharpness import concentration, gaussian_concentration, laplacian_at
from astrodriz_core.verify.sources import Peaks, cut_out, window_sigma, windowed_centroids

__all__ = ["SourceMeasurements", "measure_sources", "without_spikes"]

#: Sources that are measured, at most; the error of an offset is then set by other things than their number.
SOURCE_LIMIT = 1500
#: A source is there where its peak pixel stands this many times above the noise of the cut-out.
PRESENT_SIGMA = 3.0
#: Variance along one axis that pixel and drizzle kernel add to the point spread function, pixels squared.
DRIZZLE_VARIANCE = 1 / 6
#: A source is too sharp where its concentration, a logarithm, exceeds that of a star by this much: it is
#: then narrower by about 30 %, more than a filter or the focus can do, and less than a hot pixel is.
SHARPNESS_MARGIN = 0.2
#: Error of a centroid that does not go down with flux (undersampling, resampling), pixels.
CENTROID_FLOOR_PIX = 0.03
#: Error of a centroid is about this times FWHM over the signal-to-noise ratio of the peak.
CENTROID_NOISE = 0.7


@frozen(eq=False)
class SourceMeasurements:
    """Shared sources as every image shows them.

    Attributes
    ----------
    table : SourceTable
        Positions.
    concentrations, peaks : numpy.ndarray, shape (n_sources, n_exposures)
        Logarithm of core over wide flux; negative LoG at the centroid.
    product_peaks : numpy.ndarray, shape (n_sources,)
        The latter in the product.
    flagged : numpy.ndarray of float, shape (n_sources, n_exposures)
        1 where the central pixel is flagged as a cosmic ray, NaN where the source was not measured.
    """

    table: SourceTable
    concentrations: Array
    peaks: Array
    product_peaks: Array
    flagged: Array


@frozen(eq=False)
class ImageSources:
    """Shared sources as one image shows them; NaN where one is not measurable."""

    positions: Positions
    errors: Array
    concentrations: Array
    peaks: Array
    missing: Mask
    flagged: Array


def without_spikes(image: DrizzledImage, peaks: Peaks, parameters: VerificationParameters) -> Peaks:
    """Peaks that are as wide as the point spread function, or wider.

    Hot pixels are narrower, and many cosmic rays. Where the exposures are not dithered, hot pixels
    coincide however the sky has moved, and would outvote the stars. Peaks with missing pixels in their
    middle, or too near to the edge to be measured, go as well.
    """
    cutouts = cut_out(image, peaks.positions, int(np.ceil(3 * window_sigma(parameters))))
    measured = concentration(cutouts, peaks.positions, window_sigma(parameters))
    variance = (parameters.psf_fwhm_pix / FWHM_PER_SIGMA) ** 2 + DRIZZLE_VARIANCE
    limit = gaussian_concentration(variance, window_sigma(parameters)) + SHARPNESS_MARGIN
    wide = measured < limit
    return Peaks(peaks.positions[wide], peaks.strength[wide])


def measure_sources(
    product: DrizzledImage,
    singles: tuple[DrizzledImage, ...],
    shared: SharedSources,
    parameters: VerificationParameters,
) -> SourceMeasurements:
    """Measure the shared sources, in every exposure at its own bulk offset."""
    order = np.lexsort((-shared.strength, -shared.counts))[:SOURCE_LIMIT]
    places = shared.positions[order]
    found = [
        _image_sources(single, places + np.nan_to_num(offset), parameters)
        for single, offset in zip(singles, shared.offsets, strict=True)
    ]
    measured = np.sum([np.isfinite(image.positions[:, 0]) for image in found], axis=0)
    real = ~_missing_somewhere(found, shared.offsets, len(places)) & (measured >= 2)
    table = SourceTable(
        np.stack([image.positions for image in found], axis=1)[real],
        np.stack([image.errors for image in found], axis=1)[real],
    )
    middle = np.nanmean(table.positions, axis=1)
    combined = _image_sources(product, middle, parameters)
    return SourceMeasurements(
        table,
        np.stack([image.concentrations for image in found], axis=1)[real],
        np.stack([image.peaks for image in found], axis=1)[real],
        combined.peaks,
        np.stack([image.flagged for image in found], axis=1)[real],
    )


def _missing_somewhere(found: Sequence[ImageSources], offsets: Positions, number: int) -> Mask:
    """Sources that some exposure should show and does not: coincidences of cosmic rays.

    Exposures that could not be placed against the others have no say.
    """
    placed = np.isfinite(offsets[:, 0])
    masks = [image.missing for image, known in zip(found, placed, strict=True) if known]
    return np.asarray(np.any(masks, axis=0)) if masks else np.zeros(number, np.bool_)


def _image_sources(image: DrizzledImage, places: Positions, parameters: VerificationParameters) -> ImageSources:
    """Measure sources of one image near the given places."""
    sigma = window_sigma(parameters)
    half = int(np.ceil(3 * sigma)) + 1
    cutouts = cut_out(image, places, half)
    positions = windowed_centroids(cutouts, places, parameters)
    top = cutouts.values[:, half - 1 : half + 2, half - 1 : half + 2].max(axis=(1, 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        errors = np.hypot(CENTROID_FLOOR_PIX, CENTROID_NOISE * parameters.psf_fwhm_pix * cutouts.noise / top)
        missing = top < PRESENT_SIGMA * cutouts.noise
    bad = _saturated_core(image, places) | missing | ~(errors > 0)
    positions[bad] = np.nan
    return ImageSources(
        positions,
        np.where(np.isfinite(positions[:, 0]), errors, np.inf),
        concentration(cutouts, positions, sigma),
        laplacian_at(cutouts, positions, parameters.log_sigma_pix),
        missing,
        _flagged_core(image, positions),
    )


def _saturated_core(image: DrizzledImage, places: Positions) -> Mask:
    """Sources with a saturated pixel among the nine in the middle."""
    if image.saturated is None:
        return np.zeros(len(places), np.bool_)
    x, y = np.rint(places).astype(np.intp).T
    ny, nx = image.shape
    hits = [
        image.saturated[np.clip(y + j, 0, ny - 1), np.clip(x + i, 0, nx - 1)] for j in (-1, 0, 1) for i in (-1, 0, 1)
    ]
    return np.asarray(np.any(hits, axis=0))


def _flagged_core(image: DrizzledImage, positions: Positions) -> Array:
    """1 where the pixel under the centroid is flagged as a cosmic ray, else 0; NaN without a centroid."""
    flagged = np.full(len(positions), np.nan)
    known = np.isfinite(positions[:, 0])
    if image.cosmic_rays is not None:
        x, y = np.rint(positions[known]).astype(np.intp).T
        flagged[known] = image.cosmic_rays[y, x]
    return flagged
