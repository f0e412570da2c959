"""Handing over: questions become a job of a server, which is noted before the server may have it.

A job has a name before the server may have taken it: what is killed in between, or never hears the server's answer, is
looked for by that name, and neither lost nor handed over a second time. Where the server says that it was never taken,
its money is set free; where it knows nothing of it any more, all of it counts as spent. What is killed before, while
clips are rendered and uploaded, has no name, and its money is set free.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from offbeat.errors import MediaError, ModelError, NotHandedOver, RunError
from offbeat.evaluation.batches.costs import Costs
from offbeat.evaluation.batches.jobs import Unsent, begin_job, drop_job, name_job, unsent_jobs
from offbeat.evaluation.batches.waiting import ended
from offbeat.evaluation.calls.checking import storable, told
from offbeat.evaluation.calls.faults import caught_of
from offbeat.evaluation.database import Database
from offbeat.evaluation.identity import Identity
from offbeat.evaluation.plan import Planned
from offbeat.models.base import Batch, BatchItem


@dataclass(frozen=True, slots=True)
class HandingOver:
    """Hands questions over to one model.

    Attributes:
        model: whom.
        identity: who that is.
        database: where jobs are kept.
        costs: of the questions.
    """

    model: Batch
    identity: Identity
    database: Database
    costs: Costs

    async def hand_over(self, part: Sequence[Planned], *, halted: asyncio.Event) -> str | None:
        """Make these a job, unless the run is to end before they are sent; why that failed, or None.

        Raises:
            OutOfMoney, RunError: nothing was handed over; or it could not be noted.
            NotHandedOver: nor was it for some of these, without which the others may be.
        """
        call = await self.costs.set_aside(part)
        items = [BatchItem(planned.key, planned.variant, planned.prompt) for planned in part]
        job = begin_job(self.database, model=self.identity.name, keys=[item.key for item in items], call=call)
        sent = asyncio.Event()

        def note(name: str) -> None:
            name_job(self.database, job.number, name)
            sent.set()

        handing = asyncio.ensure_future(caught_of(_handed_over, self.model, items, note=note))
        await ended(handing, unless=halted, before=sent)  # hours of uploads, perhaps
        if handing.cancelled():
            await self._withdraw([job])
            return None
        name = handing.result()
        if isinstance(name, str):
            own = name_job(self.database, job.number, name)
            return None if own else f"the batch was given the name of a former one, {storable(name)}"
        if isinstance(name, RunError):
            raise name
        if isinstance(name, NotHandedOver) and not sent.is_set():
            await self._withdraw([job])
            raise name
        if isinstance(name, MediaError) or (isinstance(name, ModelError) and name.usage is not None):
            await self._withdraw([job])
            return storable(str(name)) if isinstance(name, MediaError) else told(name)
        if sent.is_set():
            return f"{told(name)}. Whether the batch was taken is not known yet"
        await self._withdraw([job])
        return told(name)

    async def withdraw_unsent(self) -> None:
        """Give up what never had a name, such as of a process that was killed while it uploaded."""
        await self._withdraw(unsent_jobs(self.database, self.identity.name))

    async def _withdraw(self, jobs: Sequence[Unsent]) -> None:
        """Set their money free, and let their questions be handed over anew."""
        for job in jobs:
            await self.costs.set_free(job.call)
            drop_job(self.database, job.number)


async def _handed_over(model: Batch, items: Sequence[BatchItem], *, note: Callable[[str], None]) -> str:
    """The name of the job; one without any would be handed over, and paid for, again and again."""
    name = await model.submit(items, note=note)
    if not isinstance(name, str) or not name:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"submit gave {name!r:.80}, expected the name of the job")
    return name
