"""What came back from a model for one variant and one question, kept whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from offbeat.models.base import JsonValue

Outcome = Literal["ok", "unsure", "unparsed", "refused", "truncated", "error"]
OUTCOMES: tuple[Outcome, ...] = ("ok", "unsure", "unparsed", "refused", "truncated", "error")
"""What became of a question; kept apart from the choice and shown in every table.

``ok``: one option was chosen. ``unsure``: the model said that it cannot tell; its best guess, if it gave one, is the
choice. ``unparsed``: the text names none of the options, or several. ``refused``, ``truncated``: the model declined,
or a limit cut it. ``error``: there was no reply; such an answer is none, and is asked again.
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """One row of a run.

    Attributes:
        model: the model's name as it was asked for.
        revision: what exactly answered.
        variant_id: which variant.
        question: the question's name.
        repeat: 0 for the first time of asking.
        key: hash of everything the answer depends on; another key means that it has to be asked again.
        prompt: the text as it was sent.
        system: what stood before the conversation; None for the model's own default.
        options: the word that was to be said for each option.
        outcome: see `OUTCOMES`.
        choice: one of the question's options, or None.
        text: the raw reply, None where there was none.
        probabilities: of each option, where the model gave them.
        usage: tokens and the like.
        details: anything else that the model told.
        error: why there was no reply.
        asked_at: when, ISO 8601 in UTC.
        seconds: how long the reply took.
    """

    model: str
    revision: str
    variant_id: str
    question: str
    repeat: int
    key: str
    prompt: str
    system: str | None
    options: Mapping[str, str]
    outcome: Outcome
    choice: str | None
    text: str | None
    probabilities: Mapping[str, float] | None
    usage: Mapping[str, JsonValue]
    details: Mapping[str, JsonValue]
    error: str | None
    asked_at: str
    seconds: float


def utc_now() -> str:
    """The time, ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
