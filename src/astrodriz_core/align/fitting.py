"""Robust linear fits in the tangent plane, with the uncertainties of their parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from attrs import frozen
from tweakwcs import linearfit

from astrodriz_core.arrays import Array, Mask
from astrodriz_core.errors import AlignmentError
from astrodriz_core.parameters.alignment import FitParameters
from astrodriz_core.parameters.choices import FitGeometry

__all__ = ["PARAMETER_COUNT", "LinearFit", "LinearTransform", "excess_scatter", "fit_linear", "geometries"]


FITTERS: dict[FitGeometry, Callable[..., dict[str, Any]]] = {
    FitGeometry.SHIFT: linearfit.fit_shifts,
    FitGeometry.RSHIFT: linearfit.fit_rshift,
    FitGeometry.RSCALE: linearfit.fit_rscale,
    FitGeometry.GENERAL: linearfit.fit_general,
}

PARAMETER_COUNT = {
    FitGeometry.SHIFT: 2,
    FitGeometry.RSHIFT: 3,
    FitGeometry.RSCALE: 4,
    FitGeometry.GENERAL: 6,
}

RAYLEIGH_MEDIAN = float(np.sqrt(2 * np.log(2)))
"""Median distance of a two-dimensional Gaussian of unit standard deviation along each axis."""

CLIP_ITERATIONS = 10
"""Clipping settles after two or three."""


@frozen(eq=False)
class LinearTransform:
    """``matrix @ xy + shift`` in the tangent plane, arcsec.

    Attributes
    ----------
    matrix : ndarray of float, shape (2, 2)
    shift : ndarray of float, shape (2,)
    """

    matrix: Array
    shift: Array

    @classmethod
    def identity(cls) -> LinearTransform:
        """The transform that leaves everything where it is."""
        return cls(np.eye(2), np.zeros(2))

    def apply(self, xy: Array) -> Array:
        """Transformed positions, shape (N, 2)."""
        return np.asarray(xy @ self.matrix.T + self.shift)

    def after(self, first: LinearTransform) -> LinearTransform:
        """The transform that applies `first`, then this one."""
        return LinearTransform(self.matrix @ first.matrix, self.matrix @ first.shift + self.shift)

    @property
    def rotation_deg(self) -> float:
        """Rotation from north toward east, degrees (mean of both axes)."""
        m = self.matrix
        return float(np.rad2deg(np.arctan2(m[0, 1] - m[1, 0], m[0, 0] + m[1, 1])))

    @property
    def scale(self) -> float:
        """Geometric mean of the scales of the axes."""
        return float(np.sqrt(abs(np.linalg.det(self.matrix))))

    @property
    def skew_deg(self) -> float:
        """Departure of the transformed axes from a right angle, degrees."""
        m = self.matrix
        x, y = np.arctan2(m[1, 0], m[0, 0]), np.arctan2(-m[0, 1], m[1, 1])
        return float(np.rad2deg(np.arctan2(np.sin(y - x), np.cos(y - x))))


@frozen(eq=False)
class LinearFit:
    """A linear fit and its errors.

    Attributes
    ----------
    geometry : FitGeometry
    transform : LinearTransform
        From the measured positions to the reference.
    used : ndarray of bool, shape (N,)
        Matches that were not clipped.
    residuals : ndarray of float, shape (N, 2)
        Reference minus transformed, arcsec, of every match.
    sigma : ndarray of float, shape (N,)
        Error of each match along one axis, arcsec, the excess scatter included.
    covariance : ndarray of float, shape (k, k)
        The covariance of dx, dy (arcsec), then rotation and scale or the four matrix elements (pure numbers).
    """

    geometry: FitGeometry
    transform: LinearTransform
    used: Mask
    residuals: Array
    sigma: Array
    covariance: Array

    @property
    def rms(self) -> tuple[float, float]:
        """RMS of the residuals along each axis, arcsec, for the degrees of freedom that are left."""
        n = int(self.used.sum())
        freedom = max(n - PARAMETER_COUNT[self.geometry] / 2, 0.5)
        x, y = np.sqrt((self.residuals[self.used] ** 2).sum(axis=0) / freedom)
        return float(x), float(y)

    @property
    def extra_significance(self) -> float:
        """How many errors the terms that the next simpler geometry lacks are away from none.

        The rotation of RSHIFT, the scale of RSCALE, the difference of scales and the skew of GENERAL; infinite for
        SHIFT, which lacks nothing.
        """
        m, c = self.transform.matrix, self.covariance
        if self.geometry is FitGeometry.SHIFT:
            return float(np.inf)
        if self.geometry is FitGeometry.GENERAL:
            change = np.array([[0, 0, 1, 0, 0, -1], [0, 0, 0, 1, 1, 0]], dtype=float)
            both = np.array([m[0, 0] - m[1, 1], m[0, 1] + m[1, 0]])
            return float(np.sqrt(both @ np.linalg.pinv(change @ c @ change.T, hermitian=True) @ both))
        value, row = float(np.deg2rad(self.transform.rotation_deg)), 2
        if self.geometry is FitGeometry.RSCALE:
            value, row = self.transform.scale - 1.0, 3
        return float(abs(value) / np.sqrt(c[row, row])) if c[row, row] > 0 else 0.0

    def position_variance(self, xy: Array) -> Array:
        """Variance, arcsec squared, that the parameters' errors give a position, both axes summed."""
        design = _design(xy, self.geometry)
        return np.asarray(np.einsum("nij,jk,nik->n", design, self.covariance, design))


