"""Processor time and memory of a call; it needs nothing, so that the peer's Python can use it as well."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable

__all__ = ["best_time", "peak_memory"]


def best_time(function: Callable[[], object], repeats: int) -> float:
    """Shortest processor time, seconds."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return min(times)


def peak_memory(function: Callable[[], object]) -> float:
    """Largest memory in use during the call, beyond what was in use before, megabytes."""
    tracemalloc.start()
    function()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6
