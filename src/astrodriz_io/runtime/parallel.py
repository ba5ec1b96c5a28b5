"""Work on many exposures in threads: results in order, and never more of them in memory than needed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from astrodriz_io.runtime.log import in_this_run

__all__ = ["ordered_map"]

Item = TypeVar("Item")
Result = TypeVar("Result")


def _nothing() -> None:
    """What most calls need to be stopped: they are soon done."""


def ordered_map(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    threads: int,
    *,
    stop: Callable[[], None] = _nothing,
) -> Generator[Result, None, None]:
    """Call a function on every item in threads and yield the results in the order of the items.

    At most ``threads + 1`` results are under way or waiting, so that memory stays bounded however many items
    there are. The results do not depend on the number of threads.

    Parameters
    ----------
    function : callable
        Called with each item.
    items : iterable
        What to work on.
    threads : int
        How many calls run at a time; with 1 everything runs in the caller's thread.
    stop : callable
        Called where nobody wants the further results, to end the calls that are under way.
    """
    if threads <= 1:
        yield from map(function, items)
        return
    waiting: deque[Future[Result]] = deque()
    call = in_this_run(function)
    with ThreadPoolExecutor(threads) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(call, item))
                if len(waiting) > threads:
                    yield _first(waiting)
            while waiting:
                yield _first(waiting)
        finally:
            under_way = [future for future in waiting if not future.cancel() and not future.done()]
            if under_way:
                stop()


def _first(waiting: deque[Future[Result]]) -> Result:
    """The next result; until it is there its call is among those that wait."""
    result = waiting[0].result()
    waiting.popleft()
    return result
