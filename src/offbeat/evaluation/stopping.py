"""Whether a model is to be stopped, in words for people: see `offbeat.evaluation.calls.breaker` for the rule."""

from __future__ import annotations

from offbeat.errors import ModelUnavailable
from offbeat.evaluation.answer import Answer
from offbeat.evaluation.calls.breaker import Breaker
from offbeat.evaluation.calls.faults import Failure
from offbeat.evaluation.cut_off import says_nothing, told_of
from offbeat.models.base import Model


def why_stopped(breaker: Breaker, call: int, answer: Answer, failure: Failure | None, *, model: Model) -> str | None:
    """Tell the breaker how a call has ended; why the model is to be stopped, or None.

    Args:
        breaker: of the model.
        call: its number.
        answer: what came of it.
        failure: what was raised, where there was no reply.
        model: whose options are named where replies are cut off.
    """
    cut_off = says_nothing(answer) and bool(answer.usage)
    clips = breaker.ended(call, answer.error, failure, cut_off=cut_off)
    if isinstance(failure, ModelUnavailable):
        return answer.error
    return None if clips is None else f"{clips} clips in a row: {answer.error or f'each reply was {told_of(model)}'}"
