"""Guiding during one exposure, from the shapes of its bright compact sources.

An exposure during which the telescope drifted shows every source drawn out by the same length in the same
direction. One elongated source is a galaxy or a pair; a common elongation is a trail.
"""

from __future__ import annotations

import numpy as np
from attrs import frozen

from astrodriz_core.arrays import Array, Mask, Positions
from astrodriz_core.measure.images import DrizzledImage, VerificationParameters
from astrodriz_core.measure.robust import DEVIATION_OF_MEDIAN_ABSOLUTE, FWHM_PER_SIGMA, MEDIAN_ERROR
from astrodriz_core.records.verification import GuidingCheck, GuidingOutcome
from astrodriz_core.verify.scan import find_peaks
from astrodriz_core.verify.sources import Cutouts, cut_out, window_sigma, windowed_centroids

__all__ = ["Shapes", "check_guiding", "judge_guiding", "measure_shapes", "unknown_guiding"]

#: Sources that are measured, at most; the brightest.
SOURCE_LIMIT = 400
#: A shape needs a peak this many times above the noise.
PEAK_SIGNAL = 20.0
#: The window of the moments is wider than the point spread function by this factor, to hold a trail.
WINDOW_WIDTH = 2.0
#: Fewer sources than this give no verdict.
FEWEST_SOURCES = 8
#: Common elongation of a trailed exposure: a uniform trail of 1.5 pixels over a round source of 1 pixel rms
#: raises the variance along it from 1 to 1.19, an elongation of 0.09 before the window.
ELONGATION_LIMIT = 0.08
#: It must exceed its standard error by this factor, too.
SIGNIFICANCE = 5.0


@frozen(eq=False)
class Shapes:
    """Ellipticities of sources from second moments Q in a Gaussian window.

    Attributes
    ----------
    along, across : numpy.ndarray, shape (n,)
        (Qxx - Qyy) / (Qxx + Qyy) and 2 Qxy / (Qxx + Qyy).
    """

    along: Array
    across: Array


def check_guiding(image: DrizzledImage, parameters: VerificationParameters) -> GuidingCheck:
    """Whether the sources of one exposure are trailed.

    Parameters
    ----------
    image : DrizzledImage
        Science image of one exposure, as taken or drizzled; flagged pixels are left out.
    parameters : VerificationParameters
        FWHM of the point spread function in pixels of this image.

    Returns
    -------
    GuidingCheck
        UNDETERMINED with fewer than `FEWEST_SOURCES` bright compact sources.
    """
    return judge_guiding(image.name, measure_shapes(image, parameters))


def measure_shapes(image: DrizzledImage, parameters: VerificationParameters) -> Shapes:
    """Ellipticities of the brightest compact sources.

    The second moments are taken around the windowed centroid in a Gaussian window, so that neighbours
    and noise far from the source count little. Sources that are saturated, flagged as a cosmic ray,
    faint, or sharper than the point spread function are left out.
    """
    places = find_peaks(image, parameters).brightest(4 * SOURCE_LIMIT).positions
    half = int(np.ceil(3 * WINDOW_WIDTH * window_sigma(parameters)))
    cutouts = cut_out(image, places, half)
    positions = windowed_centroids(cutouts, places, parameters)
    middle = cutouts.values[:, half - 1 : half + 2, half - 1 : half + 2]
    clear = middle.max(axis=(1, 2)) > PEAK_SIGNAL * cutouts.noise
    clear &= np.isfinite(positions[:, 0]) & ~_touched(image, places)
    chosen = np.flatnonzero(clear)[:SOURCE_LIMIT]
    parts = Cutouts(cutouts.values[chosen], cutouts.corners[chosen], cutouts.noise[chosen])
    return _moments(parts, positions[chosen], parameters)


def _touched(image: DrizzledImage, places: Positions) -> Mask:
    """Sources whose central pixel is flagged as saturated or as a cosmic ray."""
    x, y = np.rint(places).astype(np.intp).T
    touched = np.zeros(len(places), np.bool_)
    for plane in (image.saturated, image.cosmic_rays):
        if plane is not None:
            touched |= plane[np.clip(y, 0, image.shape[0] - 1), np.clip(x, 0, image.shape[1] - 1)]
    return touched


def _moments(cutouts: Cutouts, positions: Positions, parameters: VerificationParameters) -> Shapes:
    """Ellipticities, without sources narrower than the point spread function can make them."""
    sigma = WINDOW_WIDTH * window_sigma(parameters)
    steps = np.arange(cutouts.values.shape[-1])
    place = positions - cutouts.corners
    dx, dy = steps - place[:, :1], steps - place[:, 1:]
    weighted = cutouts.values * _gaussian(dy, sigma)[:, :, None] * _gaussian(dx, sigma)[:, None, :]
    total = weighted.sum((1, 2))
    xx = np.einsum("nyx,nx->n", weighted, dx**2) / total
    yy = np.einsum("nyx,ny->n", weighted, dy**2) / total
    xy = np.einsum("nyx,ny,nx->n", weighted, dy, dx) / total
    narrowest = 0.5 * (parameters.psf_fwhm_pix / FWHM_PER_SIGMA) ** 2
    real = (total > 0) & (xx > narrowest / 2) & (yy > narrowest / 2) & (xx + yy > narrowest)
    trace = (xx + yy)[real]
    return Shapes((xx - yy)[real] / trace, 2 * xy[real] / trace)


def _gaussian(distance: Array, sigma: float) -> Array:
    """Gaussian of unit height."""
    return np.asarray(np.exp(-0.5 * (distance / sigma) ** 2))


def judge_guiding(rootname: str, shapes: Shapes) -> GuidingCheck:
    """Trailed where the median ellipticity vector is long and stands out of its error.

    Parameters
    ----------
    rootname : str
        Rootname of the exposure.
    shapes : Shapes
        The shapes of its sources. Galaxies point in every direction and leave the median alone.
    """
    number = len(shapes.along)
    if number < FEWEST_SOURCES:
        return unknown_guiding(rootname, f"only {number} bright compact sources; {FEWEST_SOURCES} are needed", number)
    vector = np.array([np.median(shapes.along), np.median(shapes.across)])
    spread = [np.median(np.abs(e - v)) for e, v in zip((shapes.along, shapes.across), vector, strict=True)]
    error = float(MEDIAN_ERROR * DEVIATION_OF_MEDIAN_ABSOLUTE * max(spread) / np.sqrt(number))
    elongation = float(np.hypot(*vector))
    angle = float(np.rad2deg(np.arctan2(vector[1], vector[0])) / 2 % 180)
    trailed = elongation > max(ELONGATION_LIMIT, SIGNIFICANCE * error)
    outcome = GuidingOutcome.TRAILED if trailed else GuidingOutcome.GOOD
    reason = f"common elongation {elongation:.3f} +- {error:.3f} of {number} sources, limit {ELONGATION_LIMIT:g}"
    return GuidingCheck(rootname, outcome, number, elongation, error, angle, ELONGATION_LIMIT, reason)


def unknown_guiding(rootname: str, reason: str, number: int = 0) -> GuidingCheck:
    """The check of an exposure whose sources, so many of them measured, say nothing of the guiding."""
    return GuidingCheck(rootname, GuidingOutcome.UNDETERMINED, number, None, None, None, ELONGATION_LIMIT, reason)
