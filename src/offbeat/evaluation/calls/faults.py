"""Whatever a model's code raises, caught: a faulty model costs neither another one's answers nor the run.

A `KeyboardInterrupt` is the user's, and a `CancelledError` ours while our own task is being ended. All else that comes
out of a model's code is the model's, a `SystemExit` included.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeAlias, TypeVar

from offbeat.models.base import Closing, Model

Failure: TypeAlias = BaseException
"""What a model's code may raise: anything but a `KeyboardInterrupt`."""

CLOSE_LIMIT_S = 60.0

P = ParamSpec("P")
T = TypeVar("T")


def caught(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | Failure:
    """What a model's code gives or raises, in whatever thread.

    A value in either case: no future can hold a StopIteration, and who waits for it would do so for ever.

    Raises:
        KeyboardInterrupt, CancelledError: see the module.
    """
    try:
        return call(*args, **kwargs)
    except BaseException as raised:
        if _is_ours(raised):
            raise
        return raised


async def caught_of(call: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T | Failure:
    """As `caught`, of what is to be awaited."""
    try:
        return await call(*args, **kwargs)
    except BaseException as raised:
        if _is_ours(raised):
            raise
        return raised


async def closed(model: Model) -> Failure | None:
    """Let the model go, if there is anything to let go; what went wrong there changes no answer."""
    if not isinstance(model, Closing):
        return None

    async def close() -> None:
        async with asyncio.timeout(CLOSE_LIMIT_S):
            closing = model.close()
            if inspect.isawaitable(closing):
                await closing

    return await caught_of(close)


def _is_ours(raised: BaseException) -> bool:
    if isinstance(raised, asyncio.CancelledError):
        try:
            task = asyncio.current_task()
        except RuntimeError:  # in a thread of a model's
            return False
        return task is not None and task.cancelling() > 0
    return isinstance(raised, KeyboardInterrupt)
