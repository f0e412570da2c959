"""An event loop in a thread of its own, and how it is brought to a halt."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, TypeVar

from offbeat.errors import SecondInterrupt

T = TypeVar("T")


class Halt:
    """Whether anything more may go out; for one event loop.

    Attributes:
        asked: set when nothing more is to go out: who waits for a further attempt gives up.
        interrupted: the user wants the whole run to end, and not one model alone.
    """

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.interrupted = False

    def interrupt(self) -> None:
        """End the whole run; what is in flight is finished."""
        self.interrupted = True
        self.asked.set()

    def renew(self) -> None:
        """Let the next model begin, unless the run is to end."""
        if not self.interrupted:
            self.asked.clear()


def run_in_loop(make: Callable[[Halt], Coroutine[Any, Any, T]], *, on_halt: Callable[[], None] | None = None) -> T:
    """Run a coroutine to its end, in a thread of its own.

    On Ctrl-C, or where the process is told to end (by a scheduler, ``timeout``, a terminal that closes), it is asked to
    halt, is waited for, and the interrupt goes on; at a second Ctrl-C nothing is waited for.

    Args:
        make: is given the `Halt` that it has to heed.
        on_halt: called at the first Ctrl-C, since the wait may be long.

    Returns:
        What the coroutine returns; what it raises, is raised.

    Raises:
        KeyboardInterrupt: at a first Ctrl-C, unless the coroutine fails while it is waited for.
        SecondInterrupt: at a second one.
    """
    result: Future[T] = Future()
    begun: Future[tuple[asyncio.AbstractEventLoop, Halt]] = Future()
    told: list[int] = []

    async def main() -> T:
        halt = Halt()
        begun.set_result((asyncio.get_running_loop(), halt))
        return await make(halt)

    def run() -> None:
        try:
            result.set_result(asyncio.run(main()))
        except BaseException as failure:  # noqa: BLE001  carried over to the caller's thread
            result.set_exception(failure)

    def interrupt(number: int, frame: FrameType | None) -> None:
        """Raises nothing the first time: it may come while the thread is being started."""
        told.append(number)
        if len(told) == 1:
            begun.add_done_callback(_interrupt_it)
            if on_halt is not None:
                on_halt()
        elif number == signal.SIGINT:  # the others come in pairs
            raise SecondInterrupt

    with _handled_by(interrupt):
        threading.Thread(target=run, name="asking", daemon=True).start()
        value = result.result()
    if told:
        raise KeyboardInterrupt
    return value


def _interrupt_it(begun: Future[tuple[asyncio.AbstractEventLoop, Halt]]) -> None:
    loop, halt = begun.result()
    with suppress(RuntimeError):  # it has come to its end
        loop.call_soon_threadsafe(halt.interrupt)


_FORMER: dict[int, Any] = {}
"""Who handles the signals that are ours at this moment when they are not."""


@contextmanager
def _handled_by(interrupt: Callable[[int, FrameType | None], None]) -> Generator[None]:
    """Ctrl-C, and SIGTERM and SIGHUP where they would end the process at once; none where they are ignored."""
    if threading.current_thread() is not threading.main_thread():  # where Python lets nobody handle signals
        yield
        return
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        former = signal.getsignal(number)
        if former is signal.SIG_DFL or (number == signal.SIGINT and callable(former)):
            _FORMER[number] = former
            signal.signal(number, interrupt)
    try:
        yield
    finally:
        _give_signals_back()


def _give_signals_back() -> None:
    for number, former in _FORMER.items():
        signal.signal(number, former)
    _FORMER.clear()


os.register_at_fork(after_in_child=_give_signals_back)  # a child that a model forks ends as any other does
