"""Which sources of different exposures are the same star or galaxy."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from astrodriz_core.align.fitting import LinearTransform, fit_linear
from astrodriz_core.align.matching import chance_probability, match_nearest, offset_peak
from astrodriz_core.arrays import Array, Indices
from astrodriz_core.parameters.alignment import FitParameters
from astrodriz_core.parameters.choices import FitGeometry

__all__ = ["ExposurePositions", "Links", "link_exposures", "source_density"]


FAR = 1e9
"""Arcsec. An exposure without sources lies nowhere; it comes last."""

REFINEMENTS = 3
"""Matching and fitting in turn settles after two rounds."""


@frozen(eq=False)
class ExposurePositions:
    """Sources of all chips of one exposure in the common tangent plane.

    Attributes
    ----------
    rootname : str
    xy : ndarray of float, shape (N, 2)
        Arcsec.
    sigma : ndarray of float, shape (N,)
        Errors along one axis, arcsec.
    mag : ndarray of float, shape (N,)
        Instrumental magnitudes.
    """

    rootname: str
    xy: Array
    sigma: Array
    mag: Array

    def __len__(self) -> int:
        return len(self.xy)


@frozen(eq=False)
class Links:
    """Which sources belong together.

    Attributes
    ----------
    labels : tuple of ndarray of int
        For each exposure the label of each of its sources; sources with the same label are one object.
    transforms : tuple of LinearTransform or None
        For each exposure the shift that takes it roughly onto the others; None where it could not be linked.
    """

    labels: tuple[Indices, ...]
    transforms: tuple[LinearTransform | None, ...]


def link_exposures(exposures: tuple[ExposurePositions, ...], parameters: FitParameters, pixel_arcsec: float) -> Links:
    """Link the sources of the exposures, one exposure after the other, to a growing common list.

    The list starts with the exposure that has most sources; the exposure nearest to those already linked comes
    next. Its offset is searched within ``parameters.relative_search_pixels``; a peak that chance can explain
    links nothing, and that exposure is tried once more when all others are in.
    """
    labels = [np.full(len(exposure), -1, dtype=np.intp) for exposure in exposures]
    transforms: list[LinearTransform | None] = [None] * len(exposures)
    common, common_sigma = np.zeros((0, 2)), np.zeros(0)
    for index in _order(exposures) + _order(exposures)[1:]:
        if transforms[index] is not None or len(exposures[index]) == 0:
            continue
        found = _place(exposures[index], common, common_sigma, parameters, pixel_arcsec)
        if found is None:
            continue
        transform, first, second = found
        labels[index][first] = second
        new = np.flatnonzero(labels[index] < 0)
        labels[index][new] = len(common) + np.arange(len(new))
        transforms[index] = transform
        common = np.vstack([common, transform.apply(exposures[index].xy[new])])
        common_sigma = np.concatenate([common_sigma, exposures[index].sigma[new]])
    return Links(tuple(labels), tuple(transforms))


def source_density(xy: Array) -> float:
    """Sources for each square arcsec of the box that holds them; 0 for fewer than 2."""
    if len(xy) < 2:
        return 0.0
    return float(len(xy) / max(np.prod(np.ptp(xy, axis=0)), 1e-6))


def _order(exposures: tuple[ExposurePositions, ...]) -> list[int]:
    """The exposure with most sources first, then always the nearest to those before."""
    centres = np.array([np.median(e.xy, axis=0) if len(e) else [FAR, FAR] for e in exposures])
    start = int(np.argmax([len(e) for e in exposures]))
    order, rest = [start], [i for i in range(len(exposures)) if i != start]
    nearest = np.hypot(*(centres - centres[start]).T)
    while rest:
        index = min(rest, key=lambda i: float(nearest[i]))
        order.append(index)
        rest.remove(index)
        nearest = np.minimum(nearest, np.hypot(*(centres - centres[index]).T))
    return order


def _place(
    exposure: ExposurePositions, common: Array, common_sigma: Array, parameters: FitParameters, pixel: float
) -> tuple[LinearTransform, Indices, Indices] | None:
    """Where an exposure lies on the common list, and its matches; None where chance explains them."""
    if len(common) == 0:
        return LinearTransform.identity(), np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp)
    tolerance = parameters.tolerance_pixels * pixel
    search = parameters.relative_search_pixels * pixel
    peak = offset_peak(exposure.xy, common, search, tolerance)
    if peak is None or not _beyond_chance(peak.pairs, exposure, common, tolerance, search, parameters):
        return None
    transform = LinearTransform(np.eye(2), np.array([peak.dx, peak.dy]))
    for _ in range(REFINEMENTS):
        # Some of the pairs that made the peak, or of the matches before, are always within reach of their mean.
        first, second = match_nearest(transform.apply(exposure.xy), common, tolerance)
        sigma = np.hypot(exposure.sigma[first], common_sigma[second])
        fit = fit_linear(exposure.xy[first], common[second], sigma, FitGeometry.SHIFT, parameters.clip_sigma)
        transform = fit.transform
    first, second = match_nearest(transform.apply(exposure.xy), common, tolerance)
    return transform, first, second


def _beyond_chance(
    pairs: int,
    exposure: ExposurePositions,
    common: Array,
    tolerance: float,
    search: float,
    parameters: FitParameters,
) -> bool:
    """Whether so many pairs within the tolerance say more than that both fields have sources."""
    density = source_density(common)
    trials = (2 * search / tolerance) ** 2
    chance = chance_probability(pairs, len(exposure), density, tolerance, trials, 0)
    return chance <= parameters.max_link_chance_probability
