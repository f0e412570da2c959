"""When the same failure, clip after clip, says that the model should be left alone.

A clip that a server will not have (too long, too large, damaged) fails with every delay, and says nothing about the
next clip: clips are counted, not calls. And they count in the order in which they were asked about: failures come back
sooner than answers, so that with many calls in flight the first to come back may all be failures::

    asked      a1 a2 a3 b1 b2 b3 c1 c2 c3 …
    came       x  x  x  -  -  -  x  x  x           x failed alike, - in flight: b may yet be answered
    in a row   1 clip            1 clip

Where a server has answered, and been paid, and there is no answer in it, one such failure is as good as another: a
server that loses the sound of one clip and the picture of the next is at fault for both, and costs as much.

A reply that was cut off before it said anything is no failure, and a model that thinks is cut off now and then: many
in a row, of several clips, stop it all the same where they were paid for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from offbeat.errors import ModelError, RateLimited, RequestRejected, TransientError
from offbeat.evaluation.calls.faults import Failure

CLIPS_AT_FIRST = 3
"""So many clips in a row stop a model that has never answered ..."""
CLIPS_LATER = 10
"""... and so many one that has ..."""
CLIPS_PAID, CALLS_PAID = 5, 30
"""... or so many, in so many calls, where each failure, or each reply that says nothing, was paid for."""

_PAID, _CUT_OFF = "", "\0"
"""What stands for the text of those; no text of a failure is the same."""
_CHANGING = re.compile(r"(?<![\w-])[\w-]*\d[\w-]*(?:[.,]\d+)*")
"""Numbers of requests and the like, by which two texts of a server with one meaning differ."""


@dataclass(frozen=True, slots=True)
class _Row:
    """Calls that were begun one after another, and failed alike."""

    error: str
    first: int
    last: int
    clips: frozenset[str]


class Breaker:
    """Watches one turn; a call costs the same, however many have failed before.

    Args:
        answered: whether the model has answered any of this before.
    """

    def __init__(self, *, answered: bool) -> None:
        self._answered = answered
        self._begun = 0
        self._in_flight: dict[int, str] = {}
        """The clip of each call."""
        self._rows: dict[int, _Row] = {}
        """By the number of their first call, and of their last."""

    def begun(self, clip: str) -> int:
        """A call about this clip begins; gives its number, for `ended`."""
        self._begun += 1
        self._in_flight[self._begun] = clip
        return self._begun

    def ended(self, call: int, error: str | None, failure: Failure | None, *, cut_off: bool = False) -> int | None:
        """It came to an end.

        Args:
            call: its number.
            error: how it failed, in words; None if it was answered.
            failure: what was raised then.
            cut_off: it was answered and paid for, and the reply was cut off before it said anything.

        Returns:
            How many clips in a row have failed alike, or cost something for nothing, where that is enough to stop; None
            where it is not.
        """
        clip = self._in_flight.pop(call)
        if error is None:
            self._answered = True
            if not cut_off:
                return None
            error = _CUT_OFF
        elif _paid_for(failure):
            error = _PAID
        elif _of_a_server(failure):
            error = kind_of(error)  # other models name the variant, and mean it
        row = _Row(error, call, call, frozenset({clip}))
        for beside in (call - 1, call + 1):
            other = self._rows.get(beside)
            if other is not None and other.error == error:
                del self._rows[beside]
                row = _Row(error, min(row.first, other.first), max(row.last, other.last), row.clips | other.clips)
        self._rows[row.first] = self._rows[row.last] = row
        clips, calls = len(row.clips), row.last - row.first + 1
        if error in (_PAID, _CUT_OFF) and clips >= CLIPS_PAID and calls >= CALLS_PAID:
            return clips
        return clips if error != _CUT_OFF and clips >= (CLIPS_LATER if self._answered else CLIPS_AT_FIRST) else None


def kind_of(error: str) -> str:
    """A complaint without what changes from call to call: where this is the same, the fault most likely is."""
    return _CHANGING.sub("#", error)


def _paid_for(failure: Failure | None) -> bool:
    """Whether a server has said what it counted."""
    return isinstance(failure, ModelError) and bool(failure.usage)


def _of_a_server(failure: Failure | None) -> bool:
    """Whether it was called: it says so, or may have used something up."""
    if isinstance(failure, RequestRejected | TransientError | RateLimited):
        return True
    return isinstance(failure, ModelError) and failure.usage is None
