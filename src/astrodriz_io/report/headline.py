"""The head of the report: the verdict, the WCS and why, the figures that matter, what needs attention."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from astrodriz_core.decide.selection import standing_verification
from astrodriz_core.records.astrometry import FitAttempt
from astrodriz_core.records.common import Verdict, WcsOrigin
from astrodriz_core.records.drizzling import DrizzleRecord
from astrodriz_core.records.run import RunRecord, StageOutcome
from astrodriz_core.records.verification import GuidingOutcome, Verification
from astrodriz_core.tell.explain import alignment_sentence
from astrodriz_io.report.html import ABSENT, Html, badge, element, fixed, significant, tone
from astrodriz_io.report.plots import registration_checks

__all__ = ["Concern", "concerns", "headline"]


@frozen
class Concern:
    """Something that the reader should know before trusting the product.

    Attributes
    ----------
    tone : str
        "bad" where the product suffers, "open" where a doubt remains, "none" for a mere note.
    text : str
    """

    tone: str
    text: str


def headline(record: RunRecord) -> Html:
    """The head of the page."""
    verification = standing_verification(record)
    return element(
        "header",
        element("p", "astrodriz run report", class_="eyebrow"),
        element("h1", f"{record.root} ", element("span", f"\N{RIGHTWARDS ARROW} {record.product}", class_="product")),
        element("p", _configuration(record), class_="configuration"),
        element(
            "div",
            *_verdict(record, verification),
            class_=f"verdict {tone(verification.verdict) if verification else 'none'}",
        ),
        _tiles(record, verification),
        _attention(concerns(record)),
    )


def _configuration(record: RunRecord) -> str:
    parts = [record.detector, record.filter_name]
    for product in record.products[:1]:
        count = len(product.exposures)
        parts.append(f"{count} exposure{'' if count == 1 else 's'}, {product.exptime:.1f} s")
    parts.append(f"started {record.started}")
    return " \N{MIDDLE DOT} ".join(part for part in parts if part)


def _verdict(record: RunRecord, verification: Verification | None) -> Iterator[Html]:
    sentence = alignment_sentence(record)
    if verification is None:
        yield element("p", element("strong", sentence), class_="lead")
    else:
        yield element("p", badge(verification.verdict), " ", sentence, class_="lead")
        reason = f"Policy {verification.policy.value}: {verification.reason}"
        yield element("p", reason, class_="reason")
    if record.selection is not None:
        chosen = record.selection
        yield element(
            "p", "WCS in use: ", element("code", chosen.wcsname), f" ({chosen.chosen.value}). ",
            element("span", f"Why: {chosen.reason}", class_="reason"),
        )  # fmt: skip


def _tiles(record: RunRecord, verification: Verification | None) -> Html:
    if not record.stages:
        return Html("")
    tiles = (_relative(verification), _absolute(record), _similarity(verification), _used(record), _cosmic_rays(record))
    boxes = (
        element("div", element("dt", name), element("dd", value), element("dd", note, class_="note"))
        for name, value, note in tiles
    )
    return element("dl", *boxes, class_="tiles")


def _relative(verification: Verification | None) -> tuple[str, str, str]:
    name = "Largest offset"
    if verification is None or verification.worst is None:
        return name, ABSENT, "not measured"
    worst = verification.worst
    scale = 1000 * verification.measurements.pixel_scale_arcsec
    check = registration_checks(verification).get(worst.rootname)
    limit = f", limit {fixed(check.threshold)} px" if check and check.threshold is not None else ""
    return name, f"{worst.offset_pix:.3f} px", f"{worst.offset_pix * scale:.1f} mas, {worst.rootname}{limit}"


def _absolute(record: RunRecord) -> tuple[str, str, str]:
    attempt = _fit_in_use(record)
    if attempt is None or attempt.fit is None:
        origin = record.selection.chosen.value if record.selection else "unknown"
        return "Fit to a catalogue", "none", f"position from the {origin} WCS"
    held = f", {attempt.holdout.after_mas:.1f} mas on left-out matches" if attempt.holdout else ""
    return f"RMS to {attempt.catalog}", f"{attempt.fit.rms_mas:.1f} mas", f"{attempt.fit.matches} matches{held}"


def _fit_in_use(record: RunRecord) -> FitAttempt | None:
    """The fit whose WCS the product has."""
    if record.selection is None or record.selection.chosen is not WcsOrigin.A_POSTERIORI:
        return None
    fits = (s.aposteriori for s in record.stages if s.aposteriori is not None)
    return next((fit.attempts[fit.chosen] for fit in fits if fit.chosen is not None), None)


def _similarity(verification: Verification | None) -> tuple[str, str, str]:
    index = verification.measurements.similarity.index if verification else None
    return "Similarity index", significant(index, 2), "limit 1; 0 is equal" if index is not None else "not measured"


def _last_drizzle(record: RunRecord) -> DrizzleRecord | None:
    return next((stage.drizzle for stage in reversed(record.stages) if stage.drizzle is not None), None)


def _used(record: RunRecord) -> tuple[str, str, str]:
    drizzle = _last_drizzle(record)
    if drizzle is None:
        return "Exposures used", ABSENT, "nothing was combined"
    trailed = {check.rootname for check in record.guiding if check.outcome is GuidingOutcome.TRAILED}
    left_out = ({excluded.rootname for excluded in record.left_out} | trailed) - set(drizzle.exposures)
    used, left = len(drizzle.exposures), len(left_out)
    return "Exposures used", f"{used} of {used + left}", f"{left or 'none'} left out"


def _cosmic_rays(record: RunRecord) -> tuple[str, str, str]:
    drizzle = _last_drizzle(record)
    parts = [100 * count.fraction for count in drizzle.cosmic_rays] if drizzle else []
    if not parts:
        return "Cosmic-ray pixels", ABSENT, "none were looked for"
    return "Cosmic-ray pixels", f"{max(parts):.2f} %", f"of the worst chip; {min(parts):.2f} % of the best"


def _attention(found: tuple[Concern, ...]) -> Html:
    if not found:
        return element("p", "Nothing needs attention.", class_="attention-none")
    items = (element("li", concern.text, class_=concern.tone) for concern in found)
    return element(
        "section", element("h2", "What to know", id="attention"), element("ul", *items),
        class_="attention", aria_labelledby="attention",
    )  # fmt: skip


def concerns(record: RunRecord) -> tuple[Concern, ...]:
    """What the reader should know, the worst first."""
    verification = standing_verification(record)
    found = (
        *_of_verification(verification),
        *_of_inputs(record),
        *_of_stages(record),
        *_mended(record, verification),
        *_uncleaned(record),
    )
    order = ("bad", "open", "none")
    return tuple(sorted(found, key=lambda concern: order.index(concern.tone)))


def _of_verification(verification: Verification | None) -> Iterator[Concern]:
    if verification is None:
        return
    deciding = next(result for result in verification.policies if result.policy is verification.policy)
    if verification.verdict is Verdict.MISALIGNED:
        yield Concern("bad", f"Off its place: {', '.join(deciding.misaligned) or deciding.reason}.")
    if verification.verdict is Verdict.UNDETERMINED:
        yield Concern("open", f"It is not known whether the exposures are aligned: {deciding.reason.rstrip('.')}.")
    if verification.worst is not None and verification.worst.ambiguous and deciding.misaligned:
        yield Concern("open", "Two exposures disagree; nothing tells which of them is off its place.")
    if verification.degraded:
        yield Concern("open", f"Blurred, trailed or out of focus: {', '.join(verification.degraded)}.")
    for result in verification.policies:
        if result.verdict is not verification.verdict:
            text = f"Policy {result.policy.value} says {result.verdict.value}: {result.reason}."
            yield Concern("none", text)


def _of_inputs(record: RunRecord) -> Iterator[Concern]:
    for excluded in record.left_out:
        yield Concern("bad", f"{excluded.rootname} is left out: {excluded.detail}.")
    for check in record.guiding:
        if check.outcome is GuidingOutcome.TRAILED:
            yield Concern("bad", f"{check.rootname} is trailed: {check.reason}.")
    for warning in record.warnings:
        yield Concern("open", f"{_capitalised(warning).rstrip('.')}.")


def _capitalised(sentence: str) -> str:
    """A sentence with a capital at its beginning, unless it begins with the name of a file."""
    return f"{sentence[:1].upper()}{sentence[1:]}" if sentence.partition(" ")[0].rstrip(":,").isalpha() else sentence


STAGE_TONES = {StageOutcome.FAILED: "bad", StageOutcome.REVERTED: "open", StageOutcome.SKIPPED: "none"}


def _of_stages(record: RunRecord) -> Iterator[Concern]:
    for stage in record.stages:
        # What a stage could not ask is among the warnings already.
        if stage.outcome in STAGE_TONES and not any(stage.reason in warning for warning in record.warnings):
            text = f"Stage {stage.stage.value} {stage.outcome.value}: {stage.reason.rstrip('.')}."
            yield Concern(STAGE_TONES[stage.outcome], text)


def _mended(record: RunRecord, verification: Verification | None) -> Iterator[Concern]:
    """The WCS of an earlier stage was bad and stood, but that in use is not."""
    if verification is None or verification.verdict is Verdict.MISALIGNED:
        return
    for stage in record.stages:
        bad = stage.verification is not None and stage.verification.verdict is Verdict.MISALIGNED
        if bad and stage.outcome is not StageOutcome.REVERTED:
            text = f"In stage {stage.stage.value} the exposures were misaligned; with the WCS in use they are not."
            yield Concern("none", text)


def _uncleaned(record: RunRecord) -> Iterator[Concern]:
    drizzle = _last_drizzle(record)
    if drizzle is not None and not drizzle.cosmic_rays:
        yield Concern("none", "No cosmic rays were looked for: those that the calibration left are in the product.")
