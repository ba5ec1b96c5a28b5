"""The trailer file: what a person reads of a run, written from the run's record and its log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from astrodriz_core.records.astrometry import AposterioriRecord, AprioriRecord, FitAttempt
from astrodriz_core.records.common import ExposureWcs, Stage
from astrodriz_core.records.drizzling import DrizzleRecord, ExcludedExposure, ProductRecord
from astrodriz_core.records.run import RunRecord, StageRecord
from astrodriz_core.records.verification import PolicyResult, ProductComparison, Registration, Verification
from astrodriz_core.sentences import counted
from astrodriz_core.tell.verdict import alignment_sentence, last_line, why

__all__ = ["closing", "failure_closing", "opening", "summary", "trailer"]

RULE = "-" * 100
HEAVY_RULE = "=" * 100
"""Before the section of each run."""


def opening(input_name: str, version: str, moment: str, who: str) -> str:
    """First lines of the section of a run: its log follows line by line.

    Parameters
    ----------
    input_name : str
        The input file.
    version : str
        Version of astrodriz.
    moment : str
        When the run begins.
    who : str
        Process and machine.
    """
    return _text((HEAVY_RULE, f"astrodriz {version} begins {moment}: {input_name} ({who})"))


def trailer(record: RunRecord) -> str:
    """What was measured and decided, at the end of the log of a run that was not stopped."""
    return _text((RULE, *_head(record), *_parameters(record), *_stages(record), RULE, *summary(record)))


def closing(record: RunRecord, moment: str) -> str:
    """Last lines of the section of a run whose results are all in place."""
    return _text((*(f"wrote {name}" for name in record.files), f"Ended {moment}: {record.outcome.value}."))


def failure_closing(problem: str, truth: str, moment: str) -> str:
    """Last lines of the section of a run that was stopped.

    Parameters
    ----------
    problem : str
        ``FAILED`` or ``INTERRUPTED``, and why.
    truth : str
        How the exposures are now.
    moment : str
        When the run ends.
    """
    return _text((RULE, problem, truth, f"Ended {moment}: not done."))


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def summary(record: RunRecord) -> tuple[str, ...]:
    """What the terminal shows at the end: the stages, the WCS of each exposure, the products, and the verdict last."""
    return (
        f"{record.root}: {record.outcome.value}",
        *map(_stage_line, record.stages),
        *(f"  {wcs.rootname}: {wcs.chips[0].wcsname}" for stage in record.stages[-1:] for wcs in stage.wcs),
        *map(_product_line, record.products),
        *_left_out(record.excluded),
        *(f"Warning: {warning}" for warning in record.warnings),
        *((f"Why this WCS: {why(record)}",) if record.selection is not None else ()),
        last_line(record),
    )


def _stage_line(stage: StageRecord) -> str:
    judged = stage.verification.verdict.value if stage.verification is not None else stage.reason
    return f"  {stage.stage.value:<17} {stage.outcome.value:<9} {judged}"


def _product_line(product: ProductRecord) -> str:
    exposures = counted(len(product.exposures), "exposure", "exposures")
    return f"{product.filename}: {exposures}, {product.exptime:.1f} s, {product.units}"


def _head(record: RunRecord) -> Iterator[str]:
    yield f"astrodriz {_version_of(record, 'astrodriz')}: {record.root} -> {record.product}"
    what = " ".join(word for word in (record.detector, record.filter_name) if word)
    yield "; ".join(part for part in (f"Started {record.started}", what, record.outcome.value) if part)
    yield "With " + ", ".join(f"{package.name} {package.version}" for package in record.software)
    yield "Inputs: " + ", ".join(file.name for file in record.inputs)
    yield "Reference files: " + (", ".join(file.name for file in record.references) or "none")
    yield from _left_out(record.excluded)
    yield from (f"Warning: {warning}" for warning in record.warnings)


def _left_out(excluded: Iterable[ExcludedExposure]) -> Iterator[str]:
    for each in excluded:
        yield f"{each.rootname} is left out: {each.detail}"


def _version_of(record: RunRecord, name: str) -> str:
    return next((package.version for package in record.software if package.name == name), "")


def _parameters(record: RunRecord) -> Iterator[str]:
    if not record.parameter_sources:
        return
    yield RULE
    yield "Drizzle parameters (value, where it comes from)"
    for parameter in record.parameter_sources:
        yield f"  {parameter.name:<20} {parameter.value:<14} {parameter.source}"


def _stages(record: RunRecord) -> Iterator[str]:
    for check in record.guiding:
        yield f"Guiding of {check.rootname}: {check.outcome.value}: {check.reason}"
    for stage in record.stages:
        yield RULE
        yield from _stage(stage, record)


def _stage(stage: StageRecord, record: RunRecord) -> Iterator[str]:
    yield f"{stage.stage.value.upper()}: {stage.outcome.value} ({stage.reason})"
    yield from _wcs(stage.wcs)
    if stage.apriori is not None:
        yield from _apriori(stage.apriori)
    if stage.aposteriori is not None:
        yield from _aposteriori(stage.aposteriori)
    if stage.drizzle is not None:
        yield from _drizzle(stage.drizzle)
    if stage.stage is Stage.FINAL:
        yield f"  alignment: {alignment_sentence(record)}"
    elif stage.verification is not None:
        yield from _verification(stage.verification)
    if stage.comparison is not None:
        yield from _comparison(stage.comparison)
    if stage.companions_verification is not None:
        yield "  the FLT files, with the WCS of their FLC files:"
        yield from _verification(stage.companions_verification)


def _wcs(exposures: Iterable[ExposureWcs]) -> Iterator[str]:
    for exposure in exposures:
        for chip in exposure.chips:
            ra, dec = chip.crval
            yield f"  {exposure.rootname}[SCI,{chip.extver}]  {chip.wcsname:<34} CRVAL {ra:.8f} {dec:+.8f}"


def _apriori(record: AprioriRecord) -> Iterator[str]:
    for exposure in record.exposures:
        moved = _shift(exposure.east_mas, exposure.north_mas)
        yield f"  {exposure.rootname}: {exposure.before} -> {exposure.after}{moved}"
        for offered in exposure.offered:
            verdict = f"refused: {offered.refused}" if offered.refused else "usable"
            yield f"    offered {offered.wcsname} ({offered.origin.value}): {verdict}"


def _shift(east: float | None, north: float | None) -> str:
    if east is None or north is None:
        return ""
    return f", moved {east:+.1f} mas east, {north:+.1f} mas north"


def _aposteriori(record: AposterioriRecord) -> Iterator[str]:
    for exposure in record.sources:
        kept = sum(chip.counts.kept for chip in exposure.chips)
        yield f"  {exposure.rootname}: {exposure.skipped or f'{kept} sources'}"
    for catalog in record.catalogs:
        origin = f" from {catalog.origin}" if catalog.origin else ""
        yield f"  catalogue {catalog.name}{origin}: {catalog.problem or f'{catalog.rows} rows'}"
    if record.relative is not None:
        yield f"  relative fit: {record.relative.reason}"
        for relative in record.relative.exposures:
            yield f"    {relative.rootname}{_shift(relative.east_mas, relative.north_mas)}: {relative.reason}"
    for number, attempt in enumerate(record.attempts):
        yield from _attempt(attempt, chosen=number == record.chosen)


def _attempt(attempt: FitAttempt, *, chosen: bool) -> Iterator[str]:
    mark = "chosen" if chosen else "not chosen"
    yield f"  fit to {attempt.catalog} ({attempt.method.value}), {mark}: {attempt.reason}"
    if attempt.fit is not None:
        fit = attempt.fit
        yield (
            f"    {fit.geometry.value}, {fit.matches} matches, quality {attempt.quality.value}, "
            f"RMS {fit.rms_ra_mas:.1f} / {fit.rms_dec_mas:.1f} mas{_shift(fit.east_mas, fit.north_mas)}"
        )
    for check in attempt.checks:
        yield f"    {'passed' if check.passed else 'FAILED'} {check.name}: {check.reason}"
    if attempt.holdout is not None:
        held = attempt.holdout
        yield f"    left-out matches: {held.before_mas:.2f} mas before, {held.after_mas:.2f} mas after"


def _drizzle(record: DrizzleRecord) -> Iterator[str]:
    yield from (f"  {line}" for line in _left_out(record.excluded))
    ny, nx = record.frame.shape
    yield f"  frame {nx} x {ny} pixels of {record.frame.pixel_scale_arcsec:.5f} arcsec"
    for sky in record.sky:
        yield f"  {sky.rootname}[SCI,{sky.extver}] sky {sky.value:.6g} {sky.units}"
    for mask in record.static_mask:
        yield f"  static mask of {mask.chip}: {mask.pixels} pixels"
    for count in record.cosmic_rays:
        yield (
            f"  {count.rootname}[SCI,{count.extver}] cosmic rays: {count.pixels} pixels, "
            f"{100 * count.fraction:.2f} % (from {record.cosmic_rays_from})"
        )


def _verification(verification: Verification) -> Iterator[str]:
    verdict = verification.verdict.value.upper()
    yield f"  alignment: {verdict} by policy {verification.policy.value}: {verification.reason}"
    for registration in verification.measurements.registration:
        yield f"    {_registration(registration)}"
    for result in verification.policies:
        yield from _policy(result)


def _registration(registration: Registration) -> str:
    if registration.dx_pix is None or registration.dy_pix is None or registration.sigma_pix is None:
        return f"{registration.rootname}: offset not measured: {registration.reason}"
    return (
        f"{registration.rootname}: offset {registration.dx_pix:+.3f} {registration.dy_pix:+.3f} "
        f"+- {registration.sigma_pix:.3f} pixel from {registration.n_sources} sources"
    )


def _policy(result: PolicyResult) -> Iterator[str]:
    yield f"    policy {result.policy.value}: {result.verdict.value}: {result.reason}"
    for check in result.checks:
        who = f" of {check.rootname}" if check.rootname else ""
        yield f"      {check.outcome.value:<10} {check.quantity.value}{who}: {check.reason}"


def _comparison(comparison: ProductComparison) -> Iterator[str]:
    yield f"  against the default product: {comparison.verdict.value}: {comparison.check.reason}"
