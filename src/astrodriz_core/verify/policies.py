"""The rules of each policy: from measurements to checks and a verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from attrs import evolve
from scipy.special import ndtr, ndtri

from astrodriz_core.records.common import Verdict
from astrodriz_core.records.verification import (
    AlignmentMeasurements,
    CheckOutcome,
    ExposureSharpness,
    Policy,
    PolicyResult,
    Quantity,
    Registration,
    VerificationCheck,
)
from astrodriz_core.verify.calibration import CALIBRATION, Calibration

__all__ = [
    "SIMILARITY_LIMIT",
    "detectable_offset",
    "excluding_offset",
    "judge_calibrated",
    "judge_documented",
    "judge_drizzlepac",
    "offset_threshold",
    "undecided",
]

#: Similarity below which the published rules accept a product.
SIMILARITY_LIMIT = 1.0
#: Reason of a verdict that nothing speaks against.
PASSED = "all checks passed"
#: drizzlepac: lower limit of the focus index over the mean, and the number of sigma on either side.
FOCUS_TOLERANCE, FOCUS_SIGMAS = 0.8, 3.0


def judge_documented(measurements: AlignmentMeasurements) -> PolicyResult:
    """The published rules: both the focus and the similarity check must pass.

    Focus: the Z-score of the product lies within the range of the exposures' Z-scores, which is to say
    its focus index lies within the range of theirs. Similarity: the largest index is below 1.
    """
    checks = (_focus_in_range(measurements), _similarity_below_one(measurements))
    return _conclude(Policy.DOCUMENTED, checks)


def _focus_in_range(measurements: AlignmentMeasurements) -> VerificationCheck:
    """The product's focus index between the smallest and the largest of the exposures."""
    value = measurements.focus.product.value
    others = [focus.value for focus in measurements.focus.exposures if focus.value is not None]
    if value is None or not others:
        return _unknown(Quantity.FOCUS, None, "No unmasked pixel to measure the focus index on.")
    low, high = min(others), max(others)
    threshold = low if value - low < high - value else high
    margin = min(value - low, high - value)
    text = f"focus index {value:.4g}, exposures {low:.4g} to {high:.4g}"
    return _compared(Quantity.FOCUS, None, value, threshold, margin, text)


def _similarity_below_one(measurements: AlignmentMeasurements) -> VerificationCheck:
    """The largest similarity index of the exposures."""
    value = measurements.similarity.index
    if value is None:
        return _unknown(Quantity.SIMILARITY, None, "No source or no overlap to measure the similarity on.")
    worst = max(measurements.similarity.exposures, key=lambda e: -1.0 if e.index is None else e.index)
    text = f"similarity index {value:.3f} ({worst.rootname}), limit {SIMILARITY_LIMIT:g}"
    margin = SIMILARITY_LIMIT - value
    passed = value < SIMILARITY_LIMIT
    return _compared(Quantity.SIMILARITY, worst.rootname, value, SIMILARITY_LIMIT, margin, text, passed=passed)


def judge_drizzlepac(measurements: AlignmentMeasurements) -> PolicyResult:
    """What version 3.11 does: the largest distance decides.

    Its focus check is only consulted where a fit to a catalogue matched few sources; it is made here
    and does not decide. An exposure without positive pixels counts as no distance.
    """
    return _conclude(Policy.DRIZZLEPAC, (_drizzlepac_distance(measurements), _drizzlepac_focus(measurements)))


def _drizzlepac_distance(measurements: AlignmentMeasurements) -> VerificationCheck:
    """The largest of the exposures' distances, at most 1."""
    known = [(e.distance, e.rootname) for e in measurements.drizzlepac.exposures if e.distance is not None]
    if not known:
        return _unknown(Quantity.SIMILARITY, None, "No exposure has positive pixels to compare.")
    value, name = max(known)
    text = f"distance {value:.3f} ({name}), limit {SIMILARITY_LIMIT:g}"
    return _compared(Quantity.SIMILARITY, name, value, SIMILARITY_LIMIT, SIMILARITY_LIMIT - value, text)


