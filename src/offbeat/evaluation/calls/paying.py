"""The money of a call: set aside before it goes out, and settled when it has come to an end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from offbeat.dataset.variant import Variant
from offbeat.errors import ModelError
from offbeat.evaluation.calls.checking import spent_by
from offbeat.evaluation.calls.faults import Failure, caught
from offbeat.evaluation.calls.limiter import set_within
from offbeat.evaluation.money.prices import Price, cost_usd
from offbeat.evaluation.money.purse import OutOfMoney, Purse
from offbeat.models.base import JsonValue, Paid, Prompt, Reply

PURSE_WAIT_S = 0.05


@dataclass(frozen=True, slots=True)
class Till:
    """Where the calls of one model are paid for.

    Attributes:
        model: whose.
        name: of the model.
        purse: of the run.
        price: of a million tokens.
        halted: set when nothing more is to go out; who waits for money then gives up.
    """

    model: Paid
    name: str
    purse: Purse
    price: Price
    halted: asyncio.Event

    async def paid(
        self,
        asked: Sequence[tuple[Variant, Prompt]],
        call: Callable[[], Awaitable[list[Reply | Failure]]],
        *,
        key: str,
        purpose: str,
    ) -> list[Reply | Failure] | None:
        """Make a call.

        Args:
            asked: what it is about.
            call: makes it; gives what comes of each of these.
            key: of the question, for the list of calls.
            purpose: for the same.

        Returns:
            What came of each; None where the call did not go out, as the run is to end.

        Raises:
            OutOfMoney: it could cost more than is left.
            RunError: it could not be noted.
        """
        most_usd = caught(self._most_usd, asked)
        if isinstance(most_usd, BaseException):
            return [most_usd for _ in asked]
        number = await self._begun(key, purpose, most_usd)
        if number is None:
            return None
        came = await call()
        usage, cost = self._spent(came)
        ended = type(next((one for one in came if not isinstance(one, Reply)), came[0])).__name__
        await asyncio.to_thread(self.purse.end, number, ended=ended, usage=usage, cost_usd=cost)
        return came

    def _most_usd(self, asked: Sequence[tuple[Variant, Prompt]]) -> float:
        each = [cost_usd(self.price, self.model.expected_usage(variant, prompt)) for variant, prompt in asked]
        known = [most for most in each if most is not None]
        if len(known) < len(each):
            raise ModelError(f"{self.name}: expected_usage tells no tokens in and out, so no price can be set")
        return sum(known)

    async def _begun(self, key: str, purpose: str, most_usd: float) -> int | None:
        """Set money aside; where there may be enough when others have ended, wait for them."""
        while True:
            try:
                return await asyncio.to_thread(
                    self.purse.begin, model=self.name, key=key, purpose=purpose, most_usd=most_usd
                )
            except OutOfMoney as failure:
                if not failure.may_pass:
                    raise
            if await set_within(self.halted, PURSE_WAIT_S):
                return None

    def _spent(self, came: Sequence[Reply | Failure]) -> tuple[Mapping[str, JsonValue] | None, float | None]:
        """What the call used and cost; of several variants, each answer tells by itself what it used."""
        distinct = {id(one): one for one in came}.values()  # one failure may stand for all
        each = [spent_by(one, self.price) for one in distinct]
        costs = [cost for _, cost in each if cost is not None]
        return each[0][0] if len(each) == 1 else None, sum(costs) if len(costs) == len(each) else None
