"""Which source is which: offsets from a histogram, nearest neighbours, and the odds of chance."""

from __future__ import annotations

import numpy as np
from attrs import frozen
from scipy.ndimage import uniform_filter
from scipy.spatial import cKDTree
from scipy.stats import binom

from astrodriz_core.arrays import Array, Indices

__all__ = ["OffsetPeak", "chance_probability", "match_nearest", "offset_peak"]


@frozen
class OffsetPeak:
    """The highest peak of the histogram of offsets.

    Attributes
    ----------
    dx, dy : float
        Offset that takes the first list to the second, in the units of the positions.
    pairs : int
        Pairs within one tolerance of the offset.
    expected : float
        Pairs that would lie there by chance.
    """

    dx: float
    dy: float
    pairs: int
    expected: float


def offset_peak(xy: Array, reference: Array, search: float, tolerance: float) -> OffsetPeak | None:
    """Most common offset between two lists of positions, from the histogram of all pairs.

    Bins are `tolerance` wide and summed 3 by 3, so that a peak on the border of two bins is not split. The
    offset is then the median of the pairs in the peak. The nearest of equal peaks to no offset wins.

    Parameters
    ----------
    xy, reference : ndarray of float, shape (N, 2) and (M, 2)
        In the same units.
    search : float
        Greatest offset along each axis.
    tolerance : float
        Width of a bin.

    Returns
    -------
    OffsetPeak or None
        None where no pair lies in the window.
    """
    offsets = _pair_offsets(xy, reference, search)
    if len(offsets) == 0:
        return None
    half = int(np.ceil(search / tolerance))
    edges = (np.arange(-half, half + 2) - 0.5) * tolerance
    counts = np.histogram2d(offsets[:, 0], offsets[:, 1], bins=[edges, edges])[0]
    summed = uniform_filter(counts, 3, mode="constant") * 9
    radius = np.hypot(*np.meshgrid(edges[:-1], edges[:-1]))
    i, j = np.unravel_index(np.argmax(summed - 1e-6 * radius / (radius.max() + tolerance)), summed.shape)
    centre = np.array([edges[i], edges[j]]) + tolerance / 2
    for reach in (2.0 * tolerance, tolerance):
        near = np.hypot(*(offsets - centre).T) <= reach
        centre = np.median(offsets[near], axis=0) if near.any() else centre
    near = np.hypot(*(offsets - centre).T) <= tolerance
    expected = len(offsets) * np.pi * tolerance**2 / (2 * search) ** 2
    return OffsetPeak(float(centre[0]), float(centre[1]), int(near.sum()), float(expected))


def match_nearest(xy: Array, reference: Array, tolerance: float) -> tuple[Indices, Indices]:
    """Pairs of mutually nearest positions no farther apart than `tolerance`.

    Returns
    -------
    first, second : ndarray of int
        Indices into `xy` and `reference`, pair by pair, in the order of `xy`.
    """
    if len(xy) == 0 or len(reference) == 0:
        return np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp)
    distance, nearest = map(np.asarray, cKDTree(reference).query(xy))
    _, back = map(np.asarray, cKDTree(xy).query(reference))
    first = np.flatnonzero((distance <= tolerance) & (back[nearest] == np.arange(len(xy))))
    return first, nearest[first]


def chance_probability(
    matches: int, catalog_sources: int, density: float, radius: float, trials: float, free_matches: int
) -> float:
    """Bound on the probability that so many matches come about by chance, somewhere in the search.

    Each catalogue source has a chance :math:`p = 1 - exp(-density pi radius^2)` to lie near an unrelated
    source. A fit can make `free_matches` of them meet whatever they are; the rest follow the binomial
    distribution, and the search tries `trials` independent offsets (Bonferroni).

    Parameters
    ----------
    matches : int
        Matches within `radius` after the fit.
    catalog_sources : int
        Catalogue sources in the field.
    density : float
        Image sources for each unit of area.
    radius : float
        Radius of a match.
    trials : float
        How many offsets could have been chosen; at least 1.
    free_matches : int
        Matches that the free parameters of the fit can produce at will.

    Returns
    -------
    float
        Between 0 and 1; 1 where there are no more matches than the fit makes by itself.
    """
    beyond = matches - free_matches
    if beyond <= 0:
        return 1.0
    p = -np.expm1(-density * np.pi * radius**2)
    log_tail = binom.logsf(beyond - 1, max(catalog_sources - free_matches, beyond), p)
    return float(np.exp(min(0.0, log_tail + np.log(max(trials, 1.0)))))


def _pair_offsets(xy: Array, reference: Array, search: float) -> Array:
    """Offsets reference - xy of all pairs inside the square window, shape (K, 2)."""
    if len(xy) == 0 or len(reference) == 0:
        return np.zeros((0, 2))
    neighbours = np.atleast_1d(cKDTree(reference).query_ball_point(xy, search, p=np.inf))
    counts = [len(n) for n in neighbours]
    first = np.repeat(np.arange(len(xy)), counts)
    second = np.concatenate([np.asarray(n, dtype=np.intp) for n in neighbours])
    return np.asarray(reference[second] - xy[first])
