"""The fit of the exposures of an association to each other.

All exposures are solved for at once: each source that two exposures share has one unknown position, each exposure an
unknown shift and rotation, and the weighted sum of squares is the smallest.
"""

from __future__ import annotations

import numpy as np
from attrs import evolve, frozen
from scipy import sparse

from astrodriz_core.align.fitting import LinearTransform, excess_scatter
from astrodriz_core.align.linking import ExposurePositions, Links
from astrodriz_core.arrays import Array, Indices, Mask

__all__ = ["RelativeSolution", "solve_relative"]


ROTATION_SIGNIFICANCE = 5.0
"""Standard deviations that a rotation needs: what is left of the distortion mimics small ones."""

MIN_LINKED = 6
"""Shared sources that an exposure needs before its rotation is measured."""

AGREEMENT = 3.0
"""Standard deviations within which exposures count as being in their place."""

CLIP_ITERATIONS = 5
"""Clipping settles after two or three."""


@frozen(eq=False)
class RelativeSolution:
    """Measured corrections of the exposures, each at the centre of its own sources.

    Attributes
    ----------
    centres : ndarray of float, shape (E, 2)
        Arcsec in the tangent plane.
    shift : ndarray of float, shape (E, 2)
        Arcsec; NaN for an exposure that shares no source.
    covariance : ndarray of float, shape (E, 2, 2)
        The covariance of each exposure's shift.
    rotation, rotation_sigma : ndarray of float, shape (E,)
        Radians, north toward east; 0 and infinity where it was not measured.
    turned : ndarray of bool, shape (E,)
        The rotation is significant.
    matches : ndarray of int, shape (E,)
        Shared sources that were not clipped.
    sources : int
        Sources that are shared by two exposures or more.
    """

    centres: Array
    shift: Array
    covariance: Array
    rotation: Array
    rotation_sigma: Array
    turned: Mask
    matches: Indices
    sources: int


@frozen(eq=False)
class _Shared:
    """Each measurement of a source that two exposures share, roughly in place."""

    exposure: Indices
    source: Indices
    xy: Array
    sigma: Array
    centres: Array

    def select(self, keep: Mask) -> _Shared:
        """Those measurements whose source is still shared, with the sources numbered anew."""
        counts = np.bincount(self.source[keep], minlength=1 + int(self.source.max(initial=0)))
        keep = keep & (counts[self.source] >= 2)
        source = np.unique(self.source[keep], return_inverse=True)[1]
        return _Shared(self.exposure[keep], source, self.xy[keep], self.sigma[keep], self.centres)


def solve_relative(exposures: tuple[ExposurePositions, ...], links: Links, clip_sigma: float) -> RelativeSolution:
    """Shifts and rotations that bring the shared sources together best.

    Weighted least squares with the positions of the sources eliminated. Rotations are measured first; those
    that are not significant are then held at zero while the shifts are solved for. The motion that all exposures
    have in common, which their sources cannot tell, is fixed by leaving the exposures in the middle where they are.
    Outliers are left out as in `fit_linear`.

    Parameters
    ----------
    exposures : tuple of ExposurePositions
    links : Links
        The sources that these exposures share.
    clip_sigma : float

    Returns
    -------
    RelativeSolution
        With no shared source at all every shift is NaN.
    """
    shared = _shared(exposures, links)
    enough = np.bincount(shared.exposure, minlength=len(exposures)) >= MIN_LINKED
    first = _clipped_least_squares(shared, enough, clip_sigma)
    median = np.median(first.rotation[enough]) if enough.any() else 0.0
    turned = enough & (np.abs(first.rotation - median) > ROTATION_SIGNIFICANCE * first.rotation_sigma)
    second = _clipped_least_squares(shared, turned, clip_sigma)
    linked = second.matches > 0
    shift = np.where(linked[:, None], second.shift + _rough_motion(links, shared.centres), np.nan)
    shift[linked] -= _unmoved(shift[linked], second.covariance[linked])
    rotation = np.where(turned, second.rotation, first.rotation - median)
    return evolve(second, shift=shift, rotation=rotation, rotation_sigma=first.rotation_sigma)


def _unmoved(shift: Array, covariance: Array) -> Array:
    """The shift that stands for no motion: the mean of the exposures that agree with the median, if most do."""
    if len(shift) == 0:
        return np.zeros(2)
    median = np.median(shift, axis=0)
    reach = AGREEMENT * np.sqrt(np.trace(covariance, axis1=1, axis2=2))
    agree = np.hypot(*(shift - median).T) <= reach
    return np.asarray(shift[agree].mean(axis=0) if agree.sum() > len(shift) / 2 else median)


def _shared(exposures: tuple[ExposurePositions, ...], links: Links) -> _Shared:
    """The measurements of all shared sources, moved roughly into place."""
    rough = [t or LinearTransform.identity() for t in links.transforms]
    centres = np.array([e.xy.mean(axis=0) if len(e) else np.zeros(2) for e in exposures])
    exposure = np.concatenate([np.full(len(e), i, dtype=np.intp) for i, e in enumerate(exposures)])
    label = np.concatenate(links.labels)
    xy = np.concatenate([t.apply(e.xy) for t, e in zip(rough, exposures, strict=True)])
    sigma = np.concatenate([e.sigma for e in exposures])
    everything = _Shared(exposure, np.where(label < 0, 0, label), xy, sigma, centres)
    return everything.select(label >= 0)


