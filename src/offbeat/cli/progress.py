"""How far a long command is: a moving bar on a terminal, a plain line every few seconds anywhere else.

All of it goes to standard error, so that standard output holds results only.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Protocol, TextIO

PLAIN_INTERVAL_S = 5.0
_LINES_OF_A_RATE = 6


class Advance(Protocol):
    """Tells that `steps` more are done; may be called from several threads."""

    def __call__(self, steps: int = 1) -> None:
        """See above."""
        ...


@contextmanager
def progress(what: str, total: int | None, *, stream: TextIO | None = None) -> Generator[Advance]:
    """Show progress while the block runs; where not one step was made, nothing is left of it.

    ::

        with progress("asking random", 4284) as advance:
            for variant in variants:
                ...
                advance()

    Args:
        what: a few words, shown before the figures.
        total: how many steps there will be; None where that is unknown.
        stream: where it is written; standard error by default.
    """
    target = sys.stderr if stream is None else stream
    if target.isatty() and os.environ.get("TERM") != "dumb":
        with _bar(what, total, target) as advance:
            yield advance
    else:
        lines = PlainProgress(what, total, write=lambda line: print(line, file=target, flush=True))
        try:
            yield lines.advance
        except BaseException:
            lines.close(failed=True)
            raise
        lines.close()


class PlainProgress:
    """Lines such as ``asking random: 120 of 4284, 34.1/s, 2 min 2 s left``, at most one per `interval_s`.

    The rate is that of the last lines, from the first step on: what goes before, such as a probe, tells nothing about
    what is left. The line at the end has that of the whole.

    Args:
        what: a few words, shown before the figures.
        total: how many steps there will be, or None.
        write: is given each line.
        interval_s: the shortest time between two lines; the line at the end comes in any case.
        clock: seconds that never run backwards.
    """

    def __init__(
        self,
        what: str,
        total: int | None,
        *,
        write: Callable[[str], None],
        interval_s: float = PLAIN_INTERVAL_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._what = what
        self._total = total
        self._write = write
        self._interval_s = interval_s
        self._clock = clock
        self._lock = threading.Lock()
        self._done = 0
        self._started = self._last = clock()
        self._marks: deque[tuple[float, int]] = deque(maxlen=_LINES_OF_A_RATE)
        """When the last lines were written, and what was done then."""

    def advance(self, steps: int = 1) -> None:
        """Count `steps` more, and write a line if the last one is old enough."""
        with self._lock:
            self._done += steps
            now = self._clock()
            if now - self._last >= self._interval_s:
                self._last = now
                self._write(self._line(now))
                self._marks.append((now, self._done))
            elif not self._marks:
                self._marks.append((now, self._done))

    def close(self, *, failed: bool = False) -> None:
        """Write the last line; none where no step was made, unless there was none to make."""
        with self._lock:
            if self._done or (self._total == 0 and not failed):
                self._write(self._line(self._clock(), ended=True))

    def _line(self, now: float, *, ended: bool = False) -> str:
        parts = [f"{self._done}" if self._total is None else f"{self._done} of {self._total}"]
        since, before = (self._started, 0) if ended else self._marks[0] if self._marks else (now, 0)
        if self._done > before and now > since:
            rate = (self._done - before) / (now - since)
            parts.append(f"{rate:.1f}/s")
            if self._total is not None and not ended:
                parts.append(f"{duration(max(0, self._total - self._done) / rate)} left")
        if ended:
            parts.append(f"took {duration(now - self._started)}")
        return f"{self._what}: " + ", ".join(parts)


def duration(seconds: float) -> str:
    """A time for people: ``8 s``, ``2 min 5 s``, ``3 h 20 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


@contextmanager
def _bar(what: str, total: int | None, stream: TextIO) -> Generator[Advance]:
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text("" if speed is None else f"{speed:.1f}/s", style="progress.data.speed")

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate(), Remaining())
    with Progress(*columns, console=Console(file=stream)) as bar:
        task = bar.add_task(escape(what), total=total)

        def advance(steps: int = 1) -> None:
            bar.advance(task, steps)

        try:
            yield advance
        finally:
            bar.update(task, visible=bar.tasks[0].completed > 0 or total == 0)
