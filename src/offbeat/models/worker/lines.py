"""Lines to and from a process, none of which can keep us waiting for ever or fill our memory.

Both pipes are served at once: a process that writes much before it reads, or the other way round, blocks nobody.
"""

from __future__ import annotations

import os
import select
import time
from collections import deque

LONGEST_LINE = 4 << 20
"""Bytes; a reply with its details is a few thousand."""
_PIECE = 1 << 16


class TooSlow(Exception):
    """The time limit is over."""


class Closed(Exception):
    """The process has closed its end."""


class TooLong(Exception):
    """A line is longer than `LONGEST_LINE`."""


class Lines:
    """The two ends of a process's pipes; for one thread.

    Args:
        to: its standard input, which is made non-blocking.
        back: its standard output.
    """

    def __init__(self, to: int, back: int) -> None:
        self._to, self._back = to, back
        os.set_blocking(to, False)
        self._begun = bytearray()
        self._ready: deque[bytes] = deque()
        self._ended = False

    def send(self, line: bytes, *, deadline_s: float) -> None:
        """Write a line.

        Args:
            line: with its line feed.
            deadline_s: by `time.monotonic`.

        Raises:
            TooSlow, Closed, TooLong: see there. What came back before can still be received.
        """
        left = memoryview(line)
        while left:
            readable, writable = self._wait(deadline_s, writing=True)
            if readable:
                self._read()
            if writable:
                try:
                    left = left[os.write(self._to, left[:_PIECE]) :]
                except BlockingIOError:
                    continue
                except OSError as error:
                    raise Closed from error

    def receive(self, *, deadline_s: float) -> bytes:
        """The next line, without its line feed.

        Raises:
            TooSlow, Closed, TooLong: see there. What was begun before the end is no line.
        """
        while not self._ready:
            if self._ended:
                raise Closed
            self._wait(deadline_s, writing=False)
            self._read()
        return self._ready.popleft()

    def _wait(self, deadline_s: float, *, writing: bool) -> tuple[bool, bool]:
        """Whether something can be read, and written."""
        poll = select.poll()
        if not self._ended:
            poll.register(self._back, select.POLLIN)
        if writing:
            poll.register(self._to, select.POLLOUT)
        left_s = deadline_s - time.monotonic()
        ready = dict(poll.poll(max(0.0, left_s) * 1000))
        if not ready:
            raise TooSlow
        return self._back in ready, self._to in ready

    def _read(self) -> None:
        piece = os.read(self._back, _PIECE)
        self._ended = not piece
        *whole, rest = piece.split(b"\n")
        for part in whole:
            self._ready.append(bytes(self._begun) + part)
            self._begun.clear()
        self._begun += rest
        if len(self._begun) + sum(map(len, self._ready)) > LONGEST_LINE:
            raise TooLong
