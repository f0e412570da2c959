"""Starts a worker and sees to it that nothing of it outlives us.

It is a small process between ours and the worker's, and imports nothing of Offbeat. It holds the reading end of a pipe
whose writing end only we hold: when we end, however we end, the system closes that, and the guard ends the worker with
all that it has started, and removes its scratch folder. Should the guard itself be killed, Linux ends the worker::

    Offbeat ── life ──▶ guard ── starts ──▶ worker ── starts ──▶ …
       └──────── standard input and output ────┘

Called as ``guard.py LIFE SCRATCH MEMORY PROGRAM ARGUMENT…``: the pipe's number, the folder, and the bytes of address
space that the worker may have, 0 for any. Exit code: the worker's, or 128 and the number of the signal that ended it.
"""

from __future__ import annotations

import ctypes
import os
import resource
import shutil
import signal
import sys
import threading

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Start the worker, wait for its end or for ours, clear up."""
    life, scratch, memory_bytes, command = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4:]
    guard = os.getpid()
    worker = os.fork()
    if worker == 0:
        _become(command, guard, memory_bytes)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)  # so that the worker's end is seen as the end of its output
    threading.Thread(target=_watch, args=(life, worker), daemon=True).start()
    _, status = os.waitpid(worker, 0)
    _kill(worker)  # what it has started goes, too
    shutil.rmtree(scratch, ignore_errors=True)
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)


def _become(command: list[str], guard: int, memory_bytes: int) -> None:
    os.setpgid(0, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if memory_bytes:
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != guard:  # it ended before that was said
            os._exit(1)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode())
        os._exit(127)


def _watch(life: int, worker: int) -> None:
    """Nothing is ever written there: that it can be read from means that we are gone."""
    os.read(life, 1)
    _kill(worker)


def _kill(worker: int) -> None:
    for kill in (os.killpg, os.kill):  # the group is not there before the worker has made it
        try:
            kill(worker, signal.SIGKILL)
        except ProcessLookupError:
            continue


if __name__ == "__main__":
    main()
