"""Doing many things at once: in threads for files that are trusted, in child processes for files that are not.

A decoder that meets a broken or a malicious file may crash, hang, or eat all memory. In a child process that costs one
item: the child is replaced, the item comes back as `Lost` with the reason, and the rest goes on. A child has bounds on
its memory, its CPU time and its open files, leaves no core dump, and none of the parent's environment but what a
process needs, so that keys and tokens are not there to be read. It is a fence against accidents and a hurdle for
attacks, not a jail: it runs as the same user.

A child ends when its input ends, at once and whatever it is doing: where the parent is killed, nothing stays behind.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing.connection import Connection
from queue import SimpleQueue
from types import TracebackType
from typing import Literal, Protocol, TypeVar, cast

from offbeat.dataset.child import READY

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

FILE_TIMEOUT_S = 600
MEMORY_BYTES = 4 << 30
"""Address space of a child. Measured: 0.5 GiB for 1080p, 1.8 GiB for 8192x4320 (`benchmarks/memory.py`)."""
KEPT_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "LD_LIBRARY_PATH")
_START_S = 60
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
_START = "import sys; sys.path[:] = {path!r}; from offbeat.dataset.child import main; main({memory_bytes})"


@dataclass(frozen=True, slots=True)
class Lost:
    """An item whose child did not bring it back.

    Attributes:
        reason: `crashed`, `timed_out`, `out_of_memory`, or `failed` where an exception came that nobody foresaw.
        detail: what happened, to be put behind the name of a file.
    """

    reason: Literal["crashed", "timed_out", "out_of_memory", "failed"]
    detail: str


class Workers(Protocol):
    """What does many things at once."""

    def map(
        self, function: Callable[[ItemT], ResultT], items: Sequence[ItemT], *, advance: Callable[[], None]
    ) -> list[ResultT | Lost]:
        """The function's results, in the order of the items; `advance` is called after each, by the calling thread.

        Where a call raises (in children: an OSError, such as a full disk), what is under way is finished, the rest is
        left, and the exception raised again.
        """
        ...


class Threads:
    """Threads of this process, `jobs` of them; no item is ever lost, but a crash takes everything with it."""

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs

    def map(
        self, function: Callable[[ItemT], ResultT], items: Sequence[ItemT], *, advance: Callable[[], None]
    ) -> list[ResultT | Lost]:
        """See `Workers`."""
        return _mapped(self._jobs, function, items, advance)


class Children:
    """Child processes, at most `jobs` of them, started when first needed; use it in a `with` block.

    Functions and items go through a pipe: functions must be found by their module and name, items must be plain values.

    Args:
        jobs: how many.
        timeout_s: how long one item may take.
        memory_bytes: address space of each.
    """

    def __init__(self, jobs: int, *, timeout_s: float = FILE_TIMEOUT_S, memory_bytes: int = MEMORY_BYTES) -> None:
        self._jobs = jobs
        self._timeout_s = timeout_s
        self._memory_bytes = memory_bytes
        self._idle: SimpleQueue[_Child | None] = SimpleQueue()
        self._all: set[_Child] = set()
        for _ in range(jobs):
            self._idle.put(None)  # a place that no child has taken yet

    def __enter__(self) -> Children:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for child in list(self._all):
            child.end()
        self._all.clear()

    def map(
        self, function: Callable[[ItemT], ResultT], items: Sequence[ItemT], *, advance: Callable[[], None]
    ) -> list[ResultT | Lost]:
        """See `Workers`."""

        def one(item: ItemT) -> ResultT | Lost:
            child = self._idle.get()
            try:
                if child is None:
                    child = _Child(self._memory_bytes)
                    self._all.add(child)
                answer = child.ask(function, item, self._timeout_s)
                if isinstance(answer, Lost):
                    child.end()
                    self._all.discard(child)
                    child = None
                return cast("ResultT | Lost", answer)
            finally:
                self._idle.put(child)

        return _mapped(self._jobs, one, items, advance)


class _Child:
    """One process and the two pipes to it."""

    def __init__(self, memory_bytes: int) -> None:
        kept = {name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ}
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", _START.format(path=sys.path, memory_bytes=memory_bytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=kept | _ONE_THREAD,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._to = Connection(os.dup(self._process.stdin.fileno()), readable=False)
        self._from = Connection(os.dup(self._process.stdout.fileno()), writable=False)
        self._process.stdin.close()
        self._process.stdout.close()
        self._ready = False

    def ask(self, function: Callable[[ItemT], ResultT], item: ItemT, timeout_s: float) -> object:
        """The function's result, or `Lost`; raises an OSError that the function raised."""
        try:
            if not self._ready:  # its start does not count
                self._ready = self._from.poll(_START_S) and self._from.recv() == READY
            self._to.send((function, item, timeout_s))
            if not self._from.poll(timeout_s):
                return Lost("timed_out", f"not done within {timeout_s:g} s; see --file-timeout")
            kind, value = self._from.recv()
        except (EOFError, OSError):
            return Lost("crashed", self._last_words())
        if kind == "raised":
            raise cast("BaseException", value)
        if kind == "failed":
            return Lost("failed", f"{value}; this is a fault of Offbeat, please report it")
        if kind == "memory":
            return Lost("out_of_memory", "more memory would be needed than one file may take")
        return value

    def end(self) -> None:
        """Kill it if need be."""
        self._process.kill()
        self._process.wait()
        self._to.close()
        self._from.close()

    def _last_words(self) -> str:
        code = self._process.wait()
        if code < 0:
            return f"the process that read it was ended by {signal.Signals(-code).name}"
        return f"the process that read it ended with exit code {code}"


def _mapped(
    jobs: int, function: Callable[[ItemT], ResultT | Lost], items: Iterable[ItemT], advance: Callable[[], None]
) -> list[ResultT | Lost]:
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        futures = [pool.submit(function, item) for item in items]
        try:
            for future in as_completed(futures):
                future.result()
                advance()
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)  # what is under way is finished, the rest is left
            raise
    return [future.result() for future in futures]
