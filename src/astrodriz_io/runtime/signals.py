"""Ctrl-C, SIGTERM and SIGHUP: each ends a command in good order."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeAlias

__all__ = ["SIGNALLED", "STOPPING", "Stopped", "handling", "stoppable"]

Handler: TypeAlias = Callable[[int, FrameType | None], object]

STOPPING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""Signals that ask a program to end."""

SIGNALLED = 128
"""Added to the number of a signal it is the exit code, as that of a shell."""

QUIET_SECONDS = 5.0
"""A closing terminal sends several signals, and Ctrl-C is pressed twice: what follows so soon is the same wish."""


class Stopped(KeyboardInterrupt):
    """A signal has asked the program to end.

    Attributes
    ----------
    number : int
        Number of the signal.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        name = signal.Signals(number).name
        super().__init__(f"by {name} (Ctrl-C)" if number == signal.SIGINT else f"by {name}")


@contextmanager
def handling(handler: Handler) -> Iterator[None]:
    """Give the signals that ask the program to end to a handler, and to those before it afterwards.

    Signals that are ignored, as under nohup, stay so. In another thread than the main one nothing is changed, since
    Python lets no other set handlers.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in STOPPING}
    taken = [number for number, old in before.items() if old not in (signal.SIG_IGN, None)]
    try:
        for number in taken:
            signal.signal(number, handler)
        yield
    finally:
        for number in taken:
            signal.signal(number, before[number])


@contextmanager
def stoppable() -> Iterator[None]:
    """Have signals that ask the program to end raise `Stopped`, once, so that the end is not itself interrupted."""
    last = -QUIET_SECONDS

    def stop(number: int, _: FrameType | None) -> None:
        nonlocal last
        if time.monotonic() - last >= QUIET_SECONDS:
            last = time.monotonic()
            raise Stopped(number)

    def lost(unraisable: sys.UnraisableHookArgs) -> None:
        """Python drops what is raised while an object is finalised: ask again, when that is over."""
        nonlocal last
        if not isinstance(unraisable.exc_value, Stopped):
            hook(unraisable)
            return
        last = -QUIET_SECONDS
        again = threading.Timer(0.1, signal.raise_signal, (unraisable.exc_value.number,))
        again.daemon = True
        again.start()

    hook = sys.unraisablehook
    with handling(stop):
        sys.unraisablehook = lost
        try:
            yield
        finally:
            sys.unraisablehook = hook