def _drizzlepac_focus(measurements: AlignmentMeasurements) -> VerificationCheck:
    """The product's Z-score between those of 3 sigma, or of 0.8 times the mean, and of +3 sigma.

    Scores go through the normal distribution and back, as there: beyond 8.3 sigma they are infinite
    and compare as equal, and at sigma 0 they are not a number and compare as no failure.
    """
    numbers = measurements.drizzlepac
    mean, sigma = numbers.focus_mean, numbers.focus_sigma
    lowest = min(mean - FOCUS_SIGMAS * sigma, FOCUS_TOLERANCE * mean)
    highest, value = mean + FOCUS_SIGMAS * sigma, numbers.product_focus
    low, high, score = (_through_probability(v, mean, sigma) for v in (lowest, highest, value))
    scattered = sigma > min(e.focus for e in numbers.exposures)
    failed = score < low or score > high or scattered
    text = f"focus index {value:.4g}, lowest {lowest:.4g}, mean {mean:.4g}, sigma {sigma:.3g}"
    margin = min(value - lowest, highest - value)
    return evolve(_compared(Quantity.FOCUS, None, value, lowest, margin, text, passed=not failed), decisive=False)


def _through_probability(value: float, mean: float, sigma: float) -> float:
    """The published ``norm.ppf(norm.cdf(value, mean, sigma))``."""
    return float(ndtri(ndtr((value - mean) / sigma))) if sigma > 0 else float("nan")


def judge_calibrated(measurements: AlignmentMeasurements, calibration: Calibration = CALIBRATION) -> PolicyResult:
    """Thresholds from error rates: the offset and rotation of every exposure decide.

    An offset fails where it exceeds what tolerated scatter and measurement error together give with the
    false-alarm rate of the calibration. It passes where the smallest offset that matters is excluded, and
    what may lie between is undetermined. Sharpness names degraded exposures; it does not decide.
    """
    number = len(measurements.registration)
    checks: list[VerificationCheck] = []
    for registration, scatter in zip(measurements.registration, _scatters(measurements.registration), strict=True):
        checks.append(_offset_check(registration, number, scatter, calibration))
        checks.extend(_rotation_check(registration, number, calibration))
    checks.extend(_sharpness_check(sharpness, calibration) for sharpness in measurements.sharpness)
    seen = detectable_offset(measurements, calibration)
    passed = PASSED if seen is None else f"{PASSED}; an offset of {seen:.2f} pixel of any exposure would be found"
    return _conclude(Policy.CALIBRATED, checks, passed)


def detectable_offset(measurements: AlignmentMeasurements, calibration: Calibration = CALIBRATION) -> float | None:
    """Smallest offset of any one exposure that is found with the probability that `found_sigma` stands for.

    This is the offset from the others as it is in the images, scatter included: only the error of the
    measurement stands between it and its threshold. The exposure with the largest error decides.

    Returns
    -------
    float or None
        Pixels; None where the offset of an exposure was not measured.
    """
    number = len(measurements.registration)
    found = []
    for registration, scatter in zip(measurements.registration, _scatters(measurements.registration), strict=True):
        if registration.sigma_pix is None:
            return None
        error = calibration.found_sigma * calibration.error_scale * registration.sigma_pix
        found.append(offset_threshold(number, registration.sigma_pix, scatter, calibration) + error)
    return max(found, default=None)


def offset_threshold(number: int, sigma: float, scatter: float | None, calibration: Calibration) -> float:
    """Offset above which an exposure is off.

    Against n - 1 others the tolerated scatter of each axis is jitter * sqrt(n / (n - 1)), to which the error of
    the measurement adds: that is what is expected. What fails depends also on how the others scatter, for where
    they agree closely, a smaller offset stands out::

        threshold^2 = k * expected^2 + scatter_weight * min(scatter^2, scatter_cap * expected^2)

    The squared length of a two-dimensional normal offset exceeds x with probability exp(-x / (2 expected^2)).
    The mean of that over the scatter of the others, which is chi-squared with f = 2 (n - 2) degrees of freedom,
    gives the false-alarm rate of one exposure as exp(-k / 2) * (1 + scatter_weight * (n - 1) / (n f))^(-f / 2);
    each of n exposures may raise one, and two exposures have one difference between them.

    The false-alarm rate is a part of the associations that are determined, and where the error is large, most
    good exposures are not: the rate is that of the calibration times the part that is, if all are measured alike.

    Parameters
    ----------
    number : int
        How many exposures there are.
    sigma : float
        Stated error of the offset along each axis, pixels.
    scatter : float or None
        Rms scatter of the other exposures along each axis, pixels; None where there are no two others.
    calibration : Calibration
        What is tolerated.

    Returns
    -------
    float
        Pixels.
    """
    expected = _deviation(number, calibration.jitter_pix, sigma, calibration)
    excluding = max(excluding_offset(number, sigma, calibration), 0.0)
    trials = number if number > 2 else 1
    determined = (1 - np.exp(-((excluding / expected) ** 2) / 2)) ** trials
    rate = max(calibration.false_alarm_rate * determined, calibration.coarse_false_alarm_rate)
    level = 2 * np.log(trials / rate)
    if scatter is None:
        return expected * float(np.sqrt(level))
    freedom = 2 * (number - 2)
    level -= freedom * np.log1p(calibration.scatter_weight * (number - 1) / (number * freedom))
    scattered = min((scatter / expected) ** 2, calibration.scatter_cap)
    return expected * float(np.sqrt(level + calibration.scatter_weight * scattered))


