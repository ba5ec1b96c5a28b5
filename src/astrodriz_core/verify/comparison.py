"""One product against another of the same exposures, after the bulk motion of the frame is taken out."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from astrodriz_core.arrays import Array, Positions
from astrodriz_core.measure.images import DrizzledImage, VerificationParameters, check_common_grid
from astrodriz_core.records.common import Verdict
from astrodriz_core.records.verification import CheckOutcome, ProductComparison, Quantity, VerificationCheck
from astrodriz_core.verify.matching import bulk_offset, match_tolerance, matched_pairs
from astrodriz_core.verify.motion import Motion, MotionFit, fit_positions
from astrodriz_core.verify.policies import SIMILARITY_LIMIT
from astrodriz_core.verify.scan import find_peaks
from astrodriz_core.verify.sources import Peaks, cut_out, window_sigma, windowed_centroids

__all__ = ["compare_products"]

#: Peaks of each product that are compared, at most; the strongest.
PEAK_LIMIT = 3000
#: Pixels on either side of a source that are compared, in standard deviations of the point spread function.
COMPARED_SIGMAS = 2.5
#: Lobes of the interpolation kernel.
LANCZOS_LOBES = 4
#: A source counts where its signal is this many times the noise in its cut-out.
SIGNAL_TO_NOISE = 10.0


def compare_products(
    product: DrizzledImage, reference: DrizzledImage, parameters: VerificationParameters
) -> ProductComparison:
    """Similarity of a product to another that was made with a different WCS on the same grid.

    The frame of an a priori or a posteriori solution moves as a whole, which is intended. The shift and
    rotation that most sources share are therefore measured and removed; what differs then is the
    alignment of the exposures to each other.

    Parameters
    ----------
    product, reference : DrizzledImage
        The new product and the one that it is held against.
    parameters : VerificationParameters
        How to measure images of this detector.

    Returns
    -------
    ProductComparison
        The index is the mean over the sources of either product of (difference^2) / (signal^2), noise
        taken off; 0 is equal and 1 means as much difference as signal. Without values, and undetermined,
        where the products have too few sources in common to find the motion.
    """
    check_common_grid((product, reference))
    tolerance = match_tolerance(parameters)
    peaks, others = (find_peaks(image, parameters).brightest(PEAK_LIMIT) for image in (product, reference))
    offset = bulk_offset(peaks, others, parameters.search_radius_pix, tolerance)
    if offset is None:
        return _undetermined(product.name, reference.name, "The products have too few sources in common.")
    fit = _bulk_motion(product, reference, peaks, others, offset, parameters)
    if fit is None:
        return _undetermined(product.name, reference.name, "Too few sources to measure the bulk motion.")
    places = _places_of_either(peaks, others, fit.motion, tolerance)
    index = _mean_squared_error(product, reference, places, fit.motion, parameters)
    if index is None:
        return _undetermined(product.name, reference.name, "No source stands out enough to be compared.")
    return _comparison(product.name, reference.name, fit, index)


def _bulk_motion(
    product: DrizzledImage,
    reference: DrizzledImage,
    peaks: Peaks,
    others: Peaks,
    offset: Positions,
    parameters: VerificationParameters,
) -> MotionFit | None:
    """Shift and rotation of the product's sources against the reference's, about the corner pixel."""
    own, other = matched_pairs(peaks.positions - offset, others.positions, match_tolerance(parameters))
    half = int(np.ceil(3 * window_sigma(parameters))) + 1
    places, starts = peaks.positions[own], others.positions[other]
    moved = windowed_centroids(cut_out(product, places, half), places, parameters)
    fixed = windowed_centroids(cut_out(reference, starts, half), starts, parameters)
    return fit_positions(moved - fixed, fixed, Motion(offset, 0.0))


def _places_of_either(peaks: Peaks, others: Peaks, motion: Motion, tolerance: float) -> Positions:
    """Sources of both products in the frame of the reference, each once."""
    back = peaks.positions - motion.displacement(peaks.positions)
    distance, _ = cKDTree(others.positions).query(back)
    return np.concatenate([others.positions, back[distance > tolerance]])


def _mean_squared_error(
    product: DrizzledImage,
    reference: DrizzledImage,
    places: Positions,
    motion: Motion,
    parameters: VerificationParameters,
) -> float | None:
    """Mean over the sources of the squared difference over the squared signal, each less its noise."""
    half = int(np.ceil(COMPARED_SIGMAS * window_sigma(parameters))) + LANCZOS_LOBES
    fixed = cut_out(reference, places, half)
    centres = (fixed.corners + half).astype(np.float64)
    wanted = centres + motion.displacement(centres)
    moved = cut_out(product, wanted, half)
    resampled = _resampled(moved.values, wanted - (moved.corners + half))
    inner = slice(LANCZOS_LOBES, -LANCZOS_LOBES)
    expected = fixed.values[:, inner, inner]
    n_pixels = expected.shape[1] * expected.shape[2]
    noise = n_pixels * np.array([moved.noise**2, fixed.noise**2])
    squares = np.array([(resampled**2).sum((1, 2)), (expected**2).sum((1, 2))])
    signal = (squares - noise).mean(0)
    difference = np.maximum(((resampled - expected) ** 2).sum((1, 2)) - noise.sum(0), 0)
    with np.errstate(invalid="ignore"):
        clear = np.isfinite(difference) & (signal > SIGNAL_TO_NOISE * noise.mean(0)) & (signal > 0)
    return float(np.mean(difference[clear] / signal[clear])) if clear.any() else None


def _resampled(values: Array, shift: Positions) -> Array:
    """Cut-outs at pixels displaced by `shift` (x, y, at most half a pixel), `LANCZOS_LOBES` fewer a side."""
    rows, columns = (_lanczos(values.shape[1], shift[:, axis]) for axis in (1, 0))
    return np.asarray(np.einsum("noy,nyx,npx->nop", rows, values, columns))


def _lanczos(size: int, shift: Array) -> Array:
    """Interpolation weights, shape (n, size - 2 lobes, size): pixel j for the displaced pixel o."""
    wanted = np.arange(LANCZOS_LOBES, size - LANCZOS_LOBES)[:, None] + shift[:, None, None]
    distance = wanted - np.arange(size)
    weights = np.sinc(distance) * np.sinc(distance / LANCZOS_LOBES) * (np.abs(distance) < LANCZOS_LOBES)
    return np.asarray(weights / weights.sum(-1, keepdims=True))


def _comparison(product: str, reference: str, fit: MotionFit, index: float) -> ProductComparison:
    """Record of a comparison that could be made."""
    passed = index < SIMILARITY_LIMIT
    check = VerificationCheck(
        quantity=Quantity.PRODUCT_SIMILARITY,
        rootname=None,
        outcome=CheckOutcome.PASSED if passed else CheckOutcome.FAILED,
        value=index,
        threshold=SIMILARITY_LIMIT,
        margin=SIMILARITY_LIMIT - index,
        decisive=True,
        reason=f"similarity index {index:.3f} to {reference}, limit {SIMILARITY_LIMIT:g}",
    )
    return ProductComparison(
        product=product,
        reference=reference,
        dx_pix=float(fit.local_shift[0]),
        dy_pix=float(fit.local_shift[1]),
        rotation_deg=float(np.rad2deg(fit.motion.rotation)) if fit.rotation_error is not None else None,
        sigma_pix=fit.shift_error,
        n_sources=int(fit.used.sum()),
        scatter_pix=fit.scatter,
        index=index,
        verdict=Verdict.ALIGNED if passed else Verdict.MISALIGNED,
        check=check,
    )


def _undetermined(product: str, reference: str, reason: str) -> ProductComparison:
    """Record of a comparison that could not be made."""
    check = VerificationCheck(
        Quantity.PRODUCT_SIMILARITY,
        None,
        CheckOutcome.UNDETERMINED,
        None,
        SIMILARITY_LIMIT,
        None,
        decisive=True,
        reason=reason,
    )
    return ProductComparison(
        product=product,
        reference=reference,
        dx_pix=None,
        dy_pix=None,
        rotation_deg=None,
        sigma_pix=None,
        n_sources=0,
        scatter_pix=None,
        index=None,
        verdict=Verdict.UNDETERMINED,
        check=check,
    )
