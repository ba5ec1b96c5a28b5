"""From what the report tells to HTML, by the templates beside this module: every text is escaped."""

from __future__ import annotations

from functools import cache
from typing import Any

from attrs import fields
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from astrodriz_io.report import parts
from astrodriz_io.report.drawing import drawn
from astrodriz_io.report.view import LINKS, Report
from astrodriz_io.report.wording import ABSENT

__all__ = ["CONTENT_POLICY", "render"]

CONTENT_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
"""Forbids the page to load or run anything, whatever a name in a header may hold."""

_CONTROLS = {code: "\N{REPLACEMENT CHARACTER}" for code in (*range(32), *range(127, 160)) if code not in (9, 10, 13)}
"""Control characters, which HTML forbids and a hostile header may hold."""


def render(report: Report) -> str:
    """Write a report as a page.

    Every text is escaped, because records hold names from headers that anybody may have written.
    """
    values = {field.name: getattr(report, field.name) for field in fields(Report)}
    return _environment().get_template("page.html").render(values)


@cache
def _environment() -> Environment:
    """The templates; a name in them that does not exist is an error."""
    environment = Environment(
        loader=PackageLoader("astrodriz_io.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
        auto_reload=False,
    )
    environment.filters["drawn"] = drawn
    environment.tests["of_kind"] = _of_kind
    environment.globals.update(links=LINKS, absent=ABSENT, content_policy=CONTENT_POLICY)
    return environment


def _printable(value: Any) -> Any:
    return value.translate(_CONTROLS) if isinstance(value, str) and not isinstance(value, Markup) else value


def _of_kind(value: object, name: str) -> bool:
    """Whether a value is a part of this name."""
    return isinstance(value, getattr(parts, name))
