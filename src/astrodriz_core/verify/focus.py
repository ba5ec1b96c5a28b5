"""Focus index: the maximum of |LoG| off the mask, its position, and its Z-score."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attrs import frozen
from scipy import ndimage

from astrodriz_core.arrays import Image, Mask
from astrodriz_core.measure.laplacian import kernel_radius, laplacian_strips
from astrodriz_core.records.verification import FocusDistribution, FocusIndex, FocusMeasurements

__all__ = ["Peak", "focus_index", "focus_measurements", "larger_peak", "z_score"]


@frozen
class Peak:
    """A pixel and the |LoG| there."""

    value: float
    y: int
    x: int


def focus_index(image: Image, sigma: float, *, mask: Mask | None = None, keep: Mask | None = None) -> Peak | None:
    """Maximum of |LoG| of one image, and where it is.

    Parameters
    ----------
    image : numpy.ndarray, shape (ny, nx)
        Pixels that are not finite count as 0. Not modified.
    sigma : float
        Standard deviation of the Laplacian of Gaussian, pixels.
    mask : numpy.ndarray of bool, shape (ny, nx), optional
        The maximum is taken where this is true. The filter still sees the pixels around.
    keep : numpy.ndarray of bool, shape (ny, nx), optional
        Pixels that are set to 0 where this is false, before the filter sees them.

    Returns
    -------
    Peak or None
        The value equals that of ``scipy.ndimage.gaussian_laplace`` in the dtype of the image; among equal
        values the first in row order. None where the mask leaves nothing.
    """
    best: Peak | None = None
    for first_row, response in laplacian_strips(image, sigma, keep=keep):
        allowed = None if mask is None else mask[first_row : first_row + len(response)]
        best = larger_peak(best, first_row, response, allowed)
    return None if best is None else _exact(image, keep, sigma, best)


def larger_peak(best: Peak | None, first_row: int, response: Image, allowed: Mask | None) -> Peak | None:
    """Largest |response| among the allowed pixels of one strip if it exceeds the best so far, else that."""
    floor = -1.0 if best is None else best.value
    if max(float(response.max()), -float(response.min())) <= floor:
        return best
    size = np.abs(response)
    if allowed is not None:
        size = np.where(allowed, size, -1)
    y, x = np.unravel_index(np.argmax(size), size.shape)
    return Peak(float(size[y, x]), first_row + int(y), int(x)) if size[y, x] > floor else best


def _exact(image: Image, keep: Mask | None, sigma: float, peak: Peak) -> Peak:
    """The same pixel with the value that scipy computes there.

    The strips add their taps in another order than scipy, which matters in float32 where a high sky
    takes most of the digits. The filter reads no further than the cut-out.
    """
    radius = kernel_radius(sigma)
    y_start, x_start = max(peak.y - radius, 0), max(peak.x - radius, 0)
    window = slice(y_start, peak.y + radius + 1), slice(x_start, peak.x + radius + 1)
    cutout = np.array(image[window], np.result_type(image.dtype, np.float32))
    cutout[~np.isfinite(cutout)] = 0
    if keep is not None:
        cutout[~keep[window]] = 0
    response = ndimage.gaussian_laplace(cutout, sigma)
    return Peak(float(abs(response[peak.y - y_start, peak.x - x_start])), peak.y, peak.x)


def z_score(value: float, mean: float, sigma: float) -> float:
    """How many sigma a value lies above the mean.

    ``z = (value - mean) / sigma``. This equals the published ``norm.ppf(norm.cdf(value, mean, sigma))``
    wherever that is finite, and is right beyond 8.3 sigma, where the probability rounds to 1 and the
    published form gives infinity.

    Parameters
    ----------
    value, mean, sigma : float
        A value, and mean and deviation of its distribution; sigma >= 0.

    Returns
    -------
    float
        For ``sigma = 0`` (one exposure, or all alike) 0 where the value equals the mean, otherwise
        infinity with the sign of the difference, the limit of a narrow distribution. An infinite value
        gives infinity with its sign. NaN where an argument is NaN, where sigma is negative or infinite,
        or where the mean is infinite.
    """
    if np.isnan([value, mean, sigma]).any() or np.isinf([mean, sigma]).any() or sigma < 0:
        return float("nan")
    difference = value - mean
    if sigma == 0:
        return 0.0 if difference == 0 else float(np.copysign(np.inf, difference))
    return float(difference / sigma)


def focus_measurements(
    names: Sequence[str], peaks: Sequence[Peak | None], sigma_pix: float, sources: FocusDistribution
) -> FocusMeasurements:
    """Record of the focus indices.

    Parameters
    ----------
    names, peaks
        Names and peaks of the product first, then of the exposures.
    sigma_pix : float
        Standard deviation of the filter that made them.
    sources : FocusDistribution
        Distribution over all sources.

    Returns
    -------
    FocusMeasurements
        Mean and sigma (population standard deviation) of the exposures that have a value, None where
        none has; Z-scores of every image against them, None where they are not finite.
    """
    values = np.array([peak.value for peak in peaks[1:] if peak is not None])
    mean, sigma = (float(values.mean()), float(values.std())) if len(values) else (None, None)
    records = [_focus_record(name, peak, mean, sigma) for name, peak in zip(names, peaks, strict=True)]
    return FocusMeasurements(
        sigma_pix=sigma_pix,
        product=records[0],
        exposures=tuple(records[1:]),
        mean=mean,
        sigma=sigma,
        sources=sources,
    )


def _focus_record(name: str, peak: Peak | None, mean: float | None, sigma: float | None) -> FocusIndex:
    """One image's focus index with its Z-score."""
    if peak is None:
        return FocusIndex(name=name, value=None, y=None, x=None, z_score=None)
    z = None if mean is None or sigma is None else z_score(peak.value, mean, sigma)
    finite = z if z is not None and np.isfinite(z) else None
    return FocusIndex(name=name, value=peak.value, y=peak.y, x=peak.x, z_score=finite)
