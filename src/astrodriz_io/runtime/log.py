"""The messages of one run, and of no other: what the trailer tells while it goes on."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from threading import Lock
from typing import ParamSpec, TypeVar

from attrs import define, field

__all__ = ["PACKAGE_LOGGER", "RunLog", "in_this_run", "logged_to_terminal", "run_log"]

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
        self._reader: Callable[[str], None] = _nobody

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the message if it comes from this run."""
        if _current.get() is self:
            self._lines.append(self.format(record))
            self._reader(self._lines[-1])

    def follow(self, reader: Callable[[str], None]) -> None:
        """Hand every message to a reader as it comes; at once those that were there before."""
        with self._held():
            for line in self._lines:
                reader(line)
            self._reader = reader

    def leave(self) -> None:
        """Hand no more messages to the reader."""
        with self._held():
            self._reader = _nobody

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Keep the messages of other threads waiting."""
        self.acquire()
        try:
            yield
        finally:
            self.release()

    @property
    def lines(self) -> tuple[str, ...]:
        """All messages so far, in their order."""
        return tuple(self._lines)


def _nobody(line: str) -> None:
    """The reader of a log that nobody follows."""


@define
class _SharedLevel:
    """The level of the package's logger: as low as the runs of all threads need, as it was when the last one ends."""

    _lock: Lock = field(factory=Lock, init=False)
    _before: int = field(default=logging.NOTSET, init=False)
    _effective: int = field(default=logging.NOTSET, init=False)
    _levels: list[int] = field(factory=list, init=False)

    @contextmanager
    def down_to(self, logger: logging.Logger, level: int) -> Iterator[None]:
        """Have messages of this level made for a while."""
        with self._lock:
            if not self._levels:
                self._before, self._effective = logger.level, logger.getEffectiveLevel()
            self._levels.append(level)
            logger.setLevel(min(self._effective, *self._levels))
        try:
            yield
        finally:
            with self._lock:
                self._levels.remove(level)
                logger.setLevel(min(self._effective, *self._levels) if self._levels else self._before)


_SHARED_LEVEL = _SharedLevel()


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
    with _SHARED_LEVEL.down_to(logger, handler.level):
        logger.addHandler(handler)
        token = _current.set(handler)
        try:
            yield handler
        finally:
            _current.reset(token)
            logger.removeHandler(handler)
            handler.close()


@contextmanager
def logged_to_terminal(*, verbose: bool) -> Iterator[None]:
    """Write the package's messages of level INFO and above to standard error for a while, if that is asked for."""
    if not verbose:
        yield
        return
    logger, handler = logging.getLogger(PACKAGE_LOGGER), logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(levelname)-7s %(message)s"))
    with _SHARED_LEVEL.down_to(logger, logging.INFO):
        logger.addHandler(handler)
        try:
            yield
        finally:
            logger.removeHandler(handler)


def in_this_run(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Wrap a function so that a worker thread logs into the run that started it."""
    context = copy_context()

    def call(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        # A copy for each call: one context cannot be entered by two threads at a time.
        return context.copy().run(function, *args, **kwargs)

    return call
