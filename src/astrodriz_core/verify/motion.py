"""Shift and rotation of one set of sources against another, robustly, with their errors."""

from __future__ import annotations

import numpy as np
from attrs import evolve, frozen

from astrodriz_core.arrays import Array, Mask, Positions

__all__ = ["FEWEST_SOURCES", "Motion", "MotionFit", "fit_positions"]

#: A shift from fewer sources than this has no usable error.
FEWEST_SOURCES = 4
#: A rotation needs more.
FEWEST_FOR_ROTATION = 10
#: Degrees of freedom of the t distribution of the residuals: heavy tails, as cosmic rays and blends make.
FREEDOM = 3.0
#: Sources count as used below this squared residual in units of their error; the others weigh little.
OUTLIER_SQUARE = 25.0
#: Rounds of one robust fit.
FIT_ROUNDS = 8
#: Median of the squared length of a two-dimensional normal vector, in variances of one axis.
MEDIAN_SQUARED_LENGTH = 2 * np.log(2)
#: Keeps the scale positive where the residuals are exactly 0.
SMALLEST_VARIANCE = 1e-12


@frozen(eq=False)
class Motion:
    """Shift and rotation of one exposure.

    Attributes
    ----------
    shift : numpy.ndarray, shape (2,)
        dx, dy in pixels, at the centre.
    rotation : float
        Radians, positive from +x to +y; 0 where it is not determined.
    """

    shift: Array
    rotation: float

    def displacement(self, offsets: Positions) -> Positions:
        """Displacement at places given relative to the centre, for small rotations."""
        turned = np.stack([-offsets[..., 1], offsets[..., 0]], axis=-1)
        return np.asarray(self.shift + self.rotation * turned)


@frozen(eq=False)
class MotionFit:
    """A motion with its errors, and the sources that gave it.

    Attributes
    ----------
    motion : Motion
        About the origin of the places.
    local_shift : numpy.ndarray, shape (2,)
        Displacement at the centre of the sources, to which `shift_error` belongs.
    shift_error, rotation_error : float
        Standard errors, pixels along one axis and radians; the latter None where there is no rotation.
    lever_arm : float
        Root mean square distance of the sources from their centre, pixels.
    scatter : float
        Weighted scatter of the sources about the motion, one axis.
    used : numpy.ndarray of bool, shape (n,)
        Sources that count.
    effective : float
        Number of sources of equal weight that would be as many: (sum of weights)^2 / sum of their squares.
    """

    motion: Motion
    local_shift: Array
    shift_error: float
    rotation_error: float | None
    lever_arm: float
    scatter: float
    used: Mask
    effective: float


def fit_positions(
    difference: Positions, places: Positions, guess: Motion, weights: Array | None = None
) -> MotionFit | None:
    """Robust shift and rotation from the displacements of sources.

    Parameters
    ----------
    difference : numpy.ndarray, shape (n, 2)
        Displacement of each source, pixels; NaN where it is not known.
    places : numpy.ndarray, shape (n, 2)
        Where each is, relative to the centre at which the shift is wanted.
    guess : Motion
        To start from.
    weights : numpy.ndarray, shape (n,), optional
        Inverse variances; equal ones by default.

    Returns
    -------
    MotionFit or None
        None from fewer than `FEWEST_SOURCES` sources.
    """
    weights = np.ones(len(difference)) if weights is None else weights
    known = np.isfinite(difference).all(axis=1) & np.isfinite(weights) & (weights > 0)
    if known.sum() < FEWEST_SOURCES:
        return None
    fit = _robust_fit(difference[known], places[known], weights[known], guess)
    used = np.zeros(len(known), bool)
    used[np.flatnonzero(known)[fit.used]] = True
    return evolve(fit, used=used)


def _robust_fit(difference: Positions, places: Positions, weights: Array, guess: Motion) -> MotionFit:
    """Maximum-likelihood shift and rotation for residuals that follow Student's t distribution.

    The weights only give the relative errors; their scale follows the sources themselves. A source far
    off (a cosmic ray, a blend, a wrong match) gets hardly any weight, and many of them no influence on
    the scale.
    """
    residual = difference - guess.displacement(places)
    residual = residual - np.median(residual, axis=0)
    for _ in range(FIT_ROUNDS):
        squares = (residual**2).sum(1) * weights
        scale = np.median(squares) / MEDIAN_SQUARED_LENGTH + SMALLEST_VARIANCE
        fit = _weighted_fit(difference, places, weights / scale, squares / scale)
        residual = difference - fit.motion.displacement(places)
    return fit


def _weighted_fit(difference: Positions, places: Positions, weights: Array, squares: Array) -> MotionFit:
    """One step: least squares with the weights of the t distribution, and the errors of an M-estimate.

    `squares` are the squared lengths of the residuals in units of their errors. The shift is taken at
    the weighted centre of the sources, where it does not depend on the rotation, and carried to the
    origin of `places` only for the motion.
    """
    robust = (FREEDOM + 2) / (FREEDOM + squares)
    w = (weights * robust)[:, None]
    middle = (w * places).sum(0) / w.sum()
    arm = places - middle
    across = np.column_stack([-arm[:, 1], arm[:, 0]])
    shift = (w * difference).sum(0) / w.sum()
    inertia = float((w * across**2).sum())
    determined = len(difference) >= FEWEST_FOR_ROTATION and inertia > 0
    rotation = float((w * across * (difference - shift)).sum() / inertia) if determined else 0.0
    residual = difference - shift - rotation * across
    slope = w * (1 - squares / (FREEDOM + squares))[:, None]
    dof = 1 - (3 if determined else 2) / (2 * len(difference))
    shift_error = np.sqrt(((w * residual) ** 2).sum() / 2 / dof) / slope.sum()
    turn_error = np.sqrt(((w * across * residual).sum(1) ** 2).sum() / dof) / (slope * across**2).sum()
    at_origin = shift - rotation * np.array([-middle[1], middle[0]])
    return MotionFit(
        motion=Motion(at_origin, rotation),
        local_shift=shift,
        shift_error=float(shift_error),
        rotation_error=float(turn_error) if determined else None,
        lever_arm=float(np.sqrt(inertia / w.sum())),
        scatter=float(np.sqrt((w * residual**2).sum() / (2 * w.sum()))),
        used=squares < OUTLIER_SQUARE,
        effective=float(w.sum() ** 2 / (w**2).sum()),
    )
