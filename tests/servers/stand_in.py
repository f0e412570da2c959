"""A server on loopback that stands in for a model's: it keeps what it was sent, and misbehaves on command.

What a server says is the business of its `wire`: a plain function from a `Request` to a `Response`, which checks the
request as the real server would. A `Fault` comes before it: by `queue` for the next requests, or by a function that
looks at each. One event loop in one thread serves a thousand slow requests at once.

In a test::

    with StandIn(wire) as server:
        server.queue(status(429, {"retry-after": "1"}), half_body())
        ...                                   # ask server.url
        assert server.requests[0].json()["model"] == "m"

For a run that is to be killed, it lives in a process of its own: see `servers.stand_in_apart`.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from itertools import count
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

BACKLOG = 2048
MOST_HEADER_BYTES = 1 << 16
OWN = "/_stand_in/"
"""Paths of the server's own, which are neither counted nor kept."""


@dataclass(frozen=True, slots=True)
class Request:
    """What was sent, whole.

    Attributes:
        number: from 1, in the order in which they were received in full.
        target: path and query, as sent.
        headers: by lower-case name.
        body: without chunking; empty where the server was told to keep none.
        at_s: of `time.monotonic`.
    """

    number: int
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    at_s: float

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.target).query)

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Response:
    """What is said: `body` in pieces is sent piece by piece, chunked; they need not come to an end."""

    status: int = 200
    body: bytes | Iterable[bytes] = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def say(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A response in JSON."""
    return Response(status, json.dumps(value).encode(), {"content-type": "application/json", **(headers or {})})


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with one request.

    Attributes:
        response: said in place of the wire's, which is then not asked.
        wait_s: before anything is said; a client that hangs up meanwhile ends it.
        cut: `half`: the connection closes in the middle of the body; `torn`: there, with RST; `stalled`: there nothing
            more comes, until the client hangs up; `drip`: it comes byte by byte, and ever more after it, until then;
            `reset`: at once, with RST, nothing said; `closed`: at once, without RST.
        drip_s: between two bytes.
    """

    response: Response | None = None
    wait_s: float = 0.0
    cut: Literal["half", "torn", "stalled", "drip", "reset", "closed"] | None = None
    drip_s: float = 0.01


def status(code: int, headers: Mapping[str, str] | None = None, body: Any = None) -> Fault:
    """This status; the body is an error in JSON unless given."""
    default = {"error": {"message": f"stand-in: {HTTPStatus(code).phrase}", "code": code}}
    return Fault(say(default if body is None else body, code, headers))


def hang(seconds: float = 3600) -> Fault:
    """Nothing is said for this long."""
    return Fault(wait_s=seconds)


slow = hang
"""The same, where the reply is to come after all."""


def half_body() -> Fault:
    """The reply breaks off in its middle."""
    return Fault(cut="half")


def torn() -> Fault:
    """The connection is reset in the middle of the reply."""
    return Fault(cut="torn")


def stalled() -> Fault:
    """The reply stops in its middle, and the connection stays open."""
    return Fault(cut="stalled")


def drip(every_s: float = 0.01) -> Fault:
    """The reply comes byte by byte, and does not end."""
    return Fault(cut="drip", drip_s=every_s)


def reset() -> Fault:
    """The connection is reset."""
    return Fault(cut="reset")


def closed() -> Fault:
    """The connection is closed, and nothing said."""
    return Fault(cut="closed")


def html(code: int = 200) -> Fault:
    """A page, such as a proxy's, where JSON was expected."""
    page = b"<!doctype html><title>Sign in</title><p>Please sign in to this network."
    return Fault(Response(code, page, {"content-type": "text/html"}))


Wire = Callable[[Request], Response]
Faults = Callable[[Request], Fault | None]


class StandIn:
    """The server; a context manager, or `start` and `stop`.

    Args:
        wire: what is said to a request that no fault meets; an exception of its own becomes a 500 and stands in
            `failures`, so that a test can demand that there be none.
        faults: what goes wrong with which request, after those that are queued.
        keep_bodies: off where the requests are too many to be kept.
        slow_s: how long every reply takes, by request where it is a function.

    Attributes:
        requests: all, in order of arrival.
        answered: how many replies were sent to their end.
        most_at_once: the largest number of requests that waited for their reply at one moment.
        open: how many wait for it now.
        connections: how many have been opened.
        failures: tracebacks of the wire.
    """

    def __init__(
        self, wire: Wire, *, faults: Faults | None = None, keep_bodies: bool = True, slow_s: float = 0.0
    ) -> None:
        self.wire, self.faults, self.keep_bodies, self.slow_s = wire, faults, keep_bodies, slow_s
        self.requests: list[Request] = []
        self.failures: list[str] = []
        self.answered = self.most_at_once = self.open = self.connections = 0
        self.port = 0
        self._queued: deque[Fault | None] = deque()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, daemon=True, name="stand-in")
        self._ready = threading.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Without a slash at its end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def calls(self) -> int:
        """How many requests were received in full."""
        return len(self.requests)

    def queue(self, *faults: Fault | None) -> None:
        """For the next requests, one each; None lets one pass."""
        self._queued.extend(faults)

    def start(self) -> StandIn:
        self._thread.start()
        if not self._ready.wait(10):
            raise RuntimeError("the stand-in server did not start within 10 s")
        return self

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def __enter__(self) -> StandIn:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        start = asyncio.start_server(self._connection, "127.0.0.1", 0, backlog=BACKLOG, limit=1 << 18)
        server = self._loop.run_until_complete(start)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for task in self._tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*self._tasks, return_exceptions=True))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            while await self._one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client went away, or the server is stopped
        finally:
            self._tasks.discard(task)
            writer.close()
            with suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request; whether another may follow on this connection."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return False
        method, target, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:] if line)
        }
        body = await _body_of(reader, headers)
        if target.startswith(OWN):
            return await _send(writer, self._own(target))
        request = Request(len(self.requests) + 1, method, target, headers, body, time.monotonic())
        self.requests.append(request if self.keep_bodies else replace(request, body=b""))
        fault = self._queued.popleft() if self._queued else (self.faults(request) if self.faults else None)
        fault = fault or Fault()
        response = None if fault.cut in ("reset", "closed") else fault.response or self._asked(request)
        del request, body  # a thousand that wait need not be held
        self.open += 1
        self.most_at_once = max(self.most_at_once, self.open)
        try:
            return await self._reply(fault, response, writer, reader)
        finally:
            self.open -= 1

    async def _reply(
        self, fault: Fault, response: Response | None, writer: asyncio.StreamWriter, reader: asyncio.StreamReader
    ) -> bool:
        wait_s = fault.wait_s + self.slow_s
        if wait_s and await _hung_up(reader, wait_s):
            return False
        if response is None:
            if fault.cut == "reset":
                _reset(writer)
            return False
        if fault.cut is not None:
            await (_drip(writer, response, fault.drip_s) if fault.cut == "drip" else _send_half(writer, response))
            if fault.cut == "stalled":
                await reader.read(1)
            elif fault.cut == "torn":
                _reset(writer)
            return False
        kept = await _send(writer, response)
        self.answered += 1
        return kept

    def _asked(self, request: Request) -> Response:
        try:
            return self.wire(request)
        except Exception:  # noqa: BLE001 - whatever a wire trips over is to show in the test
            self.failures.append(traceback.format_exc())
            return say({"error": {"message": self.failures[-1], "code": 500}}, 500)

    def _own(self, target: str) -> Response:
        if target == f"{OWN}requests":
            return say([{"number": r.number, "target": r.target, "at_s": r.at_s} for r in self.requests])
        return say(
            {
                "calls": self.calls,
                "answered": self.answered,
                "open": self.open,
                "most_at_once": self.most_at_once,
                "failures": self.failures,
            }
        )


