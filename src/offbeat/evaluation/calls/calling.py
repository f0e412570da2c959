"""One question to one model, or those about one clip together: what may pass is waited for, all else is told at once.

How often and how long is in `offbeat.evaluation.calls.patience`. A call has a time limit where the model is
asynchronous. A model in process cannot be stopped from outside.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, Awaitable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import cast

from offbeat.dataset.variant import Variant
from offbeat.errors import ModelError, RateLimited, TransientError
from offbeat.evaluation.calls.checking import checked, checked_or_fault, spent_by
from offbeat.evaluation.calls.limiter import Limiter, set_within
from offbeat.evaluation.calls.patience import FIRST_WAIT_S, Failure, Patience
from offbeat.evaluation.money.prices import Price, cost_usd
from offbeat.evaluation.money.purse import OutOfMoney, Purse
from offbeat.models.base import Grouped, JsonValue, Model, Paid, Prompt, Reply
from offbeat.models.keys import secrets_now

CALL_LIMIT_S = 600.0
PURSE_WAIT_S = 0.05


def is_asynchronous(model: Model) -> bool:
    """Whether the model's `reply` is to be awaited."""
    return inspect.iscoroutinefunction(model.reply)


def direct_reply(model: Model, variant: Variant, prompt: Prompt) -> Reply:
    """The reply of a model that is not asynchronous, in whatever thread.

    Raises:
        RuntimeError: the model's code raised StopIteration, which no future can hold: it would be waited for forever.
    """
    try:
        return cast("Reply", model.reply(variant, prompt))
    except StopIteration as failure:
        raise RuntimeError(f"StopIteration: {failure}").with_traceback(failure.__traceback__) from None


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
        self._answers = 0
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
        patience = Patience(self._first_wait_s)
        failure: Failure | None = None
        while True:
            async with self._limiter.slot() as begun:
                if self._halted.is_set():
                    return Called(None, failure, patience.former)
                came = await self._attempt(variant, prompt, key, purpose, executor)
            if came is None:
                return Called(None, failure, patience.former)
            self._heed(came, begun)
            if isinstance(came, Reply):
                return Called(came, None, patience.former)
            failure, wait_s = patience.weigh(came, answers=self._answers)
            if wait_s is None or await set_within(self._halted, wait_s):
                return Called(None, failure, patience.former)
            patience.asked_again(failure)

    async def call_together(
        self, model: Grouped, asked: Sequence[tuple[Variant, Prompt]], executor: Executor | None = None
    ) -> AsyncGenerator[tuple[int, Called]]:
        """Ask about a clip's variants in one call, and again about those whose failures may pass.

        Args:
            model: the one that this caller asks.
            asked: variants of one clip, each with its prompt.
            executor: where the model runs.

        Yields:
            The place of a variant, and what came of it, as soon as that is certain; nothing of those that were not
            asked about, as the run was to end.
        """
        patience = [Patience(self._first_wait_s) for _ in asked]
        left: Mapping[int, Failure | None] = dict.fromkeys(range(len(asked)))
        while left:
            async with self._limiter.slot() as begun:
                if self._halted.is_set():
                    break
                loop = asyncio.get_running_loop()
                came = await loop.run_in_executor(executor, self._together, model, [asked[place] for place in left])
            passing: dict[int, Failure] = {}
            longest_s = 0.0
            for place, one in zip(left, came, strict=True):
                self._heed(one, begun)
                if isinstance(one, Reply):
                    yield place, Called(one, None, patience[place].former)
                    continue
                failure, wait_s = patience[place].weigh(one, answers=self._answers)
                if wait_s is None:
                    yield place, Called(None, failure, patience[place].former)
                    continue
                passing[place] = failure
                longest_s = max(longest_s, wait_s)
            left = passing
            if not passing or await set_within(self._halted, longest_s):
                break
            for place, failure in passing.items():
                patience[place].asked_again(failure)
        for place, failure in left.items():
            if failure is not None:
                yield place, Called(None, failure, patience[place].former)

    def _heed(self, came: Reply | Failure, begun: float) -> None:
        """How many calls may go out at once."""
        if isinstance(came, Reply):
            self._answers += 1
            self._limiter.went_well()
        elif isinstance(came, RateLimited):
            self._limiter.was_too_much(begun, retry_after_s=came.retry_after_s)

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
        usage, cost = spent_by(outcome, self._price)
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
                return self._checked(
                    await loop.run_in_executor(executor, direct_reply, self._model, variant, prompt), prompt
                )
            async with limit:
                return self._checked(await cast("Awaitable[Reply]", self._model.reply(variant, prompt)), prompt)
        except TimeoutError as failure:
            own = f"TimeoutError: {failure}"
            return TransientError(f"no reply within {self._call_limit_s:g} s" if limit.expired() else own, usage=None)
        except KeyboardInterrupt:
            raise
        except BaseException as failure:
            task = asyncio.current_task()
            if isinstance(failure, asyncio.CancelledError) and task is not None and task.cancelling():
                raise  # it is ours, and not the model's
            return failure  # any fault of a model's code: handed on as it is

    def _checked(self, reply: Reply, prompt: Prompt) -> Reply:
        return checked(reply, prompt.options, secrets=self._secrets)

    def _together(self, model: Grouped, asked: Sequence[tuple[Variant, Prompt]]) -> list[Reply | Failure]:
        try:
            came = model.replies([variant for variant, _ in asked], [prompt for _, prompt in asked])
            if len(came) != len(asked):
                raise ValueError(f"{len(came)} replies to {len(asked)} variants")
        except KeyboardInterrupt:
            raise
        except BaseException as failure:  # noqa: BLE001  any fault of a model's code: handed on as it is
            return [failure] * len(asked)
        return [
            checked_or_fault(one, prompt.options, secrets=self._secrets)
            for one, (_, prompt) in zip(came, asked, strict=True)
        ]
