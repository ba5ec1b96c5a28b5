"""Which corrections of the exposures against each other are applied.

Nothing is gained by applying what is not significant: the telescope's guiding often keeps exposures together more
precisely than their sources can tell. A measured correction that its error explains is left out, the others are
shrunk.
"""

from __future__ import annotations

import numpy as np
from attrs import evolve

from astrodriz_core.align.fitting import LinearTransform
from astrodriz_core.align.linking import ExposurePositions, Links
from astrodriz_core.align.relative_solution import RelativeSolution, solve_relative
from astrodriz_core.arrays import Array
from astrodriz_core.records.astrometry import RegistrationChange, RelativeExposure, RelativeFit
from astrodriz_core.units import MAS_PER_ARCSEC

__all__ = ["judge_relative", "registration_change"]


SHRINKAGE = 2.0
"""A measured shift is multiplied by ``max(0, 1 - SHRINKAGE / chi squared)`` (the non-negative garrote; Breiman 1995,
Technometrics 37, 373). With 2, exposures in their place are moved by half of what applying everything would move them,
and one that is off is never left more than a tenth farther than that would leave it."""


def judge_relative(
    rootnames: tuple[str, ...],
    solution: RelativeSolution,
    registration: RegistrationChange | None,
) -> tuple[tuple[LinearTransform, ...], RelativeFit]:
    """Which of the measured corrections are applied, and the record of them all.

    Parameters
    ----------
    rootnames : tuple of str
    solution : RelativeSolution
        The solution for these exposures.
    registration : RegistrationChange or None
        Is only recorded.

    Returns
    -------
    transforms : tuple of LinearTransform
        For each exposure; the identity where nothing significant was measured.
    record : RelativeFit
    """
    judged = [_judge_exposure(rootname, solution, i) for i, rootname in enumerate(rootnames)]
    transforms = tuple(transform for transform, _ in judged)
    records = tuple(record for _, record in judged)
    linked = solution.matches > 0
    if linked.sum() < 2:
        return transforms, RelativeFit(records, 0, None, None, None, None, "No two exposures share enough sources.")
    fraction = np.array([record.fraction for record in records])[linked, None]
    shift = solution.shift[linked]
    error = np.sqrt(np.mean(np.trace(solution.covariance[linked], axis1=1, axis2=2)))
    moved = int(np.count_nonzero(fraction > 0))
    return transforms, RelativeFit(
        exposures=records,
        sources=solution.sources,
        before_mas=_spread(shift),
        after_mas=_spread(shift * (1 - fraction)),
        error_mas=float(error) * MAS_PER_ARCSEC,
        registration=registration,
        reason=f"{moved} of {len(rootnames)} exposures are off their place by more than their error explains.",
    )


def registration_change(
    exposures: tuple[ExposurePositions, ...], links: Links, clip_sigma: float
) -> RegistrationChange | None:
    """How well the exposures agree before and after the relative fit, on sources that took no part in it.

    The shared sources are divided into two halves; the corrections from each half are applied to the offsets that the
    other half measures.

    Returns
    -------
    RegistrationChange or None
        None where fewer than two exposures can be measured by both halves.
    """
    halves = [solve_relative(exposures, _half(links, parity), clip_sigma) for parity in (0, 1)]
    both = (halves[0].matches > 0) & (halves[1].matches > 0)
    if both.sum() < 2:
        return None
    before, after, variance = [], [], []
    for fitted, measured in (halves, halves[::-1]):
        applied = np.array([_applied_shift(fitted, i) for i in np.flatnonzero(both).tolist()])
        before.append(_spread(measured.shift[both]))
        after.append(_spread(measured.shift[both] - applied))
        variance.append(np.mean(np.trace(measured.covariance[both], axis1=1, axis2=2)))
    return RegistrationChange(
        before_mas=float(np.sqrt(np.mean(np.square(before)))),
        after_mas=float(np.sqrt(np.mean(np.square(after)))),
        error_mas=float(np.sqrt(np.mean(variance))) * MAS_PER_ARCSEC,
    )


def _half(links: Links, parity: int) -> Links:
    """Take every other source only."""
    labels = tuple(np.where(label % 2 == parity, label, -1) for label in links.labels)
    return evolve(links, labels=labels)


def _judge_exposure(rootname: str, solution: RelativeSolution, i: int) -> tuple[LinearTransform, RelativeExposure]:
    """How much of the correction of one exposure is applied."""
    if solution.matches[i] == 0:
        reason = "shares too few sources with the others"
        return LinearTransform.identity(), RelativeExposure(
            rootname, 0, None, None, None, None, None, None, 0.0, False, reason
        )
    shift, covariance = solution.shift[i], solution.covariance[i]
    chi_squared, fraction = _significance(solution, i)
    rotation, rotation_sigma = float(solution.rotation[i]), float(solution.rotation_sigma[i])
    turned = bool(solution.turned[i])
    record = RelativeExposure(
        rootname=rootname,
        matches=int(solution.matches[i]),
        east_mas=float(shift[0]) * MAS_PER_ARCSEC,
        north_mas=float(shift[1]) * MAS_PER_ARCSEC,
        rotation_deg=float(np.rad2deg(rotation)) if np.isfinite(rotation_sigma) else None,
        error_mas=float(np.sqrt(np.trace(covariance) / 2)) * MAS_PER_ARCSEC,
        rotation_error_deg=float(np.rad2deg(rotation_sigma)) if np.isfinite(rotation_sigma) else None,
        significance=chi_squared,
        fraction=fraction,
        rotation_applied=turned,
        reason="not significant: left where it is" if fraction == 0 else "significant: shrunk by its error",
    )
    return _about(solution.centres[i], fraction * shift, rotation if turned else 0.0), record


def _significance(solution: RelativeSolution, i: int) -> tuple[float, float]:
    """Square of a shift over its error, and how much of the shift is therefore applied."""
    shift, covariance = solution.shift[i], solution.covariance[i]
    chi_squared = float(shift @ np.linalg.pinv(covariance, hermitian=True) @ shift)
    return chi_squared, max(0.0, 1.0 - SHRINKAGE / chi_squared) if chi_squared > 0 else 0.0


def _applied_shift(solution: RelativeSolution, i: int) -> Array:
    return np.asarray(_significance(solution, i)[1] * solution.shift[i])


def _about(centre: Array, shift: Array, rotation: float) -> LinearTransform:
    """Rotation about a centre, then a shift."""
    c, s = np.cos(rotation), np.sin(rotation)
    matrix = np.array([[c, s], [-s, c]])
    return LinearTransform(matrix, centre - matrix @ centre + shift)


def _spread(shift: Array) -> float:
    """RMS distance of the exposures from their mean offset, mas."""
    return float(np.sqrt(((shift - shift.mean(axis=0)) ** 2).sum(axis=1).mean())) * MAS_PER_ARCSEC
