"""Waiting for a server, unless the run is to end."""

from __future__ import annotations

import asyncio
from typing import Any


async def ended(task: asyncio.Task[Any], *, unless: asyncio.Event, before: asyncio.Event | None = None) -> None:
    """Wait for a task; it is cancelled where the run is to end.

    Args:
        task: that waits for a server.
        unless: the run is to end.
        before: what has come so far is not given up.
    """
    halting = asyncio.ensure_future(unless.wait())
    await asyncio.wait({task, halting}, return_when=asyncio.FIRST_COMPLETED)
    halting.cancel()
    if before is None or not before.is_set():
        task.cancel()
    await asyncio.wait({task})
