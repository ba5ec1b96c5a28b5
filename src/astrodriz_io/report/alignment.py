"""The alignment part of the report: stages, registration, focus, similarity, the checks of every policy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from astrodriz_core.decide.selection import standing_stage
from astrodriz_core.records.common import STAGE_ORIGINS
from astrodriz_core.records.run import RunRecord, StageRecord
from astrodriz_core.records.verification import (
    AlignmentMeasurements,
    ExposureSharpness,
    ExposureSimilarity,
    FocusDistribution,
    FocusIndex,
    GuidingCheck,
    PolicyResult,
    Registration,
    VerificationCheck,
)
from astrodriz_io.report.parts import (
    Block,
    Cell,
    Fold,
    Heading,
    Panel,
    Panels,
    Paragraph,
    Section,
    Strip,
    Strips,
    Table,
    badge,
    empty_section,
    table,
)
from astrodriz_io.report.plots import (
    StageVerification,
    focus_plot,
    offsets_plot,
    registration_checks,
    similarity_plot,
)
from astrodriz_io.report.wording import ABSENT, fixed, percent, significant

__all__ = ["alignment_section", "checks_section", "guiding_sections", "stages_section", "verified_stages"]

COMPANIONS = "final products, FLT"
"""What the page calls the product of the FLT files beside FLC files."""


def verified_stages(record: RunRecord) -> tuple[StageVerification, ...]:
    """What was verified: the product of each stage that made one, and that of the FLT files beside FLC files.

    The last stage delivers the product of an earlier one, and is not told again.
    """
    made = (stage for stage in record.stages if stage.stage in STAGE_ORIGINS)
    judged = [(stage.stage.value, stage.verification) for stage in made]
    judged += [(COMPANIONS, stage.companions_verification) for stage in record.stages]
    return tuple(StageVerification(name, verdict) for name, verdict in judged if verdict is not None)


def _name_in_use(record: RunRecord) -> str | None:
    """The name of the stage whose products are delivered."""
    stage = standing_stage(record)
    return stage.stage.value if stage is not None else None


def _in_use_and_others(
    stages: Sequence[StageVerification], in_use: str | None
) -> tuple[list[StageVerification], list[StageVerification]]:
    """The stage whose products are delivered, and the others, which the page folds."""
    return [stage for stage in stages if stage.name == in_use], [stage for stage in stages if stage.name != in_use]


def stages_section(record: RunRecord) -> Section:
    """What each stage did, and why it was kept or not."""
    rows = (
        (
            stage.stage.value,
            badge(stage.outcome),
            badge(stage.verification.verdict) if stage.verification else ABSENT,
            ", ".join(sorted({chip.wcsname for exposure in stage.wcs for chip in exposure.chips})) or ABSENT,
            stage.reason,
        )
        for stage in record.stages
    )
    headers = ("Stage", "Outcome", "Alignment", "WCSNAME", "Reason")
    stages = table("The stages in their order", headers, rows)
    return Section("stages", "Stages", (stages, *_comparisons(record.stages)))


def _comparisons(stages: Sequence[StageRecord]) -> Iterator[Table]:
    """The products of the stages against the default product."""
    rows = [
        (
            stage.stage.value,
            badge(stage.comparison.verdict),
            fixed(stage.comparison.dx_pix, sign=True),
            fixed(stage.comparison.dy_pix, sign=True),
            fixed(stage.comparison.sigma_pix, 4),
            fixed(stage.comparison.rotation_deg, 4, sign=True),
            fixed(stage.comparison.scatter_pix),
            str(stage.comparison.n_sources),
            significant(stage.comparison.index, 3),
        )
        for stage in stages
        if stage.comparison is not None
    ]
    headers = ("Stage", "Verdict", "x (px)", "y (px)", "Error (px)", "Rotation (deg)", "Scatter (px)", "Sources",
               "Similarity index")  # fmt: skip
    if rows:
        caption = "Each new product against the default product, after the bulk shift and rotation"
        yield table(caption, headers, rows, numbers=range(2, 9))


def alignment_section(record: RunRecord) -> Section:
    """Plots and tables of what was measured of the alignment."""
    stages = verified_stages(record)
    if not stages:
        why = "there are no two exposures to compare" if record.stages else record.outcome.value
        text = f"The alignment was not measured: {why}."
        return empty_section("alignment", "Alignment of the exposures", text)
    in_use = _name_in_use(record)
    return Section("alignment", "Alignment of the exposures", (*_offsets(stages, in_use), *_likeness(stages, in_use)))


def _offsets(stages: Sequence[StageVerification], in_use: str | None) -> Iterator[Block]:
    """Where each exposure lies."""
    shown, others = _in_use_and_others(stages, in_use)
    yield Paragraph(_how_to_read_offsets(stages))
    yield Panels(tuple(_panel(stage, in_use, f"offsets-{number}") for number, stage in enumerate(stages)))
    yield from map(_registration_table, shown)
    yield from (Fold(f"Offsets of stage {stage.name}", (_registration_table(stage),)) for stage in others)


def _likeness(stages: Sequence[StageVerification], in_use: str | None) -> Iterator[Block]:
    """How sharp the product is, and how like the exposures."""
    shown, others = _in_use_and_others(stages, in_use)
    focus = Strip(focus_plot(stages, "focus"), FOCUS_CAPTION)
    yield Heading("Focus and similarity")
    yield Strips((focus, Strip(similarity_plot(stages, "similarity"), SIMILARITY_CAPTION)))
    for stage in shown:
        yield from _exposures(stage)
    yield from (Fold(f"Focus and similarity of stage {stage.name}", tuple(_exposures(stage))) for stage in others)


FOCUS_CAPTION = (
    "Focus index: the diamond is the product, the dots are the exposures. A product of aligned exposures lies "
    "among them; the published rule asks just that."
)
SIMILARITY_CAPTION = (
    "Similarity index of each exposure to the product. Below 1 passes; the scale is linear up to 0.01 and "
    "logarithmic beyond."
)


def _how_to_read_offsets(stages: Sequence[StageVerification]) -> str:
    scale = stages[-1].verification.measurements.pixel_scale_arcsec
    return (
        f"Where each exposure lies against the combination of the others, in output pixels of {1000 * scale:.1f} mas. "
        "The green disc is what the calibrated policy tolerates; outside of it an exposure is misaligned. "
        "Every plot has its own scale; bars are one standard error."
    )


def _panel(stage: StageVerification, in_use: str | None, name: str) -> Panel:
    title = f"{stage.name} (in use)" if stage.name == in_use else stage.name
    return Panel(title, badge(stage.verification.verdict), offsets_plot(stage, name))


def _registration_table(stage: StageVerification) -> Table:
    checks = registration_checks(stage.verification)
    rows = (
        _registration_row(number, registration, checks.get(registration.rootname))
        for number, registration in enumerate(stage.verification.measurements.registration, start=1)
    )
    headers = ("No.", "Exposure", "x (px)", "y (px)", "Error (px)", "Offset (mas)", "Limit (px)", "Rotation (deg)",
               "Sources", "Method", "Outcome")  # fmt: skip
    return table(f"Registration residuals, stage {stage.name}", headers, rows, numbers=range(2, 9))


def _registration_row(number: int, registration: Registration, check: VerificationCheck | None) -> tuple[Cell, ...]:
    dx, dy = registration.dx_arcsec, registration.dy_arcsec
    length = None if dx is None or dy is None else 1000 * (dx**2 + dy**2) ** 0.5
    rotation = fixed(registration.rotation_deg, 4, sign=True)
    if registration.rotation_sigma_deg is not None:
        rotation += f" \N{PLUS-MINUS SIGN} {registration.rotation_sigma_deg:.4f}"
    return (
        number,
        registration.rootname,
        fixed(registration.dx_pix, sign=True),
        fixed(registration.dy_pix, sign=True),
        fixed(registration.sigma_pix),
        fixed(length, 1),
        fixed(check.threshold if check else None),
        rotation,
        registration.n_sources,
        registration.method.value if registration.method else registration.reason or ABSENT,
        badge(check.outcome) if check else ABSENT,
    )


def _exposures(stage: StageVerification) -> Iterator[Block]:
    """Focus, similarity and sharpness of the product and of each exposure."""
    measured = stage.verification.measurements
    similarity = {each.rootname: each for each in measured.similarity.exposures}
    sharpness = {each.rootname: each for each in measured.sharpness}
    rows = (
        _exposure_row(focus, similarity.get(focus.name), sharpness.get(focus.name))
        for focus in measured.focus.exposures
    )
    headers = ("Image", "Focus index", "Z-score", "Similarity index", "Hamming distance", "Mean squared error",
               "Log sharpness", "Star cores flagged")  # fmt: skip
    caption = f"Focus, similarity and sharpness, stage {stage.name}"
    yield table(caption, headers, (_product_row(measured), *rows), numbers=range(1, 8))
    yield from _focus_of_sources(measured.focus.sources)


def _product_row(measured: AlignmentMeasurements) -> tuple[Cell, ...]:
    product = measured.focus.product
    index = significant(measured.similarity.index, 3)
    return ("product", significant(product.value), fixed(product.z_score, 2, sign=True), index, None, None, None, None)


def _exposure_row(
    focus: FocusIndex, similar: ExposureSimilarity | None, sharp: ExposureSharpness | None
) -> tuple[Cell, ...]:
    return (
        focus.name,
        significant(focus.value),
        fixed(focus.z_score, 2, sign=True),
        significant(similar.index if similar else None, 3),
        significant(similar.hamming if similar else None, 3),
        significant(similar.mean_squared_error if similar else None, 3),
        fixed(sharp.log_ratio if sharp else None, sign=True),
        percent(sharp.core_flagged if sharp else None),
    )


def _focus_of_sources(sources: FocusDistribution) -> Iterator[Paragraph]:
    if sources.median is not None:
        text = (
            f"Over {sources.n_sources} sources the peak of the product is {sources.median:.3f} of that of the "
            f"exposures (quartiles {fixed(sources.first_quartile)} and {fixed(sources.third_quartile)}); "
            "near 1 is aligned."
        )
        yield Paragraph(text, "note")


def checks_section(record: RunRecord) -> Section:
    """The verdicts of all policies and the checks that they rest on."""
    stages = verified_stages(record)
    title = "Checks of every policy"
    if not stages:
        return empty_section("checks", title, "No checks were made.")
    shown, others = _in_use_and_others(stages, _name_in_use(record))
    tables = (part for stage in shown for part in _policies(stage))
    folded = (Fold(f"Checks of stage {stage.name}", tuple(_policies(stage))) for stage in others)
    return Section("checks", title, (*tables, *folded))


def _policies(stage: StageVerification) -> Iterator[Table]:
    verification = stage.verification
    rows = (
        (
            f"{result.policy.value} (decides)" if result.policy is verification.policy else result.policy.value,
            badge(result.verdict),
            result.reason,
        )
        for result in verification.policies
    )
    yield table(f"Verdicts, stage {stage.name}", ("Policy", "Verdict", "Reason"), rows)
    checks = (_check_row(result, check) for result in verification.policies for check in result.checks)
    headers = ("Policy", "Quantity", "Exposure", "Value", "Threshold", "Margin", "Outcome", "Decides", "Reason")
    yield table(f"Checks, stage {stage.name}", headers, checks, numbers=(3, 4, 5))


def _check_row(result: PolicyResult, check: VerificationCheck) -> tuple[Cell, ...]:
    return (
        result.policy.value,
        check.quantity.value,
        check.rootname or "product",
        significant(check.value),
        significant(check.threshold),
        significant(check.margin, 3),
        badge(check.outcome),
        "yes" if check.decisive else "no",
        check.reason,
    )


def guiding_sections(guiding: Sequence[GuidingCheck]) -> Iterator[Section]:
    """The guiding check; nothing where it was not asked for."""
    rows = [
        (g.rootname, g.outcome.value, fixed(g.elongation), fixed(g.sigma), fixed(g.threshold), g.n_sources, g.reason)
        for g in guiding
    ]
    headers = ("Exposure", "Outcome", "Elongation", "Error", "Limit", "Sources", "Reason")
    if rows:
        shapes = table("Shapes of the sources", headers, rows, numbers=range(2, 6))
        yield Section("guiding", "Guiding", (shapes,))