def geometries(matches: int, richest: FitGeometry, parameters: FitParameters) -> tuple[FitGeometry, ...]:
    """Geometries that so many matches can carry, the richest first; empty where there are too few."""
    order = [geometry for geometry, _ in parameters.min_matches]
    allowed = order[order.index(richest) :] if richest in order else order
    fewest = dict(parameters.min_matches)
    return tuple(geometry for geometry in allowed if matches >= fewest[geometry])


def fit_linear(measured: Array, reference: Array, sigma: Array, geometry: FitGeometry, clip_sigma: float) -> LinearFit:
    """Weighted linear fit that leaves outliers out.

    Weights are inverse variances. Where the residuals scatter more than `sigma` says, the same variance is
    added to every match until the median of the residuals over their errors is that of a Gaussian;
    matches beyond `clip_sigma` of these errors are left out, and all is repeated until nothing changes.

    Parameters
    ----------
    measured, reference : ndarray of float, shape (N, 2)
        Matched positions in the tangent plane, arcsec.
    sigma : ndarray of float, shape (N,)
        Errors along one axis, arcsec; positive.
    geometry : FitGeometry
    clip_sigma : float

    Raises
    ------
    AlignmentError
        There are fewer matches than the geometry has free points, or they lie on one line.
    """
    used = np.ones(len(measured), dtype=bool)
    total = np.asarray(sigma, dtype=np.float64)
    for _ in range(CLIP_ITERATIONS):
        transform = _solve(measured[used], reference[used], total[used], geometry)
        residuals = reference - transform.apply(measured)
        distance = np.hypot(residuals[:, 0], residuals[:, 1])
        freedom = used.sum() / max(used.sum() - PARAMETER_COUNT[geometry] / 2, 0.5)
        total = np.hypot(sigma, excess_scatter(distance[used] * np.sqrt(freedom), sigma[used]))
        keep = distance <= clip_sigma * total
        if (keep == used).all() or keep.sum() < max(PARAMETER_COUNT[geometry] // 2, 1):
            break
        used = keep
    transform = _solve(measured[used], reference[used], total[used], geometry)
    design = _design(measured[used], geometry)
    normal = np.einsum("nij,n,nik->jk", design, total[used] ** -2, design)
    return LinearFit(
        geometry, transform, used, reference - transform.apply(measured), total, np.linalg.pinv(normal, hermitian=True)
    )


def excess_scatter(distance: Array, sigma: Array) -> float:
    """Scatter along one axis that has to be added to `sigma` so that the residuals look Gaussian.

    Solves ``median(distance / sqrt(sigma^2 + s^2)) = sqrt(2 ln 2)``, the median of the Rayleigh distribution; 0
    where the residuals are already as small, or there are none.

    Parameters
    ----------
    distance, sigma : ndarray of float, shape (N,)
        Lengths of the residuals, and their errors along one axis, in the same units.
    """
    if len(distance) == 0 or np.median(distance / sigma) <= RAYLEIGH_MEDIAN:
        return 0.0
    low, high = 0.0, float(np.max(distance))
    for _ in range(50):
        middle = (low + high) / 2
        wide = np.median(distance / np.hypot(sigma, middle)) > RAYLEIGH_MEDIAN
        low, high = (middle, high) if wide else (low, middle)
    return (low + high) / 2


def _solve(measured: Array, reference: Array, sigma: Array, geometry: FitGeometry) -> LinearTransform:
    """One weighted fit by tweakwcs."""
    try:
        fit = FITTERS[geometry](reference, measured, wxy=sigma**-2.0)
    except (ValueError, ArithmeticError, linearfit.NotEnoughPointsError, linearfit.SingularMatrixError) as error:
        raise AlignmentError(f"A {geometry.value} fit of {len(measured)} matches is not possible.") from error
    return LinearTransform(np.array(fit["matrix"], dtype=float), np.array(fit["shift"], dtype=float))


def _design(xy: Array, geometry: FitGeometry) -> Array:
    """Derivatives of the transformed positions by the parameters, shape (N, 2, k)."""
    x, y = np.asarray(xy)[:, 0], np.asarray(xy)[:, 1]
    one, zero = np.ones_like(x), np.zeros_like(x)
    columns = {
        FitGeometry.SHIFT: ([one, zero], [zero, one]),
        FitGeometry.RSHIFT: ([one, zero, y], [zero, one, -x]),
        FitGeometry.RSCALE: ([one, zero, y, x], [zero, one, -x, y]),
        FitGeometry.GENERAL: ([one, zero, x, y, zero, zero], [zero, one, zero, zero, x, y]),
    }[geometry]
    return np.stack([np.stack(row, axis=-1) for row in columns], axis=1)
