"""One list of sources for the association."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from astrodriz_core.align.fitting import LinearTransform
from astrodriz_core.align.linking import ExposurePositions, Links
from astrodriz_core.arrays import Array

__all__ = ["MergedSources", "merge_sources"]


@frozen(eq=False)
class MergedSources:
    """Sources of the association, each with the weighted mean of its measurements.

    Attributes
    ----------
    before : ndarray of float, shape (N, 2)
        Mean position with the WCS as it was, arcsec in the tangent plane.
    xy : ndarray of float, shape (N, 2)
        Mean position after the relative corrections.
    sigma : ndarray of float, shape (N,)
        Error of `xy` along one axis, arcsec.
    mag : ndarray of float, shape (N,)
        Mean instrumental magnitude.
    """

    before: Array
    xy: Array
    sigma: Array
    mag: Array

    def __len__(self) -> int:
        return len(self.xy)


def merge_sources(
    exposures: tuple[ExposurePositions, ...], links: Links, transforms: tuple[LinearTransform, ...]
) -> MergedSources:
    """Weighted means of the linked sources; exposures that could not be linked take no part.

    The error is that of the weighted mean, and never less than what the measurements' own scatter gives.
    """
    labels = np.concatenate(links.labels)
    linked = labels >= 0
    label = np.unique(labels[linked], return_inverse=True)[1]
    count = 1 + int(label.max(initial=-1))
    before = np.concatenate([e.xy for e in exposures])[linked]
    after = np.concatenate([t.apply(e.xy) for t, e in zip(transforms, exposures, strict=True)])[linked]
    sigma = np.concatenate([e.sigma for e in exposures])[linked]
    mag = np.concatenate([e.mag for e in exposures])[linked]
    weight = sigma**-2.0
    total = np.bincount(label, weight, count)

    def mean(values: Array) -> Array:
        return np.asarray(np.bincount(label, weight * values, count) / total)

    xy = np.column_stack([mean(after[:, 0]), mean(after[:, 1])])
    scatter = np.bincount(label, weight * ((after - xy[label]) ** 2).sum(axis=1) / 2, count)
    seen = np.bincount(label, minlength=count)
    excess = np.sqrt(np.maximum(1.0, scatter / np.maximum(seen - 1, 1)))
    return MergedSources(
        before=np.column_stack([mean(before[:, 0]), mean(before[:, 1])]),
        xy=xy,
        sigma=excess / np.sqrt(total),
        mag=mean(mag),
    )
