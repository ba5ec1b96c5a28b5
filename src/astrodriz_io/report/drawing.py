"""The plots of the report, drawn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle

from astrodriz_core.arrays import Array
from astrodriz_core.records.verification import CheckOutcome
from astrodriz_io.report.plots import OffsetPoint, OffsetsPlot, Plot, Row, RowsPlot
from astrodriz_io.report.svg import (
    ACCENT,
    BAD,
    GOOD,
    INK,
    LINE,
    MUTED,
    OPEN,
    Drawing,
    as_svg,
    new_figure,
    plain_label,
    plain_numbers,
    quiet_axes,
)

__all__ = ["drawn"]

STYLES = {
    CheckOutcome.PASSED: (GOOD, "o"),
    CheckOutcome.FAILED: (BAD, "X"),
    CheckOutcome.UNDETERMINED: (OPEN, "^"),
}
"""Colour and marker of an exposure by the outcome of its check; the form says it without the colour."""

ROOM = 1.25
"""Half width of a plot of offsets over what it has to show."""

SMALLEST_HALF_WIDTH = 0.01
"""Half width of a plot of offsets that has nothing to show, pixels."""

LABEL_DISTANCE, LEAST_LABEL_ANGLE, LABEL_ROUNDS = 11.0, np.deg2rad(50.0), 40
"""Distance of the exposures' numbers from their points, typographic points; angle between them; rounds to reach it."""

LOGARITHMIC_TICKS = (0, 0.01, 0.1, 1, 10, 100)
LINEAR_PART = 0.01
"""Value up to which a logarithmic axis is linear."""


def drawn(plot: Plot) -> Drawing:
    """Draw a plot; the same values give the same drawing."""
    return _offsets(plot) if isinstance(plot, OffsetsPlot) else _rows(plot)


def _offsets(plot: OffsetsPlot) -> Drawing:
    figure, axes = new_figure(3.2, 3.2)
    quiet_axes(axes, "x offset (output pixels)", "y offset (output pixels)")
    half = ROOM * max((SMALLEST_HALF_WIDTH, *plot.limits, *map(_reach, plot.points)))
    axes.set(xlim=(-half, half), ylim=(-half, half), aspect="equal")
    axes.locator_params(nbins=5)
    axes.axhline(0, color=LINE, linewidth=0.8, zorder=0)
    axes.axvline(0, color=LINE, linewidth=0.8, zorder=0)
    if plot.limits:
        least, greatest = plot.limits
        axes.add_patch(Circle((0, 0), least, facecolor=GOOD, alpha=0.13, linewidth=0, zorder=1))
        axes.add_patch(Circle((0, 0), greatest, facecolor="none", edgecolor=GOOD, linewidth=0.9, zorder=1))
    for point, way in zip(plot.points, _label_ways(plot.points), strict=True):
        _draw_offset(axes, point, way)
    return as_svg(figure, plot.name)


def _reach(point: OffsetPoint) -> float:
    """How far from the middle the error bars of an offset reach."""
    return max(abs(point.x), abs(point.y)) + point.error


def _label_ways(points: Sequence[OffsetPoint]) -> Array:
    """Directions from the points to their labels, (n, 2): outwards, but turned away from each other."""
    angles = np.array([np.arctan2(point.y, point.x) for point in points])
    order = np.argsort(angles, kind="stable")
    turned, apart = angles[order], min(LEAST_LABEL_ANGLE, 2 * np.pi / max(len(angles), 1))
    for _ in range(LABEL_ROUNDS):
        gaps = np.diff(turned, append=turned[:1] + 2 * np.pi)
        push = np.maximum(apart - gaps, 0.0) / 2
        turned = turned + np.roll(push, 1) - push
    ways = np.empty((len(angles), 2))
    ways[order] = np.column_stack((np.cos(turned), np.sin(turned)))
    return ways


def _draw_offset(axes: Axes, point: OffsetPoint, way: Array) -> None:
    color, marker = STYLES[point.outcome]
    axes.plot((0, point.x), (0, point.y), color=color, linewidth=1.0, alpha=0.55, zorder=2)
    axes.errorbar(
        point.x, point.y, xerr=point.error, yerr=point.error, color=color, ecolor=color, marker=marker, markersize=6,
        elinewidth=1.0, capsize=0, markeredgewidth=0, linestyle="none", zorder=3,
    )  # fmt: skip
    failed = point.outcome is CheckOutcome.FAILED
    beside = LABEL_DISTANCE * way
    axes.annotate(
        plain_label(point.label), (point.x, point.y),
        # The name of a failed exposure is long: it goes to the middle of the plot, where there is room for it.
        xytext=(-np.sign(point.x) * 9, 9) if failed else (beside[0], beside[1]), textcoords="offset points",
        ha=("right" if point.x > 0 else "left") if failed else "center", va="center", color=INK, fontsize=8, zorder=4,
    )  # fmt: skip


def _rows(plot: RowsPlot) -> Drawing:
    """One row for each stage, the first on top."""
    figure, axes = new_figure(5.4, 0.75 + 0.36 * len(plot.rows))
    quiet_axes(axes, plot.axis)
    axes.set_yticks(range(len(plot.rows)), [row.label for row in plot.rows])
    axes.tick_params(axis="y", labelcolor=INK, labelsize=9, length=0)
    axes.set_ylim(len(plot.rows) - 0.4, -0.6)
    for place, row in enumerate(plot.rows):
        _draw_row(axes, place, row)
    if plot.limit is None:
        axes.margins(x=0.08)
        axes.locator_params(axis="x", nbins=7)
    else:
        _logarithmic(axes, plot.limit, max((plot.limit, *(value for row in plot.rows for value in row.values))))
    return as_svg(figure, plot.name)


def _logarithmic(axes: Axes, limit: float, highest: float) -> None:
    """Make the axis of x logarithmic, with a line where the limit is."""
    axes.set_xscale("asinh", linear_width=LINEAR_PART)
    plain_numbers(axes.xaxis)
    axes.axvline(limit, color=BAD, linewidth=1.0, linestyle=(0, (4, 3)), zorder=1)
    axes.set_xlim(-LINEAR_PART / 4, 1.6 * highest)
    axes.set_xticks([tick for tick in LOGARITHMIC_TICKS if tick <= 1.6 * highest])


def _draw_row(axes: Axes, place: int, row: Row) -> None:
    """The exposures as dots on the line from the least to the greatest, the product as a diamond."""
    values = row.values
    if values:
        axes.plot((min(values), max(values)), (place, place), color=LINE, linewidth=5, solid_capstyle="round", zorder=1)
    axes.plot(values, [place] * len(values), "o", color=MUTED, markersize=5, alpha=0.8, zorder=2)
    if row.product is not None:
        axes.plot(row.product, place, color=ACCENT, marker="D", markersize=7, linestyle="none", zorder=3)
