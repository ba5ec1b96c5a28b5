"""The same sources in several exposures: bulk offsets, and one catalogue of what they share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attrs import frozen
from scipy import ndimage
from scipy.spatial import cKDTree

from astrodriz_core.arrays import Array, Indices, Positions
from astrodriz_core.measure.images import VerificationParameters
from astrodriz_core.verify.sources import Peaks

__all__ = ["SharedSources", "bulk_offset", "match_tolerance", "matched_pairs", "share_sources"]

#: Sources of one image may differ by this factor in strength from the same in another, blur included.
STRENGTH_FACTOR = 3.0
#: The coincidences of the true offset exceed chance by this many standard deviations, and by this count.
PEAK_SIGMA, PEAK_COUNT = 6.0, 4
#: Peaks that take part in the search for the bulk offset, the strongest of each image.
SEARCH_LIMIT = 6000
#: Two peaks are the same source within this distance after the bulk offset, pixels or times the FWHM.
MATCH_PIX, MATCH_FWHM = 1.5, 0.75


@frozen(eq=False)
class SharedSources:
    """Sources that at least two exposures show.

    Attributes
    ----------
    positions : numpy.ndarray, shape (n, 2)
        x, y in the frame of the exposure that was placed first.
    counts : numpy.ndarray of int, shape (n,)
        Exposures that show each.
    strength : numpy.ndarray, shape (n,)
        LoG strength in the exposure that showed it first.
    offsets : numpy.ndarray, shape (n_exposures, 2)
        Bulk offset of each exposure against that frame; NaN where it could not be placed.
    """

    positions: Positions
    counts: Indices
    strength: Array
    offsets: Positions


def bulk_offset(peaks: Peaks, reference: Peaks, radius: float, tolerance: float) -> Positions | None:
    """Offset at which most peaks of an image coincide with those of a reference.

    All differences of position within the radius go into a histogram; the true offset stands out
    against the chance pairs, which spread evenly.

    Parameters
    ----------
    peaks, reference : Peaks
        Peaks whose strengths differ by more than `STRENGTH_FACTOR` are not paired.
    radius : float
        Largest offset along one axis, pixels.
    tolerance : float
        Radius within which pairs belong to one offset, pixels.

    Returns
    -------
    numpy.ndarray, shape (2,) or None
        x, y of the image minus the reference; None where no offset stands out.
    """
    difference = _paired_differences(peaks.brightest(SEARCH_LIMIT), reference.brightest(SEARCH_LIMIT), radius)
    bins = int(np.ceil(radius)) + 1
    edges = np.arange(-bins - 0.5, bins + 1.0)
    histogram, _, _ = np.histogram2d(difference[:, 0], difference[:, 1], bins=[edges, edges])
    sums = ndimage.uniform_filter(histogram, 3, mode="constant") * 9
    expected = max(float(np.median(sums)), float(np.mean(sums)) * 0.5)
    # Of neighbouring bins that see the same pairs, the one that holds most of them.
    best = np.unravel_index(np.argmax(sums + histogram), sums.shape)
    if sums[best] < expected + PEAK_SIGMA * np.sqrt(expected) + PEAK_COUNT:
        return None
    offset = np.array(best, np.float64) - bins
    for _ in range(5):
        near = np.hypot(*(difference - offset).T) < tolerance
        offset = np.median(difference[near], axis=0) if near.any() else offset
    return offset


def _paired_differences(peaks: Peaks, reference: Peaks, radius: float) -> Positions:
    """Difference of position of every pair that is near enough and of like strength."""
    if not len(peaks.strength) or not len(reference.strength):
        return np.empty((0, 2))
    pairs = cKDTree(reference.positions).sparse_distance_matrix(
        cKDTree(peaks.positions), radius, output_type="ndarray", p=np.inf
    )
    i, j = pairs["j"], pairs["i"]
    alike = np.abs(np.log(peaks.strength[i] / reference.strength[j])) < np.log(STRENGTH_FACTOR)
    return np.asarray(peaks.positions[i[alike]] - reference.positions[j[alike]])


def share_sources(peaks: Sequence[Peaks], parameters: VerificationParameters) -> SharedSources:
    """Place every exposure against the others and list what they share.

    The exposure with most peaks in common with the rest starts; the others join one by one, each
    matched to the catalogue of those before it, so that a mosaic needs no exposure that overlaps all.

    Parameters
    ----------
    peaks : sequence of Peaks
        The peaks of each exposure, cosmic rays included: these coincide only by chance.
    parameters : VerificationParameters
        Give the search radius and the width of the sources.
    """
    tolerance = match_tolerance(parameters)
    radius = parameters.search_radius_pix
    offsets = np.full((len(peaks), 2), np.nan)
    waiting = sorted(range(len(peaks)), key=lambda i: -len(peaks[i].strength))
    first = waiting.pop(0)
    offsets[first] = 0
    catalogue = peaks[first]
    counts = np.ones(len(catalogue.strength), np.intp)
    placed = True
    while waiting and placed:
        placed = False
        for index in tuple(waiting):
            offset = bulk_offset(peaks[index], catalogue, radius, tolerance)
            if offset is not None:
                offsets[index] = offset
                catalogue, counts = _merge(catalogue, counts, peaks[index], offset, tolerance)
                waiting.remove(index)
                placed = True
    shared = counts >= 2
    return SharedSources(catalogue.positions[shared], counts[shared], catalogue.strength[shared], offsets)


def match_tolerance(parameters: VerificationParameters) -> float:
    """Distance within which two peaks are the same source once the bulk offset is taken off, pixels."""
    return max(MATCH_PIX, MATCH_FWHM * parameters.psf_fwhm_pix)


def matched_pairs(positions: Positions, reference: Positions, tolerance: float) -> tuple[Indices, Indices]:
    """Pairs of mutual nearest neighbours within the tolerance.

    Returns
    -------
    own, other : numpy.ndarray of int, shape (n_pairs,)
        Indices into `positions` and `reference`.
    """
    if not len(positions) or not len(reference):
        return np.empty(0, np.intp), np.empty(0, np.intp)
    distance, partner = map(np.asarray, cKDTree(reference).query(positions))
    _, back = map(np.asarray, cKDTree(positions).query(reference))
    own = np.flatnonzero((distance < tolerance) & (back[partner] == np.arange(len(positions))))
    return own, np.asarray(partner[own], np.intp)


def _merge(
    catalogue: Peaks, counts: Indices, peaks: Peaks, offset: Positions, tolerance: float
) -> tuple[Peaks, Indices]:
    """Catalogue with the peaks of one more exposure; matched ones count up, the others are appended."""
    moved = peaks.positions - offset
    own, other = matched_pairs(moved, catalogue.positions, tolerance)
    counts = counts.copy()
    counts[other] += 1
    new = np.ones(len(moved), bool)
    new[own] = False
    joined = Peaks.joined([catalogue, Peaks(moved[new], peaks.strength[new])])
    return joined, np.concatenate([counts, np.ones(new.sum(), np.intp)])
