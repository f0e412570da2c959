"""One question to one model: whatever comes back, or goes wrong, becomes an `Answer`."""

from __future__ import annotations

import json
import logging
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import get_args

from offbeat.errors import ModelError, ModelUnavailable
from offbeat.evaluation.answer import Answer
from offbeat.evaluation.parsing import read_reply
from offbeat.evaluation.plan import Planned
from offbeat.models.base import JsonValue, Model, Reply, Stop

_log = logging.getLogger(__name__)


def ask(model: Model, planned: Planned, question: str) -> tuple[Answer, bool]:
    """Ask, and read the reply.

    Returns:
        The answer, and whether the model is of no use any more. An exception of the model is an answer with outcome
        ``error``; where it is not a `ModelError`, its traceback is logged and kept among the details.
    """
    asked_at = datetime.now(UTC).isoformat(timespec="milliseconds")
    started = time.perf_counter()
    reply: Reply | None = None
    error: str | None = None
    details: dict[str, JsonValue] = {}
    useless = False
    try:
        reply = checked(model.reply(planned.variant, planned.prompt), planned.prompt.options)
    except ModelError as failure:
        error = str(failure) or type(failure).__name__
        useless = isinstance(failure, ModelUnavailable)
    except (Exception, SystemExit) as failure:  # noqa: BLE001  any fault of a model's code: kept, and logged here
        _log.exception("%s failed on variant %s", model.name, planned.variant.row.variant_id)
        error = f"{type(failure).__name__}: {failure}"
        details["traceback"] = _storable(traceback.format_exc())
    seconds = time.perf_counter() - started
    outcome, choice = ("error", None) if reply is None else read_reply(reply.text, reply.stop, planned.prompt.options)
    answer = Answer(
        model=model.name,
        revision=model.revision,
        variant_id=planned.variant.row.variant_id,
        question=question,
        repeat=0,
        key=planned.key,
        prompt=planned.prompt.text,
        outcome=outcome,
        choice=choice,
        text=None if reply is None else reply.text,
        probabilities=None if reply is None else reply.probabilities,
        usage={} if reply is None else reply.usage,
        details=details if reply is None else reply.details,
        error=None if error is None else _storable(error),
        asked_at=asked_at,
        seconds=seconds,
    )
    return answer, useless


def checked(reply: Reply, options: Sequence[str]) -> Reply:
    """The reply, fit to be kept.

    Raises:
        TypeError, ValueError: it is not what `Reply` promises: a fault of the model's code.
    """
    if not isinstance(reply, Reply) or not isinstance(reply.text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"expected a Reply with a text, got {reply!r:.200}")
    if reply.stop not in get_args(Stop):
        raise ValueError(f"stop is {reply.stop!r}, expected one of {', '.join(get_args(Stop))}")
    json.dumps([dict(reply.usage), dict(reply.details)], allow_nan=False)
    return replace(reply, text=_storable(reply.text), probabilities=_probabilities(reply.probabilities, options))


def _probabilities(given: Mapping[str, float] | None, options: Sequence[str]) -> Mapping[str, float] | None:
    if given is None:
        return None
    chances = {option: float(chance) for option, chance in given.items()}
    if not (set(chances) <= set(options) and all(0 <= c <= 1 for c in chances.values()) and _sum_is_fine(chances)):
        raise ValueError(f"probabilities {chances}, expected numbers from 0 to 1 for {', '.join(options)}")
    return chances


def _sum_is_fine(chances: Mapping[str, float]) -> bool:
    return sum(chances.values()) <= 1 + 1e-9


def _storable(text: str) -> str:
    """Text without lone surrogates, which UTF-8 and so the store cannot hold."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