def excluding_offset(number: int, sigma: float, calibration: Calibration) -> float:
    """Measured offset up to which a real one of `smallest_offset_pix` is excluded; below 0 where it never is.

    The real one has the scatter on top that good exposures mostly have. The parameters are those of
    `offset_threshold`.
    """
    error = _deviation(number, calibration.usual_jitter_pix, sigma, calibration)
    return calibration.smallest_offset_pix - calibration.missed_sigma * error


def _largest_passing(number: int, sigma: float, calibration: Calibration) -> float:
    """Measured offset up to which an exposure that does not fail passes.

    Where the threshold, the others scattering as usual, lies below what excludes the smallest offset, such an
    offset fails often enough by itself, and there is nothing between.
    """
    excluding = excluding_offset(number, sigma, calibration)
    usual = float(np.hypot(calibration.usual_jitter_pix, calibration.error_scale * sigma)) if number > 2 else None
    return excluding if offset_threshold(number, sigma, usual, calibration) > excluding else np.inf


def _deviation(number: int, jitter: float, sigma: float, calibration: Calibration) -> float:
    """Rms offset along each axis from the mean of the others, by scatter and by the error of the measurement."""
    return float(np.hypot(jitter * np.sqrt(number / max(number - 1, 1)), calibration.error_scale * sigma))


def _scatters(registrations: Sequence[Registration]) -> list[float | None]:
    """Scatter of the other exposures along each axis, for every exposure, from their measured offsets.

    An offset from the mean of the n - 1 others is n / (n - 1) times that from the mean of all. None where not
    all are measured, or there are fewer than three.
    """
    number = len(registrations)
    offsets = [(r.dx_pix, r.dy_pix) for r in registrations if r.dx_pix is not None and r.dy_pix is not None]
    if number < 3 or len(offsets) < number:
        return [None] * number
    places = np.array(offsets) * (number - 1) / number
    others = [np.delete(places, i, axis=0) for i in range(number)]
    return [float(np.sqrt(((rest - rest.mean(0)) ** 2).sum() / (2 * (number - 2)))) for rest in others]


def _offset_check(
    registration: Registration, number: int, scatter: float | None, calibration: Calibration
) -> VerificationCheck:
    """Length of the offset of one exposure: too long, short enough to exclude one that matters, or neither."""
    name = registration.rootname
    if registration.dx_pix is None or registration.dy_pix is None or registration.sigma_pix is None:
        return _unknown(Quantity.REGISTRATION, name, f"{name}: {registration.reason}")
    value = float(np.hypot(registration.dx_pix, registration.dy_pix))
    threshold = offset_threshold(number, registration.sigma_pix, scatter, calibration)
    text = f"{name}: offset {value:.3f} +- {registration.sigma_pix:.3f} pixel, limit {threshold:.3f}"
    if _largest_passing(number, registration.sigma_pix, calibration) < value <= threshold:
        text = f"{text}; an offset of {calibration.smallest_offset_pix:g} pixel cannot be excluded"
        return _unknown(Quantity.REGISTRATION, name, text, value, threshold)
    return _compared(Quantity.REGISTRATION, name, value, threshold, threshold - value, text)


