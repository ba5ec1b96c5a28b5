"""The judgement: every policy's verdict, the one that decides, and the exposure that is off."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from astrodriz_core.records.verification import (
    AlignmentMeasurements,
    Policy,
    PolicyResult,
    Registration,
    Verification,
    WorstExposure,
)
from astrodriz_core.verify.policies import judge_calibrated, judge_documented, judge_drizzlepac, undecided

__all__ = ["judge", "worst_exposure"]

#: A rotation counts towards the displacement of an exposure from this many standard errors.
ROTATION_SIGMA = 3.0

RULES: dict[Policy, Callable[[AlignmentMeasurements], PolicyResult]] = {
    Policy.DOCUMENTED: judge_documented,
    Policy.DRIZZLEPAC: judge_drizzlepac,
    Policy.CALIBRATED: judge_calibrated,
}


def judge(
    measurements: AlignmentMeasurements,
    policy: Policy = Policy.CALIBRATED,
    unverifiable: Mapping[str, str] | None = None,
) -> Verification:
    """Judge the measurements by every policy and let one decide.

    Parameters
    ----------
    measurements : AlignmentMeasurements
        What was measured on one product.
    policy : Policy
        The one whose verdict counts.
    unverifiable : mapping of str to str, optional
        As for `measure_alignment`. With any such exposure every policy says undetermined.

    Returns
    -------
    Verification
        With the verdicts of all policies.
    """
    results = tuple(undecided(rule(measurements), unverifiable or {}) for rule in RULES.values())
    deciding = next(result for result in results if result.policy is policy)
    return Verification(
        policy=policy,
        verdict=deciding.verdict,
        reason=deciding.reason,
        policies=results,
        worst=worst_exposure(measurements),
        degraded=deciding.degraded,
        measurements=measurements,
    )


def worst_exposure(measurements: AlignmentMeasurements) -> WorstExposure | None:
    """The exposure with the largest displacement; None where no offset was measured."""
    measured = [(_displacement(r), r.rootname) for r in measurements.registration if r.dx_pix is not None]
    if not measured:
        return None
    offset, name = max(measured)
    return WorstExposure(name, offset, ambiguous=len(measured) == 2)


def _displacement(registration: Registration) -> float:
    """Root mean square displacement of the sources by offset and, where it is significant, rotation."""
    offset = np.hypot(registration.dx_pix or 0.0, registration.dy_pix or 0.0)
    angle, error = registration.rotation_deg, registration.rotation_sigma_deg
    if angle is None or not error or abs(angle) < ROTATION_SIGMA * error:
        return float(offset)
    return float(np.hypot(offset, np.deg2rad(angle) * (registration.lever_arm_pix or 0.0)))
