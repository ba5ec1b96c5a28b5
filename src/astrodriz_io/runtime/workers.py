"""Worker processes for what holds the interpreter's lock; small work stays in threads of this process.

The processes are ours, and not those of `multiprocessing`: these import the user's script again, which would
start its runs a second time, and one whose parent was killed waits for ever.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from typing import Any, TypeVar, cast

from attrs import define, field
from numpy.typing import NDArray

from astrodriz_core.errors import ResourceError
from astrodriz_io.runtime.log import PACKAGE_LOGGER
from astrodriz_io.runtime.parallel import ordered_map
from astrodriz_io.runtime.worker import Answer, Keep, Request, packed, read_message, unpacked, write_message

__all__ = ["Workers", "worker_processes"]

Item = TypeVar("Item")
Result = TypeVar("Result")

WORTH_A_PROCESS = 3_000_000
"""Pixels from which on processes gain more than their start takes, which is a second."""

ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB_MAXIMUM")}
"""As many processes work as are wanted; the libraries in them shall not start threads as well."""

START = "import sys; sys.path[:] = {path}; from astrodriz_io.runtime.worker import serve; serve()"

REMEDY = "Give one core (-n 1), or see what has ended it: where memory is short, the system does."


class _Worker:
    """One process, asked by one thread at a time."""

    def __init__(self) -> None:
        self.is_alive = True
        # Of a session of its own, so that Ctrl-C is the caller's alone; it ends when its input does.
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-c", START.format(path=ascii(sys.path))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=os.environ | ONE_THREAD,
                start_new_session=True,
            )
        except OSError as error:
            raise ResourceError(f"A worker process cannot be started: {error.strerror}.", remedy=REMEDY) from error

    def ask(self, request: bytes) -> bytes:
        """The answer to a request."""
        with suppress(BrokenPipeError):
            write_message(cast(Any, self._process.stdin), request)
        answer = read_message(cast(Any, self._process.stdout))
        if answer is None:
            raise _lost(self._process.wait())
        return answer

    def kill(self) -> None:
        """End it, whatever it does; who has asked it gets an error, if there was no answer yet."""
        self.is_alive = False
        self._process.kill()

    def bury(self) -> None:
        """End it; nobody waits for an answer."""
        with suppress(BrokenPipeError):
            self._process.__exit__(None, None, None)


@define(eq=False)
class _KeptOnce:
    """Keeps each array once, however many items have it."""

    _keep: Keep
    _kept: dict[int, tuple[NDArray[Any], NDArray[Any]]] = field(factory=dict, init=False)
    """By the identity of an array, which is its own as long as the array is held here."""
    _lock: threading.Lock = field(factory=threading.Lock, init=False, repr=False)

    def __call__(self, array: NDArray[Any]) -> NDArray[Any]:
        with self._lock:
            if id(array) not in self._kept:
                self._kept[id(array)] = array, self._keep(array)
            return self._kept[id(array)][1]


@define(eq=False)
class Workers:
    """As many processes as cores may be used, started when first needed; to be used from one thread.

    Parameters
    ----------
    count : int
        How many calls run at a time; with 1 everything runs in the caller's thread.
    worth : int
        Pixels from which on there are processes.
    """

    count: int = 1
    worth: int = field(factory=lambda: WORTH_A_PROCESS)
    _idle: list[_Worker] = field(factory=list, init=False)
    _busy: set[_Worker] = field(factory=set, init=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False, repr=False)

    def map(
        self,
        function: Callable[[Item], Result],
        items: Iterable[Item],
        pixels: int | None,
        keep: Keep | None = None,
    ) -> Iterator[Result]:
        """Call a function on every item; yield the results in the order of the items, which are the same anyhow.

        Parameters
        ----------
        function : callable
            One of a module, or a `functools.partial` of one. What it is given and gives has names of arrays in
            mapped files, and little else that is large: the rest is copied from process to process.
        items : iterable
            What to work on.
        pixels : int or None
            How many pixels are worked on in all; None keeps the work in this process.
        keep : callable, optional
            Puts an array that is in memory into a mapped file; else it is copied from process to process.

        Raises
        ------
        ResourceError
            A process was ended from outside, or cannot be started.
        """
        if not self.processes(pixels):
            return ordered_map(function, items, self.count)
        return self._map_apart(partial(self._call, function, None if keep is None else _KeptOnce(keep)), items)

    def _map_apart(self, call: Callable[[Item], Answer], items: Iterable[Item]) -> Iterator[Any]:
        """The results; what was told on the way to each is told before it is given, so in the order of the items."""
        with closing(ordered_map(call, items, self.count, stop=self._kill)) as answers:
            for answer in answers:
                yield _told(answer)

    def processes(self, pixels: int | None) -> int:
        """How many processes work on so many pixels; 0 where this one does."""
        apart = self.count > 1 and pixels is not None and pixels >= self.worth and bool(sys.executable)
        return self.count if apart else 0

    def close(self) -> None:
        """End all processes."""
        while self._idle:
            self._idle.pop().bury()

    def _call(self, function: Callable[[Item], Result], keep: Keep | None, item: Item) -> Answer:
        level = logging.getLogger(PACKAGE_LOGGER).getEffectiveLevel()
        request = packed(Request(function, item, PACKAGE_LOGGER, level), keep)
        with self._taken() as worker:
            content = worker.ask(request)
        return cast(Answer, unpacked(content))

    @contextmanager
    def _taken(self) -> Iterator[_Worker]:
        """A process for one call; one that has not answered, or was ended, is of no further use."""
        with self._lock:
            worker = self._idle.pop() if self._idle else _Worker()
            self._busy.add(worker)
        useful = False
        try:
            yield worker
            useful = True
        finally:
            with self._lock:
                self._busy.remove(worker)
                useful = useful and worker.is_alive
                if useful:
                    self._idle.append(worker)
            if not useful:
                worker.bury()

    def _kill(self) -> None:
        """End what is being calculated, for which nobody waits any more."""
        with self._lock:
            for worker in self._busy:
                worker.kill()


@contextmanager
def worker_processes(count: int) -> Iterator[Workers]:
    """The processes of one run; none outlives it."""
    workers = Workers(count)
    try:
        yield workers
    finally:
        workers.close()


def _told(answer: Answer) -> object:
    """The result, after all that was told on the way was told here."""
    for record in answer.messages:
        logging.getLogger(record.name).handle(record)
    for warning, category, file, line in answer.warned:
        warnings.warn_explicit(warning, category, file, line)
    if answer.error is not None:
        raise answer.error
    return answer.result


def _lost(status: int) -> ResourceError:
    how = f"signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
    return ResourceError(f"A worker process was ended from outside ({how}).", remedy=REMEDY)
