"""One HTTP request with a limit on time, size and repetition, and one typed error for all that can go wrong."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import ClassVar, TypeVar
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, ParseError

import requests
from attrs import field, frozen
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from astrodriz_core.errors import AstrodrizError
from astrodriz_io.services.cuttable import Connections, cuttable_session, within
from astrodriz_io.services.time_budget import TimeBudget

__all__ = ["NotFoundError", "TryAgainError", "WebClient", "WebService", "parse_xml"]

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")

ATTEMPTS = 3
"""A service that failed three times in a few seconds is down."""

FIRST_WAIT = 0.5
"""Seconds before the second attempt; each further wait is twice as long."""

CONNECT_SECONDS = 5.0
"""Longest wait for a connection."""

READ_SECONDS = 20.0
"""Longest wait for the whole of one reply."""

MAX_BYTES = 64 * 1024 * 1024
"""More than any reply of these services; a greater one is not what was asked for."""

CHUNK_BYTES = 65536


NETWORK_FAILURES = (requests.RequestException, OSError, ValueError)
"""What requests raises; a ValueError comes of addresses and replies that make no sense."""


class NotFoundError(Exception):
    """The service answered with status 404: it has nothing under this address."""


class TryAgainError(Exception):
    """An attempt failed, or its reply was damaged, in a way that the next one may not be."""


@frozen
class WebClient:
    """A client of one service.

    Attributes
    ----------
    service : str
        What it is called in messages.
    error : type of AstrodrizError
        Raised when there is no usable answer.
    budget : TimeBudget
        Shared by all services of a run.
    attempts : int
    first_wait : float
        Seconds.
    read_seconds : float
    """

    service: str
    error: type[AstrodrizError]
    budget: TimeBudget
    attempts: int = ATTEMPTS
    first_wait: float = FIRST_WAIT
    read_seconds: float = READ_SECONDS
    _down: threading.Event = field(factory=threading.Event, eq=False, repr=False)

    def get(self, url: str, parameters: Mapping[str, str | float] | None, parse: Callable[[bytes], Answer]) -> Answer:
        """What `parse` makes of the reply to a GET request.

        Connections that fail, time-outs, replies cut short, statuses 429 and 5xx, and replies that `parse` calls
        damaged (`TryAgainError`) are tried again, as long as the budget allows. A service that failed each time is
        not asked again by this client.

        Raises
        ------
        NotFoundError
            Status 404.
        AstrodrizError
            There is no usable answer; the class is the client's own.
        """
        with self.budget.spending():
            return self._try(url, parameters, parse)

    def _try(self, url: str, parameters: Mapping[str, str | float] | None, parse: Callable[[bytes], Answer]) -> Answer:
        """Ask until there is a usable answer, or no attempt or time is left."""
        wait, reason = self.first_wait, "it failed before and is not asked again"
        for attempt in range(0 if self._down.is_set() else self.attempts):
            if attempt:
                time.sleep(min(wait, self.budget.remaining()))
                wait *= 2
            if self.budget.expired():
                reason = reason if attempt else "not asked, because the time for web services was used up"
                break
            try:
                return parse(self._once(url, parameters))
            except TryAgainError as failure:
                reason = str(failure)
                logger.info("%s, attempt %d of %d: %s", self.service, attempt + 1, self.attempts, reason)
        self._down.set()
        raise self._error(url, reason)

    def _once(self, url: str, parameters: Mapping[str, str | float] | None) -> bytes:
        """One attempt, which a server that drips bytes cannot draw out."""
        limit = min(self.read_seconds, self.budget.remaining())
        try:
            return within(limit, lambda connections: self._fetch(url, parameters, limit, connections))
        except TimeoutError as failure:
            raise TryAgainError(f"no complete reply within {limit:.1f} s") from failure
        except NETWORK_FAILURES as failure:
            raise TryAgainError(_short(failure)) from failure

    def _fetch(
        self, url: str, parameters: Mapping[str, str | float] | None, limit: float, connections: Connections
    ) -> bytes:
        timeout = (min(CONNECT_SECONDS, limit), limit)
        with (
            cuttable_session(connections) as session,
            session.get(url, params=parameters, timeout=timeout, stream=True) as reply,
        ):
            if reply.status_code == requests.codes.not_found:
                raise NotFoundError(url)
            if reply.status_code == requests.codes.too_many_requests or reply.status_code >= 500:
                raise TryAgainError(f"status {reply.status_code}")
            if reply.status_code != requests.codes.ok:
                raise self._error(url, f"status {reply.status_code}")
            body = bytearray()
            for chunk in reply.iter_content(CHUNK_BYTES):
                body += chunk
                if len(body) > MAX_BYTES:
                    raise TryAgainError("the reply was too long")
            return self._complete(bytes(body), reply.headers.get("Content-Length"))

    @staticmethod
    def _complete(body: bytes, promised: str | None) -> bytes:
        """The body, if it has the length that its header promised."""
        if promised is not None and promised.isdigit() and len(body) < int(promised):
            raise TryAgainError(f"the reply was cut short ({len(body)} of {promised} bytes)")
        return body

    def _error(self, url: str, reason: str) -> AstrodrizError:
        return self.error(
            f"The {self.service} gave no usable answer: {reason.removesuffix('.')}.",
            where=_host_of(url),
            remedy="The run goes on without it; check the address and the network.",
        )


@frozen
class WebService:
    """A service of the archive: where it is, and the client that asks it. Each kind of service is a subclass.

    Attributes
    ----------
    address : str
        A slash at its end is as none.
    budget : TimeBudget
    client : WebClient
        By default one that says `TITLE` in messages and raises `ERROR`.
    """

    TITLE: ClassVar[str]
    ERROR: ClassVar[type[AstrodrizError]]

    address: str
    budget: TimeBudget = field(factory=TimeBudget)
    client: WebClient = field()

    @client.default
    def _own_client(self) -> WebClient:
        return WebClient(self.TITLE, self.ERROR, self.budget)

    @property
    def host(self) -> str:
        """Host and port, for messages; empty where the address has none."""
        return _host_of(self.address)

    def url(self, path: str) -> str:
        """Address of something that the service has."""
        return f"{self.address.rstrip('/')}/{path}"


def _host_of(url: str) -> str:
    """Host and port of an address, for messages; empty where it has none."""
    try:
        return urlsplit(url).netloc
    except ValueError:
        return ""


def parse_xml(body: bytes, service: str) -> Element:
    """Root of an XML reply.

    Raises
    ------
    TryAgainError
        It is not XML, or it declares entities, which no such reply needs and which can grow without limit.
    """
    try:
        root: Element = fromstring(body, forbid_dtd=True)
    except DefusedXmlException as failure:
        raise TryAgainError(f"the reply of the {service} declares entities") from failure
    except (ParseError, ValueError, LookupError) as failure:
        raise TryAgainError(f"the reply of the {service} is not XML") from failure
    return root


def _short(failure: BaseException) -> str:
    """The kind of a network failure, without the addresses of objects that its text holds."""
    return type(failure).__name__
