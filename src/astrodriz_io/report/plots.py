"""What the plots of the report show, as plain values: offsets of exposures, and one quantity stage by stage."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attrs import frozen

from astrodriz_core.records.verification import (
    CheckOutcome,
    Policy,
    Quantity,
    Registration,
    Verification,
    VerificationCheck,
)
from astrodriz_core.verify.policies import SIMILARITY_LIMIT
from astrodriz_io.report.wording import fixed, significant

__all__ = [
    "OffsetPoint",
    "OffsetsPlot",
    "Plot",
    "Row",
    "RowsPlot",
    "StageVerification",
    "focus_plot",
    "offsets_plot",
    "registration_checks",
    "similarity_plot",
]


@frozen
class StageVerification:
    """The verification of one stage, under the stage's name."""

    name: str
    verification: Verification


@frozen
class OffsetPoint:
    """Where an exposure lies against the others.

    Attributes
    ----------
    label : str
        Its number, with its name where it failed.
    x, y : float
        Output pixels.
    error : float
        Standard error of each, pixels.
    outcome : CheckOutcome
        How the check of the calibrated policy ended.
    """

    label: str
    x: float
    y: float
    error: float
    outcome: CheckOutcome


@frozen
class OffsetsPlot:
    """The residual offset of every exposure over what is tolerated.

    Attributes
    ----------
    name : str
        Different from those of the other plots of a page.
    description : str
        What the plot shows, for those who do not see it.
    points : tuple of OffsetPoint
        The points of the exposures that have an offset.
    limits : tuple of float
        The least and the greatest threshold, pixels; they differ where the errors do. Empty where there is none.
    """

    name: str
    description: str
    points: tuple[OffsetPoint, ...]
    limits: tuple[float, ...]


@frozen
class Row:
    """The values of the exposures in one stage, and that of the product or None."""

    label: str
    values: tuple[float, ...]
    product: float | None = None


@frozen
class RowsPlot:
    """One quantity, a row for each stage.

    Attributes
    ----------
    name, description : str
        As those of `OffsetsPlot`.
    axis : str
        The quantity and its unit.
    rows : tuple of Row
        The first is on top.
    limit : float or None
        The axis has a line here and becomes logarithmic; linear where it is None.
    """

    name: str
    description: str
    axis: str
    rows: tuple[Row, ...]
    limit: float | None = None


Plot = OffsetsPlot | RowsPlot
"""A plot of the report."""


def registration_checks(verification: Verification) -> dict[str, VerificationCheck]:
    """The checks of the calibrated policy on the offsets, by rootname."""
    calibrated = (result for result in verification.policies if result.policy is Policy.CALIBRATED)
    return {
        check.rootname: check
        for result in calibrated
        for check in result.checks
        if check.quantity is Quantity.REGISTRATION and check.rootname is not None
    }


def offsets_plot(stage: StageVerification, name: str) -> OffsetsPlot:
    """The offsets of a stage; exposures have their numbers in the association."""
    checks = registration_checks(stage.verification)
    limits = sorted(check.threshold for check in checks.values() if check.threshold is not None)
    points = tuple(
        _point(number, each.rootname, each.dx_pix, each.dy_pix, each.sigma_pix or 0.0, checks.get(each.rootname))
        for number, each in enumerate(stage.verification.measurements.registration, start=1)
        if each.dx_pix is not None and each.dy_pix is not None
    )
    ends = (limits[0], limits[-1]) if limits else ()
    return OffsetsPlot(name, _description(stage, limits), points, ends)


def _point(
    number: int, rootname: str, x: float, y: float, error: float, check: VerificationCheck | None
) -> OffsetPoint:
    outcome = check.outcome if check is not None else CheckOutcome.UNDETERMINED
    label = f"{number} {rootname}" if outcome is CheckOutcome.FAILED else str(number)
    return OffsetPoint(label, x, y, error, outcome)


def _description(stage: StageVerification, limits: Sequence[float]) -> str:
    offsets = ", ".join(map(_offset, stage.verification.measurements.registration))
    limit = f"; tolerated up to {limits[-1]:.3f}" if limits else ""
    return f"Residual offsets in x and y with the {stage.name} WCS, in output pixels: {offsets}{limit}."


def _offset(registration: Registration) -> str:
    return f"{registration.rootname} {fixed(registration.dx_pix, sign=True)} {fixed(registration.dy_pix, sign=True)}"


def focus_plot(stages: Sequence[StageVerification], name: str) -> RowsPlot:
    """The focus index of the product of every stage among those of its exposures."""
    rows = tuple(_focus_row(stage) for stage in stages)
    lines = ", ".join(f"{row.label} {significant(row.product)}" for row in rows)
    description = f"Focus index of the product of each stage: {lines}."
    return RowsPlot(name, description, "focus index, max |LoG| (electrons/s)", rows)


def _focus_row(stage: StageVerification) -> Row:
    focus = stage.verification.measurements.focus
    values = tuple(exposure.value for exposure in focus.exposures if exposure.value is not None)
    return Row(stage.name, values, focus.product.value)


def similarity_plot(stages: Sequence[StageVerification], name: str) -> RowsPlot:
    """The similarity index of every exposure for every stage, and the limit of 1."""
    lines = ", ".join(f"{s.name} {significant(s.verification.measurements.similarity.index, 3)}" for s in stages)
    description = f"Largest similarity index of each stage, limit 1: {lines}."
    rows = tuple(map(_similarity_row, stages))
    return RowsPlot(
        name, description, "similarity index (0: equal to the product; 1: limit)", rows, limit=SIMILARITY_LIMIT
    )


def _similarity_row(stage: StageVerification) -> Row:
    indices = (exposure.index for exposure in stage.verification.measurements.similarity.exposures)
    return Row(stage.name, tuple(index for index in indices if index is not None and np.isfinite(index)))