def _rotation_check(registration: Registration, number: int, calibration: Calibration) -> list[VerificationCheck]:
    """Rms displacement by the rotation against the threshold of an offset; none without a rotation."""
    angle, error, arm = registration.rotation_deg, registration.rotation_sigma_deg, registration.lever_arm_pix
    if angle is None or error is None or arm is None:
        return []
    value, sigma = (float(np.deg2rad(abs(v)) * arm) for v in (angle, error))
    threshold = offset_threshold(number, sigma, None, calibration)
    name = registration.rootname
    text = f"{name}: rotation {angle:.4f} deg moves sources by {value:.3f} pixel rms, limit {threshold:.3f}"
    return [_compared(Quantity.ROTATION, name, value, threshold, threshold - value, text)]


def _sharpness_check(sharpness: ExposureSharpness, calibration: Calibration) -> VerificationCheck:
    """Fall of the concentration of one exposure against the others."""
    name = sharpness.rootname
    if sharpness.log_ratio is None or sharpness.sigma is None:
        text = f"{name}: too few sources ({sharpness.n_sources}) to compare their sharpness"
        return _unknown(Quantity.SHARPNESS, name, text, decisive=False)
    threshold = -max(calibration.blur_log_ratio, calibration.blur_sigma * sharpness.sigma)
    text = f"{name}: log concentration {sharpness.log_ratio:+.3f} against the others, limit {threshold:.3f}"
    margin = sharpness.log_ratio - threshold
    return evolve(_compared(Quantity.SHARPNESS, name, sharpness.log_ratio, threshold, margin, text), decisive=False)


def _compared(
    quantity: Quantity,
    rootname: str | None,
    value: float,
    threshold: float,
    margin: float,
    reason: str,
    *,
    passed: bool | None = None,
) -> VerificationCheck:
    """Decisive check of a value that could be measured; a margin of 0 passes unless `passed` says otherwise."""
    good = margin >= 0 if passed is None else passed
    outcome = CheckOutcome.PASSED if good else CheckOutcome.FAILED
    return VerificationCheck(quantity, rootname, outcome, value, threshold, margin, True, reason)


def _unknown(
    quantity: Quantity,
    rootname: str | None,
    reason: str,
    value: float | None = None,
    threshold: float | None = None,
    *,
    decisive: bool = True,
) -> VerificationCheck:
    """Check of a value that could not be measured well enough."""
    return VerificationCheck(quantity, rootname, CheckOutcome.UNDETERMINED, value, threshold, None, decisive, reason)


def _conclude(policy: Policy, checks: Sequence[VerificationCheck], passed: str = PASSED) -> PolicyResult:
    """Verdict: misaligned where a decisive check failed, undetermined where one could not be made, else passed."""
    decisive = [check for check in checks if check.decisive]
    failed = [check for check in decisive if check.outcome is CheckOutcome.FAILED]
    open_ = [check for check in decisive if check.outcome is CheckOutcome.UNDETERMINED]
    if failed:
        verdict, reason = Verdict.MISALIGNED, _reasons(failed)
    elif open_:
        verdict, reason = Verdict.UNDETERMINED, _reasons(open_)
    else:
        verdict, reason = Verdict.ALIGNED, passed
    return PolicyResult(
        policy=policy,
        verdict=verdict,
        reason=reason,
        checks=tuple(checks),
        misaligned=_names(failed),
        degraded=_names(c for c in checks if c.quantity is Quantity.SHARPNESS and c.outcome is CheckOutcome.FAILED),
    )


def _reasons(checks: Iterable[VerificationCheck]) -> str:
    """The reasons of checks as one sentence without its full stop."""
    return "; ".join(check.reason.rstrip(".") for check in checks)


def undecided(result: PolicyResult, unverifiable: Mapping[str, str]) -> PolicyResult:
    """The result of a policy on images of which some do not show sources as they are on the sky.

    Parameters
    ----------
    result : PolicyResult
        By the rules of the policy.
    unverifiable : mapping of str to str
        Such exposures, with the reason.

    Returns
    -------
    PolicyResult
        Undetermined, and its checks decide nothing; as it was where there is no such exposure.
    """
    if not unverifiable:
        return result
    made = [evolve(check, decisive=False) for check in result.checks if check.rootname not in unverifiable]
    reasons = [_unknown(Quantity.REGISTRATION, name, f"{name}: {reason}") for name, reason in unverifiable.items()]
    return _conclude(result.policy, (*made, *reasons))


def _names(checks: Iterable[VerificationCheck]) -> tuple[str, ...]:
    """Exposures that checks are about, each once, in order."""
    return tuple(dict.fromkeys(check.rootname for check in checks if check.rootname is not None))
