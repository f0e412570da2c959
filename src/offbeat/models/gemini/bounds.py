"""A client that neither waits nor reads without end, whatever the server does.

The time limits of `httpx2` are for each piece: a server that sends a byte now and then is waited for as long as it
likes, and what one sends that never stops is held in memory. Here a request has a limit in all, its answer included::

    seconds until the answer begins = limit + bytes sent / 16,000
    seconds from there to its end   = limit + bytes received / 16,000, or what is left of the above, if that is less

so that a large clip may take its time on a slow line, and silence or a trickle ends with the limit. An answer that is
asked for whole has a limit in bytes, after decompression; one that is streamed is counted by who reads it. The bodies
of redirects are not read. Whatever ends this way has its connection closed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import httpx2

SLOWEST_BYTES_A_SECOND = 16_000
"""Of one request: 8 uploads at once on a line of 1 Mbit/s."""
MOST_BYTES = "offbeat_most_bytes"
"""Extension of a request: the longest answer to it, where that is not the client's."""
_OF_THE_BODY_AS_SENT = {"content-encoding", "content-length", "transfer-encoding"}


class TooLong(httpx2.DecodingError):
    """An answer is longer than any that makes sense."""


class BoundedClient(httpx2.AsyncClient):
    """As the client of `httpx2`, with limits for a request in all.

    Args:
        limit_s: for a request, see the module; also for a single step of it, such as connecting.
        most_bytes: of an answer that is asked for whole.
        limits: of its pool.
        on_request: is shown each request, those after a redirect included.
    """

    def __init__(
        self,
        *,
        limit_s: float,
        most_bytes: int,
        limits: httpx2.Limits,
        on_request: Callable[[httpx2.Request], Awaitable[None]],
    ) -> None:
        hooks = {"request": [on_request], "response": [_without_detour]}
        super().__init__(timeout=limit_s, limits=limits, follow_redirects=True, event_hooks=hooks)
        self._limit_s = limit_s
        self._most_bytes = most_bytes

    async def send(
        self,
        request: httpx2.Request,
        *,
        stream: bool = False,
        **options: Any,  # noqa: ANN401  what else the client knows
    ) -> httpx2.Response:
        """As of the client of `httpx2`.

        Raises:
            httpx2.ReadTimeout: it is not over in time.
            TooLong: the answer is longer than it may be.
            httpx2.HTTPError: as there.
        """
        now = asyncio.get_running_loop().time
        clock = _Clock(now() + self._limit_s)
        clock.moved(int(request.headers.get("content-length", "0")))
        async with clock.running():
            response = await super().send(request, stream=True, **options)
        clock.ends_at = min(clock.ends_at, now() + self._limit_s)
        response.stream = _InTime(cast("httpx2.AsyncByteStream", response.stream), clock)
        if stream:
            return response
        try:
            return await whole(response, request.extensions.get(MOST_BYTES, self._most_bytes))
        finally:
            await response.aclose()


@dataclass(slots=True)
class _Clock:
    """When a request has to be over; `moved` puts that off.

    Attributes:
        ends_at: on the clock of the event loop.
    """

    ends_at: float

    def moved(self, count: int) -> None:
        """So many bytes were sent, or received."""
        self.ends_at += count / SLOWEST_BYTES_A_SECOND

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """A step of the request, which ends with the clock."""
        try:
            async with asyncio.timeout_at(self.ends_at):
                yield
        except TimeoutError:
            raise httpx2.ReadTimeout("") from None


class _InTime(httpx2.AsyncByteStream):
    """The body of an answer, for as long as its clock runs."""

    def __init__(self, stream: httpx2.AsyncByteStream, clock: _Clock) -> None:
        self._stream, self._clock = stream, clock

    async def __aiter__(self) -> AsyncIterator[bytes]:
        pieces = aiter(self._stream)
        while True:
            async with self._clock.running():
                piece = await anext(pieces, None)
            if piece is None:
                return
            self._clock.moved(len(piece))
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()


async def _without_detour(response: httpx2.Response) -> None:
    """Leave the body of a redirect unread: the client would read all of it on its way."""
    if response.has_redirect_location:
        await cast("httpx2.AsyncByteStream", response.stream).aclose()
        response.stream = httpx2.ByteStream(b"")


async def whole(response: httpx2.Response, most_bytes: int) -> httpx2.Response:
    """The answer to a streamed request, its body read.

    Raises:
        TooLong: there is more.
        httpx2.HTTPError: it did not come.
    """
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > most_bytes:
            raise TooLong(f"the answer is longer than {most_bytes:,} bytes")
    return httpx2.Response(
        response.status_code,
        headers=[(name, value) for name, value in response.headers.multi_items() if name not in _OF_THE_BODY_AS_SENT],
        content=bytes(body),
        request=response.request,
        history=response.history,
        extensions=response.extensions,
    )
