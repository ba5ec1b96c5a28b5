"""Sources of one chip: background, PSF kernel, segmentation, one centroid for each segment.

The steps are those of the published alignment procedure: a two-dimensional background, a PSF kernel
taken from the image itself, segments above a threshold in the smoothed image, a DAOFIND detection
inside each segment. The position is then refined in a Gaussian window, because the marginal fits of
DAOFIND are biased by up to 0.04 pixel, depending on where in its pixel an undersampled star lies; every
source gets the precision of its position; and sources whose core was touched by saturation, a cosmic ray
or a bad pixel are left out, because a biased centroid does more harm to a fit than a missing one.
"""

from __future__ import annotations

import warnings
from typing import TypeAlias

import numpy as np
from attrs import frozen
from numpy.typing import NDArray
from scipy.ndimage import shift
from scipy.signal import oaconvolve
from scipy.spatial import cKDTree

from astrodriz_core.astrometry.centroids import stamps, windowed_moments
from astrodriz_core.astrometry.parameters import BackgroundEstimator, SourceParameters
from astrodriz_core.errors import MeasurementError
from astrodriz_core.records.astrometry import PsfOrigin, SourceCounts
from astropy.stats import SigmaClip, gaussian_fwhm_to_sigma, gaussian_sigma_to_fwhm
from astropy.utils.exceptions import AstropyUserWarning
from photutils.background import Background2D, MedianBackground, SExtractorBackground
from photutils.detection import DAOStarFinder
from photutils.segmentation import detect_sources

__all__ = ["ChipImage", "PsfKernel", "Sources", "find_sources", "measure_background", "measure_psf"]

Image: TypeAlias = NDArray[np.floating]
Mask: TypeAlias = NDArray[np.bool_]
Positions: TypeAlias = NDArray[np.float64]

ESTIMATORS = {
    BackgroundEstimator.MEDIAN: MedianBackground,
    BackgroundEstimator.SEXTRACTOR: SExtractorBackground,
}

CENTROID_FLOOR = 0.012
"""Pixels. What is left of the pixel-phase error of a windowed centroid on HST's undersampled stars
(measured on a diffraction-limited PSF with charge diffusion and a window FWHM of 2.5 pixels)."""

WINDOW_FWHM = 2.5
"""Pixels. A narrower centroid window than this sees the pixel phase rather than the star."""

KERNEL_HALF_SIZE = 5
"""Pixels. Beyond it HST's PSF holds only faint wings."""

SEGMENT_MIN_PIXELS = 4
"""A star above the threshold covers at least its central pixel and half of its neighbours."""

PSF_MIN_STARS = 5
"""Fewer stars than this do not average out pixel phase and neighbours."""

PSF_MAX_STARS = 60
"""More stars than this do not sharpen the kernel any further."""

PSF_MIN_SNR = 15.0
"""Peak over background scatter; a fainter star adds more noise than shape to the kernel."""

PSF_WIDTHS = (0.6, 1.6)
"""Stars of the kernel are as wide as the published PSF within these factors of the standard deviation."""

NARROWEST_DAO_FWHM = 1.5
"""Pixels. DAOFIND's kernel has no shape below this."""

NARROWEST = 0.4
"""A source with a smaller fraction of the variance of the PSF is a cosmic ray or a hot pixel."""

DETECTION_EXCESS = 4
"""So many times the sources that are kept are measured, so that the rejected ones can be replaced."""


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
        """No sources at all."""
        return cls(*(np.zeros(0) for _ in range(5)))


@frozen(eq=False)
class PsfKernel:
    """The PSF kernel of one chip.

    Attributes
    ----------
    kernel : ndarray of float, shape (2 h + 1, 2 h + 1)
        Sums to 1.
    fwhm : float
        Pixels.
    stars : int
        How many stars it was made of.
    origin : PsfOrigin
        The image itself, or a Gaussian of the published FWHM.
    """

    kernel: Image
    fwhm: float
    stars: int
    origin: PsfOrigin


