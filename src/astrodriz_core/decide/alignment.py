"""What the a posteriori stage makes of its measurements: whether to fit, whom to ask, which fit is written.

Nothing is written until a fit has proved itself: on matches that were left out of it it has to be better than the
WCS before, and the exposures have to agree among themselves as well as before. Otherwise the exposures stay as they
were, and the plan says why.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from attrs import evolve, frozen

from astrodriz_core.align.attempts import Attempt
from astrodriz_core.align.fit_quality import GAIN_CHECKS
from astrodriz_core.align.fitting import LinearTransform
from astrodriz_core.measure.tangent import TangentPlane
from astrodriz_core.parameters.alignment import FitParameters
from astrodriz_core.records.astrometry import (
    AlignmentOutcome,
    AposterioriRecord,
    CatalogProvenance,
    ExposureSources,
    FitAttempt,
    FitQuality,
    MatchMethod,
    RegistrationChange,
    RelativeFit,
)
from astrodriz_core.sentences import counted, joined
from astrodriz_core.solutions.wcsnames import a_posteriori_name
from astrodriz_core.units import MAS_PER_ARCSEC

__all__ = [
    "CLEARLY",
    "LEAST_GAIN",
    "MISALIGNED_PIXELS",
    "AlignmentEvidence",
    "AlignmentPlan",
    "are_clearly_apart",
    "is_better",
    "methods_to_try",
    "next_catalogue",
    "plan_alignment",
    "plan_without_fit",
]

MISALIGNED_PIXELS = 0.1
"""Exposures closer to each other than this are well aligned (published); they need no relative fit by itself."""

CLEARLY = 5.0
"""A misalignment has to be so many times its error before exposures are moved without a catalogue to confirm it."""

LEAST_GAIN = 2.0
"""The corrections have to divide it by so much, on sources that took no part in them."""

RELATIVE, IMAGE = "REL", "IMG"
"""Kinds of fit in a WCSNAME: exposures relatively aligned first, or a single exposure by itself."""

NO_CATALOG = "NONE"
"""Stands in a WCSNAME for the catalogue of exposures that were only fitted to each other."""

UNTIMED = (AlignmentOutcome.NOT_ALIGNABLE, "no exposure tells when it began (EXPSTART), to place a catalogue's stars")
"""How the stage ends where no exposure has a time: stars move, and positions of 2016 are not those of the day."""


@frozen(eq=False, kw_only=True)
class AlignmentEvidence:
    """Everything that was measured when no catalogue is asked any more.

    Attributes
    ----------
    plane : TangentPlane
        In which the transforms are.
    sources : tuple of ExposureSources
    wcsnames : tuple of str
        WCSNAME of each exposure before.
    relative : RelativeFit
    transforms : tuple of LinearTransform
        The relative correction of each exposure.
    pixel_arcsec : float
        Size of a pixel, for lengths that are given in pixels.
    epoch : float or None
        Decimal year; None where no exposure tells its time.
    asked : tuple of CatalogProvenance
        Every catalogue that was asked, also those that gave no answer.
    attempts : tuple of Attempt
        In their order.
    """

    plane: TangentPlane
    sources: tuple[ExposureSources, ...]
    wcsnames: tuple[str, ...]
    relative: RelativeFit
    transforms: tuple[LinearTransform, ...]
    pixel_arcsec: float
    epoch: float | None
    asked: tuple[CatalogProvenance, ...]
    attempts: tuple[Attempt, ...]


@frozen(eq=False)
class AlignmentPlan:
    """What the stage does to the exposures: everything that is written follows from it.

    Attributes
    ----------
    record : AposterioriRecord
        With the outcome, its reason, and the WCSNAME that each exposure gets; only what the writing itself meets
        with, such as a name that is taken, is added to it.
    plane : TangentPlane or None
        In which the transforms are; None where nothing is written.
    transforms : tuple of LinearTransform
        The whole motion of each exposure; empty where nothing is written.
    """

    record: AposterioriRecord
    plane: TangentPlane | None = None
    transforms: tuple[LinearTransform, ...] = ()

    @property
    def attempt(self) -> FitAttempt | None:
        """The fit to a catalogue that is written; None where there is none."""
        return self.record.attempts[self.record.chosen] if self.record.chosen is not None else None

    @property
    def catalog(self) -> str:
        """The catalogue of that fit, as names of WCSs have it."""
        return self.attempt.catalog if self.attempt is not None else NO_CATALOG


def plan_without_fit(
    sources: Sequence[ExposureSources], counts: Sequence[int], parameters: FitParameters
) -> AlignmentPlan | None:
    """The plan where no fit can be tried at all; None where one can.

    That is where every exposure was skipped, or where the richest of the others has fewer than
    ``parameters.min_image_sources`` sources.

    Parameters
    ----------
    sources : sequence of ExposureSources
        One for each exposure.
    counts : sequence of int
        The sources of each exposure that may take part in a fit.
    parameters : FitParameters
    """
    usable = [count for count, source in zip(counts, sources, strict=True) if source.skipped is None]
    if not usable:
        reasons = joined(source.skipped for source in sources if source.skipped)
        return _nothing(sources, AlignmentOutcome.NOT_ALIGNABLE, reasons)
    if max(usable) < parameters.min_image_sources:
        found = counted(max(usable), "source", "sources")
        text = f"the richest exposure has {found}; {parameters.min_image_sources} are needed"
        return _nothing(sources, AlignmentOutcome.TOO_FEW_SOURCES, text)
    return None


def next_catalogue(offered: int, asked: int, attempts: Sequence[FitAttempt], epoch: float | None) -> int | None:
    """Which catalogue is asked next.

    They are asked in the order of preference, until a fit is better than the WCS before and of the best quality, 1.
    None is asked where the epoch is not known: stars move, and a catalogue without its epoch is no reference.

    Parameters
    ----------
    offered : int
        How many catalogues there are.
    asked : int
        How many of them have been asked, be it without an answer.
    attempts : sequence of FitAttempt
        The fits so far.
    epoch : float or None
        Of the exposures, decimal year.

    Returns
    -------
    int or None
        Its index, counted from 0; None where no more is asked.
    """
    if epoch is None or asked >= offered:
        return None
    settled = any(is_better(attempt) and attempt.quality is FitQuality.VALID for attempt in attempts)
    return None if settled else asked


def methods_to_try(rows: int, parameters: FitParameters) -> tuple[MatchMethod, ...]:
    """In which ways a catalogue is matched: in all of them, in none where it has too few rows in the field.

    Parameters
    ----------
    rows : int
    parameters : FitParameters
        ``min_catalog_sources`` is the fewest.
    """
    return tuple(MatchMethod) if rows >= parameters.min_catalog_sources else ()


def is_better(attempt: FitAttempt) -> bool:
    """Whether a fit may be written: it is valid, and by every check of `GAIN_CHECKS` better than the WCS before."""
    gains = all(check.passed for check in attempt.checks if check.name in GAIN_CHECKS)
    return attempt.quality is not FitQuality.NOT_VALID and gains


def plan_alignment(evidence: AlignmentEvidence) -> AlignmentPlan:
    """Which fit is written, and how the stage ends.

    - Of the fits that are better than the WCS before (see `is_better`), that with the lowest RMS; of several with
      the same the first.
    - Where there is none, the relative corrections alone, if the exposures are clearly apart (`are_clearly_apart`).
    - Else nothing. The outcome then says how far the stage came: a valid fit that is not better; no valid fit; no
      catalogue with enough sources; no catalogue that answered; exposures without a time.

    Parameters
    ----------
    evidence : AlignmentEvidence

    Returns
    -------
    AlignmentPlan
    """
    records = tuple(attempt.record for attempt in evidence.attempts)
    better = [i for i, record in enumerate(records) if is_better(record)]
    if better:
        return _fitted(evidence, min(better, key=lambda i: _rms(records[i])))
    outcome, reason = _failure(records, evidence.asked) if evidence.epoch is not None else UNTIMED
    change = evidence.relative.registration
    if change is not None and are_clearly_apart(change, evidence.pixel_arcsec):
        return _relative_only(evidence, change, reason)
    return AlignmentPlan(_record(evidence, outcome, reason))


def are_clearly_apart(change: RegistrationChange, pixel_arcsec: float) -> bool:
    """Whether exposures are brought together without a catalogue to confirm it.

    Their offsets from each other, on sources that took no part in the fit, are at least `MISALIGNED_PIXELS` pixels
    and `CLEARLY` errors, and the corrections divide them by `LEAST_GAIN` at least.

    Parameters
    ----------
    change : RegistrationChange
    pixel_arcsec : float
        Size of a pixel.
    """
    least = max(MISALIGNED_PIXELS * pixel_arcsec * MAS_PER_ARCSEC, CLEARLY * change.error_mas)
    return change.before_mas >= least and change.after_mas <= change.before_mas / LEAST_GAIN


def _fitted(evidence: AlignmentEvidence, best: int) -> AlignmentPlan:
    """All exposures are moved by the fit to a catalogue, after their relative corrections."""
    attempt = evidence.attempts[best]
    record = _record(evidence, AlignmentOutcome.ALIGNED, attempt.record.reason)
    fit = attempt.transform or LinearTransform.identity()
    return _written(
        evidence, evolve(record, chosen=best), tuple(fit.after(relative) for relative in evidence.transforms)
    )


def _relative_only(evidence: AlignmentEvidence, change: RegistrationChange, reason: str) -> AlignmentPlan:
    """The exposures are moved by their relative corrections alone."""
    text = (
        f"the exposures were {change.before_mas:.1f} mas from each other, now {change.after_mas:.1f} mas; "
        f"not fitted to a catalogue: {reason}"
    )
    record = _record(evidence, AlignmentOutcome.ALIGNED_RELATIVELY, text)
    return _written(evidence, record, evidence.transforms)


def _written(
    evidence: AlignmentEvidence, record: AposterioriRecord, transforms: tuple[LinearTransform, ...]
) -> AlignmentPlan:
    """The plan to write these transforms, with the names of the new WCSs."""
    plan = AlignmentPlan(record, evidence.plane, transforms)
    kind = RELATIVE if len(transforms) > 1 else IMAGE
    names = tuple(a_posteriori_name(before, kind, plan.catalog) for before in evidence.wcsnames)
    return evolve(plan, record=evolve(record, wcsnames=names))


def _record(evidence: AlignmentEvidence, outcome: AlignmentOutcome, reason: str) -> AposterioriRecord:
    """What was measured, with an outcome that writes nothing yet."""
    problems = [f"{catalog.name}: {catalog.problem}" for catalog in evidence.asked if catalog.problem]
    return AposterioriRecord(
        outcome=outcome,
        reason=reason,
        sources=evidence.sources,
        catalogs=evidence.asked,
        relative=evidence.relative,
        attempts=tuple(attempt.record for attempt in evidence.attempts),
        chosen=None,
        wcsnames=(),
        not_tried=joined(problems) or None,
    )


def _nothing(sources: Sequence[ExposureSources], outcome: AlignmentOutcome, reason: str) -> AlignmentPlan:
    return AlignmentPlan(AposterioriRecord(outcome, reason, tuple(sources), (), None, (), None, ()))


def _failure(attempts: Sequence[FitAttempt], asked: Sequence[CatalogProvenance]) -> tuple[AlignmentOutcome, str]:
    """How the stage ends without a fit that is better."""
    valid = [attempt for attempt in attempts if attempt.quality is not FitQuality.NOT_VALID]
    if valid:
        return AlignmentOutcome.NOT_BETTER, min(valid, key=_rms).reason
    if attempts:
        return AlignmentOutcome.NO_VALID_FIT, joined(attempt.reason for attempt in attempts)
    answered = [catalog for catalog in asked if catalog.problem is None]
    if answered:
        counts = ", ".join(f"{catalog.name}: {catalog.rows}" for catalog in answered)
        return AlignmentOutcome.TOO_FEW_CATALOG_SOURCES, f"catalogue sources in the field: {counts}"
    problems = joined(f"{catalog.name}: {catalog.problem}" for catalog in asked) or "no catalogue was given"
    return AlignmentOutcome.NO_CATALOG, problems


def _rms(attempt: FitAttempt) -> float:
    return attempt.fit.rms_mas if attempt.fit is not None else math.inf
