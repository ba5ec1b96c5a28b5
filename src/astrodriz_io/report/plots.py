"""The plots of the report: registration residuals, focus and similarity of each stage."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attrs import frozen
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from numpy.typing import NDArray

from astrodriz_core.records.verification import (
    Check,
    CheckOutcome,
    Policy,
    Quantity,
    Registration,
    Verification,
)
from astrodriz_io.report.html import Html, fixed, significant
from astrodriz_io.report.svg import (
    ACCENT,
    BAD,
    GOOD,
    INK,
    LINE,
    MUTED,
    OPEN,
    as_svg,
    new_figure,
    plain_label,
    plain_numbers,
    quiet_axes,
)

__all__ = ["StageVerification", "focus_figure", "registration_checks", "registration_figure", "similarity_figure"]

STYLES = {
    CheckOutcome.PASSED: (GOOD, "o"),
    CheckOutcome.FAILED: (BAD, "X"),
    CheckOutcome.UNDETERMINED: (OPEN, "^"),
}
"""Colour and marker of an exposure by the outcome of its check; the form says it without the colour."""

ROOM = 1.25
"""Half width of a registration plot over what it has to show."""

SMALLEST_HALF_WIDTH = 0.01
"""Half width of a registration plot that has nothing to show, pixels."""

LABEL_DISTANCE, LEAST_LABEL_ANGLE, LABEL_ROUNDS = 11.0, np.deg2rad(50.0), 40
"""Of the numbers of the exposures from their points, in typographic points; angle between them; rounds to reach it."""

SIMILARITY_TICKS = (0, 0.01, 0.1, 1, 10, 100)
LINEAR_SIMILARITY = 0.01
"""Similarity up to which its axis is linear; logarithmic above."""


@frozen
class StageVerification:
    """The verification of one stage, under the stage's name."""

    name: str
    verification: Verification


def registration_checks(verification: Verification) -> dict[str, Check]:
    """The checks of the calibrated policy on the offsets, by rootname."""
    calibrated = (result for result in verification.policies if result.policy is Policy.CALIBRATED)
    return {
        check.rootname: check
        for result in calibrated
        for check in result.checks
        if check.quantity is Quantity.REGISTRATION and check.rootname is not None
    }


def registration_figure(stage: StageVerification, name: str) -> Html:
    """Plot the residual offset of every exposure, with its error, over what the calibrated policy tolerates.

    Exposures carry their numbers in the association. The greatest and the smallest threshold are drawn: they
    differ where the errors do.
    """
    checks = registration_checks(stage.verification)
    registrations = stage.verification.measurements.registration
    limits = sorted(check.threshold for check in checks.values() if check.threshold is not None)
    half = ROOM * max((SMALLEST_HALF_WIDTH, *limits, *(_reach(r) for r in registrations)))
    figure, axes = new_figure(3.2, 3.2)
    quiet_axes(axes, "x offset (output pixels)", "y offset (output pixels)")
    axes.set(xlim=(-half, half), ylim=(-half, half), aspect="equal")
    axes.locator_params(nbins=5)
    axes.axhline(0, color=LINE, linewidth=0.8, zorder=0)
    axes.axvline(0, color=LINE, linewidth=0.8, zorder=0)
    if limits:
        axes.add_patch(Circle((0, 0), limits[0], facecolor=GOOD, alpha=0.13, linewidth=0, zorder=1))
        axes.add_patch(Circle((0, 0), limits[-1], facecolor="none", edgecolor=GOOD, linewidth=0.9, zorder=1))
    for number, (registration, way) in enumerate(zip(registrations, _label_ways(registrations), strict=True), start=1):
        _draw_offset(axes, registration, checks.get(registration.rootname), number, way)
    return as_svg(figure, name, _registration_text(stage, limits))


def _reach(registration: Registration) -> float:
    """How far from the middle the error bars of an offset reach."""
    dx, dy, sigma = registration.dx_pix or 0.0, registration.dy_pix or 0.0, registration.sigma_pix or 0.0
    return max(abs(dx), abs(dy)) + sigma


def _label_ways(registrations: Sequence[Registration]) -> NDArray[np.float64]:
    """Directions from the points to their labels, (n, 2): outwards, but turned away from each other."""
    angles = np.array([np.arctan2(r.dy_pix or 0.0, r.dx_pix or 0.0) for r in registrations])
    order = np.argsort(angles, kind="stable")
    turned, apart = angles[order], min(LEAST_LABEL_ANGLE, 2 * np.pi / max(len(angles), 1))
    for _ in range(LABEL_ROUNDS):
        gaps = np.diff(turned, append=turned[:1] + 2 * np.pi)
        push = np.maximum(apart - gaps, 0.0) / 2
        turned = turned + np.roll(push, 1) - push
    ways = np.empty((len(angles), 2))
    ways[order] = np.column_stack((np.cos(turned), np.sin(turned)))
    return ways


