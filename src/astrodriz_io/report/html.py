"""The HTML that the report is built of: every text is escaped unless it was made here."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence

from astrodriz_core.records.common import Verdict
from astrodriz_core.records.run import StageOutcome
from astrodriz_core.records.verification import CheckOutcome

__all__ = [
    "ABSENT",
    "Html",
    "Outcome",
    "badge",
    "check_badge",
    "details",
    "element",
    "escaped",
    "fixed",
    "join",
    "section",
    "significant",
    "table",
    "tone",
]

ABSENT = "\N{EN DASH}"
"""What stands where a value does not exist."""

_CONTROLS = {code: "\N{REPLACEMENT CHARACTER}" for code in (*range(32), *range(127, 160)) if code not in (9, 10, 13)}
"""Control characters, which HTML forbids and a hostile header may hold."""

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


class Html(str):
    """Text that is HTML already; any other text is escaped where it goes into an element."""

    __slots__ = ()


def escaped(value: object) -> Html:
    """Write any value as the text of an element."""
    if isinstance(value, Html):
        return value
    return Html(html.escape(str(value).translate(_CONTROLS)))


def join(parts: Iterable[object]) -> Html:
    """Put parts one after the other."""
    return Html("".join(escaped(part) for part in parts))


def element(tag: str, *children: object, **attributes: str) -> Html:
    """Make an element; ``class_`` gives class, ``aria_label`` gives aria-label."""
    given = "".join(f' {name.rstrip("_").replace("_", "-")}="{escaped(str(v))}"' for name, v in attributes.items())
    return Html(f"<{tag}{given}>{join(children)}</{tag}>")


def section(name: str, title: str, *children: object) -> Html:
    """Make a section with its heading, that `name` links to."""
    heading = element("h2", title, id=f"{name}-title")
    return element("section", heading, *children, id=name, aria_labelledby=f"{name}-title")


def details(summary: str, *children: object) -> Html:
    """Make a part that is folded until the reader opens it."""
    return element("details", element("summary", summary), *children)


def table(
    caption: str, headers: Sequence[str], rows: Iterable[Sequence[object]], *, numbers: Iterable[int] = ()
) -> Html:
    """Make a table whose first column names its rows.

    Parameters
    ----------
    caption : str
        What the table shows.
    headers : sequence of str
        Names of the columns.
    rows : iterable of sequence
        Cells; None is shown as a dash.
    numbers : iterable of int
        Columns of numbers, set flush right.

    Returns
    -------
    Html
        A sentence instead of the table where there are no rows.
    """
    body = [_row(row, frozenset(numbers)) for row in rows]
    if not body:
        return element("p", f"{caption}: none.", class_="empty")
    head = element("tr", *(_header(text, i in frozenset(numbers)) for i, text in enumerate(headers)))
    whole = element("table", element("caption", caption), element("thead", head), element("tbody", *body))
    return element("div", whole, class_="scroll", tabindex="0", role="region", aria_label=caption)


def _header(text: str, number: bool) -> Html:
    return element("th", text, scope="col", **({"class_": "number"} if number else {}))


def _row(cells: Sequence[object], numbers: frozenset[int]) -> Html:
    shown = [ABSENT if cell is None else cell for cell in cells]
    first = element("th", shown[0], scope="row")
    rest = (
        element("td", cell, **({"class_": "number"} if i in numbers else {}))
        for i, cell in enumerate(shown[1:], start=1)
    )
    return element("tr", first, *rest)


def tone(outcome: Outcome) -> str:
    """Name of the colour that stands for a verdict or outcome in the style sheet."""
    return _TONES[outcome]


def badge(outcome: Outcome) -> Html:
    """Show a verdict or outcome by colour, sign and word."""
    mark = element("span", _OWN_MARKS.get(outcome, _MARKS[tone(outcome)]), aria_hidden="true")
    return element("span", mark, " ", outcome.value, class_=f"badge {tone(outcome)}")


def check_badge(passed: bool) -> Html:
    """Show whether a check passed."""
    return badge(CheckOutcome.PASSED if passed else CheckOutcome.FAILED)


def fixed(value: float | None, digits: int = 3, *, sign: bool = False, unit: str = "") -> str:
    """Write a number with so many decimal places; a dash where there is none."""
    if value is None:
        return ABSENT
    return f"{value:{'+' if sign else ''}.{digits}f}{unit}" if math.isfinite(value) else _infinite(value)


def significant(value: float | None, digits: int = 4) -> str:
    """Write a number with so many significant digits; a dash where there is none."""
    if value is None:
        return ABSENT
    return f"{value:.{digits}g}" if math.isfinite(value) else _infinite(value)


def _infinite(value: float) -> str:
    if math.isnan(value):
        return "not a number"
    return "\N{INFINITY}" if value > 0 else "\N{MINUS SIGN}\N{INFINITY}"
