"""Whether the WCS of an alignment stage replaces the one that stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from attrs import frozen

from astrodriz_core.records.common import Verdict
from astrodriz_core.records.drizzling import DrizzleRecord
from astrodriz_core.records.verification import ProductComparison, Registration, RegistrationMethod, Verification
from astrodriz_core.verify.calibration import CALIBRATION

__all__ = ["LIMITS", "KeepDecision", "KeepLimits", "judge_stage", "missing_exposures", "worsenings"]


@frozen
class KeepLimits:
    """What counts as no worse than a WCS that is measured to be aligned.

    Attributes
    ----------
    growth_pix : float
        By how much the offset of an exposure may grow, apart from its error: the scatter of good exposures.
    growth_sigmas : float
        By how many standard errors it may grow besides. Under both WCSs the sources are the same, and the measured
        error of the change is 0.15 of that of the offset itself: half a standard error is more than three of the
        change.
    error_ratio : float
        By how much the error may grow where the new WCS is not measured to be aligned. Good ones, measured: 1.6 at
        the most.
    """

    growth_pix: float
    growth_sigmas: float
    error_ratio: float


LIMITS = KeepLimits(growth_pix=CALIBRATION.jitter_pix, growth_sigmas=0.5, error_ratio=2.0)


@frozen
class KeepDecision:
    """The verdict on one stage, with its reason."""

    keep: bool
    reason: str


def judge_stage(
    verification: Verification | None,
    comparison: ProductComparison | None,
    default: Verification | None,
    standing: Verification | None,
    lost: Sequence[str] = (),
) -> KeepDecision:
    """Decide whether the products made with a new WCS let it stay.

    Parameters
    ----------
    verification : Verification or None
        Of the product made with the new WCS; None for a single exposure, which has nothing to be aligned to.
    comparison : ProductComparison or None
        That product against the pipeline-default one; None where none was made.
    default : Verification or None
        Of the pipeline-default product.
    standing : Verification or None
        Of the product made with the WCS that stands: the pipeline default, or one that was kept since.
    lost : sequence of str
        Exposures that the product made with the WCS that stands has, and the new one has not.

    Returns
    -------
    KeepDecision
        Kept unless the new product lacks an exposure; or is misaligned; or is another picture than a default product
        that is not misaligned itself; or shares too few sources with one that is measured on its sources to be
        aligned; or the WCS that stands is measured to be aligned and the new one is not measured to be as good (see
        `worsenings`). Where the images have too little in them to say anything of either, the new WCS stays, because
        nothing speaks against it.
    """
    if lost:
        return KeepDecision(False, f"with the new WCS there is no place in the product for {', '.join(lost)}")
    if verification is not None and verification.verdict is Verdict.MISALIGNED:
        return KeepDecision(False, f"the new product is misaligned: {verification.reason}")
    other = _other_picture(comparison, default) if comparison is not None else None
    if other is not None:
        return KeepDecision(False, other)
    if verification is None:
        return KeepDecision(True, "one exposure has nothing to be aligned to")
    worse = worsenings(verification, standing) if standing is not None else ()
    if worse:
        return KeepDecision(
            False, f"the WCS that stands is measured to be aligned, and this one is not as good: {'; '.join(worse)}"
        )
    return KeepDecision(True, verification.reason)


def missing_exposures(new: DrizzleRecord, standing: DrizzleRecord) -> tuple[str, ...]:
    """Exposures that were combined with the WCS that stands, and have no place with the new one."""
    return tuple(rootname for rootname in standing.exposures if rootname not in new.exposures)


def _other_picture(comparison: ProductComparison, default: Verification | None) -> str | None:
    """Why the new product is not, or is not known to be, the default product moved; None where it may stay."""
    if comparison.verdict is Verdict.MISALIGNED and (default is None or default.verdict is not Verdict.MISALIGNED):
        return f"it differs from the default product: {comparison.check.reason}"
    if comparison.verdict is Verdict.UNDETERMINED and default is not None and _aligned_by_sources(default):
        return f"it does not show the sources that are aligned in the default product: {comparison.check.reason}"
    return None


def _aligned_by_sources(verification: Verification) -> bool:
    """Whether a product is measured to be aligned, and that on sources of every exposure."""
    methods = {each.method for each in verification.measurements.registration}
    return verification.verdict is Verdict.ALIGNED and methods == {RegistrationMethod.SOURCES}


def worsenings(new: Verification, standing: Verification, limits: KeepLimits = LIMITS) -> tuple[str, ...]:
    """In what a new WCS is not measured to be as good as one that is measured to be aligned.

    Parameters
    ----------
    new, standing : Verification
        Of the same exposures, with the new WCS and with the one that stands.
    limits : KeepLimits
        What counts as no worse.

    Returns
    -------
    tuple of str
        A sentence for each exposure that could be measured and no longer can, whose offset or rotation has grown
        beyond the limits, or, where the new WCS is not measured to be aligned, whose error has. Empty where there is
        none, and where the WCS that stands is not measured to be aligned itself.
    """
    if standing.verdict is not Verdict.ALIGNED:
        return ()
    now = {each.rootname: each for each in new.measurements.registration}
    surely = new.verdict is Verdict.ALIGNED
    return tuple(
        text
        for before in standing.measurements.registration
        for text in _worse(before, now.get(before.rootname), limits, surely=surely)
    )


def _worse(before: Registration, now: Registration | None, limits: KeepLimits, *, surely: bool) -> Iterator[str]:
    """What is worse of one exposure, if its offset was measured with the WCS that stands."""
    name, first = before.rootname, _offset(before)
    if first is None:
        return
    second = _offset(now) if now is not None else None
    if now is None or second is None:
        reason = f" ({now.reason})" if now is not None else ""
        yield f"{name}: its offset was measured before and cannot be now{reason}"
        return
    yield from _grown(name, "offset", first, second, limits)
    if not surely and second[1] > limits.error_ratio * first[1]:
        yield f"{name}: the error of its offset is {second[1]:.3f} pixel, {first[1]:.3f} before"
    turned, turn = _rotation(before), _rotation(now)
    if turned is not None and turn is not None:
        yield from _grown(name, "displacement by rotation", turned, turn, limits)


def _grown(
    name: str, what: str, before: tuple[float, float], now: tuple[float, float], limits: KeepLimits
) -> Iterator[str]:
    """A length with its error that is beyond what it may have grown to."""
    allowed = before[0] + limits.growth_pix + limits.growth_sigmas * max(before[1], now[1])
    if now[0] > allowed:
        yield f"{name}: {what} {now[0]:.3f} +- {now[1]:.3f} pixel, {before[0]:.3f} +- {before[1]:.3f} before"


def _offset(registration: Registration) -> tuple[float, float] | None:
    """Length of the offset of an exposure and its error, pixels; None where it was not measured."""
    dx, dy, sigma = registration.dx_pix, registration.dy_pix, registration.sigma_pix
    return None if dx is None or dy is None or sigma is None else (float(np.hypot(dx, dy)), sigma)


def _rotation(registration: Registration) -> tuple[float, float] | None:
    """Rms displacement of the sources of an exposure by its rotation and its error, pixels; None likewise."""
    angle, error, arm = registration.rotation_deg, registration.rotation_sigma_deg, registration.lever_arm_pix
    if angle is None or error is None or arm is None:
        return None
    return float(np.deg2rad(abs(angle)) * arm), float(np.deg2rad(error) * arm)
