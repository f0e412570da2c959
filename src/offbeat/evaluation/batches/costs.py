"""The money of batches: the most that a job may cost is set aside, until what it has cost is known."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from offbeat.errors import ModelError
from offbeat.evaluation.calls.checking import spent_by
from offbeat.evaluation.identity import Identity
from offbeat.evaluation.money.prices import Price, cost_usd
from offbeat.evaluation.money.purse import Purse
from offbeat.evaluation.plan import Planned
from offbeat.models.base import Batch, JsonValue, Paid, Reply, most_usage


@dataclass(frozen=True, slots=True)
class Costs:
    """What the questions of one model cost in batches.

    Attributes:
        model: whom.
        identity: who that is.
        purse: where the money is set aside.
        price: of a million tokens; None where a call is free, or its price is unknown and that is fine.
    """

    model: Batch
    identity: Identity
    purse: Purse
    price: Price | None

    def affordable(self, part: Sequence[Planned]) -> int:
        """How many of these, from the first, fit into what is left."""
        return sum(self.purse.fits(total) for total in accumulate(map(self._most_usd, part)))

    def of(self, planned: Planned, came: Reply | ModelError | None) -> float:
        """What a question of a job has cost; the most that it may, where nobody can tell, as with one that was lost."""
        if self.price is None:
            return 0.0
        _, cost = (None, None) if came is None else spent_by(came, self.price, batch=True)
        return self._most_usd(planned) if cost is None else cost

    async def set_aside(self, part: Sequence[Planned]) -> int | None:
        """The number of the call under which there is enough for these; None where they are free.

        Raises:
            OutOfMoney, RunError: they must not be handed over.
        """
        if self.price is None or not isinstance(self.model, Paid):
            return None
        most_usd = list(accumulate(map(self._most_usd, part)))[-1]  # to the last digit as in `affordable`
        return await asyncio.to_thread(
            self.purse.begin, model=self.identity.name, key="", purpose="batch", most_usd=most_usd
        )

    async def set_free(self, call: int | None) -> None:
        """Nothing was handed over under this number."""
        if call is not None:
            await asyncio.to_thread(self.purse.end, call, ended="not taken", usage={}, cost_usd=0.0)

    async def end(self, call: int | None, note: str, usage: Mapping[str, JsonValue], cost: float | None) -> None:
        """Put what a job has cost in place of what was set aside; None: nobody can tell, and all of it is spent."""
        if call is not None and self.price is not None:
            await asyncio.to_thread(self.purse.end, call, ended=note, usage=usage, cost_usd=cost)

    def _most_usd(self, planned: Planned) -> float:
        """The most that a question of a job may cost; 0 where it is free, or its price unknown."""
        if self.price is None or not isinstance(self.model, Paid):
            return 0.0
        usage = most_usage(self.model, planned.variant, planned.prompt, batch=True)
        return cost_usd(self.price, usage, batch=True) or 0.0
