"""Batches: hand over many questions at once, leave, and collect the answers later, at a lower price.

::

    offbeat run … --batch     questions ──submit──▶ job 1, job 2, …     nothing is waited for
    offbeat run … --batch     ◀──collect── job 1 ended: answers; job 2 pending: come back later

The names of jobs and the keys of their questions stand in the run's database; a question that is in a job is not asked
another time while the job is pending. What a job leaves open (it expired, a line of its result cannot be read) is
handed over anew by the next such command. Where clip after clip failed alike, nothing is handed over in that command.

A job has a name before the server may have taken it: what is killed in between, or never hears the server's answer, is
looked for by that name, and neither lost nor handed over a second time; if it is not found, its money stays counted as
spent. What is killed before, while clips are rendered and uploaded, has no name, and its money is set free.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate

from offbeat.errors import MediaError, ModelError, ModelUnavailable, RateLimited, RunError, TransientError
from offbeat.evaluation.answer import Answer
from offbeat.evaluation.asking import answer_of, checked_call
from offbeat.evaluation.calls.breaker import Breaker
from offbeat.evaluation.calls.checking import spent_by, storable, told
from offbeat.evaluation.calls.faults import Failure, caught, caught_of
from offbeat.evaluation.database import Database
from offbeat.evaluation.jobs import (
    Job,
    Unsent,
    begin_job,
    drop_job,
    end_job,
    name_job,
    pending_jobs,
    unsent_jobs,
)
from offbeat.evaluation.money.prices import Price, cost_usd
from offbeat.evaluation.money.purse import OutOfMoney, Purse
from offbeat.evaluation.plan import ModelPlan, Planned
from offbeat.evaluation.store import put_answer
from offbeat.models.base import USAGE, Batch, BatchItem, JsonValue, Paid, Reply, most_usage

_log = logging.getLogger(__name__)

LARGEST = 500
"""Questions in one job: so many clips are rendered, and so much is lost if the job expires."""
_NOT_NOW = (RateLimited, TransientError, ModelUnavailable)
"""Of one that collects: the job is there all the same."""


class BatchTurn:
    """One model's turn by batches.

    Args:
        model: whom.
        plans: what is wanted, one for each question.
        every: the same for the whole dataset: what its jobs may hold, handed over by whichever command.
        database: where answers and jobs are kept.
        purse: where the money is set aside.
        price: of a million tokens; None where a call is free, or its price is unknown and that is fine.
        on_progress: is given each answer when it is on the disk.
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
    ) -> None:
        self._model = model
        self._plans = plans
        self._questions: dict[str, list[tuple[Planned, str]]] = {}
        """By key: more than one where variants have the same bytes, as with a sound that repeats itself."""
        for plan in every:
            for planned in plan.planned:
                self._questions.setdefault(planned.key, []).append((planned, plan.question.name))
        self._database = database
        self._purse = purse
        self._price = price
        self._on_progress = on_progress
        self._breaker = Breaker(answered=any(plan.kept for plan in plans))
        self._stopped: str | None = None

    async def take(self, *, halted: asyncio.Event) -> str | None:
        """Collect what is done, and hand over what is open.

        Where a job cannot be told of, the others are collected, and nothing is handed over.

        Returns:
            What is still to come, or why the model was stopped; None if everything is there.

        Raises:
            RunError: an answer or a job could not be noted.
        """
        await self._withdraw(unsent_jobs(self._database, self._model.name))
        why = None
        for job in pending_jobs(self._database, self._model.name):
            if not halted.is_set():
                untold = await self._collect(job)
                why = why or untold
        if self._stopped is not None:
            return self._stopped
        under_way = {key for job in pending_jobs(self._database, self._model.name) for key in job.keys}
        answered = self._answered()
        wanted = [p for plan in self._plans for group in plan.to_ask for p in group]
        unanswered = [p for p in wanted if p.key not in under_way and (p.key, p.variant.row.variant_id) not in answered]
        left = list({planned.key: planned for planned in unanswered}.values())
        while left and why is None and not halted.is_set():
            fitting = caught(self._affordable, left[:LARGEST])
            if isinstance(fitting, BaseException):
                why = told(fitting)
                break
            part = left[:fitting]
            try:
                why = await self._submit(part, halted)
            except OutOfMoney as failure:
                why = str(failure)
            left = left[len(part) :]
        jobs = pending_jobs(self._database, self._model.name)
        if not jobs:
            return why
        there = f"questions in batches: {sum(len(job.keys) for job in jobs)}; the same command collects them"
        return there if why is None else f"{why}. {there}"

    def _affordable(self, part: Sequence[Planned]) -> int:
        """How many of these, from the first, fit into what is left; one at least, to be told what is lacking."""
        sums = accumulate(self._most_usd(planned) for planned in part)
        return max(1, sum(self._purse.fits(total) for total in sums))

    def _most_usd(self, planned: Planned) -> float:
        """The most that a question of a job may cost; 0 where it is free, or its price unknown."""
        if self._price is None or not isinstance(self._model, Paid):
            return 0.0
        usage = most_usage(self._model, planned.variant, planned.prompt, batch=True)
        return cost_usd(self._price, usage, batch=True) or 0.0

    async def _submit(self, part: Sequence[Planned], halted: asyncio.Event) -> str | None:
        """Hand these over, unless the run is to end before they are sent; why that failed, or None.

        Raises:
            OutOfMoney, RunError: nothing was handed over; or it could not be noted.
        """
        call = None
        if self._price is not None and isinstance(self._model, Paid):
            most_usd = list(accumulate(self._most_usd(planned) for planned in part))[-1]  # to the last digit as above
            call = await asyncio.to_thread(
                self._purse.begin, model=self._model.name, key="", purpose="batch", most_usd=most_usd
            )
        items = [BatchItem(planned.key, planned.variant, planned.prompt) for planned in part]
        keys = [planned.key for planned in part]
        job = begin_job(self._database, model=self._model.name, keys=keys, call=call)
        sent = asyncio.Event()

        def note(name: str) -> None:
            name_job(self._database, job.number, name)
            sent.set()

        handing = asyncio.ensure_future(caught_of(_handed_over, self._model, items, note=note))
        await _ended(handing, unless=halted, before=sent)
        if handing.cancelled():
            await self._withdraw([job])
            return None
        name = handing.result()
        if isinstance(name, str):
            name_job(self._database, job.number, name)
            return None
        if isinstance(name, RunError):
            raise name
        if isinstance(name, MediaError) or (isinstance(name, ModelError) and name.usage is not None):
            await self._withdraw([job])
            return storable(str(name)) if isinstance(name, MediaError) else told(name)
        await self._withdraw(unsent_jobs(self._database, self._model.name))  # it may have been taken, if it was sent
        return told(name)

    async def _withdraw(self, jobs: Sequence[Unsent]) -> None:
        """Set their money free, and let their questions be handed over anew."""
        for job in jobs:
            if job.call is not None:
                await asyncio.to_thread(self._purse.end, job.call, ended="not taken", usage={}, cost_usd=0.0)
            drop_job(self._database, job.number)

    async def _collect(self, job: Job) -> str | None:
        """Keep what there is of it; why that cannot be told, or None."""
        if not job.keys <= self._questions.keys():
            return f"{job.job}: holds other questions than these; repeat the command by which it was handed over"
        known = {key: questions for key, questions in self._questions.items() if key in job.keys}
        items = [BatchItem(key, alike[0][0].variant, alike[0][0].prompt) for key, alike in known.items()]
        collected = await caught_of(self._model.collect, job.job, items)
        if isinstance(collected, BaseException):
            if isinstance(collected, ModelError) and not isinstance(collected, _NOT_NOW):
                self._tell_missing(job, f"lost: {told(collected)}", len(job.keys))
                await self._end(job, f"lost: {told(collected)}", {}, None)
                return None
            return f"{job.job}: cannot be told now: {told(collected)}; the same command collects it later"
        usage: dict[str, int] = {}
        answered = self._answered()
        for key, questions in known.items():
            came = collected.replies.get(key)
            if came is None:
                continue
            answers = [self._answer(came, *one, job) for one in questions]
            for answer in answers:
                if (key, answer.variant_id) in answered:
                    continue
                await asyncio.to_thread(put_answer, self._database, answer)
                self._watch(questions[0][0].variant.row.clip_id, answer.error, came)
                if self._on_progress is not None:
                    self._on_progress(answer)
            for word in USAGE:
                count = answers[0].usage.get(word)
                if isinstance(count, int):
                    usage[word] = usage.get(word, 0) + count
        if collected.state == "ended":
            cost = sum(self._cost(planned, collected.replies.get(key)) for key, [(planned, _), *_] in known.items())
            if missing := len(known.keys() - collected.replies.keys()):
                self._tell_missing(job, collected.note or "ended", missing)
            await self._end(job, collected.note or "collected", usage, cost if collected.replies else None)
        return None

    def _tell_missing(self, job: Job, note: str, missing: int) -> None:
        """Else nobody would know why there is another batch of the same questions, and why so much is spent."""
        paid = "" if job.call is None else "; what was set aside for them counts as spent, as nobody tells their cost"
        _log.warning("%s: %s: %s; to be handed over anew: %d%s", self._model.name, job.job, note, missing, paid)

    def _watch(self, clip: str, error: str | None, came: Reply | ModelError) -> None:
        """See whether more of the same would be paid for in vain."""
        failure = came if isinstance(came, ModelError) else None
        clips = self._breaker.ended(self._breaker.begun(clip), error, failure)
        if isinstance(came, ModelUnavailable):
            self._stopped = error
        elif clips is not None:
            self._stopped = f"{clips} clips in a row: {error}"

    def _answer(self, came: Reply | ModelError, planned: Planned, question: str, job: Job) -> Answer:
        answer = answer_of(
            checked_call(came, planned), self._model, planned, question, asked_at=job.submitted_at, seconds=0.0
        )
        answer_details: dict[str, JsonValue] = {**answer.details, "batch": job.job}
        return replace(answer, details=answer_details)

    def _cost(self, planned: Planned, came: Reply | ModelError | None) -> float:
        """What a question of a job has cost; the most that it may, where nobody can tell, as with one that was lost."""
        if self._price is None:
            return 0.0
        _, cost = (None, None) if came is None else spent_by(came, self._price, batch=True)
        return self._most_usd(planned) if cost is None else cost

    async def _end(self, job: Job, note: str, usage: Mapping[str, JsonValue], cost: float | None) -> None:
        if job.call is not None and self._price is not None:
            await asyncio.to_thread(self._purse.end, job.call, ended=note, usage=usage, cost_usd=cost)
        end_job(self._database, job.job, note=note)

    def _answered(self) -> set[tuple[str, str]]:
        """Key and variant of what has an answer."""
        query = "SELECT key, variant_id FROM answers WHERE model = ? AND outcome <> 'error'"
        with self._database.reading() as connection:
            return set(connection.execute(query, (self._model.name,)).fetchall())


async def _ended(handing: asyncio.Task[str | Failure], *, unless: asyncio.Event, before: asyncio.Event) -> None:
    """Wait for it; where the run is to end before a server may have taken it, give it up: hours of uploads, perhaps."""
    halting = asyncio.ensure_future(unless.wait())
    await asyncio.wait({handing, halting}, return_when=asyncio.FIRST_COMPLETED)
    halting.cancel()
    if not before.is_set():
        handing.cancel()
    await asyncio.wait({handing})


async def _handed_over(model: Batch, items: Sequence[BatchItem], *, note: Callable[[str], None]) -> str:
    """The name of the job; one without any would be handed over, and paid for, again and again."""
    name = await model.submit(items, note=note)
    if not isinstance(name, str) or not name:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"submit gave {name!r:.80}, expected the name of the job")
    return name
