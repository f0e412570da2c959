"""Replies that are cut off before they say anything: how they are known, and what to do about them."""

from __future__ import annotations

import inspect

from offbeat.evaluation.answer import Answer
from offbeat.evaluation.calls.faults import caught
from offbeat.models.base import Model


def says_nothing(answer: Answer) -> bool:
    """Whether it was cut off, and neither names an option nor tells how likely each is."""
    return answer.outcome == "truncated" and answer.choice is None and not answer.probabilities


def told_of(model: Model) -> str:
    """What has happened, and what to do, to follow the name of what was cut off."""
    parameters = caught(inspect.signature, type(model))
    named = parameters.parameters if isinstance(parameters, inspect.Signature) else ()
    budgets = [name for name in named if name.endswith("_tokens")]
    how = f" (--option {budgets[0]}=…)" if len(budgets) == 1 else ""
    return (
        f"cut off by the output budget, in which thoughts may count; give it a larger one{how}, or let it think less "
        "(`offbeat models` lists its options)"
    )