def _draw_offset(
    axes: Axes, registration: Registration, check: Check | None, number: int, way: NDArray[np.float64]
) -> None:
    dx, dy, sigma = registration.dx_pix, registration.dy_pix, registration.sigma_pix
    if dx is None or dy is None:
        return
    outcome = check.outcome if check is not None else CheckOutcome.UNDETERMINED
    color, marker = STYLES[outcome]
    axes.plot((0, dx), (0, dy), color=color, linewidth=1.0, alpha=0.55, zorder=2)
    axes.errorbar(
        dx, dy, xerr=sigma, yerr=sigma, color=color, ecolor=color, marker=marker, markersize=6, elinewidth=1.0,
        capsize=0, markeredgewidth=0, linestyle="none", zorder=3,
    )  # fmt: skip
    failed = outcome is CheckOutcome.FAILED
    beside = LABEL_DISTANCE * way
    axes.annotate(
        f"{number} {plain_label(registration.rootname)}" if failed else str(number), (dx, dy),
        # The name of a failed exposure is long: it goes to the middle of the plot, where there is room for it.
        xytext=(-np.sign(dx) * 9, 9) if failed else (beside[0], beside[1]), textcoords="offset points",
        ha=("right" if dx > 0 else "left") if failed else "center", va="center", color=INK, fontsize=8, zorder=4,
    )  # fmt: skip


def _registration_text(stage: StageVerification, limits: Sequence[float]) -> str:
    offsets = ", ".join(
        f"{r.rootname} {fixed(r.dx_pix, sign=True)} {fixed(r.dy_pix, sign=True)}"
        for r in stage.verification.measurements.registration
    )
    limit = f"; tolerated up to {limits[-1]:.3f}" if limits else ""
    return f"Residual offsets in x and y with the {stage.name} WCS, in output pixels: {offsets}{limit}."


def focus_figure(stages: Sequence[StageVerification], name: str) -> Html:
    """Plot the focus index of the product of every stage among those of its exposures."""
    figure, axes = _strip(stages, "focus index, max |LoG| (electrons/s)")
    for row, stage in enumerate(stages):
        focus = stage.verification.measurements.focus
        values = [exposure.value for exposure in focus.exposures if exposure.value is not None]
        _draw_row(axes, row, values, focus.product.value)
    axes.margins(x=0.08)
    axes.locator_params(axis="x", nbins=7)
    lines = (f"{s.name} {significant(s.verification.measurements.focus.product.value)}" for s in stages)
    return as_svg(figure, name, f"Focus index of the product of each stage: {', '.join(lines)}.")


def similarity_figure(stages: Sequence[StageVerification], name: str) -> Html:
    """Plot the similarity index of every exposure for every stage, and the limit of 1."""
    figure, axes = _strip(stages, "similarity index (0: equal to the product; 1: limit)")
    axes.set_xscale("asinh", linear_width=LINEAR_SIMILARITY)
    plain_numbers(axes.xaxis)
    axes.axvline(1.0, color=BAD, linewidth=1.0, linestyle=(0, (4, 3)), zorder=1)
    highest = 1.0
    for row, stage in enumerate(stages):
        indices = [exposure.index for exposure in stage.verification.measurements.similarity.exposures]
        values = [index for index in indices if index is not None and np.isfinite(index)]
        highest = max((highest, *values))
        _draw_row(axes, row, values, None)
    axes.set_xlim(-LINEAR_SIMILARITY / 4, 1.6 * highest)
    axes.set_xticks([tick for tick in SIMILARITY_TICKS if tick <= 1.6 * highest])
    lines = (f"{s.name} {significant(s.verification.measurements.similarity.index, 3)}" for s in stages)
    return as_svg(figure, name, f"Largest similarity index of each stage, limit 1: {', '.join(lines)}.")


def _strip(stages: Sequence[StageVerification], x: str) -> tuple[Figure, Axes]:
    """Axes with one row for each stage, the first on top."""
    figure, axes = new_figure(5.4, 0.75 + 0.36 * len(stages))
    quiet_axes(axes, x)
    axes.set_yticks(range(len(stages)), [stage.name for stage in stages])
    axes.tick_params(axis="y", labelcolor=INK, labelsize=9, length=0)
    axes.set_ylim(len(stages) - 0.4, -0.6)
    return figure, axes


def _draw_row(axes: Axes, row: int, values: Sequence[float], product: float | None) -> None:
    """The exposures as dots on the line from the least to the greatest, the product as a diamond."""
    if values:
        axes.plot((min(values), max(values)), (row, row), color=LINE, linewidth=5, solid_capstyle="round", zorder=1)
    axes.plot(values, [row] * len(values), color=MUTED, marker="o", markersize=5, linestyle="none", alpha=0.8, zorder=2)
    if product is not None:
        axes.plot(product, row, color=ACCENT, marker="D", markersize=7, linestyle="none", zorder=3)
