"""One question to one model, with patience: whatever may pass is waited for, whatever will not is told at once.

=================  =====================================================  ============================================
raised             means                                                  what happens
=================  =====================================================  ============================================
RateLimited        too many requests                                      fewer at a time; asked again, up to 12 times
TransientError     reset, time-out, half a body, 5xx                      asked again, up to 6 times in all
RequestRejected    this request will never do                             an error; three alike in a row stop the model
ModelUnavailable   no request will do: no key, no quota, another model    an error; the model is stopped
ModelError         no reply                                               an error; ten alike in a row stop the model
=================  =====================================================  ============================================

Between two attempts lies a random part of 1, 2, 4, … 60 s ("full jitter": M. Brooker, *Exponential Backoff And Jitter*,
AWS Architecture Blog, 2015), or what the server asks for, whichever is more. A server that asks for more than ten
minutes is not waited for: the run stops, and goes on another time.

A call has a time limit where the model is asynchronous. A model in process cannot be stopped from outside.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import random  # noqa: TID251  jitter needs no seed: it must differ from process to process
from collections.abc import Awaitable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import TypeAlias, cast, get_args

from offbeat.dataset.variant import Variant
from offbeat.errors import ModelError, ModelUnavailable, RateLimited, TransientError
from offbeat.evaluation.calls.limiter import Limiter, set_within
from offbeat.evaluation.money.prices import Price, cost_usd
from offbeat.evaluation.money.purse import OutOfMoney, Purse
from offbeat.models.base import JsonValue, Model, Paid, Prompt, Reply, Stop
from offbeat.models.keys import redacted, secrets_now

MOST_RATE_LIMITED = 12
MOST_TRANSIENT = 6
FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0
LONGEST_RETRY_AFTER_S = 600.0
CALL_LIMIT_S = 600.0
PURSE_WAIT_S = 0.05


Failure: TypeAlias = Exception | SystemExit
"""What a model's code may raise; an interrupt is the user's."""


Secrets: TypeAlias = Sequence[tuple[str, str]] | None


def is_asynchronous(model: Model) -> bool:
    """Whether the model's `reply` is to be awaited."""
    return inspect.iscoroutinefunction(model.reply)


@dataclass(frozen=True, slots=True)
class Called:
    """What came of it.

    Attributes:
        reply: None where there is none.
        failure: what was raised last; None where there is a reply, and where nothing was asked as the run was to end.
        former: the texts of the failures before, one an attempt.
    """

    reply: Reply | None
    failure: Failure | None
    former: tuple[JsonValue, ...]


