"""The parts that the report is made of: plain values, of which the templates make HTML."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence

from attrs import frozen

from astrodriz_core.records.common import Verdict
from astrodriz_core.records.run import StageOutcome
from astrodriz_core.records.verification import CheckOutcome
from astrodriz_io.report.plots import Plot

__all__ = [
    "Badge",
    "Block",
    "Cell",
    "Code",
    "Column",
    "Command",
    "Commands",
    "FileNames",
    "Fold",
    "Heading",
    "Image",
    "Images",
    "Lines",
    "Marked",
    "Node",
    "Panel",
    "Panels",
    "Paragraph",
    "Section",
    "Strip",
    "Strips",
    "Strong",
    "Table",
    "Tree",
    "badge",
    "check_badge",
    "empty_section",
    "table",
    "tone",
]

Outcome = Verdict | CheckOutcome | StageOutcome
"""What a badge can show."""

_TONES = {
    Verdict.ALIGNED: "good",
    Verdict.MISALIGNED: "bad",
    Verdict.UNDETERMINED: "open",
    CheckOutcome.PASSED: "good",
    CheckOutcome.FAILED: "bad",
    CheckOutcome.UNDETERMINED: "open",
    StageOutcome.DONE: "good",
    StageOutcome.KEPT: "good",
    StageOutcome.REVERTED: "open",
    StageOutcome.SKIPPED: "none",
    StageOutcome.FAILED: "bad",
}
_MARKS = {"good": "\N{CHECK MARK}", "bad": "\N{MULTIPLICATION X}", "open": "?", "none": "\N{EN DASH}"}
_OWN_MARKS: dict[Outcome, str] = {StageOutcome.REVERTED: "\N{ANTICLOCKWISE OPEN CIRCLE ARROW}"}


@frozen
class Badge:
    """A verdict or outcome, shown by colour, sign and word."""

    tone: str
    mark: str
    word: str


@frozen
class Code:
    """Text to be copied: a name, a digest, a command."""

    text: str


@frozen
class Strong:
    """Text that stands out."""

    text: str


@frozen
class Marked:
    """A badge, and the words that go with it."""

    badge: Badge
    text: str


@frozen
class Lines:
    """Texts below each other in one cell."""

    lines: tuple[str, ...]


Cell = str | int | Badge | Code | Strong | Marked | Lines | None
"""What one cell of a table can hold; None is shown as a dash."""


@frozen
class Column:
    """The name of a column; `number` where it is set flush right."""

    title: str
    number: bool


@frozen
class Table:
    """A table whose first column names its rows; a sentence takes its place where there are no rows."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]


@frozen
class Paragraph:
    """A sentence or more.

    Attributes
    ----------
    text : str
    style : str
        "note" beside what it belongs to, "empty" where there is nothing to show; plain where it is empty.
    lead : str
        What stands out at its beginning.
    """

    text: str
    style: str = ""
    lead: str = ""


@frozen
class Heading:
    """The title of what follows within a section."""

    text: str


@frozen
class FileNames:
    """A list of files."""

    names: tuple[str, ...]


@frozen
class Image:
    """A picture with its caption.

    Attributes
    ----------
    kind : str
        Class in the style sheet.
    title, caption : str
        Together they are the text for those who do not see the picture.
    png : bytes
    width, height : int
        Pixels of the picture.
    """

    kind: str
    title: str
    caption: str
    png: bytes
    width: int
    height: int

    @property
    def source(self) -> str:
        """The picture itself as an address."""
        return "data:image/png;base64," + base64.b64encode(self.png).decode("ascii")


@frozen
class Images:
    """Pictures beside each other."""

    images: tuple[Image, ...]


@frozen
class Panel:
    """A square plot under its name and verdict."""

    name: str
    badge: Badge
    plot: Plot


@frozen
class Panels:
    """Square plots beside each other."""

    panels: tuple[Panel, ...]


@frozen
class Strip:
    """A wide plot over its caption."""

    plot: Plot
    caption: str


@frozen
class Strips:
    """Wide plots beside each other."""

    strips: tuple[Strip, ...]


@frozen
class Command:
    """A command to be copied, and what it is for."""

    purpose: str
    text: str


@frozen
class Commands:
    """Commands below each other."""

    commands: tuple[Command, ...]


@frozen
class Node:
    """A value under its name; what has parts is folded, and its value says how many they are."""

    name: str
    value: str
    parts: tuple[Node, ...]


@frozen
class Tree:
    """Values within values."""

    nodes: tuple[Node, ...]


@frozen
class Fold:
    """Blocks that are hidden until the reader opens them."""

    summary: str
    blocks: tuple[Block, ...]


Block = Table | Paragraph | Heading | FileNames | Images | Panels | Strips | Commands | Tree | Fold
"""What a section can hold."""


@frozen
class Section:
    """A section under its title; links reach it by `name`."""

    name: str
    title: str
    blocks: tuple[Block, ...]


def empty_section(name: str, title: str, text: str) -> Section:
    """Make a section that says why it has nothing to show."""
    return Section(name, title, (Paragraph(text, "empty"),))


def table(
    caption: str, headers: Sequence[str], rows: Iterable[Sequence[Cell]], *, numbers: Iterable[int] = ()
) -> Table:
    """Make a table.

    Parameters
    ----------
    caption : str
        What the table shows.
    headers : sequence of str
        Names of the columns.
    rows : iterable of sequence
        Cells, as many as there are headers.
    numbers : iterable of int
        Columns of numbers.
    """
    flush_right = frozenset(numbers)
    columns = tuple(Column(title, i in flush_right) for i, title in enumerate(headers))
    return Table(caption, columns, tuple(map(tuple, rows)))


def tone(outcome: Outcome) -> str:
    """Name of the colour that stands for a verdict or outcome in the style sheet."""
    return _TONES[outcome]


def badge(outcome: Outcome) -> Badge:
    """Show a verdict or outcome."""
    return Badge(tone(outcome), _OWN_MARKS.get(outcome, _MARKS[tone(outcome)]), outcome.value)


def check_badge(passed: bool) -> Badge:
    """Show whether a check passed."""
    return badge(CheckOutcome.PASSED if passed else CheckOutcome.FAILED)