async def _body_of(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() != "chunked":
        return await reader.readexactly(int(headers.get("content-length", "0")))
    pieces: list[bytes] = []
    while size := int((await reader.readline()).split(b";")[0], 16):
        pieces.append(await reader.readexactly(size))
        await reader.readexactly(2)
    while (await reader.readline()).strip():
        pass  # trailers
    return b"".join(pieces)


async def _hung_up(reader: asyncio.StreamReader, seconds: float) -> bool:
    """Wait; whether the client closed the connection meanwhile. It sends nothing before it has its reply."""
    closed_early = asyncio.ensure_future(reader.read(1))
    done, _ = await asyncio.wait({closed_early}, timeout=seconds)
    if done:
        return True
    closed_early.cancel()
    with suppress(asyncio.CancelledError):
        await closed_early
    return False


def _head(response: Response) -> bytes:
    if isinstance(response.body, bytes):
        length = {"content-length": str(len(response.body))}
    else:
        length = {"transfer-encoding": "chunked"}
    phrase = HTTPStatus(response.status).phrase
    lines = [f"HTTP/1.1 {response.status} {phrase}", *(f"{k}: {v}" for k, v in {**response.headers, **length}.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def _send(writer: asyncio.StreamWriter, response: Response) -> bool:
    writer.write(_head(response))
    if isinstance(response.body, bytes):
        writer.write(response.body)
    else:
        for piece in response.body:
            writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            await writer.drain()
        writer.write(b"0\r\n\r\n")
    await writer.drain()
    return response.headers.get("connection", "") != "close"


def _reset(writer: asyncio.StreamWriter) -> None:
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


async def _drip(writer: asyncio.StreamWriter, response: Response, every_s: float) -> None:
    """Ends with a ConnectionError when the client hangs up."""
    whole = response.body if isinstance(response.body, bytes) else b"".join(response.body)
    writer.write(_head(replace(response, body=())))
    for at in count():
        piece = whole[at : at + 1] or b" "
        writer.write(b"1\r\n%s\r\n" % piece)
        await writer.drain()
        await asyncio.sleep(every_s)


async def _send_half(writer: asyncio.StreamWriter, response: Response) -> None:
    writer.write(_head(response))
    if isinstance(response.body, bytes):
        writer.write(response.body[: len(response.body) // 2])
    else:
        pieces = tuple(response.body)
        for piece in pieces[: len(pieces) // 2]:
            writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
    await writer.drain()
