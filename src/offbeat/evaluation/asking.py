"""One question to one model: whatever comes back, or goes wrong, becomes an `Answer`."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import AsyncGenerator, Sequence
from concurrent.futures import Executor
from contextlib import aclosing

from offbeat.errors import ModelError
from offbeat.evaluation.answer import Answer, utc_now
from offbeat.evaluation.calls.calling import Called, Caller
from offbeat.evaluation.calls.checking import checked_or_fault, storable, told, used_by
from offbeat.evaluation.calls.faults import Failure
from offbeat.evaluation.identity import Named
from offbeat.evaluation.plan import Planned
from offbeat.evaluation.reading.parsing import read_reply
from offbeat.models.base import JsonValue, Reply

_log = logging.getLogger(__name__)


async def ask(
    caller: Caller, planned: Planned, question: str, executor: Executor | None = None
) -> tuple[Answer, Failure | None] | None:
    """Ask, and read the reply.

    Returns:
        The answer, and what was raised where it is an error; None where nothing was asked, as the run was to end. An
        exception of the model is an answer with outcome ``error``; where it is not a `ModelError`, its traceback is
        logged and kept among the details.

    Raises:
        OutOfMoney, RunError: see `Caller.call`.
    """
    asked_at = utc_now()
    started = time.perf_counter()
    called = await caller.call(planned.variant, planned.prompt, key=planned.key, executor=executor)
    if called.reply is None and called.failure is None:
        return None
    seconds = time.perf_counter() - started
    return answer_of(called, caller.identity, planned, question, asked_at=asked_at, seconds=seconds), called.failure


async def ask_together(
    caller: Caller, group: Sequence[Planned], question: str, executor: Executor | None = None
) -> AsyncGenerator[tuple[Answer, Failure | None]]:
    """Ask a `Grouped` model about a clip's variants together, and read the replies.

    Yields:
        As of `ask`, each as soon as it is certain; its time is an equal share of what the clip has taken until then.
    """
    asked_at = utc_now()
    started = time.perf_counter()
    asked = [(planned.variant, planned.prompt) for planned in group]
    async with aclosing(caller.call_together(asked, executor)) as came:
        async for place, called in came:
            seconds = (time.perf_counter() - started) / len(group)
            answer = answer_of(called, caller.identity, group[place], question, asked_at=asked_at, seconds=seconds)
            yield answer, called.failure


def checked_call(reply: Reply | ModelError, planned: Planned) -> Called:
    """What a model handed over, as what came of a call; what is not fit to be kept is a fault of the model's code."""
    came = checked_or_fault(reply, planned.prompt.options)
    return Called(came, None, ()) if isinstance(came, Reply) else Called(None, came, ())


def answer_of(
    called: Called, model: Named, planned: Planned, question: str, *, asked_at: str, seconds: float
) -> Answer:
    """Read what came back.

    Args:
        called: a reply, or why there is none.
        model: who was asked.
        planned: what.
        question: in which wording.
        asked_at: when, ISO 8601 in UTC.
        seconds: how long it took.
    """
    reply, prompt = called.reply, planned.prompt
    outcome, choice = ("error", None)
    if reply is not None:
        outcome, choice = read_reply(reply.text, reply.stop, prompt.options, prompt.words, prompt=prompt.text)
    return Answer(
        model=model.name,
        revision=model.revision,
        variant_id=planned.variant.row.variant_id,
        question=question,
        repeat=planned.repeat,
        key=planned.key,
        prompt=prompt.text,
        system=prompt.system,
        options=dict(zip(prompt.options, prompt.words, strict=True)),
        outcome=outcome,
        choice=choice,
        text=None if reply is None else reply.text,
        probabilities=None if reply is None else reply.probabilities,
        usage=_usage(called),
        details=_details(called, model, planned),
        error=None if called.failure is None else told(called.failure),
        asked_at=asked_at,
        seconds=seconds,
    )


def _usage(called: Called) -> dict[str, JsonValue]:
    if called.reply is not None:
        return dict(called.reply.usage)
    return {} if called.failure is None else used_by(called.failure) or {}


def _details(called: Called, model: Named, planned: Planned) -> dict[str, JsonValue]:
    details: dict[str, JsonValue] = {} if called.reply is None else dict(called.reply.details)
    if called.former:
        details["failed_attempts"] = list(called.former)
    if called.failure is not None and not isinstance(called.failure, ModelError):
        details["traceback"] = log_fault(model, f"variant {planned.variant.row.variant_id}", called.failure)
    return details


def log_fault(model: Named, what: str, failure: Failure) -> str:
    """Log what a model's code has raised, so that its line can be found.

    Args:
        model: whose.
        what: it was asked about.
        failure: that is no `ModelError`.

    Returns:
        The traceback.
    """
    told = storable("".join(traceback.format_exception(failure)))
    shown = "\n".join(line.encode("unicode_escape").decode("ascii") for line in told.split("\n"))
    _log.error("%s failed on %s\n%s", model.name, what, shown)
    return told
