"""What a worker process does: it answers one request after the other, and ends as soon as nobody asks any more.

The modules that it imports are those of the functions that it is asked to call.
"""

from __future__ import annotations

import logging
import os
import pickle
import struct
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from io import BytesIO
from logging.handlers import QueueHandler
from queue import SimpleQueue
from typing import Any, BinaryIO, TypeAlias, cast

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from astrodriz_io.runtime.mapped import name_of

__all__ = ["Answer", "Keep", "Request", "packed", "read_message", "serve", "unpacked", "write_message"]

COPIED = 1_000_000
"""Bytes up to which an array may be copied from one process to another."""

LENGTH = struct.Struct("<Q")
"""Before each message: how many bytes it has."""


@frozen(eq=False)
class Request:
    """A call.

    Attributes
    ----------
    function : callable
        A function of a module, or a `functools.partial` of one.
    item : object
        Its argument.
    logger : str
        Messages to this logger, and to those below it, are wanted...
    level : int
        ...from this level on.
    """

    function: Callable[[Any], Any]
    item: Any
    logger: str
    level: int


@frozen(eq=False)
class Answer:
    """What a call gave: its result, or the error that ended it, and what it told meanwhile."""

    result: Any
    error: BaseException | None
    messages: tuple[logging.LogRecord, ...]
    warned: tuple[tuple[Warning, type[Warning], str, int], ...]


Keep: TypeAlias = Callable[[NDArray[Any]], NDArray[Any]]
"""Brings an array into a mapped file, and gives it as it is there."""


class _Pickler(pickle.Pickler):
    """Names arrays of mapped files instead of copying them."""

    def __init__(self, stream: BinaryIO, keep: Keep | None) -> None:
        super().__init__(stream, pickle.HIGHEST_PROTOCOL)
        self._keep = keep

    def persistent_id(self, item: object) -> object:
        if not isinstance(item, np.ndarray):
            return None
        name = name_of(item)
        return name_of(self._keep(item)) if name is None and self._keep and item.nbytes > COPIED else name


class _Unpickler(pickle.Unpickler):
    def persistent_load(self, name: Any) -> object:
        return name.array()


def packed(message: object, keep: Keep | None = None) -> bytes:
    """A message as bytes; large arrays that are in no mapped file are kept before, where it is said how."""
    stream = BytesIO()
    _Pickler(stream, keep).dump(message)
    return stream.getvalue()


def unpacked(content: bytes) -> Any:
    """The message."""
    return _Unpickler(BytesIO(content)).load()


def write_message(stream: BinaryIO, content: bytes) -> None:
    """Write a message so that the other side knows where it ends."""
    stream.write(LENGTH.pack(len(content)) + content)
    stream.flush()


def read_message(stream: BinaryIO) -> bytes | None:
    """The next message; None where the other side has ended."""
    length = stream.read(LENGTH.size)
    if len(length) < LENGTH.size:
        return None
    (size,) = LENGTH.unpack(length)
    content = stream.read(size)
    return content if len(content) == size else None


def serve() -> None:
    """Answer what comes in on standard input until it is closed, as it is when the process that asks has ended."""
    # Whatever writes to standard output, in C too, must not get between the answers.
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as answers, ThreadPoolExecutor(1) as calling:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        for content in _requests(sys.stdin.buffer):
            calling.submit(_answer, content).add_done_callback(partial(_send, answers))
        # At once: what is being calculated serves nobody.
        os._exit(0)


def _requests(stream: BinaryIO) -> Iterator[bytes]:
    while (content := read_message(stream)) is not None:
        yield content


def _send(answers: BinaryIO, call: Future[bytes]) -> None:
    if call.exception() is not None:
        traceback.print_exception(call.exception())
        os._exit(1)
    write_message(answers, call.result())


def _answer(content: bytes) -> bytes:
    request: Request = unpacked(content)
    heard: SimpleQueue[logging.LogRecord] = SimpleQueue()
    logger, handler = logging.getLogger(request.logger), QueueHandler(heard)
    logger.setLevel(request.level)
    logger.addHandler(handler)
    with warnings.catch_warnings(record=True) as warned, ThreadPoolExecutor(1) as guard:
        warnings.simplefilter("always")
        call = guard.submit(request.function, request.item)
        error = call.exception()
    logger.removeHandler(handler)
    if error is not None:
        error.add_note("".join(traceback.format_exception(error)))
    return packed(
        Answer(
            result=None if error is not None else call.result(),
            error=error,
            messages=tuple(heard.get() for _ in range(heard.qsize())),
            warned=tuple((cast(Warning, each.message), each.category, each.filename, each.lineno) for each in warned),
        )
    )
