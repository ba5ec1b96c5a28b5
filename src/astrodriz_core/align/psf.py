"""The PSF kernel of a chip, from its own isolated stars."""

from __future__ import annotations

import numpy as np
from astropy.stats import gaussian_fwhm_to_sigma, gaussian_sigma_to_fwhm
from attrs import frozen
from photutils.detection import DAOStarFinder
from scipy.ndimage import shift
from scipy.spatial import cKDTree

from astrodriz_core.arrays import Image, Indices, Mask, Positions
from astrodriz_core.measure.centroids import stamps, windowed_moments
from astrodriz_core.parameters.alignment import NARROWEST_FWHM
from astrodriz_core.records.astrometry import PsfOrigin

__all__ = ["WINDOW_FWHM", "PsfKernel", "bright_peaks", "dao_positions", "measure_psf"]


WINDOW_FWHM = 2.5
"""Pixels. A narrower centroid window than this sees the pixel phase rather than the star."""

KERNEL_HALF_SIZE = 5
"""Pixels. Beyond it HST's PSF holds only faint wings."""

MIN_STARS = 5
"""Fewer stars than this do not average out pixel phase and neighbours."""

MAX_STARS = 60
"""More stars than this do not sharpen the kernel any further."""

MAX_PEAKS = 5000
"""Peaks that are looked at for stars; the brightest are mostly cosmic rays where these are not flagged."""

MIN_PEAK = 15.0
"""Peak over background scatter; a fainter star adds more noise than shape to the kernel."""

WIDTHS = (0.6, 1.6)
"""Stars of the kernel are as wide as the published PSF within these factors."""

NEIGHBOURS = tuple((dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy, dx) != (0, 0))


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


def measure_psf(image: Image, mask: Mask, scatter: float, published_fwhm: float) -> PsfKernel:
    """PSF kernel from the isolated stars of a chip, or a Gaussian where there are fewer than 5.

    The kernel is the median of the stars, each shifted to its centroid and divided by its sum.

    Parameters
    ----------
    image : ndarray of float, shape (ny, nx)
        Background subtracted, finite.
    mask : ndarray of bool, shape (ny, nx)
        True where a pixel must not be used; stars that touch such a pixel take no part.
    scatter : float
        Standard deviation of the background, units of the image.
    published_fwhm : float
        Pixels; the width by which stars are told from galaxies and cosmic rays.
    """
    peaks = bright_peaks(image, MIN_PEAK * scatter)[:MAX_PEAKS]
    x, y = _isolated(*dao_positions(image, peaks, published_fwhm), 3 * KERNEL_HALF_SIZE)
    x, y, fwhm = _star_like(image, mask, x, y, published_fwhm)
    if len(x) < MIN_STARS:
        return PsfKernel(_gaussian_kernel(published_fwhm), published_fwhm, len(x), PsfOrigin.PUBLISHED)
    squares, columns, rows = stamps(image, x, y, KERNEL_HALF_SIZE)
    centred = [
        shift(square, (r - yi, c - xi), order=3, mode="nearest") / square.sum()
        for square, xi, yi, c, r in zip(squares, x, y, columns, rows, strict=True)
        if square.sum() > 0
    ]
    kernel = np.clip(np.median(centred, axis=0), 0.0, None)
    return PsfKernel(kernel / kernel.sum(), fwhm, len(x), PsfOrigin.IMAGE)


def bright_peaks(image: Image, threshold: float) -> Indices:
    """Pixels above a threshold that no neighbour exceeds, shape (N, 2) as (x, y), brightest first.

    Pixels at the edge are left out. Of neighbours with the same value the last one in the order of the array counts.
    """
    y, x = np.nonzero(image[1:-1, 1:-1] > threshold)
    y, x = y + 1, x + 1
    value = image[y, x]
    highest = np.ones(len(x), dtype=bool)
    for dy, dx in NEIGHBOURS:
        other = image[y + dy, x + dx]
        highest &= (value > other) | ((value == other) & ((dy, dx) < (0, 0)))
    order = np.argsort(-value[highest], kind="stable")
    return np.column_stack([x[highest][order], y[highest][order]])


def dao_positions(image: Image, peaks: Indices, fwhm: float) -> tuple[Positions, Positions]:
    """DAOFIND positions at the given pixels, in their order, of what looks like a source to it.

    Its limits on sharpness and roundness (those of photutils) leave out most cosmic rays, hot pixels and parts of
    bright stars. Where nothing is left, photutils gives a `NoDetectionsWarning`.

    Parameters
    ----------
    image : ndarray of float, shape (ny, nx)
    peaks : ndarray of int, shape (N, 2)
        Pixels as (x, y).
    fwhm : float
        Full width of the stars at half maximum, pixels.
    """
    if len(peaks) == 0:
        return np.zeros(0), np.zeros(0)
    table = DAOStarFinder(0.0, max(fwhm, NARROWEST_FWHM), xycoords=peaks)(image)
    if table is None:
        return np.zeros(0), np.zeros(0)
    # photutils 3 renamed the columns
    names = ("x_centroid", "y_centroid") if "x_centroid" in table.colnames else ("xcentroid", "ycentroid")
    x, y = (np.asarray(table[name], dtype=np.float64) for name in names)
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
    """Centroids of the brightest sources about as wide as the published PSF, and their median FWHM."""
    x, y = x[: 5 * MAX_STARS], y[: 5 * MAX_STARS]
    window = WINDOW_FWHM * gaussian_fwhm_to_sigma
    moments = windowed_moments(image, x, y, window)
    # Beside a hole the variance can be below 0: no star is.
    width = np.sqrt(np.maximum(moments.variance, 0.0)) * gaussian_sigma_to_fwhm / max(published_fwhm, NARROWEST_FWHM)
    touched = stamps(mask, x, y, 2)[0].any(axis=(1, 2)) if len(x) else np.zeros(0, dtype=bool)
    keep = np.flatnonzero((width > WIDTHS[0]) & (width < WIDTHS[1]) & ~touched)[:MAX_STARS]
    if len(keep) == 0:
        return np.zeros(0), np.zeros(0), published_fwhm
    fwhm = float(np.median(np.sqrt(moments.variance[keep]))) * gaussian_sigma_to_fwhm
    return moments.x[keep], moments.y[keep], fwhm


def _gaussian_kernel(fwhm: float) -> Image:
    """A round Gaussian that sums to 1."""
    grid = np.arange(-KERNEL_HALF_SIZE, KERNEL_HALF_SIZE + 1)
    profile = np.exp(-0.5 * (grid / (fwhm * gaussian_fwhm_to_sigma)) ** 2)
    kernel = np.outer(profile, profile)
    return np.asarray(kernel / kernel.sum())
