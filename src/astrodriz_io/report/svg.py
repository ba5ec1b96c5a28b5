"""Matplotlib figures as SVG inside an HTML page: its colours follow the page, its bytes only the data.

Nothing here changes the settings that all figures of a process share (``rcParams``). What a user or another
thread sets there can move a line, but changes no colour, font or identifier, and calls no TeX.
"""

from __future__ import annotations

import io
import re

from attrs import frozen
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter

__all__ = [
    "ACCENT",
    "BAD",
    "GOOD",
    "INK",
    "LINE",
    "MUTED",
    "OPEN",
    "Drawing",
    "as_svg",
    "new_figure",
    "plain_label",
    "plain_numbers",
    "quiet_axes",
]

INK, MUTED, LINE, ACCENT = "#1c2630", "#566370", "#d5dbe1", "#1b5e9f"
GOOD, BAD, OPEN = "#17774a", "#b4231a", "#8a5a04"
_VARIABLES = {
    INK: "--ink",
    MUTED: "--muted",
    LINE: "--line",
    ACCENT: "--accent",
    GOOD: "--good",
    BAD: "--bad",
    OPEN: "--open",
}
"""The variable of the style sheet that each colour stands for."""

FONT = "DejaVu Sans"
"""The font that comes with matplotlib."""

_COLOUR = re.compile(r"#[0-9a-f]{6}\b")
_IDENTIFIER = re.compile(r'(\bid="|href="#|url\(#)([^")]+)')
_COMMENT = re.compile(r"<!--.*?-->\s*", re.DOTALL)
_UNSAFE = re.compile(r"[^A-Za-z0-9_.+ -]")
_POINTS_PER_INCH = 72
_LONGEST_LABEL = 24


def new_figure(width: float, height: float) -> tuple[Figure, Axes]:
    """Make a figure of this size in inches, with one pair of axes and no background."""
    figure = Figure(figsize=(width, height), layout="constrained", facecolor="none", edgecolor="none")
    axes = figure.add_subplot(facecolor="none")
    return figure, axes


def quiet_axes(axes: Axes, x: str, y: str = "") -> None:
    """Give axes their labels, and lines that stay behind the data."""
    axes.set_xlabel(x, color=INK, fontsize=9)
    axes.set_ylabel(y, color=INK, fontsize=9)
    axes.tick_params(which="both", color=LINE, labelcolor=MUTED, labelsize=8, direction="out", length=3, width=0.8)
    axes.tick_params(which="minor", length=0)
    axes.grid(False)
    plain_numbers(axes.xaxis)
    plain_numbers(axes.yaxis)
    for spine in axes.spines.values():
        spine.set(color=LINE, linewidth=0.8)


def plain_numbers(axis: Axis) -> None:
    """Write the numbers of an axis as they are, which a change of its scale undoes."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}".replace("-", "\N{MINUS SIGN}")))


def plain_label(text: str) -> str:
    """Text for a label: letters, digits and a few signs, so that no name is taken for mathematics."""
    return _UNSAFE.sub("?", text)[:_LONGEST_LABEL]


@frozen
class Drawing:
    """The content of an SVG element, and the size of what it shows in typographic points."""

    width: float
    height: float
    content: Markup


def as_svg(figure: Figure, name: str) -> Drawing:
    """Draw a figure as SVG for an HTML page.

    Parameters
    ----------
    figure : Figure
        Drawn in the colours of this module.
    name : str
        Goes into the identifiers, which have to differ between the figures of a page.
    """
    for text in figure.findobj(Text):
        text.set(fontfamily=FONT, usetex=False)
    width, height = (side * _POINTS_PER_INCH for side in figure.get_size_inches())
    buffer = io.StringIO()
    FigureCanvasSVG(figure).print_svg(buffer, metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    return Drawing(width, height, Markup(_themed(_renamed(_inside(buffer.getvalue()), name))))


def _inside(document: str) -> str:
    """The content of the SVG element, without comments."""
    start = document.index(">", document.index("<svg")) + 1
    return _COMMENT.sub("", document[start : document.rindex("</svg>")]).strip()


def _renamed(drawing: str, name: str) -> str:
    """Give an SVG its identifiers numbered as they come: matplotlib's are random."""
    numbers: dict[str, int] = {}
    return _IDENTIFIER.sub(lambda found: f"{found[1]}{name}-{numbers.setdefault(found[2], len(numbers))}", drawing)


def _themed(drawing: str) -> str:
    """Give an SVG colours that the style sheet decides."""
    return _COLOUR.sub(lambda found: f"var({_VARIABLES[found[0]]})" if found[0] in _VARIABLES else found[0], drawing)