class Caller:
    """Asks one model; for one event loop.

    Args:
        model: whom.
        limiter: how many at once.
        halted: set when nothing more is to go out; who waits for another attempt then gives up.
        purse: where paid calls are noted; None where nothing costs anything.
        price: of a million tokens; None where a call is free, or its price is unknown and that is fine.
        call_limit_s: the longest that a call of an asynchronous model may take.
        first_wait_s: see the module; shorter in tests.
    """

    def __init__(
        self,
        model: Model,
        *,
        limiter: Limiter,
        halted: asyncio.Event,
        purse: Purse | None = None,
        price: Price | None = None,
        call_limit_s: float = CALL_LIMIT_S,
        first_wait_s: float = FIRST_WAIT_S,
    ) -> None:
        self._model = model
        self._limiter = limiter
        self._halted = halted
        self._purse = purse
        self._price = price
        self._call_limit_s = call_limit_s
        self._first_wait_s = first_wait_s
        self._asynchronous = is_asynchronous(model)
        self._secrets = secrets_now()

    async def call(
        self, variant: Variant, prompt: Prompt, *, key: str, purpose: str = "answer", executor: Executor | None = None
    ) -> Called:
        """Ask until there is a reply, or no hope of one.

        Args:
            variant: about what.
            prompt: in which words.
            key: of the question, for the list of calls.
            purpose: for the same: ``answer`` or ``probe``.
            executor: where a model in process runs.

        Raises:
            OutOfMoney: the next call could cost more than is left.
            RunError: a paid call could not be noted.
        """
        former: list[JsonValue] = []
        limited = transient = 0
        outcome: Failure | None = None
        while True:
            async with self._limiter.slot() as begun:
                if self._halted.is_set():
                    return Called(None, outcome, tuple(former))
                came = await self._attempt(variant, prompt, key, purpose, executor)
            if came is None:
                return Called(None, outcome, tuple(former))
            if isinstance(came, Reply):
                self._limiter.went_well()
                return Called(came, None, tuple(former))
            outcome = came
            if isinstance(outcome, RateLimited):
                limited += 1
                self._limiter.was_too_much(begun, retry_after_s=outcome.retry_after_s)
            elif isinstance(outcome, TransientError):
                transient += 1
            else:
                return Called(None, outcome, tuple(former))
            if limited >= MOST_RATE_LIMITED or transient >= MOST_TRANSIENT:
                return Called(None, outcome, tuple(former))
            if (outcome.retry_after_s or 0) > LONGEST_RETRY_AFTER_S:
                return Called(None, _told_to_wait(outcome), tuple(former))
            if await set_within(self._halted, self._wait_s(outcome.retry_after_s, limited + transient)):
                return Called(None, outcome, tuple(former))
            former.append(redacted(str(outcome)))

    async def _attempt(
        self, variant: Variant, prompt: Prompt, key: str, purpose: str, executor: Executor | None
    ) -> Reply | Failure | None:
        """One call, and its money; None where it did not go out, as the run is to end."""
        if self._purse is None or self._price is None or not isinstance(self._model, Paid):
            return await self._reply(variant, prompt, executor)
        try:
            most_usd = cost_usd(self._price, self._model.expected_usage(variant, prompt))
        except Exception as failure:  # noqa: BLE001  any fault of a model's code: handed on as it is
            return failure
        if most_usd is None:
            return ModelError(f"{self._model.name}: expected_usage tells no tokens in and out, so no price can be set")
        call = await self._begun(self._purse, key, purpose, most_usd)
        if call is None:
            return None
        outcome = await self._reply(variant, prompt, executor)
        usage = outcome.usage if isinstance(outcome, Reply) else used_by(outcome)
        cost = None if usage is None else cost_usd(self._price, usage)
        if isinstance(outcome, ModelError) and usage == {}:
            cost = 0.0
        await asyncio.to_thread(self._purse.end, call, ended=type(outcome).__name__, usage=usage, cost_usd=cost)
        return outcome

    async def _begun(self, purse: Purse, key: str, purpose: str, most_usd: float) -> int | None:
        """Set money aside; where there may be enough when others have ended, wait for them."""
        while True:
            try:
                return await asyncio.to_thread(
                    purse.begin, model=self._model.name, key=key, purpose=purpose, most_usd=most_usd
                )
            except OutOfMoney as failure:
                if not failure.may_pass:
                    raise
            if await set_within(self._halted, PURSE_WAIT_S):
                return None

    async def _reply(self, variant: Variant, prompt: Prompt, executor: Executor | None) -> Reply | Failure:
        """What comes back from the model, or what it raises."""
        limit = asyncio.timeout(self._call_limit_s)
        try:
            if not self._asynchronous:
                loop = asyncio.get_running_loop()
                return self._checked(await loop.run_in_executor(executor, self._direct, variant, prompt), prompt)
            async with limit:
                return self._checked(await cast("Awaitable[Reply]", self._model.reply(variant, prompt)), prompt)
        except TimeoutError as failure:
            own = f"TimeoutError: {failure}"
            return TransientError(f"no reply within {self._call_limit_s:g} s" if limit.expired() else own, usage=None)
        except (Exception, SystemExit) as failure:  # noqa: BLE001  any fault of a model's code: handed on as it is
            return failure

    def _checked(self, reply: Reply, prompt: Prompt) -> Reply:
        return checked(reply, prompt.options, secrets=self._secrets)

    def _direct(self, variant: Variant, prompt: Prompt) -> Reply:
        return cast("Reply", self._model.reply(variant, prompt))

    def _wait_s(self, retry_after_s: float | None, attempts: int) -> float:
        longest = min(LONGEST_WAIT_S, self._first_wait_s * 2 ** (attempts - 1))
        return max(retry_after_s or 0.0, random.uniform(0, longest))


def checked(reply: Reply, options: Sequence[str], *, secrets: Secrets = None) -> Reply:
    """The reply, fit to be kept, and without keys.

    Args:
        reply: as the model gave it.
        options: that may have probabilities.
        secrets: as of `secrets_now`; those of this moment by default.

    Raises:
        TypeError, ValueError: it is not what `Reply` promises: a fault of the model's code.
    """
    if not isinstance(reply, Reply) or not isinstance(reply.text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"expected a Reply with a text, got {reply!r:.200}")
    if reply.stop not in get_args(Stop):
        raise ValueError(f"stop is {reply.stop!r}, expected one of {', '.join(get_args(Stop))}")
    return replace(
        reply,
        text=storable(reply.text, secrets),
        probabilities=_probabilities(reply.probabilities, options),
        usage=_plain(reply.usage, secrets),
        details=_plain(reply.details, secrets),
    )


def used_by(failure: Failure) -> dict[str, JsonValue] | None:
    """What a failed call has used, fit to be kept; None where nobody knows, or nobody can read it."""
    if not isinstance(failure, ModelError) or failure.usage is None:
        return None
    try:
        return _plain(failure.usage, None)
    except (TypeError, ValueError):
        return None


def storable(text: str, secrets: Secrets = None) -> str:
    """Text without keys, and without lone surrogates, which UTF-8 and so the store cannot hold."""
    return redacted(text.encode("utf-8", "backslashreplace").decode("utf-8"), secrets)


def _plain(record: Mapping[str, JsonValue], secrets: Secrets) -> dict[str, JsonValue]:
    return json.loads(storable(json.dumps(dict(record), allow_nan=False, ensure_ascii=False), secrets))


def _probabilities(given: Mapping[str, float] | None, options: Sequence[str]) -> Mapping[str, float] | None:
    if given is None:
        return None
    chances = {option: float(chance) for option, chance in dict(given).items()}
    fine = set(chances) <= set(options) and all(0 <= c <= 1 for c in chances.values())
    if not fine or sum(chances.values()) > 1 + 1e-9:
        raise ValueError(f"probabilities {chances}, expected numbers from 0 to 1 for {', '.join(options)}")
    return chances


def _told_to_wait(failure: RateLimited | TransientError) -> ModelUnavailable:
    minutes = (failure.retry_after_s or 0) / 60
    return ModelUnavailable(f"the server asks to wait {minutes:.0f} minutes; the same command goes on later: {failure}")
