"""Residual offset of every exposure against the combination of the others, from matched sources.

The positions of all shared sources in all exposures are solved together: each exposure has a shift and a
rotation, each source one position. An exposure is then compared with the mean of the others that agree
with each other, so that one exposure off its place does not pull the reference of the good ones.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attrs import frozen

from astrodriz_core.arrays import Array, Mask, Positions
from astrodriz_core.measure.images import VerificationParameters
from astrodriz_core.records.verification import Registration, RegistrationMethod
from astrodriz_core.verify.calibration import small_sample_factor
from astrodriz_core.verify.motion import FEWEST_SOURCES, Motion, MotionFit, fit_positions

__all__ = ["SourceTable", "consensus", "register", "solve_motions", "unmeasured"]


#: Rounds of the joint solution, at most; a mosaic whose ends hang together by a chain needs many.
SOLUTION_ROUNDS = 100
#: It ends when no exposure moves by more than this, far below any error.
CONVERGED_PIX = 1e-5
#: Exposures within this distance of each other form a consensus, pixels.
CONSENSUS_PIX = 0.1
#: Error of an offset that does not average out over the sources, pixels: that of crowded fields, simulated ones and
#: files, is then the stated one.
SOURCES_SYSTEMATIC_PIX = 0.0007


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

    positions: Array
    errors: Array


def solve_motions(table: SourceTable, start: Positions) -> tuple[Array, list[Motion]]:
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
    motions = _about_their_mean([Motion(shift, 0.0) for shift in np.nan_to_num(start)])
    for _ in range(SOLUTION_ROUNDS):
        common = _common_positions(table, motions, centre, range(len(motions)))
        fits = [_fit_motion(table, i, common, centre, motion) for i, motion in enumerate(motions)]
        before = motions
        motions = _about_their_mean([old if fit is None else fit.motion for old, fit in zip(before, fits, strict=True)])
        steps = [new.shift - old.shift for new, old in zip(motions, before, strict=True)]
        if np.abs(steps).max() < CONVERGED_PIX:
            break
    return centre, motions


def _about_their_mean(motions: Sequence[Motion]) -> list[Motion]:
    """Motions less their mean, which nothing determines and which would drift from round to round."""
    shift = np.mean([motion.shift for motion in motions], axis=0)
    rotation = float(np.mean([motion.rotation for motion in motions]))
    return [Motion(motion.shift - shift, motion.rotation - rotation) for motion in motions]


def _common_positions(
    table: SourceTable, motions: Sequence[Motion], centre: Array, members: Sequence[int]
) -> tuple[Positions, Array]:
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
    common: tuple[Positions, Array],
    centre: Array,
    guess: Motion,
) -> MotionFit | None:
    """Robust shift and rotation of one exposure against common positions."""
    reference, variance = common
    difference = table.positions[:, index] - reference
    weights = 1 / (table.errors[:, index] ** 2 + variance)
    return fit_positions(difference, reference - centre, guess, weights)


def consensus(places: Array) -> Mask:
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
        Rootnames of the exposures.
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
    centre: Array,
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
    small_sample = small_sample_factor(fit.effective)
    turn_error = None if fit.rotation_error is None else float(np.rad2deg(fit.rotation_error * small_sample))
    return Registration(
        rootname=name,
        dx_pix=dx,
        dy_pix=dy,
        dx_arcsec=dx * parameters.pixel_scale_arcsec,
        dy_arcsec=dy * parameters.pixel_scale_arcsec,
        sigma_pix=float(np.hypot(fit.shift_error * small_sample, SOURCES_SYSTEMATIC_PIX)),
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
