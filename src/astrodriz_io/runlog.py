"""The messages of one run, and of no other: what the trailer file quotes."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from typing import ParamSpec, TypeVar

__all__ = ["RunLog", "in_this_run", "run_log"]

PACKAGE_LOGGER = "astrodriz_io"

_current: ContextVar[RunLog | None] = ContextVar("astrodriz_current_run_log", default=None)

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class RunLog(logging.Handler):
    """Keeps the formatted messages of the run in whose context they were logged.

    Several runs may go on in threads of one interpreter; each handler sees the messages of all, and keeps
    only those from its own context.
    """

    def __init__(self, level: int) -> None:
        super().__init__(level)
        formatter = logging.Formatter("%(asctime)s %(levelname)-7s %(message)s", "%Y-%m-%dT%H:%M:%SZ")
        formatter.converter = time.gmtime
        self.setFormatter(formatter)
        self._lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the message if it comes from this run."""
        if _current.get() is self:
            self._lines.append(self.format(record))

    @property
    def lines(self) -> tuple[str, ...]:
        """All messages so far, in their order."""
        return tuple(self._lines)


@contextmanager
def run_log(*, debug: bool = False) -> Iterator[RunLog]:
    """Attach a `RunLog` to the package's logger for the time of one run.

    Parameters
    ----------
    debug : bool
        Keep messages of level DEBUG too, not only INFO and above.
    """
    logger = logging.getLogger(PACKAGE_LOGGER)
    handler = RunLog(logging.DEBUG if debug else logging.INFO)
    # The level stays at DEBUG: a run in another thread may need it, and each handler has its own.
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)
    token = _current.set(handler)
    try:
        yield handler
    finally:
        _current.reset(token)
        logger.removeHandler(handler)


def in_this_run(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Wrap a function so that a worker thread logs into the run that started it."""
    context = copy_context()

    def call(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        # A copy for each call: one context cannot be entered by two threads at a time.
        return context.copy().run(function, *args, **kwargs)

    return call
