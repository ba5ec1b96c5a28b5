"""Sources of one chip: background, PSF kernel, segmentation, one centroid for each segment.

The steps are those of the published alignment procedure: a two-dimensional background, a PSF kernel
taken from the image itself, segments above a threshold in the smoothed image, a DAOFIND detection
inside each segment. The position is then refined in a Gaussian window, because the marginal fits of
DAOFIND are biased by up to 0.04 pixel, depending on where in its pixel an undersampled star lies; every
source gets the precision of its position; and sources whose core was touched by saturation, a cosmic ray
or a bad pixel are left out, because a biased centroid does more harm to a fit than a missing one.
"""

from __future__ import annotations

import numpy as np
from astropy.stats import SigmaClip, gaussian_fwhm_to_sigma
from attrs import frozen
from numpy.typing import NDArray
from photutils.background import Background2D, MedianBackground, SExtractorBackground
from scipy.ndimage import label
from scipy.signal import oaconvolve

from astrodriz_core.align.psf import WINDOW_FWHM, PsfKernel, bright_peaks, dao_positions, measure_psf
from astrodriz_core.arrays import Image, Indices, Mask, Positions
from astrodriz_core.errors import MeasurementError
from astrodriz_core.measure.centroids import stamps, windowed_moments
from astrodriz_core.parameters.alignment import BackgroundEstimator, SourceParameters
from astrodriz_core.records.astrometry import SourceCounts

__all__ = ["ChipImage", "Sources", "find_sources", "measure_background"]


ESTIMATORS = {
    BackgroundEstimator.MEDIAN: MedianBackground,
    BackgroundEstimator.SEXTRACTOR: SExtractorBackground,
}

CENTROID_FLOOR = 0.012
"""Pixels. What is left of the pixel-phase error of a windowed centroid on HST's undersampled stars
(measured on a diffraction-limited PSF with charge diffusion and a window FWHM of 2.5 pixels)."""

SEGMENT_MIN_PIXELS = 4
"""A star above the threshold covers at least its central pixel and half of its neighbours."""

NARROWEST = 0.4
"""A source with a smaller fraction of the variance of the PSF is a cosmic ray or a hot pixel."""

DETECTION_EXCESS = 20
"""So many times the sources that are kept are looked at: in a long exposure whose cosmic rays are not flagged
these outnumber the stars."""


@frozen(eq=False)
class ChipImage:
    """The arrays of one chip that source finding needs; all of one shape, indexed [y, x].

    Attributes
    ----------
    data : ndarray of float
        Science array, any units; NaN marks pixels without a value.
    error : ndarray of float or None
        One-sigma errors in the units of `data`; None takes the scatter of the background instead.
    dq : ndarray of int or None
        Data quality flags; None means that every pixel is good.
    """

    data: Image
    error: Image | None = None
    dq: NDArray[np.integer] | None = None

    def __attrs_post_init__(self) -> None:
        for name, other in (("error", self.error), ("dq", self.dq)):
            if other is not None and other.shape != self.data.shape:
                raise MeasurementError(f"The {name} array is {other.shape}, the data are {self.data.shape}.")


@frozen(eq=False)
class Sources:
    """Compact sources of one chip, brightest first.

    Attributes
    ----------
    x, y : ndarray of float, shape (N,)
        0-based pixel positions.
    flux : ndarray of float, shape (N,)
        Sum above the background over a circle of radius 1.5 FWHM, units of the data.
    snr : ndarray of float, shape (N,)
        `flux` over its error.
    sigma : ndarray of float, shape (N,)
        One-sigma error of each coordinate, pixels.
    """

    x: Positions
    y: Positions
    flux: Positions
    snr: Positions
    sigma: Positions

    def __len__(self) -> int:
        return len(self.x)

    def select(self, index: NDArray[np.integer] | Mask) -> Sources:
        """Those sources that `index` (positions or a mask) names, in its order."""
        return Sources(self.x[index], self.y[index], self.flux[index], self.snr[index], self.sigma[index])

    @classmethod
    def none(cls) -> Sources:
        """What an image without any sources gives."""
        return cls(*(np.zeros(0) for _ in range(5)))


