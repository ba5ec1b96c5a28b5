"""Why the WCS of a run's products won, in plain words, from the record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from astrodriz_core.records.astrometry import AposterioriRecord, AprioriRecord, WcsCandidate, WcsSelection
from astrodriz_core.records.common import Stage
from astrodriz_core.records.run import RunRecord, StageRecord
from astrodriz_core.records.verification import CheckOutcome, ProductComparison, Verification, VerificationCheck
from astrodriz_core.sentences import ended
from astrodriz_core.tell.verdict import last_line, why

__all__ = ["explain"]

TITLES = {
    Stage.DEFAULT: "The pipeline default",
    Stage.A_PRIORI: "The a priori solution",
    Stage.A_POSTERIORI: "The a posteriori fit",
}


def explain(record: RunRecord) -> tuple[str, ...]:
    """Lines that tell what was tried, what was measured against which limit, and what was chosen."""
    return tuple(_lines(record))


def _lines(record: RunRecord) -> Iterator[str]:
    what = " ".join(word for word in (record.detector, record.filter_name) if word)
    yield f"{record.root} ({what}), begun {record.started}" if what else f"{record.root}, begun {record.started}"
    if record.selection is None:
        yield "No WCS was chosen."
        yield from _notes(record)
        yield last_line(record)
        return
    yield f"Why this WCS: {why(record)}"
    for stage in record.stages:
        if stage.stage in TITLES:
            yield ""
            yield from _stage(stage)
    yield ""
    yield from _companions(record)
    yield from _candidates(record.selection)
    yield from _notes(record)
    yield last_line(record)


def _notes(record: RunRecord) -> Iterator[str]:
    return (ended(f"Note: {warning}") for warning in record.warnings)


def _stage(stage: StageRecord) -> Iterator[str]:
    yield ended(f"{TITLES[stage.stage]} was {stage.outcome.value}: {stage.reason}")
    if stage.apriori is not None:
        yield from _apriori(stage.apriori)
    if stage.aposteriori is not None:
        yield from _aposteriori(stage.aposteriori)
    if stage.verification is not None:
        yield from _verification(stage.verification)
    if stage.comparison is not None:
        yield _comparison(stage.comparison)


def _apriori(record: AprioriRecord) -> Iterator[str]:
    what = ", ".join(word for word in (record.outcome.value, record.family) if word)
    yield ended(f"  Solutions: {what}: {record.reason}")
    moved = [
        (exposure.east_mas**2 + exposure.north_mas**2) ** 0.5
        for exposure in record.exposures
        if exposure.east_mas is not None and exposure.north_mas is not None
    ]
    if moved:
        yield f"  They moved the exposures by {_span(moved, '.1f')} mas."


def _aposteriori(record: AposterioriRecord) -> Iterator[str]:
    for catalog in record.catalogs:
        found = catalog.problem.rstrip(".") if catalog.problem else f"{catalog.rows} rows"
        yield f"  Catalogue {catalog.name}: {found}."
    if record.relative is not None:
        yield ended(f"  Exposures to each other: {record.relative.reason}")
    for number, attempt in enumerate(record.attempts):
        chosen = "taken" if number == record.chosen else "not taken"
        yield ended(f"  Fit to {attempt.catalog}, {chosen}, quality {attempt.quality.value}: {attempt.reason}")
        yield from (f"    not passed: {check.reason.rstrip('.')}" for check in attempt.checks if not check.passed)
        if attempt.holdout is not None and number == record.chosen:
            before, after = attempt.holdout.before_mas, attempt.holdout.after_mas
            yield f"    Matches left out of the fit were off by {before:.1f} mas before it, {after:.1f} mas after it."


def _verification(verification: Verification) -> Iterator[str]:
    yield f"  Alignment by policy {verification.policy.value}: {verification.verdict.value}."
    yield from (f"    {_check(check)}" for check in _telling(verification.checks))
    others = [result for result in verification.policies if result.policy is not verification.policy]
    if others:
        said = ", ".join(f"{result.policy.value} {result.verdict.value}" for result in others)
        yield f"    The other policies: {said}."


def _telling(checks: Sequence[VerificationCheck]) -> Iterator[VerificationCheck]:
    """Every decisive check that was not passed; of those passed, the closest to its limit for each quantity."""
    decisive = [check for check in checks if check.decisive]
    yield from (check for check in decisive if check.outcome is not CheckOutcome.PASSED)
    passed = [check for check in decisive if check.outcome is CheckOutcome.PASSED]
    for quantity in dict.fromkeys(check.quantity for check in passed):
        yield min((c for c in passed if c.quantity is quantity), key=_room)


def _room(check: VerificationCheck) -> float:
    """How far a passed check is from its limit, relative to the limit where that can be said."""
    margin = check.margin or 0.0
    return margin / abs(check.threshold) if check.threshold else margin


def _check(check: VerificationCheck) -> str:
    reason = check.reason.removeprefix(f"{check.rootname}: ").rstrip(".")
    who = f" of {check.rootname}" if check.rootname else ""
    return f"{check.outcome.value:<12} {check.quantity.value}{who}: {reason}"


def _companions(record: RunRecord) -> Iterator[str]:
    """The judgement on the product of the FLT files beside FLC files."""
    for stage in record.stages:
        if stage.companions_verification is not None:
            yield "The FLT files, with the WCS of their FLC files:"
            yield from _verification(stage.companions_verification)
            yield ""


def _comparison(comparison: ProductComparison) -> str:
    return ended(f"  Against the default product: {comparison.verdict.value}: {comparison.check.reason}")


def _candidates(selection: WcsSelection) -> Iterator[str]:
    yield "In order of preference:"
    for candidate in selection.candidates:
        mark = "*" if candidate.origin is selection.chosen else " "
        kept = "kept" if candidate.kept else "turned down"
        yield (
            f"{mark} {candidate.origin.value:<17} {candidate.wcsname:<34} {candidate.verdict.value:<13} {kept:<12} "
            f"{_misalignment(candidate)}"
        )


def _misalignment(candidate: WcsCandidate) -> str:
    if candidate.registration_mas is None:
        return "misalignment not measured"
    error = candidate.registration_error_mas
    return f"misalignment {candidate.registration_mas:.1f}{f' +- {error:.1f}' if error is not None else ''} mas"


def _span(values: Sequence[float], style: str) -> str:
    low, high = format(min(values), style), format(max(values), style)
    return low if low == high else f"{low} to {high}"
