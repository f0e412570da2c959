"""The stand-in server in a process of its own, for runs that are to be killed: it outlives them, and has counted.

::

    python -m servers.stand_in_apart --wire servers.openai_wire:plain --port-file F [--slow-s 0.05] [--faults 429,,half]
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from servers.stand_in import OWN, Fault, StandIn, closed, drip, half_body, hang, html, reset, stalled, status, torn


def count_at(url: str) -> dict[str, Any]:
    """What a server in another process has counted: `calls`, `answered`, `open`, `most_at_once`, `failures`."""
    return _get(f"{url}{OWN}count")


def told_by(url: str) -> list[dict[str, Any]]:
    """Number, target and moment of each request that a server in another process received."""
    return _get(f"{url}{OWN}requests")


def _get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as reply:
        return json.loads(reply.read())


NAMED: dict[str, Callable[[], Fault | None]] = {
    "": lambda: None,
    "half": half_body,
    "reset": reset,
    "closed": closed,
    "hang": hang,
    "html": html,
    "torn": torn,
    "stalled": stalled,
    "drip": drip,
}
"""Faults for the command line; a number is a status."""


@contextmanager
def in_another_process(wire: str, folder: Path, *arguments: str) -> Iterator[str]:
    """The url of a server in a process of its own, ended with the block; its port file goes to `folder`."""
    port_file = folder / "port"
    command = [
        sys.executable,
        "-m",
        "servers.stand_in_apart",
        "--wire",
        wire,
        "--port-file",
        str(port_file),
        *arguments,
    ]
    paths = [str(Path(__file__).parents[1]), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in paths if path)}
    child = subprocess.Popen(command, env=environment)
    try:
        while not port_file.is_file():
            if child.poll() is not None:
                raise RuntimeError(f"the stand-in server ended with {child.returncode}: {' '.join(command)}")
            time.sleep(0.05)
        yield f"http://127.0.0.1:{int(port_file.read_text())}"
    finally:
        child.terminate()
        child.wait(10)


def main() -> None:
    """Serve until ended; the port stands in the port file as soon as it is open."""
    parser = argparse.ArgumentParser(description="A server that stands in for a model's.")
    parser.add_argument("--wire", required=True, help="module:name of a function from Request to Response")
    parser.add_argument("--port-file", required=True, type=Path)
    parser.add_argument("--slow-s", type=float, default=0.0)
    parser.add_argument("--faults", default="", help="of the first requests, by commas: 429,,half,reset,html,hang")
    given = parser.parse_args()
    module, _, name = given.wire.partition(":")
    server = StandIn(getattr(importlib.import_module(module), name), keep_bodies=False, slow_s=given.slow_s)
    if given.faults:
        server.queue(*(status(int(f)) if f.isdigit() else NAMED[f]() for f in given.faults.split(",")))
    with server:
        partial = given.port_file.with_suffix(".partial")
        partial.write_text(str(server.port))
        partial.rename(given.port_file)
        threading.Event().wait()


if __name__ == "__main__":
    main()