def measure_background(data: Image, mask: Mask, parameters: SourceParameters) -> tuple[Image, Image]:
    """Two-dimensional background and its scatter, float32, in the units of the data.

    Boxes of ``parameters.box_size`` pixels, 3 sigma clipped, smoothed by a median over
    ``parameters.filter_size`` boxes (photutils ``Background2D``) and interpolated linearly between their centres. The
    scatter is the standard deviation of the clipped boxes.

    Raises
    ------
    MeasurementError
        No box has enough unmasked pixels.
    """
    box = min(parameters.box_size, *data.shape)
    try:
        background = Background2D(
            data,
            box,
            mask=mask | ~np.isfinite(data),
            filter_size=parameters.filter_size,
            exclude_percentile=80.0,
            sigma_clip=SigmaClip(sigma=3.0, maxiters=5),
            bkg_estimator=ESTIMATORS[parameters.background](),
        )
        level, scatter = background.background_mesh, background.background_rms_mesh
    except ValueError as error:
        raise MeasurementError("The chip has too few good pixels for a background.") from error
    return _between_boxes(level, box, data.shape), _between_boxes(scatter, box, data.shape)


def _between_boxes(mesh: Image, box: int, shape: tuple[int, ...]) -> Image:
    """Linear interpolation of the values of boxes to every pixel; constant beyond the outermost centres."""
    weights = []
    for count, size in zip(mesh.shape, shape, strict=True):
        centres = (np.arange(count) + 0.5) * box - 0.5
        unit = np.eye(count)
        weights.append(np.column_stack([np.interp(np.arange(size), centres, unit[k]) for k in range(count)]))
    rows, columns = (w.astype(np.float32) for w in weights)
    return np.asarray(rows @ mesh.astype(np.float32) @ columns.T)


def find_sources(chip: ChipImage, parameters: SourceParameters) -> tuple[Sources, SourceCounts]:
    """Sources of one chip, brightest first, and how many were left out and why.

    Parameters
    ----------
    chip : ChipImage
        Is not changed.
    parameters : SourceParameters

    Returns
    -------
    sources : Sources
        At most ``parameters.max_sources``.
    counts : SourceCounts
        A blank or wholly flagged chip gives counts of 0 and no sources.
    """
    dq = _data_quality(chip, parameters)
    mask = ~np.isfinite(chip.data) | ((dq & ~parameters.good_bits) != 0)
    if mask.mean() > 0.95 or np.ptp(chip.data[~mask]) == 0:
        return Sources.none(), SourceCounts.none(parameters.fallback_fwhm)
    level, scatter = measure_background(np.where(mask, 0, chip.data), mask, parameters)
    image = np.where(mask, np.float32(0), chip.data - level)
    noise, fwhm = float(np.median(scatter)), parameters.fallback_fwhm
    psf = measure_psf(image, (dq & ~parameters.harmless_bits) != 0, noise, fwhm)
    peaks = _segment_peaks(image, mask, parameters.nsigma * scatter, psf, deblend=parameters.deblend)
    x, y = dao_positions(image, peaks[: DETECTION_EXCESS * parameters.max_sources], max(psf.fwhm, fwhm))
    return _measure(image, scatter if chip.error is None else chip.error, dq, psf, x, y, parameters)


def _data_quality(chip: ChipImage, parameters: SourceParameters) -> NDArray[np.integer]:
    """Flags of every pixel, without bit 4096 where the parameters say so."""
    if chip.dq is None:
        return np.zeros(chip.data.shape, dtype=np.int16)
    return chip.dq & ~np.array(4096, dtype=chip.dq.dtype) if parameters.ignore_cosmic_ray_bit else chip.dq


def _segment_peaks(image: Image, mask: Mask, threshold: Image, psf: PsfKernel, *, deblend: bool) -> Indices:
    """The highest pixel of each segment of the smoothed image, shape (N, 2) as (x, y), brightest first.

    Of equally high pixels of a segment the one nearest to the segment's centre is taken. Deblended, every pixel of a
    segment that is higher than its neighbours is taken.
    """
    smooth = oaconvolve(image, psf.kernel.astype(np.float32), mode="same")
    segments = _segments((smooth > threshold) & ~mask)
    if deblend:
        return bright_peaks(np.where(segments > 0, smooth, 0), 0.0)
    rows, columns = np.nonzero(segments)
    number, value = segments[rows, columns], smooth[rows, columns]
    size = np.maximum(np.bincount(number), 1)
    off_centre = np.hypot(
        rows - (np.bincount(number, rows) / size)[number],
        columns - (np.bincount(number, columns) / size)[number],
    )
    order = np.lexsort((off_centre, -value, number))
    first = order[np.unique(number[order], return_index=True)[1]]
    first = first[np.argsort(-value[first], kind="stable")]
    return np.column_stack([columns[first], rows[first]])


