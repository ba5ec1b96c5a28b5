"""What a command has to say when it is done, and the one form in which programs get it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from attrs import frozen

from astrodriz_io.terminal.exit_codes import EXIT_DONE

__all__ = ["Answer", "printed"]


def _nothing() -> Mapping[str, Any]:
    return {}


@frozen
class Answer:
    """Lines for the terminal, the result for programs, and how the process ends.

    Attributes
    ----------
    lines : iterable of str
        Printed one after the other as they come; the last one has the verdict, and where to look for more.
    code : int
        Exit code.
    result : callable
        Gives what a program wants to know, in values that JSON has; called when all lines have come.
    """

    lines: Iterable[str]
    code: int = EXIT_DONE
    result: Callable[[], Mapping[str, Any]] = _nothing


def printed(answer: Answer, command: str, *, as_json: bool, quiet: bool) -> Iterator[str]:
    """The lines that a terminal gets.

    Parameters
    ----------
    answer : Answer
        Of the command.
    command : str
        Its name.
    as_json : bool
        One JSON object in place of the lines: `command`, `exit_code`, `summary` (the last line), and the result.
    quiet : bool
        The last line alone.
    """
    if not (as_json or quiet):
        yield from answer.lines
        return
    last = ""
    for line in answer.lines:
        last = line
    if as_json:
        told = {"command": command, "exit_code": answer.code, "summary": last, **answer.result()}
        last = json.dumps(told, indent=1, ensure_ascii=False)
    yield last
