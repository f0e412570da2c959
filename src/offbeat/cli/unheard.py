"""Standard error, which nobody may be reading any more.

A terminal is closed, ``2>&1 | head`` has seen enough, a disk is full: what cannot be told must not end a run that has
been under way for hours.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TextIO


class Unheard:
    """A text stream that passes on what it can.

    Args:
        stream: where to; None where there is none, as after ``2>&-``.
    """

    buffer = None
    """Whoever looks for one, as click does, would write past this."""

    def __init__(self, stream: TextIO | None) -> None:
        # number 2 is free after 2>&-: a clip might take it, and a C library would write its messages into that
        self._stream = Path(os.devnull).open("w") if stream is None else stream  # noqa: SIM115  open to the end

    def write(self, text: str) -> int:
        """Write, or do not."""
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Likewise."""
        with suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)
