"""What a model hands over, fit to be kept: as it was promised, storable, and without keys."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias, get_args

from offbeat.errors import ModelError
from offbeat.evaluation.calls.faults import Failure, caught
from offbeat.evaluation.money.prices import Price, cost_usd
from offbeat.models.base import JsonValue, Reply, Stop
from offbeat.models.keys import redacted

Secrets: TypeAlias = Sequence[tuple[str, str]] | None


def checked(reply: Reply, options: Sequence[str], *, secrets: Secrets = None) -> Reply:
    """The reply, fit to be kept, and without keys.

    Args:
        reply: as the model gave it.
        options: that may have probabilities.
        secrets: as of `secrets_now`; those of this moment by default.

    Raises:
        TypeError, ValueError: it is not what `Reply` promises: a fault of the model's code.
    """
    if inspect.iscoroutine(reply):
        reply.close()
        raise TypeError("expected a Reply, got a coroutine; write `async def reply`, which is awaited")
    if not isinstance(reply, Reply) or not isinstance(reply.text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"expected a Reply with a text, got {redacted(repr(reply), secrets):.200}")
    if reply.stop not in get_args(Stop):
        raise ValueError(f"stop is {reply.stop!r}, expected one of {', '.join(get_args(Stop))}")
    return replace(
        reply,
        text=storable(reply.text, secrets),
        probabilities=_probabilities(reply.probabilities, options),
        usage=_plain(reply.usage, secrets, "usage"),
        details=_plain(reply.details, secrets, "details"),
    )


def checked_or_fault(came: Reply | Failure, options: Sequence[str], *, secrets: Secrets = None) -> Reply | Failure:
    """As `checked`, of what a model gave or raised; what is not fit to be kept is a fault of the model's code."""
    return came if isinstance(came, BaseException) else caught(checked, came, options, secrets=secrets)


def told(failure: Failure) -> str:
    """A failure in words, fit to be kept; what is no `ModelError` with the name of its kind."""
    shown = caught(str, failure)
    text = shown if isinstance(shown, str) else f"its text cannot be had ({type(shown).__name__})"
    if not isinstance(failure, ModelError):
        text = f"{type(failure).__name__}: {text}"
    return storable(text or type(failure).__name__)


def used_by(failure: Failure) -> dict[str, JsonValue] | None:
    """What a failed call has used, fit to be kept; None where nobody knows, or nobody can read it."""
    if not isinstance(failure, ModelError) or failure.usage is None:
        return None
    try:
        return _plain(failure.usage, None, "usage")
    except (TypeError, ValueError):
        return None


def spent_by(
    came: Reply | Failure, price: Price, *, batch: bool = False
) -> tuple[Mapping[str, JsonValue] | None, float | None]:
    """What a call used and what it cost, in US dollars; None for what nobody knows.

    Args:
        came: a reply; or a failure, which was free if it says that it used nothing.
        price: for a million tokens.
        batch: it was one of a batch.
    """
    usage = came.usage if isinstance(came, Reply) else used_by(came)
    if isinstance(came, ModelError) and usage == {}:
        return usage, 0.0
    return usage, None if usage is None else cost_usd(price, usage, batch=batch)


def storable(text: str, secrets: Secrets = None) -> str:
    """Text without keys, and without lone surrogates, which UTF-8 and so the store cannot hold."""
    return redacted(text.encode("utf-8", "backslashreplace").decode("utf-8"), secrets)


def _plain(record: Mapping[str, JsonValue], secrets: Secrets, what: str) -> dict[str, JsonValue]:
    try:
        told = json.loads(json.dumps(dict(record), allow_nan=False))
    except (TypeError, ValueError) as error:
        wanted = "text, finite numbers (float(x) of one of numpy), lists and dicts"
        raise type(error)(f"{what}: {error}; expected what JSON holds: {wanted}") from error
    # text by text: a key with a quote in it is another one in JSON, and to replace it there might break the JSON
    return {storable(name, secrets): _storable(value, secrets) for name, value in told.items()}


def _storable(value: JsonValue, secrets: Secrets) -> JsonValue:
    """The same value with each of its texts as of `storable`."""
    if isinstance(value, str):
        return storable(value, secrets)
    if isinstance(value, list):
        return [_storable(one, secrets) for one in value]
    if isinstance(value, dict):
        return {storable(name, secrets): _storable(one, secrets) for name, one in value.items()}
    return value


def _probabilities(given: Mapping[str, float] | None, options: Sequence[str]) -> Mapping[str, float] | None:
    if given is None:
        return None
    chances = {option: float(chance) for option, chance in dict(given).items()}
    fine = set(chances) <= set(options) and all(0 <= c <= 1 for c in chances.values())
    if not fine or sum(chances.values()) > 1 + 1e-9:
        raise ValueError(f"probabilities {chances}, expected numbers from 0 to 1 for {', '.join(options)}")
    return chances
