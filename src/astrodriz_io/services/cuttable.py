"""Network calls that end: when their time is up their connections are cut, so that no thread stays behind."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, TypeVar

import requests
from attrs import define, field
from requests.adapters import HTTPAdapter

__all__ = ["Connections", "cuttable", "cuttable_session", "within"]

Answer = TypeVar("Answer")

GRACE_SECONDS = 1.0
"""Longest wait for a thread after its connections were cut. One that looks up an address or connects cannot be cut;
it ends when the system's resolver or the time limit of the connection lets it."""


@define
class Connections:
    """The connections of one call, which another thread may cut."""

    _handles: list[socket.socket] = field(factory=list, init=False)
    _is_cut: bool = field(default=False, init=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False)

    def add(self, connection: socket.socket) -> None:
        """Watch a connection; cut it at once where the others were cut already."""
        # A handle of our own: the one of the caller may be closed, and its number given to another file, at any time.
        with self._lock:
            self._handles.append(socket.fromfd(connection.fileno(), connection.family, connection.type))
            is_cut = self._is_cut
        if is_cut:
            self.cut()

    def cut(self) -> None:
        """End all connections: whoever waits for one of them is told that its stream has ended."""
        with self._lock:
            self._is_cut = True
            while self._handles:
                with self._handles.pop() as handle, suppress(OSError):
                    handle.shutdown(socket.SHUT_RDWR)


def within(seconds: float, call: Callable[[Connections], Answer]) -> Answer:
    """What a call gives, in a thread of its own, if it gives it in time.

    Parameters
    ----------
    seconds : float
        How long to wait.
    call : callable
        Has to add each connection that it opens to the `Connections` that it gets. What it raises is raised here.

    Raises
    ------
    TimeoutError
        It is not ready; its connections are cut.
    """
    connections = Connections()
    pool = ThreadPoolExecutor(1, thread_name_prefix="astrodriz-service")
    answer = pool.submit(call, connections)
    try:
        return answer.result(seconds)
    finally:
        connections.cut()
        ended, _ = wait([answer], GRACE_SECONDS)
        pool.shutdown(wait=bool(ended))


def cuttable(connection_class: Any, connections: Connections) -> type:
    """A class of HTTP connections like the given one, whose connections are watched as soon as they are open."""

    def connect(connection: Any) -> None:
        connection_class.connect(connection)
        connections.add(connection.sock)

    return type(connection_class.__name__, (connection_class,), {"connect": connect})


class _WatchedAdapter(HTTPAdapter):
    """What makes the connections of a session: watched ones."""

    def __init__(self, connections: Connections) -> None:
        super().__init__()
        self._connections = connections

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        """The pool that requests takes a connection from."""
        pool = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = cuttable(pool.ConnectionCls, self._connections)
        return pool


@contextmanager
def cuttable_session(connections: Connections) -> Iterator[requests.Session]:
    """A session whose connections, to proxies too, are watched; all its replies are closed with it."""
    adapter = _WatchedAdapter(connections)
    with ExitStack() as replies, requests.Session() as session:
        # requests forgets a reply that leads to an address which makes no sense.
        session.hooks["response"].append(lambda reply, **_: _closed_by(replies, reply))
        for scheme in ("http://", "https://"):
            session.mount(scheme, adapter)
        yield session


def _closed_by(replies: ExitStack, reply: requests.Response) -> None:
    replies.callback(reply.close)
