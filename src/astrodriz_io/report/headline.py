"""The head of the report: the verdict, the WCS and why, the figures that matter, what needs attention."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from astrodriz_core.decide.selection import standing_verification
from astrodriz_core.records.common import Verdict
from astrodriz_core.records.drizzling import DrizzleRecord
from astrodriz_core.records.run import RunRecord, StageOutcome
from astrodriz_core.records.verification import GuidingOutcome, Verification
from astrodriz_core.sentences import counted, ended
from astrodriz_core.tell.kinds import fit_in_use, kind_of_wcs
from astrodriz_core.tell.verdict import alignment_sentence, why
from astrodriz_io.report.parts import Badge, badge, tone
from astrodriz_io.report.plots import registration_checks
from astrodriz_io.report.wording import ABSENT, fixed, percent, significant

__all__ = ["Concern", "Headline", "Tile", "WcsInUse", "concerns", "headline"]


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


@frozen
class Tile:
    """A figure that matters, under its name and over what to know of it."""

    name: str
    value: str
    note: str


@frozen
class WcsInUse:
    """The WCS of the products, what it rests on, and why it was chosen."""

    name: str
    kind: str
    why: str


@frozen
class Headline:
    """The head of the page.

    Attributes
    ----------
    root, product : str
        What the run was given, and what it made of it.
    configuration : str
        Detector, filter, exposures and time in a line.
    tone : str
        Colour of the verdict.
    badge : Badge or None
        The verdict; None where nothing was verified.
    alignment : str
        The verdict in a sentence.
    reason : str
        Why, by the policy that decides; empty where nothing was verified.
    wcs : WcsInUse or None
        None where no WCS was chosen.
    tiles : tuple of Tile
        Empty where nothing was combined.
    concerns : tuple of Concern
        The worst first.
    """

    root: str
    product: str
    configuration: str
    tone: str
    badge: Badge | None
    alignment: str
    reason: str
    wcs: WcsInUse | None
    tiles: tuple[Tile, ...]
    concerns: tuple[Concern, ...]


def headline(record: RunRecord) -> Headline:
    """What the head of the page says of a run."""
    verification = standing_verification(record)
    chosen = record.selection
    return Headline(
        root=record.root,
        product=record.product,
        configuration=_configuration(record),
        tone=tone(verification.verdict) if verification else "none",
        badge=badge(verification.verdict) if verification else None,
        alignment=alignment_sentence(record),
        reason=ended(f"Policy {verification.policy.value}: {verification.reason}") if verification else "",
        wcs=WcsInUse(chosen.wcsname, kind_of_wcs(record), why(record)) if chosen else None,
        tiles=_tiles(record, verification),
        concerns=concerns(record),
    )


def _configuration(record: RunRecord) -> str:
    parts = [record.detector, record.filter_name]
    for product in record.products[:1]:
        used = counted(len(product.exposures), "exposure", "exposures")
        parts.append(f"{used}, {product.exptime:.1f} s")
    parts.append(f"started {record.started}")
    return " \N{MIDDLE DOT} ".join(part for part in parts if part)


def _tiles(record: RunRecord, verification: Verification | None) -> tuple[Tile, ...]:
    if not record.stages:
        return ()
    return (_relative(verification), _absolute(record), _similarity(verification), _used(record), _cosmic_rays(record))


def _relative(verification: Verification | None) -> Tile:
    name = "Largest offset"
    if verification is None or verification.worst is None:
        return Tile(name, ABSENT, "not measured")
    worst = verification.worst
    scale = 1000 * verification.measurements.pixel_scale_arcsec
    check = registration_checks(verification).get(worst.rootname)
    limit = f", limit {fixed(check.threshold)} px" if check and check.threshold is not None else ""
    return Tile(name, f"{worst.offset_pix:.3f} px", f"{worst.offset_pix * scale:.1f} mas, {worst.rootname}{limit}")


def _absolute(record: RunRecord) -> Tile:
    attempt = fit_in_use(record)
    if attempt is None or attempt.fit is None:
        origin = record.selection.chosen.value if record.selection else "unknown"
        return Tile("Fit to a catalogue", "none", f"position from the {origin} WCS")
    held = f", {attempt.holdout.after_mas:.1f} mas on left-out matches" if attempt.holdout else ""
    return Tile(f"RMS to {attempt.catalog}", f"{attempt.fit.rms_mas:.1f} mas", f"{attempt.fit.matches} matches{held}")


def _similarity(verification: Verification | None) -> Tile:
    index = verification.measurements.similarity.index if verification else None
    note = "limit 1; 0 is equal" if index is not None else "not measured"
    return Tile("Similarity index", significant(index, 2), note)


def _last_drizzle(record: RunRecord) -> DrizzleRecord | None:
    return next((stage.drizzle for stage in reversed(record.stages) if stage.drizzle is not None), None)


def _used(record: RunRecord) -> Tile:
    drizzle = _last_drizzle(record)
    if drizzle is None:
        return Tile("Exposures used", ABSENT, "nothing was combined")
    trailed = {check.rootname for check in record.guiding if check.outcome is GuidingOutcome.TRAILED}
    left_out = ({excluded.rootname for excluded in record.left_out} | trailed) - set(drizzle.exposures)
    used, left = len(drizzle.exposures), len(left_out)
    return Tile("Exposures used", f"{used} of {used + left}", f"{left or 'none'} left out")


def _cosmic_rays(record: RunRecord) -> Tile:
    drizzle = _last_drizzle(record)
    parts = [count.fraction for count in drizzle.cosmic_rays] if drizzle else []
    if not parts:
        return Tile("Cosmic-ray pixels", ABSENT, "none were looked for")
    return Tile("Cosmic-ray pixels", percent(max(parts), 2), f"of the worst chip; {percent(min(parts), 2)} of the best")


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
        yield Concern("open", ended(f"It is not known whether the exposures are aligned: {deciding.reason}"))
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
        yield Concern("open", ended(_capitalised(warning)))


def _capitalised(sentence: str) -> str:
    """A sentence with a capital at its beginning, unless it begins with the name of a file."""
    return f"{sentence[:1].upper()}{sentence[1:]}" if sentence.partition(" ")[0].rstrip(":,").isalpha() else sentence


STAGE_TONES = {StageOutcome.FAILED: "bad", StageOutcome.REVERTED: "open", StageOutcome.SKIPPED: "none"}


def _of_stages(record: RunRecord) -> Iterator[Concern]:
    for stage in record.stages:
        # What a stage could not ask is among the warnings already.
        if stage.outcome in STAGE_TONES and not any(stage.reason in warning for warning in record.warnings):
            text = f"Stage {stage.stage.value} {stage.outcome.value}: {stage.reason}"
            yield Concern(STAGE_TONES[stage.outcome], ended(text))


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