def _segments(bright: Mask) -> NDArray[np.integer]:
    """Number of each pixel's segment, whose pixels touch by sides or corners; 0 outside and in those too small."""
    numbers, _ = label(bright, structure=np.ones((3, 3)))
    size = np.bincount(numbers.ravel())
    return np.asarray(np.where(size[numbers] < SEGMENT_MIN_PIXELS, 0, numbers))


def _measure(
    image: Image,
    error: Image,
    dq: NDArray[np.integer],
    psf: PsfKernel,
    x: Positions,
    y: Positions,
    parameters: SourceParameters,
) -> tuple[Sources, SourceCounts]:
    """Centroid, flux and precision of each detection, and the reasons for which others are left out."""
    window = max(WINDOW_FWHM, psf.fwhm) * gaussian_fwhm_to_sigma
    moments = windowed_moments(image, x, y, window)
    near = np.hypot(*np.mgrid[-2:3, -2:3]) <= max(1.5, 0.75 * psf.fwhm)
    core = stamps(dq, x, y, 2)[0].astype(np.int64) * near
    saturated = (core & parameters.saturation_bits).any(axis=(1, 2))
    hit = (core & parameters.cosmic_ray_bits).any(axis=(1, 2))
    other = ~(parameters.saturation_bits | parameters.cosmic_ray_bits | parameters.harmless_bits)
    bad = (core & other).any(axis=(1, 2))
    edge = (np.minimum(x, y) < 5) | (x > image.shape[1] - 6) | (y > image.shape[0] - 6)
    narrow = ~(moments.variance > NARROWEST * (psf.fwhm * gaussian_fwhm_to_sigma) ** 2)
    reasons = {"saturated": saturated, "cosmic_ray": hit, "bad_pixel": bad, "edge": edge, "not_a_source": narrow}
    keep = ~np.logical_or.reduce(list(reasons.values()))
    sources = _with_precision(image, error, psf, moments.x[keep], moments.y[keep], moments.variance[keep])
    sources = sources.select(np.flatnonzero(sources.snr > parameters.nsigma)[: parameters.max_sources])
    counts = {name: int(flags.sum()) for name, flags in reasons.items()}
    return sources, SourceCounts(
        detected=len(x), kept=len(sources), psf_fwhm=psf.fwhm, psf_stars=psf.stars, psf_origin=psf.origin, **counts
    )


def _with_precision(
    image: Image, error: Image, psf: PsfKernel, x: Positions, y: Positions, variance: Positions
) -> Sources:
    """Flux over a circle of 1.5 FWHM, its signal to noise, and the error of each coordinate.

    The error is ``width / snr`` (Gaussian profile, noise of the background; King 1983, PASP 95, 163), with the
    pixel-phase floor added in quadrature.
    """
    radius = max(1.5 * psf.fwhm, 2.0)
    half = int(np.ceil(radius))
    circle = np.hypot(*np.mgrid[-half : half + 1, -half : half + 1]) <= radius
    flux = (stamps(image, x, y, half)[0] * circle).sum(axis=(1, 2))
    noise = np.sqrt((np.nan_to_num(stamps(error, x, y, half)[0]) ** 2 * circle).sum(axis=(1, 2)))
    snr = np.divide(flux, noise, out=np.zeros_like(flux), where=noise > 0)
    width = np.sqrt(np.clip(variance, None, (3 * psf.fwhm) ** 2))
    sigma = np.hypot(np.divide(width, snr, out=np.full_like(snr, 10.0), where=snr > 0), CENTROID_FLOOR)
    order = np.argsort(-flux, kind="stable")
    return Sources(x, y, flux, snr, sigma).select(order)
