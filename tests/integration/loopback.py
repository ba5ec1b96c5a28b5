"""A web server on this machine that answers as the archive's services do, or fails in a chosen way."""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit

Reply = tuple[int, bytes]


class Loopback:
    """Where the server is, what it was asked, and how it fails.

    `fault` is None, "refuse", "slow", "drip", "drip header", "garbage", "truncate", "short", or an HTTP status as text;
    it applies to the next `faults` requests whose path holds `only`.
    """

    def __init__(self, answer: Callable[[str, dict[str, str]], Reply]) -> None:
        self.answer = answer
        self.fault: str | None = None
        self.faults = 10**6
        self.only = ""
        self.asked: list[str] = []
        self.stopped = threading.Event()
        self.address = ""


@contextmanager
def serving(answer: Callable[[str, dict[str, str]], Reply]) -> Iterator[Loopback]:
    """Serve ``answer(path, query)``, which gives a status and a body."""
    loopback = Loopback(answer)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _handle(self, loopback)

        def log_message(self, *_: object) -> None:
            pass

    with _serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler), loopback):
        yield loopback


@contextmanager
def saying(sent: bytes) -> Iterator[Loopback]:
    """A server that sends the same bytes to everybody, whatever they are."""
    loopback = Loopback(lambda path, query: (200, b""))

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(65536)
            self.request.sendall(sent)

    with _serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler), loopback):
        yield loopback


@contextmanager
def _serving(server: ThreadingHTTPServer | socketserver.ThreadingTCPServer, loopback: Loopback) -> Iterator[None]:
    """Serve from a thread of its own until the block ends."""
    server.daemon_threads = True
    loopback.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        loopback.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _handle(request: BaseHTTPRequestHandler, loopback: Loopback) -> None:
    url = urlsplit(request.path)
    loopback.asked.append(request.path)
    fault = loopback.fault if loopback.only in request.path and loopback.faults > 0 else None
    loopback.faults -= fault is not None
    if fault == "refuse":
        request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.close_connection = True
        request.connection.close()
        return
    if fault == "slow":
        loopback.stopped.wait(30)
    status, body = loopback.answer(unquote(url.path), dict(parse_qsl(url.query)))
    if fault is not None and fault.isdigit():
        status, body = int(fault), b"<html>no</html>"
    if fault == "garbage":
        body = bytes(range(256)) * 2
    if fault == "short":
        body = body[: len(body) // 2]
    _send(request, status, body, fault)


def _send(request: BaseHTTPRequestHandler, status: int, body: bytes, fault: str | None) -> None:
    if fault == "drip header":
        body = b"HTTP/1.1 200 OK\r\nX: " + b"a" * 10**5
    else:
        _send_header(request, status, body)
    try:
        if fault in ("drip", "drip header"):
            for byte in body:
                request.wfile.write(bytes([byte]))
                time.sleep(0.05)
        else:
            request.wfile.write(body[: len(body) // 2] if fault == "truncate" else body)
    except OSError:
        request.close_connection = True


def _send_header(request: BaseHTTPRequestHandler, status: int, body: bytes) -> None:
    request.send_response(status)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
