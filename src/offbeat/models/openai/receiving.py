"""The body of a response, read no further than is needed.

A server may send without end: what is read is bounded. One that streams says ``[DONE]`` when it has said all. Some
leave the connection open all the same, and a reply that is whole must not be lost, and paid for again, over that. Most
end the body at once: that is waited for a moment, so that the connection serves the next call.
"""

from __future__ import annotations

import asyncio
import re

import httpx2

END_S = 1.0
"""How long a body may go on after it has said that it is at its end."""
_DONE = re.compile(rb"(?:^|[\r\n])data:[ \t]*\[DONE\]")
_LONGEST_DONE = 32


async def received(response: httpx2.Response, *, most_bytes: int) -> bytes | None:
    """The body, or None where it is longer than `most_bytes`.

    Raises:
        httpx2.HTTPError: the connection broke, or nothing came for too long.
    """
    raw = bytearray()
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(None) as patience:
            async for piece in response.aiter_bytes():
                begun = max(0, len(raw) - _LONGEST_DONE)
                raw += piece
                if len(raw) > most_bytes:
                    return None
                if patience.when() is None and _DONE.search(raw, begun):
                    patience.reschedule(loop.time() + END_S)
    except TimeoutError:
        pass  # it has said all
    return bytes(raw)
