"""A budget of time that all calls of the web services share."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from attrs import define, field

__all__ = ["SERVICE_SECONDS", "TimeBudget"]

SERVICE_SECONDS = 60.0
"""Longest time that all services together may hold up a run."""


@define(eq=False)
class TimeBudget:
    """The time that services may still hold up a run.

    Only the time inside `spending` counts, so that a slow machine leaves as much of it to the services as a fast one.
    Threads that wait at the same time spend that time once.

    Attributes
    ----------
    seconds : float
        The whole budget.
    """

    seconds: float = SERVICE_SECONDS
    _spent: float = field(default=0.0, init=False)
    _waiting: int = field(default=0, init=False)
    _since: float = field(default=0.0, init=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False, repr=False)

    @contextmanager
    def spending(self) -> Iterator[None]:
        """Count the time of the block."""
        with self._lock:
            if self._waiting == 0:
                self._since = time.monotonic()
            self._waiting += 1
        try:
            yield
        finally:
            with self._lock:
                self._waiting -= 1
                if self._waiting == 0:
                    self._spent += time.monotonic() - self._since

    def spent(self) -> float:
        """Seconds that were spent so far."""
        with self._lock:
            return self._spent + (time.monotonic() - self._since if self._waiting else 0.0)

    def remaining(self) -> float:
        """Seconds that are left; 0 when all are spent."""
        return max(0.0, self.seconds - self.spent())

    def expired(self) -> bool:
        """Whether nothing is left."""
        return self.remaining() <= 0.0
