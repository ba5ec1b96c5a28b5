"""Where the two commands begin: what a signal finds while the program is still being loaded, which takes a second."""

from __future__ import annotations

import os
import signal
import sys
from importlib import import_module
from types import FrameType
from typing import NoReturn

from astrodriz_core.errors import AstrodrizError, ResourceError, StorageError, UsageError
from astrodriz_io.runtime.signals import SIGNALLED, handling
from astrodriz_io.terminal.exit_codes import exit_code
from astrodriz_io.terminal.messages import JSON_ERRORS, tell_error
from astrodriz_io.terminal.start_checks import check_start, loading

__all__ = ["astrodriz", "runastrodriz"]


def runastrodriz() -> int:
    """Run ``runastrodriz`` and give its exit code."""
    return _begun("runastrodriz")


def astrodriz() -> int:
    """Run ``astrodriz`` and give its exit code."""
    return _begun("astrodriz")


def _begun(program: str) -> int:
    def leave(number: int, _: FrameType | None) -> NoReturn:
        # An exception would be lost in some places of the imports, or come out as another one.
        error = AstrodrizError("Interrupted before it had begun.", remedy="Nothing has been changed.")
        os._exit(tell_error(program, error, "Interrupted", SIGNALLED + number, as_json=JSON_ERRORS in sys.argv))

    try:
        check_start()
        with handling(leave):
            with loading():
                cli = import_module("astrodriz_io.cli")
            code: int = getattr(cli, program)()
    except (ResourceError, StorageError, UsageError) as error:
        return tell_error(program, error, type(error).__name__, exit_code(error), as_json=JSON_ERRORS in sys.argv)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # All is done: Ctrl-C while the interpreter goes down is no reason for a traceback.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    return code
