"""A budget of time that all calls of the web services share."""

from __future__ import annotations

import time

from attrs import Factory, frozen

__all__ = ["SERVICE_SECONDS", "Deadline"]

SERVICE_SECONDS = 60.0
"""Longest time that all services together may hold up a run."""


@frozen
class Deadline:
    """The moment after which no service is asked any more.

    Attributes
    ----------
    seconds : float
        The whole budget, from the making of this object.
    """

    seconds: float = SERVICE_SECONDS
    _end: float = Factory(lambda self: time.monotonic() + self.seconds, takes_self=True)

    def remaining(self) -> float:
        """Seconds that are left; 0 when it has passed."""
        return max(0.0, self._end - time.monotonic())

    def expired(self) -> bool:
        """Whether nothing is left."""
        return self.remaining() <= 0.0
