"""One running worker: started, asked, ended.

Whatever goes wrong with it (it ends, it is silent for too long, it writes what is no message, it replies to what was
not asked) comes out as `Lost`, with the last lines of its standard error; it is then ended for good, as nobody could
say which ask the next line would belong to.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, cast

from offbeat.models.worker.lines import LONGEST_LINE, Closed, Lines, TooLong, TooSlow
from offbeat.models.worker.protocol import (
    PROTOCOL,
    ErrorMessage,
    Hello,
    ProtocolError,
    ReplyMessage,
    line_of,
    read_message,
)

MOST_CHATTER = 10_000
"""Lines on standard output that are no messages, between two that are; and lines that go to the log, in all."""
_LAST_LINES = 20
_LONGEST_SHOWN = 500
_GRACE_S = 5.0
"""For a worker that is told to close."""
_CLEAR_UP_S = 30.0

_log = logging.getLogger(__name__)


class Lost(Exception):
    """The worker is of no more use; the text says why, after the name of the model."""


class Process:
    """A worker that has said hello.

    Args:
        command: its program and arguments; no shell reads them.
        environment: all of its environment.
        memory_bytes: address space that it may have; 0 for any.
        start_s: how long its start may take.

    Attributes:
        hello: who it is.
        scratch: a folder of its own for clips, which goes when it goes.
        fresh: whether it has not replied yet, and may have to load its weights first.

    Raises:
        Lost: it did not start.
    """

    def __init__(
        self, command: Sequence[str], *, environment: Mapping[str, str], memory_bytes: int = 0, start_s: float
    ) -> None:
        self.scratch = Path(tempfile.mkdtemp(prefix="offbeat-worker-"))
        held, self._life = os.pipe()
        guard = [sys.executable, "-I", "-S", str(Path(__file__).with_name("guard.py"))]
        try:
            self._process = subprocess.Popen(
                [*guard, str(held), str(self.scratch), str(memory_bytes), *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=dict(environment),
                pass_fds=(held,),
                start_new_session=True,  # Ctrl-C in a terminal is ours to handle
            )
        except BaseException:
            os.close(self._life)
            shutil.rmtree(self.scratch, ignore_errors=True)
            raise
        finally:
            os.close(held)
        self._to, self._back = cast("IO[bytes]", self._process.stdin), cast("IO[bytes]", self._process.stdout)
        self._lines = Lines(self._to.fileno(), self._back.fileno())
        self._errors = _Errors(cast("IO[bytes]", self._process.stderr), f"worker {self._process.pid}")
        self._asked = 0
        self.fresh = True
        self._alive = True
        with self._lost_is_the_end("at its start"):
            self.hello = self._greeted(time.monotonic() + start_s)

    def ask(
        self, messages: Sequence[Mapping[str, object]], *, limit_s: float
    ) -> Iterator[tuple[int, ReplyMessage | ErrorMessage]]:
        """Ask, and give what comes back, each with its place in `messages`.

        Args:
            messages: asks without type and id; one, or several for a worker that takes them together.
            limit_s: for all of them.

        Raises:
            Lost: it is of no more use; what had come before counts.
        """
        first = self._asked + 1
        self._asked += len(messages)
        asks = [{"type": "ask", "id": first + place, **message} for place, message in enumerate(messages)]
        sent = {"type": "ask_together", "asks": asks} if self.hello.together else asks[0]
        deadline_s = time.monotonic() + limit_s
        open_places = set(range(len(asks)))
        with self._lost_is_the_end(f"within {limit_s:g} s"):
            with contextlib.suppress(Closed):  # it may have said why before it ended
                self._lines.send(line_of(sent), deadline_s=deadline_s)
            while open_places:
                message = self._received(deadline_s)
                self.fresh = False
                if isinstance(message, Hello):
                    raise Lost("said hello twice")
                if message.id is None:
                    yield from ((place, message) for place in sorted(open_places))
                    return
                if message.id - first not in open_places:
                    wanted = ", ".join(str(first + place) for place in sorted(open_places))
                    raise Lost(f"replied to {message.id}; open was {wanted}")
                open_places.discard(message.id - first)
                yield message.id - first, message

    def end(self, *, gently: bool = False) -> None:
        """End it, with all that it has started.

        Args:
            gently: give it a few seconds to close by itself.
        """
        if not self._alive:
            return
        self._alive = False
        if gently:
            with contextlib.suppress(TooSlow, Closed, TooLong):
                self._lines.send(line_of({"type": "close"}), deadline_s=time.monotonic() + _GRACE_S)
        with contextlib.suppress(OSError):
            self._to.close()
        if gently:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_GRACE_S)
        os.close(self._life)  # the guard does the rest
        try:
            self._process.wait(_CLEAR_UP_S)
        except subprocess.TimeoutExpired:  # where the guard cannot go on, Linux ends the worker with it
            self._process.kill()
            self._process.wait()
        self._back.close()
        self._errors.close()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def _greeted(self, deadline_s: float) -> Hello:
        message = self._received(deadline_s)
        if isinstance(message, ErrorMessage):
            raise Lost(f"cannot be used: {message.message}")
        if not isinstance(message, Hello):
            raise Lost(f"began with a {message.type}; expected hello")
        if message.protocol != PROTOCOL:
            raise Lost(f"speaks protocol {message.protocol}; this Offbeat speaks {PROTOCOL}")
        return message

    def _received(self, deadline_s: float) -> Hello | ReplyMessage | ErrorMessage:
        for _ in range(MOST_CHATTER):
            line = self._lines.receive(deadline_s=deadline_s)
            if line.lstrip().startswith(b"{"):
                try:
                    return read_message(line)
                except ProtocolError as error:
                    raise Lost(str(error)) from error
            self._errors.note(line)
        raise Lost(f"wrote {MOST_CHATTER} lines that are no messages; standard output is for messages alone")

    @contextlib.contextmanager
    def _lost_is_the_end(self, when: str) -> Generator[None]:
        try:
            yield
        except TooSlow:
            self._fail(f"said nothing {when}" if when.startswith("within") else f"said no hello {when}, in time")
        except TooLong:
            self._fail(f"wrote a line of more than {LONGEST_LINE >> 20} MiB")
        except Closed:
            self._fail(self._how_it_ended(when))
        except Lost as error:
            self._fail(str(error))
        except BaseException:
            self.end()
            raise

    def _fail(self, why: str) -> None:
        self.end()
        last = self._errors.last()
        raise Lost(f"{why}; its last words: {last}" if last else why) from None

    def _how_it_ended(self, when: str) -> str:
        with contextlib.suppress(OSError):
            self._to.close()
        try:
            code = self._process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            return "closed its standard output"
        after = " at its start" if when == "at its start" else ""
        number = -code if code < 0 else code - 128
        if number in [one.value for one in signal.Signals]:
            return f"was ended{after} by {signal.Signals(number).name}"
        return f"ended{after} with exit code {code}"


class _Errors:
    """Standard error of a worker: to the log, and the last lines kept."""

    def __init__(self, stream: IO[bytes], name: str) -> None:
        self._stream, self._name = stream, name
        self._last: deque[str] = deque(maxlen=_LAST_LINES)
        self._count = 0
        self._thread = threading.Thread(target=self._read, name=f"stderr of {name}", daemon=True)
        self._thread.start()

    def note(self, line: bytes) -> None:
        text = line[:_LONGEST_SHOWN].decode("utf-8", errors="replace").rstrip("\r\n")
        shown = "".join(sign if sign.isprintable() else " " for sign in text).strip()
        if not shown:
            return
        self._last.append(shown)
        self._count += 1
        if self._count <= MOST_CHATTER:
            _log.info("%s: %s", self._name, shown)

    def last(self) -> str:
        return " / ".join(list(self._last)[-3:])

    def close(self) -> None:
        self._thread.join(_GRACE_S)
        if not self._thread.is_alive():
            self._stream.close()

    def _read(self) -> None:
        while line := self._stream.readline(_LONGEST_SHOWN * 4):
            self.note(line)
