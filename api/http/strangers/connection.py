"""uvicorn's connection with what it has no setting for: a stranger's request is refused before anything is parsed."""

from __future__ import annotations

from asyncio import TimerHandle, Transport
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.http.problems import Problem
from api.http.strangers.bounds import Bounds, room
from api.http.strangers.crowd import Crowd


def written(problem: Problem) -> bytes:
    """Return an answer as it goes over the wire where no application is asked; the line is closed after it."""
    answer = problem.response()
    lines = [f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}".encode()]
    lines += [name + b": " + value for name, value in answer.raw_headers]
    return b"\r\n".join([*lines, b"x-content-type-options: nosniff", b"connection: close", b"", bytes(answer.body)])


TOO_MUCH = written(Problem(431, "headers_too_large", "the address and the headers are too long, or too many"))
TOO_LATE = written(Problem(408, "too_late", "the request did not come in time; send it again"))
FULL = written(Problem(503, "full", "too many connections are open", headers={"Retry-After": "10"}))
COLON_AND_END = 4
"""Bytes of a header line besides its name and value."""
FRAMING = 8
"""Bytes that may stand around each byte of a body that comes in chunks."""
PIECES, PIECE = 1_000, 16
"""How many pieces a body may come in, of whatever size, and of how many bytes each is on the average beyond that."""


class BoundedConnection(HttpToolsProtocol):
    """One connection. `bounded` says by what."""

    bounds: Bounds
    crowd: Crowd

    def __init__(self, *given: Any, **named: Any) -> None:  # noqa: ANN401 - uvicorn's own
        super().__init__(*given, **named)
        self.address = ""
        self._closing = False
        self._in_head, self._in_body = False, False
        self._head, self._headers, self._body, self._pieces, self._fed, self._unread = 0, 0, 0, 0, 0, 0
        self._began = 0.0
        self._timer: TimerHandle | None = None
        self._stalled: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Let somebody in, or say that it is full."""
        super().connection_made(transport)
        self.address = self.client[0] if self.client else ""
        if self.crowd.enters(self, many=self.bounds.is_trusted(self.address)):
            self._wait_for_head()
        else:
            transport.write(FULL)
            self.let_go()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget them."""
        self._closing = True
        self._stop()
        self.resume_writing()
        self.crowd.leaves(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came, as long as it is not too much. What a request begins with is counted when it is read."""
        if self._closing:
            self._drop(data)
            return
        self._fed += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._in_body:
            self._weigh(self._fed - self._body - FRAMING * self._body)
            if self._timer is None:
                self._body_due()
        elif self._in_head or self._idle:
            self._weigh(self._fed)
            if self._timer is None:
                self._wait_for_head()

    def let_go(self) -> None:
        """Close a connection of which nothing is being answered."""
        self._closing = True
        self.transport.close()

    def on_message_begin(self) -> None:
        """Begin to count."""
        super().on_message_begin()
        self._in_head, self._head, self._headers, self._fed = True, 0, 0, 0

    def on_url(self, url: bytes) -> None:
        """Count the address."""
        self._head += len(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a header, and keep it only as long as they are few; those after a body are nobody's."""
        self._head += len(name) + len(value) + COLON_AND_END
        self._headers += 1
        if self._in_head and self._headers <= self.bounds.headers:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Hand the request over, unless it is too much."""
        if not self._closing:
            self._weigh(self._head)
        if self._closing:
            return
        self._stop()
        self.crowd.asks(self)
        self._in_head, self._in_body = False, True
        self._body, self._pieces, self._fed, self._unread, self._began = 0, 0, 0, 0, self.loop.time()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Count a body; what comes after the answer is out is read for a while, or the answer would be lost."""
        if self._closing:
            return
        self._body += len(body)
        self._pieces += 1
        if self._pieces > PIECES + self._body // PIECE:
            self._refuse(TOO_MUCH)
            return
        if self.cycle.response_complete:
            self._drop(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Stop the clock."""
        if self._closing:
            return
        self._in_body, self._fed = False, 0
        self._stop()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        if self.cycle.response_complete and not self.transport.is_closing():
            self.crowd.waits(self)

    def pause_writing(self) -> None:
        """Give whoever takes nothing of their answer a while."""
        super().pause_writing()
        self._stalled = self.loop.call_later(self.bounds.stalled_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on."""
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None
        super().resume_writing()

    @property
    def _idle(self) -> bool:
        """Whether nothing is being answered."""
        return bool(getattr(self.cycle, "response_complete", True))  # there is none before the first

    def _weigh(self, size: int) -> None:
        few = self._headers <= self.bounds.headers and len(self.pipeline) < self.bounds.waiting
        if size > self.bounds.head or not few:
            self._refuse(TOO_MUCH)

    def _wait_for_head(self) -> None:
        self._set(self.bounds.head_seconds, lambda: self._refuse(TOO_LATE))

    def _body_due(self) -> None:
        """Close on whoever dribbles. While we ourselves do not read, nobody is late."""
        now = self.loop.time()
        due = self._began + self.bounds.body_seconds + self._body / self.bounds.body_rate
        if self.flow.read_paused:
            due = now + self.bounds.body_seconds
        if now < due:
            self._set(due - now, self._body_due)
        else:
            self._refuse(TOO_LATE)

    def _refuse(self, answer: bytes) -> None:
        """Say no, and nothing into the middle of another answer. What is still on its way is dropped for a while.

        Closed at once, the line would be reset, and the answer lost with it.
        """
        self._closing = True
        busy = not self._idle
        if busy:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if (busy and (self._in_head or self.cycle.response_started)) or not self.transport.can_write_eof():
            self.let_go()
            return
        self.transport.write(answer)
        self.transport.write_eof()
        self.transport.resume_reading()
        self._set(self.bounds.farewell_seconds, self.transport.abort)

    def _drop(self, data: bytes) -> None:
        self._unread += len(data)
        if self._unread > self.bounds.unread:
            self._closing = True
            self.transport.abort()

    def _set(self, seconds: float, then: Callable[[], None]) -> None:
        self._stop()
        self._timer = self.loop.call_later(seconds, then)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def bounded(bounds: Bounds) -> type[BoundedConnection]:
    """Return the class of one server's connections."""
    crowd = Crowd(room(bounds.connections), bounds.of_address)
    return type("Connection", (BoundedConnection,), {"bounds": bounds, "crowd": crowd})
