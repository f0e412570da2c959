"""What child processes are told to do in tests; they find it by its name."""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path


def square(number: int) -> int:
    return number * number


def behave(how: str) -> object:
    """Well, or badly in one of the ways that decoders know."""
    if how == "crash":
        ctypes.string_at(0)
    if how == "exit":
        os._exit(7)
    if how == "hang":
        time.sleep(3600)
    if how == "spin":
        while True:
            pass
    if how == "eat":
        return len(bytearray(64 << 30))
    if how == "print":
        print("between the results")
        sys.stdout.flush()
        os.write(1, b"garbage")
    if how == "raise":
        raise OSError(errno.ENOSPC, "No space left on device", "x.mp4")
    if how == "odd":
        raise Odd(1, because="nobody foresaw it")
    return how


def unless_named(asked: tuple[Callable[[object], object], object, str, str]) -> object:
    """Do what is asked, but behave in that way where the item names that file, as if its decoder did."""
    function, item, name, how = asked
    if name in repr(item):
        behave(how)
    return function(item)


class Odd(Exception):
    def __init__(self, number: int, *, because: str) -> None:
        super().__init__(f"{number} {because}")


def surroundings(_: object) -> dict[str, object]:
    names = ("RLIMIT_CORE", "RLIMIT_NOFILE", "RLIMIT_AS", "RLIMIT_CPU")
    return {
        "environment": dict(os.environ),
        "at start": Path("/proc/self/environ").read_bytes(),
        **{name: resource.getrlimit(getattr(resource, name)) for name in names},
        "pid": os.getpid(),
    }


def say_and_sleep(path: str) -> None:
    Path(path).write_text(str(os.getpid()))
    time.sleep(3600)
