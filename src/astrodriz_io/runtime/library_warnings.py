"""What the libraries warn of although it is meant to be so, and the filters that they leave behind.

photutils, astropy and stwcs change the warning filters of the whole interpreter while they work, which in several
threads at a time may leave them changed. While a run goes on the interpreter therefore has a copy of its filters; the
last run that ends puts the filters themselves back.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from attrs import define, field

__all__ = ["NOISE", "library_warnings"]

NOISE = (
    "Kernel .* is not a flux-conserving kernel",  # the user has chosen it; the documentation says what each does
    "Kernel reset to 'point' due to input 'pixfrac'",  # what a drop without extent means
    "Some non-standard WCS keywords were excluded",  # those of the distortion, which is read by other means
    "No sources were found",  # a chip without stars is an answer
    "Sources were found, but none pass",
    "Keyword name .* is greater than 8 characters",  # names that stwcs gives to keywords of alternate solutions
    "Card is too long, comment will be truncated",
    "'datfix' made the change",  # MJD-OBS that the older headers lack
    "The WCS transformation has more axes",  # headerlets have a WCS and no image
    "File may have been truncated",  # damaged files are refused with an error that says more
    "Error validating header for HDU",
)
"""Beginnings of the warnings that tell a user nothing; regular expressions."""


@define
class _SharedFilters:
    """A copy of the filters that the runs of all threads share; the first one makes it, the last one drops it."""

    _lock: threading.Lock = field(factory=threading.Lock, init=False)
    _runs: int = field(default=0, init=False)
    _own: ExitStack = field(factory=ExitStack, init=False)

    def enter(self) -> None:
        with self._lock:
            if self._runs == 0:
                self._own.enter_context(warnings.catch_warnings())
                for message in NOISE:
                    warnings.filterwarnings("ignore", message)
            self._runs += 1

    def leave(self) -> None:
        with self._lock:
            self._runs -= 1
            if self._runs == 0:
                self._own.close()


_SHARED = _SharedFilters()


@contextmanager
def library_warnings() -> Iterator[None]:
    """Ignore the noise of the libraries for a while, then have the warning filters as they were.

    For whole runs, which may overlap in several threads, and as a decorator; not for what runs inside of a worker.
    """
    _SHARED.enter()
    try:
        yield
    finally:
        _SHARED.leave()