def _rough_motion(links: Links, centres: Array) -> Array:
    """By how much linking has already moved the centre of each exposure."""
    rough = [t or LinearTransform.identity() for t in links.transforms]
    return np.array([t.apply(c[None])[0] - c for t, c in zip(rough, centres, strict=True)])


def _clipped_least_squares(shared: _Shared, turning: Mask, clip_sigma: float) -> RelativeSolution:
    """Least squares that leaves outliers out and adds the scatter that the errors do not explain."""
    part, nominal = shared, shared.sigma
    for _ in range(CLIP_ITERATIONS):
        solution, residual, freedom = _least_squares(part, turning)
        if len(part.xy) == 0:
            break
        distance = np.hypot(residual[:, 0], residual[:, 1]) / np.sqrt(freedom)
        total = np.hypot(nominal, excess_scatter(distance, nominal))
        keep = distance <= clip_sigma * total
        counts = np.bincount(part.source[keep], minlength=1 + int(part.source.max()))
        keep &= counts[part.source] >= 2
        part, nominal = evolve(part, sigma=total).select(keep), nominal[keep]
    return solution


def _least_squares(shared: _Shared, turning: Mask) -> tuple[RelativeSolution, Array, Array]:
    """One weighted solution, the residuals, and the part of each measurement that its source does not take.

    The sources' positions are eliminated: with design D, weights W and the membership S of measurements in
    sources, the normal matrix is ``D'WD - D'WS (S'WS)^-1 S'WD``.
    """
    count, exposures = len(shared.xy), len(shared.centres)
    weight = shared.sigma**-2.0
    membership = sparse.csr_array(
        (np.ones(count), (np.arange(count), shared.source)), shape=(count, 1 + int(shared.source.max(initial=-1)))
    )
    per_source = np.asarray(membership.T @ weight)
    normal, right = np.zeros((3 * exposures, 3 * exposures)), np.zeros(3 * exposures)
    place = np.asarray(membership.T @ (weight[:, None] * shared.xy)) / per_source[:, None]
    designs = _designs(shared, place[shared.source], turning)
    for axis, design in enumerate(designs):
        weighted = design.T.multiply(weight).tocsr()
        crossed = (weighted @ membership).toarray()
        mean = np.asarray(membership.T @ (weight * shared.xy[:, axis])) / per_source
        normal += (weighted @ design).toarray() - (crossed / per_source) @ crossed.T
        right -= weighted @ (shared.xy[:, axis] - membership @ mean)
    inverse = _pseudo_inverse(normal)
    solution = inverse @ right
    moved = shared.xy + np.column_stack([design @ solution for design in designs])
    mean = np.asarray(membership.T @ (weight[:, None] * moved)) / per_source[:, None]
    freedom = 1 - weight / np.asarray(membership @ per_source)
    return _unpack(shared, solution, inverse, turning), moved - membership @ mean, np.clip(freedom, 1e-6, 1)


def _designs(shared: _Shared, place: Array, turning: Mask) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Derivatives of the two coordinates by shift x, shift y and rotation of each exposure.

    They are taken at the mean place of each source, so that a rotation of everything leaves no residual and the
    pseudo-inverse can tell it from a rotation of one exposure.
    """
    rows, exposure = np.arange(len(shared.xy)), shared.exposure
    offset = (place - shared.centres[exposure]) * turning[exposure, None]
    shape = (len(rows), 3 * len(shared.centres))
    one = np.ones(len(rows))

    def design(column: int, turn: Array) -> sparse.csr_array:
        where = (np.concatenate([rows, rows]), np.concatenate([3 * exposure + column, 3 * exposure + 2]))
        return sparse.csr_array((np.concatenate([one, turn]), where), shape=shape)

    return design(0, offset[:, 1]), design(1, -offset[:, 0])


def _pseudo_inverse(normal: Array) -> Array:
    """Pseudo-inverse of a normal matrix whose parameters have different units."""
    size = np.sqrt(np.diag(normal))
    unit = np.divide(1.0, size, out=np.zeros_like(size), where=size > 0)
    return np.asarray(np.linalg.pinv(normal * unit[:, None] * unit, rcond=1e-9, hermitian=True) * unit[:, None] * unit)


def _unpack(shared: _Shared, solution: Array, inverse: Array, turning: Mask) -> RelativeSolution:
    """The parameters of each exposure and their errors."""
    exposures = len(shared.centres)
    start = 3 * np.arange(exposures)
    blocks = np.stack([inverse[i : i + 2, i : i + 2] for i in start])
    variance = inverse[start + 2, start + 2]
    return RelativeSolution(
        centres=shared.centres,
        shift=np.column_stack([solution[start], solution[start + 1]]),
        covariance=blocks,
        rotation=solution[start + 2],
        rotation_sigma=np.where(turning & (variance > 0), np.sqrt(np.abs(variance)), np.inf),
        turned=turning,
        matches=np.bincount(shared.exposure, minlength=exposures),
        sources=1 + int(shared.source.max(initial=-1)),
    )
