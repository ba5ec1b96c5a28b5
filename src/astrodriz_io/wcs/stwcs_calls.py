"""Calling stwcs without its side effects on the rest of the interpreter.

It speaks on standard output and changes the levels of two loggers.
"""

from __future__ import annotations

import contextlib
import io
import logging
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

import astropy
from astropy.io import fits
from stwcs.wcsutil import HSTWCS

from astrodriz_core.errors import InputError
from astrodriz_io.fits.files import FITS_FAILURES

__all__ = ["STWCS_FAILURES", "quiet_stwcs", "read_wcs", "stwcs_call"]

STWCS_FAILURES: tuple[type[Exception], ...] = (*FITS_FAILURES, NameError)
"""What single calls of stwcs raise: it has no exception class of its own, and a damaged file shows as any of these.

NameError is among them because stwcs 1.7 uses names that it never defines, in `altwcs` where an extension of an unusual
name has a WCS.
"""

_logger = logging.getLogger(__name__)

_STWCS_LOCK = threading.RLock()
"""stwcs writes to the interpreter's one standard output and to shared loggers, so one thread at a time."""


@contextlib.contextmanager
def quiet_stwcs(file_name: str) -> Iterator[None]:
    """Send what stwcs prints and astropy logs to our log, and put the levels of loggers back.

    One block at a time runs in an interpreter: the others wait. Nothing that takes long, and nothing that
    waits for another thread, belongs inside.

    Parameters
    ----------
    file_name : str
        File that stwcs works on, for the log.
    """
    with _STWCS_LOCK:
        caught = _OwnThreadOutput(sys.stdout)
        messages = _OwnThreadMessages()
        loggers = (logging.getLogger("stwcs.updatewcs"), astropy.log)
        levels = [logger.level for logger in loggers]
        astropy.log.addFilter(messages)
        try:
            with contextlib.redirect_stdout(cast(IO[str], caught)):
                yield
        finally:
            astropy.log.removeFilter(messages)
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
    for line in filter(None, map(str.strip, (*caught.text.splitlines(), *messages.caught))):
        _logger.debug("%s: stwcs: %s", file_name, line)


def read_wcs(source: fits.HDUList | Path, extension: tuple[str, int], name: str) -> HSTWCS:
    """Whole WCS of a chip, distortion included.

    Parameters
    ----------
    source : HDUList or Path
        The exposure, open or by its file.
    extension : tuple of (str, int)
        EXTNAME and EXTVER.
    name : str
        Name of the file, for the message.

    Raises
    ------
    InputError
        The header does not describe a celestial WCS.
    """
    try:
        wcs = HSTWCS(str(source) if isinstance(source, Path) else source, ext=extension)
        # wcslib looks at some keywords only now.
        wcs.wcs.set()
    except STWCS_FAILURES as failure:
        problem = f"the WCS cannot be read ({type(failure).__name__}: {failure})."
        where = f"{name}[{extension[0]},{extension[1]}]"
        raise InputError(problem, where=where, remedy="Calibrate or fetch the exposure again.") from failure
    return wcs


@contextlib.contextmanager
def stwcs_call(hdulist: fits.HDUList) -> Iterator[None]:
    """Turn what a single call of stwcs raises on an exposure that it cannot work with into an `InputError`.

    Nothing but that call belongs inside: a defect of our own is no fault of the exposure.
    """
    try:
        yield
    except STWCS_FAILURES as failure:
        problem = f"its WCS solutions cannot be changed ({type(failure).__name__}: {failure})."
        where = Path(hdulist.filename() or "").name
        raise InputError(problem, where=where, remedy="Calibrate or fetch the exposure again.") from failure


class _OwnThreadMessages(logging.Filter):
    """Filter that keeps what the thread that made it logs, and lets the others' messages pass."""

    def __init__(self) -> None:
        super().__init__()
        self._thread = threading.get_ident()
        self.caught: list[str] = []

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep the message of the own thread; True lets one pass."""
        if record.thread != self._thread:
            return True
        self.caught.append(" ".join(record.getMessage().split()))
        return False


class _OwnThreadOutput(io.TextIOBase):
    """Standard output that keeps what the thread that made it writes, and passes on the others' output."""

    def __init__(self, outer: IO[str] | None) -> None:
        self._outer = outer
        self._thread = threading.get_ident()
        self._caught = io.StringIO()

    @property
    def text(self) -> str:
        """What was caught so far."""
        return self._caught.getvalue()

    def write(self, text: str) -> int:
        """Write to the catch or to the output behind it, by the thread that calls."""
        own = threading.get_ident() == self._thread
        target = self._caught if own else self._outer
        return len(text) if target is None else target.write(text)

    def flush(self) -> None:
        """Flush the output behind it."""
        if self._outer is not None:
            self._outer.flush()

    def isatty(self) -> bool:
        """Whether the output behind it is a terminal."""
        return self._outer is not None and self._outer.isatty()
