"""When the same failure, clip after clip, says that the model should be left alone.

A clip that a server will not have (too long, too large, damaged) fails with every delay, and says nothing about the
next clip: clips are counted, not calls. And they count in the order in which they were asked about: failures come back
sooner than answers, so that with many calls in flight the first to come back may all be failures::

    asked      a1 a2 a3 b1 b2 b3 c1 c2 c3 …
    came       x  x  x  -  -  -  x  x  x           x failed alike, - in flight: b may yet be answered
    in a row   1 clip            1 clip
"""

from __future__ import annotations

import re

from offbeat.errors import RateLimited, RequestRejected, TransientError
from offbeat.evaluation.calls.patience import Failure

CLIPS_AT_FIRST = 3
"""So many clips in a row stop a model that has never answered ..."""
CLIPS_LATER = 10
"""... and so many one that has."""

_CHANGING = re.compile(r"[0-9a-fA-F-]{8,}|\d+")
"""Numbers of requests and the like, by which two texts of a server with one meaning differ."""

_IN_FLIGHT, _ANSWERED = -1, -2


class Breaker:
    """Watches one turn.

    Args:
        answered: whether the model has answered any of this before.
    """

    def __init__(self, *, answered: bool) -> None:
        self._answered = answered
        self._clips: list[str] = []
        self._ends: list[int] = []
        """Of each call, as they were begun: one of the two words above, or the number of the failure's text."""
        self._texts: dict[str, int] = {}

    def begun(self, clip: str) -> int:
        """A call about this clip begins; gives its number, for `ended`."""
        self._clips.append(clip)
        self._ends.append(_IN_FLIGHT)
        return len(self._ends) - 1

    def ended(self, call: int, error: str | None, failure: Failure | None) -> int | None:
        """It came to an end.

        Args:
            call: its number.
            error: how it failed, in words; None if it was answered.
            failure: what was raised then.

        Returns:
            How many clips in a row have failed alike, where that is enough to stop; None where it is not.
        """
        if error is None:
            self._answered = True
            self._ends[call] = _ANSWERED
            return None
        if isinstance(failure, RequestRejected | TransientError | RateLimited):
            error = _CHANGING.sub("#", error)  # other models name the variant, and mean it
        text = self._texts.setdefault(error, len(self._texts))
        self._ends[call] = text
        first, last = call, call
        while first > 0 and self._ends[first - 1] == text:
            first -= 1
        while last + 1 < len(self._ends) and self._ends[last + 1] == text:
            last += 1
        clips = len(set(self._clips[first : last + 1]))
        return clips if clips >= (CLIPS_LATER if self._answered else CLIPS_AT_FIRST) else None
