"""Residual offset of every exposure against the combination of the others, from matched sources.

The positions of all shared sources in all exposures are solved together: each exposure has a shift and a
rotation, each source one position. An exposure is then compared with the mean of the others that agree
with each other, so that one exposure off its place does not pull the reference of the good ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from astrodriz_core.records.verification import Registration, RegistrationMethod
from astrodriz_core.verify.calibration import SMALL_SAMPLE_SOURCES
from astrodriz_core.verify.images import VerificationParameters
from astrodriz_core.verify.sources import Positions

__all__ = [
    "Motion",
    "MotionFit",
    "SourceTable",
    "consensus",
    "fit_positions",
    "register",
    "solve_motions",
    "unmeasured",
]

Table: TypeAlias = NDArray[np.float64]

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
#: Rounds of the joint solution; its error shrinks at least by half in each.
SOLUTION_ROUNDS = 30
#: Exposures within this distance of each other form a consensus, pixels.
CONSENSUS_PIX = 0.1
#: Error of an offset that does not average out over the sources (distortion, drizzle kernel), pixels.
SYSTEMATIC_PIX = 0.002


@frozen(eq=False)
class SourceTable:
    """Positions of sources (rows) in exposures (columns).

    Attributes
    ----------
    positions : numpy.ndarray, shape (n_sources, n_exposures, 2)
        x, y in output pixels; NaN where a source was not measured.
    errors : numpy.ndarray, shape (n_sources, n_exposures)
        Expected standard error of each along one axis, for the weights.
    """

    positions: NDArray[np.float64]
    errors: Table


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

    shift: NDArray[np.float64]
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
    """

    motion: Motion
    local_shift: NDArray[np.float64]
    shift_error: float
    rotation_error: float | None
    lever_arm: float
    scatter: float
    used: NDArray[np.bool_]


def solve_motions(table: SourceTable, start: Positions) -> tuple[NDArray[np.float64], list[Motion]]:
    """Shift and rotation of every exposure relative to the mean of all.

    Parameters
    ----------
    table : SourceTable
        The measured positions.
    start : numpy.ndarray, shape (n_exposures, 2)
        Bulk offsets to start from; NaN counts as 0.

    Returns
    -------
    centre : numpy.ndarray, shape (2,)
        Place at which the shifts hold.
    motions : list of Motion
    """
    centre = np.nanmean(table.positions, axis=(0, 1))
    motions = [Motion(shift, 0.0) for shift in np.nan_to_num(start)]
    for _ in range(SOLUTION_ROUNDS):
        common = _common_positions(table, motions, centre, range(len(motions)))
        for index, motion in enumerate(motions):
            fit = _fit_motion(table, index, common, centre, motion)
            motions[index] = fit.motion if fit is not None else motion
    return centre, motions


