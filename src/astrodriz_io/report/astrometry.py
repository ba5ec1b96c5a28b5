"""The astrometric part of the report: the choice of the WCS, the solutions offered, the fits to catalogues."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from astrodriz_core.records.astrometry import (
    AposterioriRecord,
    AprioriRecord,
    CatalogProvenance,
    ExposureSources,
    FitAttempt,
    FitCheck,
    FitQuality,
    HoldOut,
    OfferedSolution,
    RelativeFit,
    WcsSelection,
)
from astrodriz_core.records.common import Stage
from astrodriz_core.records.run import RunRecord
from astrodriz_core.sentences import ended
from astrodriz_io.report.parts import (
    Block,
    Cell,
    Code,
    Fold,
    Marked,
    Paragraph,
    Section,
    Strong,
    Table,
    badge,
    check_badge,
    empty_section,
    table,
)
from astrodriz_io.report.wording import fixed, significant

__all__ = ["aposteriori_section", "apriori_section", "choice_section"]

QUALITY_WORDS = {
    FitQuality.VALID: "valid",
    FitQuality.COMPROMISED: "compromised",
    FitQuality.LARGE_RMS: "valid, large RMS",
    FitQuality.COMPROMISED_LARGE_RMS: "compromised, large RMS",
    FitQuality.NOT_VALID: "not valid",
}


def choice_section(record: RunRecord) -> Section:
    """The solutions between which the run chose, and the WCS of every exposure."""
    if record.selection is None:
        return empty_section("choice", "Choice of the WCS", "No WCS was chosen.")
    wcs = Fold("WCS of every chip", (_final_wcs(record),))
    return Section("choice", "Choice of the WCS", (_candidates(record.selection), wcs))


def _candidates(selection: WcsSelection) -> Table:
    rows = (
        (
            candidate.origin.value,
            "chosen" if candidate.origin is selection.chosen else "kept" if candidate.kept else "not kept",
            candidate.wcsname,
            badge(candidate.verdict),
            _with_error(candidate.registration_mas, candidate.registration_error_mas),
            candidate.reason,
        )
        for candidate in selection.candidates
    )
    headers = ("Origin", "Outcome", "WCSNAME", "Alignment", "Largest offset (mas)", "Reason")
    return table("Candidates, the preferred one first", headers, rows, numbers=(4,))


def _final_wcs(record: RunRecord) -> Table:
    final = [stage for stage in record.stages if stage.stage is Stage.FINAL]
    rows = (
        (exposure.rootname, chip.extver, chip.wcsname, fixed(chip.crval[0], 8), fixed(chip.crval[1], 8, sign=True))
        for stage in final
        for exposure in stage.wcs
        for chip in exposure.chips
    )
    headers = ("Exposure", "EXTVER", "WCSNAME", "CRVAL1 (deg)", "CRVAL2 (deg)")
    return table("WCS of the final products", headers, rows, numbers=(1, 3, 4))


def _with_error(value: float | None, error: float | None, digits: int = 1) -> str:
    if value is None or error is None:
        return fixed(value, digits)
    return f"{value:.{digits}f} \N{PLUS-MINUS SIGN} {error:.{digits}f}"


def apriori_section(record: RunRecord) -> Section:
    """The a priori solutions that were offered, and what became of them."""
    found = [stage.apriori for stage in record.stages if stage.apriori is not None]
    blocks = tuple(block for apriori in found for block in _apriori(apriori))
    return Section("apriori", "A priori solutions", blocks or (_nothing(record, Stage.A_PRIORI),))


def _nothing(record: RunRecord, stage: Stage) -> Paragraph:
    """Why a stage has nothing to show."""
    reasons = [each.reason for each in record.stages if each.stage is stage]
    return Paragraph(ended("".join(reasons) or "The stage was not run"), "empty")


def _apriori(record: AprioriRecord) -> Iterator[Block]:
    yield Paragraph(ended(record.reason), lead=f"{record.outcome.value}: ")
    if record.relative_change_mas is not None:
        yield Paragraph(f"They move the exposures against each other by {record.relative_change_mas:.1f} mas RMS.")
    moved = (
        (e.rootname, e.before, e.after, e.best, fixed(e.east_mas, 1, sign=True), fixed(e.north_mas, 1, sign=True),
         fixed(e.rotation_deg, 4, sign=True))
        for e in record.exposures
    )  # fmt: skip
    headers = ("Exposure", "WCSNAME before", "WCSNAME after", "Best by its source", "East (mas)", "North (mas)",
               "Rotation (deg)")  # fmt: skip
    yield table("Exposures before and after", headers, moved, numbers=(4, 5, 6))
    offered = [(e.rootname, solution) for e in record.exposures for solution in e.offered]
    rows = (
        (root, solution.wcsname, solution.origin.value, "yes" if solution.attached else "no", _usable(solution))
        for root, solution in offered
    )
    yield table("Solutions offered", ("Exposure", "WCSNAME", "Origin", "Attached", "Outcome"), rows)
    checks = ((f"{root}: {solution.wcsname}", check) for root, solution in offered for check in solution.checks)
    yield Fold("Checks of the solutions", (_checks("Checks of the solutions offered", "Solution", checks),))


def _usable(solution: OfferedSolution) -> Cell:
    if solution.refused is not None:
        return Marked(check_badge(False), solution.refused)
    passed = sum(check.passed for check in solution.checks)
    return f"{passed} of {len(solution.checks)} checks passed" if solution.checks else "not a candidate"


def aposteriori_section(record: RunRecord) -> Section:
    """The fits of the exposures to each other and to catalogues."""
    found = [stage.aposteriori for stage in record.stages if stage.aposteriori is not None]
    blocks = tuple(block for fit in found for block in _aposteriori(fit))
    return Section("aposteriori", "A posteriori fits", blocks or (_nothing(record, Stage.A_POSTERIORI),))


def _aposteriori(record: AposterioriRecord) -> Iterator[Block]:
    yield Paragraph(ended(record.reason), lead=f"{record.outcome.value}: ")
    yield _attempts(record)
    yield from (
        Fold(
            f"Checks of attempt {number}: {attempt.catalog}, {attempt.method.value}",
            (_checks(f"Checks of attempt {number}", "Attempt", ((str(number), check) for check in attempt.checks)),),
        )
        for number, attempt in enumerate(record.attempts, start=1)
        if attempt.checks
    )
    yield _catalogs(record.catalogs)
    if record.relative is not None:
        yield _relative(record.relative)
        yield Paragraph(ended(record.relative.reason), "note")
    yield _sources(record.sources)


def _attempts(record: AposterioriRecord) -> Table:
    rows = (
        _attempt_row(number, attempt, chosen=number - 1 == record.chosen)
        for number, attempt in enumerate(record.attempts, start=1)
    )
    headers = ("No.", "Catalogue", "Matching", "Geometry", "Matches", "RMS RA, Dec (mas)", "Shift E, N (mas)",
               "Left-out RMS (mas)", "Quality", "Outcome", "Reason")  # fmt: skip
    caption = (
        "Fits to catalogues; the left-out RMS is that of matches that took no part in the fit, before and after it"
    )
    return table(caption, headers, rows, numbers=range(4, 8))


def _attempt_row(number: int, attempt: FitAttempt, *, chosen: bool) -> tuple[Cell, ...]:
    fit = attempt.fit
    return (
        number,
        attempt.catalog,
        attempt.method.value,
        fit.geometry.value if fit else None,
        f"{fit.matches} of {attempt.candidates}" if fit else None,
        f"{fit.rms_ra_mas:.1f}, {fit.rms_dec_mas:.1f}" if fit else None,
        f"{fit.east_mas:+.1f}, {fit.north_mas:+.1f}" if fit else None,
        _held_out(attempt.holdout),
        f"{attempt.quality.value}: {QUALITY_WORDS[attempt.quality]}",
        Strong("chosen") if chosen else "not chosen",
        attempt.reason,
    )


def _held_out(holdout: HoldOut | None) -> str | None:
    if holdout is None:
        return None
    return f"{holdout.before_mas:.1f} \N{RIGHTWARDS ARROW} {holdout.after_mas:.1f}"


def _checks(caption: str, subject: str, checks: Iterator[tuple[str, FitCheck]]) -> Table:
    rows = (
        (name, check.name, significant(check.value), significant(check.threshold), check_badge(check.passed),
         check.reason)
        for name, check in checks
    )  # fmt: skip
    headers = (subject, "Check", "Value", "Threshold", "Outcome", "Reason")
    return table(caption, headers, rows, numbers=(2, 3))


def _catalogs(catalogs: Sequence[CatalogProvenance]) -> Table:
    rows = (
        (c.name, c.origin, c.rows, c.with_proper_motion, fixed(c.epoch, 3), fixed(c.reference_epoch, 1),
         c.problem, Code(c.sha256) if c.sha256 else None)
        for c in catalogs
    )  # fmt: skip
    headers = ("Catalogue", "Origin", "Rows", "With proper motion", "Epoch", "Reference epoch", "Problem", "SHA-256")
    return table("Catalogues asked", headers, rows, numbers=(2, 3, 4, 5))


def _relative(relative: RelativeFit) -> Table:
    rows = (
        (e.rootname, e.matches, fixed(e.east_mas, 2, sign=True), fixed(e.north_mas, 2, sign=True),
         fixed(e.error_mas, 2), fixed(e.rotation_deg, 5, sign=True), fixed(e.fraction, 2), e.reason)
        for e in relative.exposures
    )  # fmt: skip
    headers = ("Exposure", "Matches", "East (mas)", "North (mas)", "Error (mas)", "Rotation (deg)", "Part applied",
               "Reason")  # fmt: skip
    caption = (
        f"Exposures fitted to each other: {relative.sources} shared sources, "
        f"{fixed(relative.before_mas, 2)} mas before, {fixed(relative.after_mas, 2)} mas after"
    )
    return table(caption, headers, rows, numbers=range(1, 7))


def _sources(sources: Sequence[ExposureSources]) -> Fold:
    rows = (
        (exposure.rootname, chip.extver, c.detected, c.kept, c.saturated, c.cosmic_ray, c.bad_pixel, c.edge,
         c.not_a_source, f"{c.psf_fwhm:.2f} ({c.psf_origin.value})")
        for exposure in sources
        for chip in exposure.chips
        for c in (chip.counts,)
    )  # fmt: skip
    headers = ("Exposure", "EXTVER", "Found", "Kept", "Saturated", "Cosmic rays", "Bad pixels", "At the edge",
               "Other shapes", "PSF FWHM (px)")  # fmt: skip
    skipped = (Paragraph(ended(f"{e.rootname}: {e.skipped}"), "note") for e in sources if e.skipped is not None)
    title = "Sources found in the exposures"
    return Fold(title, (table(title, headers, rows, numbers=range(1, 9)), *skipped))
