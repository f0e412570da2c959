"""Whether a question that had no reply is asked again, and when.

=================  =====================================================  ============================================
raised             means                                                  what happens
=================  =====================================================  ============================================
RateLimited        too many requests                                      fewer at a time; asked again, see below
TransientError     reset, time-out, half a body, 5xx                      asked again, up to 6 times in all
RequestRejected    this request will never do                             an error
ModelUnavailable   no request will do: no key, no quota, another model    an error; the model is stopped
ModelError         no reply                                               an error
=================  =====================================================  ============================================

Between two attempts lies a random part of 1, 2, 4, … 60 s ("full jitter": M. Brooker, *Exponential Backoff And Jitter*,
AWS Architecture Blog, 2015), or what the server asks for, whichever is more. A server that asks for more than ten
minutes is not waited for: the run stops, and goes on another time.

A question that met "too many requests" twelve times, over a minute or more, is given up only if the server answered
nobody else in the meantime: one that lets five a minute through is slow, not gone, and who is let through is chance.

Of a clip about which nothing was answered yet, one call tries on for all: see `offbeat.evaluation.calls.vigil`. Errors
that are alike from clip to clip stop the model: see `offbeat.evaluation.calls.breaker`.
"""

from __future__ import annotations

import random  # noqa: TID251  jitter needs no seed: it must differ from process to process

from offbeat.errors import ModelUnavailable, RateLimited, TransientError
from offbeat.evaluation.calls.checking import told
from offbeat.evaluation.calls.faults import Failure
from offbeat.models.base import JsonValue

MOST_RATE_LIMITED = 12
MOST_TRANSIENT = 6
FIRST_WAIT_S = 1.0
LULL_WAITS = 60.0
"""Of the first wait: a minute, as limits are set by the minute."""
LONGEST_WAIT_S = 60.0
LONGEST_RETRY_AFTER_S = 600.0


class Patience:
    """With one question.

    Args:
        first_wait_s: see the module; shorter in tests.
    """

    def __init__(self, first_wait_s: float) -> None:
        self._first_wait_s = first_wait_s
        self._limited = self._in_vain = self._transient = self._answers = 0
        self._waited_s = 0.0
        """Since anybody was answered: twelve short waits in a row may fit into one minute's lull."""
        self._former: tuple[JsonValue, ...] = ()

    @property
    def former(self) -> tuple[JsonValue, ...]:
        """The texts of the failures after which it was asked again, one an attempt, without keys."""
        return self._former

    def weigh(self, failure: Failure, *, answers: int) -> tuple[Failure, float | None]:
        """Whether this may pass.

        Args:
            failure: what was raised.
            answers: that the model has given so far, to whatever question.

        Returns:
            The failure, as it is to be told; and the seconds before the next attempt, None where there is none.
        """
        if isinstance(failure, RateLimited):
            self._limited += 1
            if answers != self._answers:
                self._answers, self._in_vain, self._waited_s = answers, 0, 0.0
            self._in_vain += 1
        elif isinstance(failure, TransientError):
            self._transient += 1
        else:
            return failure, None
        gone = self._in_vain >= MOST_RATE_LIMITED and self._waited_s >= LULL_WAITS * self._first_wait_s
        if gone or self._transient >= MOST_TRANSIENT:
            return failure, None
        if (failure.retry_after_s or 0) > LONGEST_RETRY_AFTER_S:
            return _told_to_wait(failure), None
        longest = min(LONGEST_WAIT_S, self._first_wait_s * 2 ** min(self._limited + self._transient - 1, 30))
        wait_s = max(failure.retry_after_s or 0.0, random.uniform(0, longest))
        self._waited_s += wait_s
        return failure, wait_s

    def asked_again(self, failure: Failure) -> None:
        """The wait is over, and the next attempt begins."""
        self._former = (*self._former, told(failure))


def _told_to_wait(failure: RateLimited | TransientError) -> ModelUnavailable:
    minutes = (failure.retry_after_s or 0) / 60
    return ModelUnavailable(
        f"the server asks to wait {minutes:.0f} minutes; the same command goes on later: {told(failure)}"
    )