def _common_positions(
    table: SourceTable, motions: Sequence[Motion], centre: NDArray[np.float64], members: Sequence[int]
) -> tuple[Positions, Table]:
    """Position of each source in the frame of no motion, from the given exposures, and its variance."""
    columns = list(members)
    moved = np.stack(
        [table.positions[:, i] - motions[i].displacement(table.positions[:, i] - centre) for i in columns],
        axis=1,
    )
    known = np.isfinite(moved[..., 0])
    weights = np.where(known, 1 / table.errors[:, columns] ** 2, 0.0)
    total = weights.sum(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (np.nan_to_num(moved) * weights[..., None]).sum(1) / total[:, None]
        return mean, 1 / total


def _fit_motion(
    table: SourceTable,
    index: int,
    common: tuple[Positions, Table],
    centre: NDArray[np.float64],
    guess: Motion,
) -> MotionFit | None:
    """Robust shift and rotation of one exposure against common positions."""
    reference, variance = common
    difference = table.positions[:, index] - reference
    weights = 1 / (table.errors[:, index] ** 2 + variance)
    return fit_positions(difference, reference - centre, guess, weights)


def fit_positions(
    difference: Positions, places: Positions, guess: Motion, weights: Table | None = None
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


def _robust_fit(difference: Positions, places: Positions, weights: Table, guess: Motion) -> MotionFit:
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


def _weighted_fit(difference: Positions, places: Positions, weights: Table, squares: Table) -> MotionFit:
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
    )


def consensus(places: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Exposures that agree with each other.

    Parameters
    ----------
    places : numpy.ndarray, shape (n, d)
        Shift of each exposure along every axis, pixels; a rotation may be one more, as the displacement
        that it gives.

    Returns
    -------
    numpy.ndarray of bool, shape (n,)
        The largest set within `CONSENSUS_PIX` of one of them. All, where no two agree, or where there
        are only two: then nothing tells which is off.
    """
    apart = np.sqrt(((places[:, None] - places[None, :]) ** 2).sum(-1))
    near = apart <= CONSENSUS_PIX
    closeness = near.sum(1) - 1e-3 * np.where(near, apart, 0).sum(1)
    best = near[np.argmax(closeness)]
    return best if best.sum() > 1 else np.ones(len(places), bool)


def register(
    rootnames: Sequence[str], table: SourceTable, start: Positions, parameters: VerificationParameters
) -> tuple[Registration, ...]:
    """Residual of every exposure from matched sources.

    Parameters
    ----------
    rootnames : sequence of str
        Of the exposures.
    table : SourceTable
        Positions of the shared sources.
    start : numpy.ndarray, shape (n_exposures, 2)
        Bulk offsets; NaN for an exposure that shares no sources with the others.
    parameters : VerificationParameters
        Give the pixel scale.

    Returns
    -------
    tuple of Registration
        In the order of the exposures; without values where an exposure shares fewer than
        `FEWEST_SOURCES` sources with the others.
    """
    placed = [i for i in range(len(rootnames)) if np.isfinite(start[i]).all()]
    if len(placed) < 2 or not len(table.errors):
        return tuple(unmeasured(name, "No sources in common with the other exposures.") for name in rootnames)
    centre, motions = solve_motions(table, start)
    agreeing = np.zeros(len(rootnames), bool)
    arm = float(np.sqrt(np.nanmean((table.positions - centre) ** 2) * 2))
    agreeing[placed] = consensus(np.array([[*motions[i].shift, motions[i].rotation * arm] for i in placed]))
    records = []
    for index, name in enumerate(rootnames):
        others = [i for i in placed if i != index and agreeing[i]]
        fit = _against_others(table, index, others, motions, centre) if index in placed and others else None
        records.append(_record(name, fit, parameters))
    return tuple(records)


def _against_others(
    table: SourceTable,
    index: int,
    others: Sequence[int],
    motions: Sequence[Motion],
    centre: NDArray[np.float64],
) -> MotionFit | None:
    """Motion of one exposure against the mean of the others, each of them brought to that mean."""
    mean = Motion(
        np.mean([motions[i].shift for i in others], axis=0),
        float(np.mean([motions[i].rotation for i in others])),
    )
    relative = list(motions)
    for i in others:
        relative[i] = Motion(motions[i].shift - mean.shift, motions[i].rotation - mean.rotation)
    common = _common_positions(table, relative, centre, others)
    guess = Motion(motions[index].shift - mean.shift, motions[index].rotation - mean.rotation)
    return _fit_motion(table, index, common, centre, guess)


def _record(name: str, fit: MotionFit | None, parameters: VerificationParameters) -> Registration:
    """Record of one fit."""
    if fit is None:
        return unmeasured(name, f"Fewer than {FEWEST_SOURCES} sources in common with the other exposures.")
    dx, dy = (float(value) for value in fit.local_shift)
    number = int(fit.used.sum())
    small_sample = 1 + SMALL_SAMPLE_SOURCES / max(number, 1)
    turn_error = None if fit.rotation_error is None else float(np.rad2deg(fit.rotation_error * small_sample))
    return Registration(
        rootname=name,
        dx_pix=dx,
        dy_pix=dy,
        dx_arcsec=dx * parameters.pixel_scale_arcsec,
        dy_arcsec=dy * parameters.pixel_scale_arcsec,
        sigma_pix=float(np.hypot(fit.shift_error * small_sample, SYSTEMATIC_PIX)),
        rotation_deg=float(np.rad2deg(fit.motion.rotation)) if turn_error is not None else None,
        rotation_sigma_deg=turn_error,
        lever_arm_pix=fit.lever_arm if turn_error is not None else None,
        n_sources=number,
        method=RegistrationMethod.SOURCES,
        reason="",
    )


def unmeasured(name: str, reason: str) -> Registration:
    """Record of an exposure whose offset could not be measured."""
    return Registration(name, None, None, None, None, None, None, None, None, 0, None, reason)
