"""Checks of a fit, and the archive's quality code 1 to 5 that they add up to."""

from __future__ import annotations

from attrs import frozen

from astrodriz_core.parameters.alignment import FitParameters
from astrodriz_core.records.astrometry import FitCheck, FitQuality, HoldOut, RegistrationChange

__all__ = ["CONSISTENCY", "GAIN_CHECKS", "FitEvidence", "check_fit", "check_gain", "fit_quality"]

CORRELATION_LIMIT = 0.5
"""Pearson's correlation below which few matches are suspect (published, there of either sign; but stars that are
brighter in the catalogue and fainter in the image are other stars)."""

FEW_MATCHES_FRACTION, FEW_MATCHES = 0.1, 10
"""Matches are few below the greater of these: a fraction of the catalogue, or a number (published)."""

CORRECTION_SIGNIFICANCE = 1.75
"""A correction has to be greater than so many times its own error; noise alone exceeds it in one case of twenty."""


@frozen
class FitEvidence:
    """What was measured of a fit.

    Attributes
    ----------
    matches, catalog_sources : int
    rms_mas : float
        Total RMS of the residuals.
    offset_arcsec : float
        Median distance by which the fit moves the sources.
    correction_mas, correction_error_mas : float
        RMS distance by which it moves them, and the error of it.
    chance_probability : float
        Bound on the probability that the matches came about by chance.
    magnitude_correlation : float or None
        Correlation of the instrumental with the catalogue magnitudes; None where it cannot be measured.
    """

    matches: int
    catalog_sources: int
    rms_mas: float
    offset_arcsec: float
    correction_mas: float
    correction_error_mas: float
    chance_probability: float
    magnitude_correlation: float | None


CONSISTENCY = "consistency of shifts"
"""Name of the check that every exposure by itself agrees with the catalogue."""

VALIDITY = "RMS within limit", "radial offset", "matches", "beyond chance", CONSISTENCY
"""Names of the checks without which a fit is not valid; the others compromise it."""


GAIN_CHECKS = "held-out residual", "significant correction", "registration"
"""Names of the checks by which a fit has to be better than the WCS before it."""


def check_fit(evidence: FitEvidence, parameters: FitParameters) -> tuple[FitCheck, ...]:
    """Every check of a fit, in the order in which they are reported."""
    return (
        _check_rms(evidence, parameters),
        _check_offset(evidence),
        _check_matches(evidence, parameters),
        _check_chance(evidence, parameters),
        _check_magnitudes(evidence),
    )


def check_gain(
    evidence: FitEvidence, holdout: HoldOut, registration: RegistrationChange | None
) -> tuple[FitCheck, ...]:
    """Whether a fit is better than the WCS before it.

    On matches that were left out of the fit its residuals must be smaller; the correction must be greater than its
    error; and the exposures must agree among themselves as before, within the error of that measurement.
    """
    ratio = evidence.correction_mas / max(evidence.correction_error_mas, 1e-6)
    checks = [
        FitCheck(
            "held-out residual",
            holdout.after_mas,
            holdout.before_mas,
            holdout.after_mas < holdout.before_mas,
            f"RMS on matches left out of the fit: {holdout.after_mas:.2f} mas, {holdout.before_mas:.2f} mas before.",
        ),
        FitCheck(
            "significant correction",
            ratio,
            CORRECTION_SIGNIFICANCE,
            ratio > CORRECTION_SIGNIFICANCE,
            f"The correction of {evidence.correction_mas:.2f} mas is {ratio:.1f} times its error; it has to "
            f"exceed {CORRECTION_SIGNIFICANCE:.1f}.",
        ),
    ]
    if registration is not None:
        limit = registration.before_mas + registration.error_mas
        checks.append(
            FitCheck(
                "registration",
                registration.after_mas,
                limit,
                registration.after_mas <= limit,
                f"The exposures agree to {registration.after_mas:.2f} mas, {registration.before_mas:.2f} mas "
                f"before, error {registration.error_mas:.2f} mas.",
            )
        )
    return tuple(checks)


def fit_quality(checks: tuple[FitCheck, ...], evidence: FitEvidence, parameters: FitParameters) -> FitQuality:
    """The archive's code: valid or compromised, RMS below MAX_FIT_RMS or above it, or not valid."""
    failed = {check.name for check in checks if not check.passed}
    if failed & set(VALIDITY):
        return FitQuality.NOT_VALID
    codes = {
        (False, False): FitQuality.VALID,
        (True, False): FitQuality.COMPROMISED,
        (False, True): FitQuality.LARGE_RMS,
        (True, True): FitQuality.COMPROMISED_LARGE_RMS,
    }
    return codes[bool(failed), evidence.rms_mas >= parameters.max_rms_mas]


def _check_rms(evidence: FitEvidence, parameters: FitParameters) -> FitCheck:
    value, limit = evidence.rms_mas, parameters.rms_limit_mas
    return FitCheck("RMS within limit", value, limit, value <= limit, f"RMS {value:.2f} mas, at most {limit:.0f} mas.")


def _check_offset(evidence: FitEvidence) -> FitCheck:
    """A great offset needs many matches: ``0.36 (n + 2) > 0.8 + (r / 10 arcsec)^8`` (published)."""
    strength, needed = 0.36 * (evidence.matches + 2), 0.8 + (evidence.offset_arcsec / 10.0) ** 8
    text = f"{evidence.matches} matches for an offset of {evidence.offset_arcsec:.3f} arcsec."
    return FitCheck("radial offset", strength, needed, strength > needed, text)


def _check_matches(evidence: FitEvidence, parameters: FitParameters) -> FitCheck:
    fewest = min(count for _, count in parameters.min_matches)
    text = f"{evidence.matches} matches, at least {fewest}."
    return FitCheck("matches", float(evidence.matches), float(fewest), evidence.matches >= fewest, text)


def _check_chance(evidence: FitEvidence, parameters: FitParameters) -> FitCheck:
    value, limit = evidence.chance_probability, parameters.max_chance_probability
    text = f"Chance gives so many matches with a probability of at most {value:.1e}; the limit is {limit:.0e}."
    return FitCheck("beyond chance", value, limit, value <= limit, text)


def _check_magnitudes(evidence: FitEvidence) -> FitCheck:
    few = max(FEW_MATCHES_FRACTION * evidence.catalog_sources, FEW_MATCHES)
    value = evidence.magnitude_correlation
    if evidence.matches >= few or value is None:
        text = "Not needed with so many matches." if value is not None else "The magnitudes cannot be compared."
        return FitCheck("magnitudes", value, None, True, text)
    text = f"Correlation of the magnitudes {value:.2f}, above {CORRELATION_LIMIT}."
    return FitCheck("magnitudes", value, CORRELATION_LIMIT, value > CORRELATION_LIMIT, text)
