"""The other end of `offbeat.dataset.workers`: a process that is told what to do until its input ends."""

from __future__ import annotations

import os
import pickle  # noqa: TID251 - what is read with it comes from the parent process alone
import resource
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import cast

READY = ("ready", None)
OPEN_FILES = 256
_Told = tuple[Callable[[object], object], object, float]
_CPU_SLACK_S = 30


def main(memory_bytes: int) -> None:
    """Take functions and items from standard input, and put results to standard output, until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes of a terminal: the parent decides
    inlet, outlet = Connection(os.dup(0), writable=False), Connection(os.dup(1), readable=False)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)  # what a library prints must not get between the results
    _bound(memory_bytes)
    told: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_listen, args=(inlet, told), daemon=True).start()
    outlet.send(READY)
    while True:
        outlet.send(_done(told.get()))


def _listen(inlet: Connection, told: SimpleQueue[bytes]) -> None:
    """Pass on what comes; end the process the moment the parent is gone, in the middle of its work."""
    while True:
        try:
            told.put(inlet.recv_bytes())
        except (EOFError, OSError):
            os._exit(0)


def _done(message: bytes) -> tuple[str, object]:
    try:
        told = cast("_Told", pickle.loads(message))  # noqa: S301 - from the parent alone
        function, item, timeout_s = told
        _bound_cpu(timeout_s)
        return "value", function(item)
    except MemoryError:
        return "memory", None
    except OSError as error:  # a full disk, a folder that went away: of no use to go on
        return "raised", OSError(error.errno, error.strerror, error.filename)
    except Exception as error:  # noqa: BLE001 - nobody foresaw it: it costs this item, and is told
        return "failed", traceback.format_exception_only(error)[-1].strip()


def _bound(memory_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    files = min(OPEN_FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    if sys.platform == "linux":  # elsewhere it counts other things, or nothing
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))


def _bound_cpu(timeout_s: float) -> None:
    """Enough for one item on one thread, from now on."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime + timeout_s) + _CPU_SLACK_S, hard))
