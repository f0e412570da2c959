"""Whether a clip is waited for: where a server fails at it again and again, one call tries on for all about it.

A server that runs out of memory over a long clip answers 500 to every delay of it, and so does one that is down. If
each were asked six times, 21 delays would be 126 calls, and nobody the wiser::

    a1  x  ·  x  ··  x  ····  x  given up      the first to fail is asked again, after ever longer waits
    a2   x  ················     given up      others wait for it, and are given up with it ...
    a3    x  ···············     given up
    a4                              x  given up      ... or are asked once, if they come later

As soon as any call about the clip is answered, each goes on with its own patience.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Vigil:
    """Over the clips of one model; for one event loop.

    Attributes:
        tried: for each clip for which one call tries on, what is set when that is over.
        hopeless: clips that were given up.
        answered: clips about which any call was answered; they are never hopeless.
    """

    tried: dict[str, asyncio.Event] = field(default_factory=dict[str, asyncio.Event])
    hopeless: set[str] = field(default_factory=set[str])
    answered: set[str] = field(default_factory=set[str])

    @contextmanager
    def over(self, clip: str) -> Generator[Watch]:
        """While a call about this clip is made, its further attempts included."""
        watch = Watch(self, clip)
        try:
            yield watch
        finally:
            watch.leave()


class Watch:
    """One call's part in it."""

    def __init__(self, vigil: Vigil, clip: str) -> None:
        self._vigil, self._clip = vigil, clip
        self._own = asyncio.Event()
        """Set when it no longer tries on for all."""

    def answered(self) -> None:
        """It was answered: there is hope for all."""
        self._vigil.answered.add(self._clip)
        self._vigil.hopeless.discard(self._clip)
        self._release()

    def gives_up(self) -> None:
        """It was asked often enough: so were the others, unless any was answered."""
        if self._clip not in self._vigil.answered:
            self._vigil.hopeless.add(self._clip)

    async def may_try_on(self) -> bool:
        """It has failed, and might be asked again: whether there is any use in that.

        Where another call tries on for all, this waits until that one is through.
        """
        if self._clip in self._vigil.answered:
            return True
        tried = self._vigil.tried.get(self._clip)
        if tried is None and self._clip not in self._vigil.hopeless:
            self._vigil.tried[self._clip] = self._own
        elif tried is not None and tried is not self._own:
            await tried.wait()
        return self._clip not in self._vigil.hopeless

    def leave(self) -> None:
        """It is over, however it ended."""
        if self._vigil.tried.get(self._clip) is self._own:
            self._release()

    def _release(self) -> None:
        tried = self._vigil.tried.pop(self._clip, None)
        if tried is not None:
            tried.set()
