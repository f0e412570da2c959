"""One model's turn by batches: what is done is collected, and what is open is handed over."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from offbeat.errors import NotHandedOver
from offbeat.evaluation.answer import Answer
from offbeat.evaluation.batches.collecting import Collecting, answered_by
from offbeat.evaluation.batches.costs import Costs
from offbeat.evaluation.batches.handing_over import HandingOver
from offbeat.evaluation.batches.jobs import Job, pending_jobs
from offbeat.evaluation.calls.checking import told
from offbeat.evaluation.calls.faults import caught
from offbeat.evaluation.database import Database
from offbeat.evaluation.money.prices import Price
from offbeat.evaluation.money.purse import OutOfMoney, Purse
from offbeat.evaluation.plan import ModelPlan, Planned
from offbeat.models.base import Batch

_log = logging.getLogger(__name__)

LARGEST = 500
"""Questions in one job: so many clips are rendered, and so much is lost if the job expires."""


class BatchTurn:
    """One model's turn by batches.

    Args:
        model: whom.
        plans: what is wanted, one for each question; one at least.
        every: the same for the whole dataset: what its jobs may hold, handed over by whichever command.
        database: where answers and jobs are kept.
        purse: where the money is set aside.
        price: of a million tokens; None where a call is free, or its price is unknown and that is fine.
        on_progress: is given each answer of a job that is wanted when it is on the disk.
        on_note: is told, in words, what is handed over; that may take hours.
    """

    def __init__(
        self,
        model: Batch,
        plans: Sequence[ModelPlan],
        every: Sequence[ModelPlan],
        *,
        database: Database,
        purse: Purse,
        price: Price | None,
        on_progress: Callable[[Answer], None] | None,
        on_note: Callable[[str], None] | None = None,
    ) -> None:
        self._identity = plans[0].identity
        self._plans = plans
        self._database = database
        self._on_note = on_note
        self._costs = Costs(model, self._identity, purse, price)
        self._handing_over = HandingOver(model, self._identity, database, self._costs)
        self._collecting = Collecting(
            model,
            self._identity,
            every,
            plans,
            database=database,
            costs=self._costs,
            on_progress=on_progress,
        )

    async def take(self, *, halted: asyncio.Event) -> str | None:
        """Collect what is done, and hand over what is open.

        Where a job cannot be told of, the others are collected, and nothing is handed over. One that holds questions
        which are not asked now is left alone.

        Returns:
            What is still to come, or why the model was stopped; None if everything is there.

        Raises:
            RunError: an answer or a job could not be noted.
        """
        await self._handing_over.withdraw_unsent()
        why = None
        for job in filter(self._collecting.knows, self._pending()):
            if not halted.is_set():
                untold = await self._collecting.collect(job, halted=halted)
                why = why or untold
        if self._collecting.stopped is not None:
            return self._collecting.stopped
        left = self._open()
        while left and why is None and not halted.is_set():
            fitting = caught(self._costs.affordable, left[:LARGEST])
            if isinstance(fitting, BaseException):
                why = told(fitting)
                break
            part = left[: max(1, fitting)]  # one at least, to be told what is lacking
            if self._on_note is not None and fitting:
                self._on_note(f"{self._identity.name}: handing over {len(part)} of {len(left)} questions")
            try:
                why = await self._handing_over.hand_over(part, halted=halted)
                left = left[len(part) :]
            except NotHandedOver as failure:
                left, why = await self._without(failure, part, left)
            except OutOfMoney as failure:
                why = str(failure)
        return ". ".join(words for words in (why, self._there()) if words) or None

    async def _without(
        self, failure: NotHandedOver, part: Sequence[Planned], left: Sequence[Planned]
    ) -> tuple[list[Planned], str | None]:
        """What else is to be handed over, where some of a part cannot be; why it is not, where that is all of it."""
        refused = {one.key: failure.failures[one.key] for one in part if one.key in failure.failures}
        await self._collecting.keep_failures(refused)
        _log.warning("%s: %s", self._identity.name, told(failure))
        rest = [planned for planned in left if planned.key not in refused]
        return rest, told(failure) if len(refused) in (0, len(part)) else None

    def _there(self) -> str:
        """What is under way, and how it is collected."""
        jobs = self._pending()
        others = [job for job in jobs if not self._collecting.knows(job)]
        there = f"questions in batches: {sum(len(job.keys) for job in jobs)}"
        if not others:
            return f"{there}; the same command collects them" if jobs else ""
        named = ", ".join(job.job for job in others)
        return f"{there}; {named} with other questions than these: collected by the command that handed them over"

    def _open(self) -> list[Planned]:
        """What has no answer and is in no job; once for each key."""
        under_way = {key for job in self._pending() for key in job.keys}
        answered = answered_by(self._database, self._identity.name)
        wanted = [planned for plan in self._plans for group in plan.to_ask for planned in group]
        unanswered = [p for p in wanted if p.key not in under_way and (p.key, p.variant.row.variant_id) not in answered]
        return list({planned.key: planned for planned in unanswered}.values())

    def _pending(self) -> tuple[Job, ...]:
        return pending_jobs(self._database, self._identity.name)
