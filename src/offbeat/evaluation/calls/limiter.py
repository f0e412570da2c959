"""How many calls at the same time: as many as the server takes.

Additive increase, multiplicative decrease, as in TCP (Chiu and Jain 1989; RFC 5681 for the slow start)::

    calls at once
     most ┤                                        ________________
          │                  /|            ___----
          │                /  |    ___----         + 1 for each round of answers
          │              /    |_---
    START ┤____________/        x 0.7 at "too many requests", once for all calls that were in flight then
          └──────────────────────────────────────────────────────▶ answers
            doubles each round, until the first "too many requests"

Where the server says how long to wait, nothing goes out before that.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

START = 8
SHRINK = 0.7


class Limiter:
    """Lets calls out; for one event loop.

    Args:
        most: never more than this at once.
        halted: when set, nobody is kept waiting for the server's sake; who gets a turn has to look at it.
        clock: seconds that never run backwards.
    """

    def __init__(self, *, most: int, halted: asyncio.Event, clock: Callable[[], float]) -> None:
        self._most = most
        self._halted = halted
        self._clock = clock
        self._limit = float(min(START, most))
        self._busy = 0
        self._slow_start = True
        self._not_before = self._last_cut = float("-inf")
        self._changed = asyncio.Condition()

    @property
    def limit(self) -> int:
        """How many calls may be in flight now."""
        return int(self._limit)

    @asynccontextmanager
    async def slot(self) -> AsyncGenerator[float]:
        """Wait for a turn, and hold it while the block runs; gives the time at which it began."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._busy < self.limit)
            self._busy += 1
        try:
            while not self._halted.is_set() and (pause_s := self._not_before - self._clock()) > 0:
                await set_within(self._halted, pause_s)
            yield self._clock()
        finally:
            async with self._changed:
                self._busy -= 1
                self._changed.notify_all()

    def went_well(self) -> None:
        """A call was answered: a little more at a time."""
        self._limit = min(self._most, self._limit + (1 if self._slow_start else 1 / self._limit))

    def was_too_much(self, begun: float, *, retry_after_s: float | None) -> None:
        """A call that began at `begun` was told to come later: less at a time, and nothing before that.

        Calls that were in flight together are told so together; they count once.
        """
        self._slow_start = False
        if begun > self._last_cut:
            self._limit = max(1.0, self._limit * SHRINK)
            self._last_cut = self._clock()
        if retry_after_s is not None:
            self._not_before = max(self._not_before, self._clock() + retry_after_s)


async def set_within(event: asyncio.Event, wait_s: float) -> bool:
    """Wait for the event, but no longer than this; whether it came."""
    try:
        async with asyncio.timeout(wait_s):
            await event.wait()
    except TimeoutError:
        return False
    return True
