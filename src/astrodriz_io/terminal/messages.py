"""Errors as the terminal shows them: one line for people, or one of JSON for programs."""

from __future__ import annotations

import json
import sys
from contextlib import suppress

from astrodriz_core.errors import AstrodrizError

__all__ = ["JSON_ERRORS", "tell_error"]

JSON_ERRORS = "--json-errors"
"""Option of every command."""


def tell_error(
    program: str, error: AstrodrizError, kind: str, code: int, *, as_json: bool = False, trace: str = ""
) -> int:
    """Write an error to standard error, where there still is one, and return the exit code.

    Parameters
    ----------
    program : str
        Name of the command.
    error : AstrodrizError
        What is told.
    kind : str
        Name of its class.
    code : int
        With which the program will end.
    as_json : bool
        In one line of JSON.
    trace : str
        Traceback of a defect of the program; may be empty.
    """
    text = _json_line(program, error, kind, code, trace) if as_json else f"{trace}{program}: {error}"
    # The terminal may have been closed, which is what SIGHUP tells.
    with suppress(OSError):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
    return code


def _json_line(program: str, error: AstrodrizError, kind: str, code: int, trace: str) -> str:
    told = {
        "program": program,
        "class": kind,
        "problem": error.problem,
        "where": error.where,
        "remedy": error.remedy,
        "exit_code": code,
    }
    return json.dumps({**told, "traceback": trace} if trace else told)
