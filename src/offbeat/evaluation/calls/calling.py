"""One question to one model, or those about one clip together: what may pass is waited for, all else is told at once.

How often and how long is in `offbeat.evaluation.calls.patience`. A call has a time limit where the model is
asynchronous. A model in process cannot be stopped from outside.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias, cast

from offbeat.dataset.variant import Variant
from offbeat.errors import RateLimited, TransientError
from offbeat.evaluation.calls.checking import checked_or_fault, told
from offbeat.evaluation.calls.faults import Failure, caught, caught_of
from offbeat.evaluation.calls.limiter import Limiter, set_within
from offbeat.evaluation.calls.patience import FIRST_WAIT_S, Patience
from offbeat.evaluation.calls.paying import Till
from offbeat.evaluation.calls.vigil import Vigil, Watch
from offbeat.evaluation.identity import Identity, identity_of
from offbeat.evaluation.money.prices import Price
from offbeat.evaluation.money.purse import Purse
from offbeat.models.base import Grouped, JsonValue, Model, Paid, Prompt, Reply
from offbeat.models.keys import secrets_now

CALL_LIMIT_S = 600.0

Asked: TypeAlias = tuple[Variant, Prompt]
_Way: TypeAlias = "Callable[[Sequence[Asked]], Awaitable[list[Reply | Failure]]]"


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
        identity: who that is; it is asked unless given.
        limiter: how many at once.
        halted: set when nothing more is to go out; who waits for another attempt then gives up.
        purse: where paid calls are noted; None where nothing costs anything.
        price: of a million tokens; None where a call is free, or its price is unknown and that is fine.
        call_limit_s: the longest that a call of an asynchronous model may take.
        first_wait_s: see the module; shorter in tests.

    Raises:
        ModelUnavailable: the model cannot tell who it is.
    """

    def __init__(
        self,
        model: Model,
        *,
        identity: Identity | None = None,
        limiter: Limiter,
        halted: asyncio.Event,
        purse: Purse | None = None,
        price: Price | None = None,
        call_limit_s: float = CALL_LIMIT_S,
        first_wait_s: float = FIRST_WAIT_S,
    ) -> None:
        self._model = model
        self._identity = identity_of(model) if identity is None else identity
        self._limiter = limiter
        self._halted = halted
        self._till: Till | None = None
        if purse is not None and price is not None and isinstance(model, Paid):
            self._till = Till(model, self._identity.name, purse=purse, price=price, halted=halted)
        self._call_limit_s = call_limit_s
        self._first_wait_s = first_wait_s
        self._asynchronous = is_asynchronous(model)
        self._grouped = isinstance(model, Grouped)  # asked once: in Python 3.11 it reads all of the model's properties
        self._answers = 0
        self._vigil = Vigil()
        self._secrets = secrets_now()

    @property
    def identity(self) -> Identity:
        """Whom it asks."""
        return self._identity

    @property
    def grouped(self) -> bool:
        """Whether it takes a clip's variants together, by `call_together`."""
        return self._grouped

    @property
    def halted(self) -> bool:
        """Whether nothing more is to go out."""
        return self._halted.is_set()

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
        with self._vigil.over(variant.row.clip_id) as watch:
            way = self._until_certain([(variant, prompt)], partial(self._single, executor), key, purpose, watch)
            certain = [called async for _, called in way]
            return certain[0] if certain else Called(None, None, ())

    def call_together(
        self, asked: Sequence[Asked], executor: Executor | None = None
    ) -> AsyncGenerator[tuple[int, Called]]:
        """Ask a `Grouped` model about a clip's variants in one call, and again about those whose failures may pass.

        Args:
            asked: variants of one clip, each with its prompt.
            executor: where the model runs.

        Yields:
            The place of a variant, and what came of it, as soon as that is certain; nothing of those that were not
            asked about, as the run was to end.

        Raises:
            OutOfMoney, RunError: as of `call`.
        """
        return self._until_certain(asked, partial(self._together, executor), "", "answer")

    async def _until_certain(
        self, asked: Sequence[Asked], reply: _Way, key: str, purpose: str, watch: Watch | None = None
    ) -> AsyncGenerator[tuple[int, Called]]:
        patience = [Patience(self._first_wait_s) for _ in asked]
        left: Mapping[int, Failure | None] = dict.fromkeys(range(len(asked)))
        while left:
            async with self._limiter.slot() as begun:
                now = [asked[place] for place in left]
                came = None if self._halted.is_set() else await self._attempt(now, reply, key, purpose)
            if came is None:
                break
            passing: dict[int, Failure] = {}
            longest_s = 0.0
            for place, one in zip(left, came, strict=True):
                self._heed(one, begun)
                if isinstance(one, Reply):
                    if watch is not None:
                        watch.answered()
                    yield place, Called(one, None, patience[place].former)
                    continue
                failure, wait_s = patience[place].weigh(one, answers=self._answers)
                if watch is not None and isinstance(failure, TransientError):
                    if wait_s is None:
                        watch.gives_up()
                    elif not await watch.may_try_on():
                        wait_s = None
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
        self, asked: Sequence[Asked], reply: _Way, key: str, purpose: str
    ) -> list[Reply | Failure] | None:
        """One call; None where it did not go out, as the run is to end."""
        if self._till is None:
            return await reply(asked)
        return await self._till.paid(asked, partial(reply, asked), key=key, purpose=purpose)

    async def _single(self, executor: Executor | None, asked: Sequence[Asked]) -> list[Reply | Failure]:
        """What comes back from the model about one variant, or what it raises."""
        ((variant, prompt),) = asked
        reply = self._model.reply
        if not self._asynchronous:
            loop = asyncio.get_running_loop()
            came = await loop.run_in_executor(executor, lambda: caught(reply, variant, prompt))
            return [self._fit(cast("Reply | Failure", came), prompt)]
        try:
            async with asyncio.timeout(self._call_limit_s):
                came = await caught_of(cast("Callable[..., Awaitable[Reply]]", reply), variant, prompt)
        except TimeoutError:
            came = TransientError(f"no reply within {self._call_limit_s:g} s; --timeout sets how long", usage=None)
        return [self._fit(came, prompt)]

    async def _together(self, executor: Executor | None, asked: Sequence[Asked]) -> list[Reply | Failure]:
        """The same of a clip's variants in one call."""
        model = cast("Grouped", self._model)
        loop = asyncio.get_running_loop()
        came = await loop.run_in_executor(executor, lambda: caught(_replies, model, asked))
        each = [came for _ in asked] if isinstance(came, BaseException) else came
        return [self._fit(one, prompt) for one, (_, prompt) in zip(each, asked, strict=True)]

    def _fit(self, came: Reply | Failure, prompt: Prompt) -> Reply | Failure:
        if isinstance(came, TimeoutError):
            return TransientError(told(came), usage=None)
        return checked_or_fault(came, prompt.options, secrets=self._secrets)


def _replies(model: Grouped, asked: Sequence[Asked]) -> list[Reply | Failure]:
    came = model.replies([variant for variant, _ in asked], [prompt for _, prompt in asked])
    if len(came) != len(asked):
        raise ValueError(f"{len(came)} replies to {len(asked)} variants")
    return list(came)