def measure_background(data: Image, mask: Mask, parameters: SourceParameters) -> tuple[Image, Image]:
    """Two-dimensional background and its scatter, float32, in the units of the data.

    Boxes of ``parameters.box_size`` pixels, 3 sigma clipped, smoothed by a median over
    ``parameters.filter_size`` boxes and interpolated to every pixel (photutils ``Background2D``). The scatter
    is the standard deviation of the clipped boxes.

    Raises
    ------
    MeasurementError
        No box has enough unmasked pixels.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyUserWarning)
        try:
            background = Background2D(
                data,
                min(parameters.box_size, *data.shape),
                mask=mask,
                filter_size=parameters.filter_size,
                exclude_percentile=80.0,
                sigma_clip=SigmaClip(sigma=3.0, maxiters=5),
                bkg_estimator=ESTIMATORS[parameters.background](),
            )
            level, scatter = background.background, background.background_rms
        except ValueError as error:
            raise MeasurementError("The chip has too few good pixels for a background.") from error
    return np.asarray(level, dtype=np.float32), np.asarray(scatter, dtype=np.float32)


def measure_psf(
    image: Image, mask: Mask, x: Positions, y: Positions, scatter: float, published_fwhm: float
) -> PsfKernel:
    """PSF kernel from the isolated stars of a chip, or a Gaussian where there are fewer than 5.

    The kernel is the median of the stars, each shifted to its centroid and divided by its sum.

    Parameters
    ----------
    image : ndarray of float, shape (ny, nx)
        Background subtracted, finite.
    mask : ndarray of bool, shape (ny, nx)
        True where a pixel must not be used; stars that touch such a pixel take no part.
    x, y : ndarray of float, shape (N,)
        0-based positions of detections, brightest first.
    scatter : float
        Standard deviation of the background, units of the image.
    published_fwhm : float
        Pixels; the width by which stars are told from galaxies and cosmic rays.
    """
    bright = stamps(image, x, y, 0)[0].ravel() > PSF_MIN_SNR * scatter
    x, y = _isolated(x[bright], y[bright], 3 * KERNEL_HALF_SIZE)
    x, y, fwhm = _star_like(image, mask, x[:PSF_MAX_STARS], y[:PSF_MAX_STARS], published_fwhm)
    if len(x) < PSF_MIN_STARS:
        return PsfKernel(_gaussian_kernel(published_fwhm), published_fwhm, len(x), PsfOrigin.PUBLISHED)
    squares, columns, rows = stamps(image, x, y, KERNEL_HALF_SIZE)
    centred = [
        shift(square, (r - yi, c - xi), order=3, mode="nearest") / square.sum()
        for square, xi, yi, c, r in zip(squares, x, y, columns, rows, strict=True)
        if square.sum() > 0
    ]
    kernel = np.clip(np.median(centred, axis=0), 0.0, None)
    return PsfKernel(kernel / kernel.sum(), fwhm, len(x), PsfOrigin.IMAGE)


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
    x, y = _detect(image, mask, parameters.nsigma * noise, max(fwhm, NARROWEST_DAO_FWHM))
    psf = measure_psf(image, (dq & ~parameters.harmless_bits) != 0, x, y, noise, fwhm)
    first = _one_per_segment(image, mask, parameters.nsigma * scatter, psf, x, y)
    x, y = (p[first][: DETECTION_EXCESS * parameters.max_sources] for p in (x, y))
    return _measure(image, scatter if chip.error is None else chip.error, dq, psf, x, y, parameters)


def _data_quality(chip: ChipImage, parameters: SourceParameters) -> NDArray[np.integer]:
    """Flags of every pixel, without bit 4096 where the parameters say so."""
    if chip.dq is None:
        return np.zeros(chip.data.shape, dtype=np.int16)
    return chip.dq & ~np.array(4096, dtype=chip.dq.dtype) if parameters.ignore_cosmic_ray_bit else chip.dq


def _detect(image: Image, mask: Mask, threshold: float, fwhm: float) -> tuple[Positions, Positions]:
    """DAOFIND positions, brightest first; empty arrays where nothing is found."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyUserWarning)
        table = DAOStarFinder(threshold, fwhm)(image, mask=mask)
    if table is None:
        return np.zeros(0), np.zeros(0)
    # photutils 3 renamed the columns
    names = ("x_centroid", "y_centroid") if "x_centroid" in table.colnames else ("xcentroid", "ycentroid")
    order = np.argsort(-np.asarray(table["flux"]), kind="stable")
    x, y = (np.asarray(table[name], dtype=np.float64)[order] for name in names)
    return x, y


def _isolated(x: Positions, y: Positions, radius: float) -> tuple[Positions, Positions]:
    """Positions without another one within `radius`."""
    if len(x) == 0:
        return x, y
    tree = cKDTree(np.column_stack([x, y]))
    alone = tree.query_ball_point(tree.data, radius, return_length=True) == 1
    return x[alone], y[alone]


def _star_like(
    image: Image, mask: Mask, x: Positions, y: Positions, published_fwhm: float
) -> tuple[Positions, Positions, float]:
    """Centroids of the sources that are about as wide as the published PSF, and their median FWHM."""
    window = WINDOW_FWHM * gaussian_fwhm_to_sigma
    moments = windowed_moments(image, x, y, window)
    width = np.sqrt(moments.variance) * gaussian_sigma_to_fwhm / max(published_fwhm, NARROWEST_DAO_FWHM)
    touched = stamps(mask, x, y, 2)[0].any(axis=(1, 2)) if len(x) else np.zeros(0, dtype=bool)
    keep = (width > PSF_WIDTHS[0]) & (width < PSF_WIDTHS[1]) & ~touched
    if not keep.any():
        return np.zeros(0), np.zeros(0), published_fwhm
    fwhm = float(np.median(np.sqrt(moments.variance[keep]))) * gaussian_sigma_to_fwhm
    return moments.x[keep], moments.y[keep], fwhm


def _gaussian_kernel(fwhm: float) -> Image:
    """A round Gaussian that sums to 1."""
    grid = np.arange(-KERNEL_HALF_SIZE, KERNEL_HALF_SIZE + 1)
    profile = np.exp(-0.5 * (grid / (fwhm * gaussian_fwhm_to_sigma)) ** 2)
    kernel = np.outer(profile, profile)
    return np.asarray(kernel / kernel.sum())


def _one_per_segment(
    image: Image, mask: Mask, threshold: Image, psf: PsfKernel, x: Positions, y: Positions
) -> NDArray[np.intp]:
    """Indices of the first (brightest) detection in each segment of the smoothed image."""
    smooth = oaconvolve(image, psf.kernel.astype(np.float32), mode="same")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyUserWarning)
        segments = detect_sources(smooth, threshold, SEGMENT_MIN_PIXELS, mask=mask)
    if segments is None:
        return np.zeros(0, dtype=np.intp)
    rows, columns = (np.clip(np.rint(p).astype(int), 0, n - 1) for p, n in zip((y, x), image.shape, strict=True))
    label, first = np.unique(segments.data[rows, columns], return_index=True)
    return np.sort(first[label > 0])


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
