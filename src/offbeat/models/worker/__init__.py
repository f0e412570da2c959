"""Models in an environment of their own: a program that speaks JSON lines, ``worker:COMMAND``.

`protocol` says what goes to and fro, `guard` starts the program and outlives it by a moment, `lines` and `process` talk
to it, `media` lays out the clips for it, `model` is what the runner asks. At the other end, `serve` makes a worker of
any model that Offbeat knows, and `scripts` holds those of models whose packages clash with ours.
"""

from offbeat.models.worker.model import Worker

__all__ = ["Worker"]
