"""Collecting: what a server has of a job becomes answers, and a job that has come to its end is closed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from offbeat.errors import ModelError, ModelUnavailable, RateLimited, RequestRejected, TransientError
from offbeat.evaluation.answer import Answer, utc_now
from offbeat.evaluation.asking import answer_of, checked_call
from offbeat.evaluation.batches.costs import Costs
from offbeat.evaluation.batches.jobs import Job, end_job
from offbeat.evaluation.batches.waiting import ended
from offbeat.evaluation.calls.breaker import Breaker
from offbeat.evaluation.calls.checking import told
from offbeat.evaluation.calls.faults import caught, caught_of
from offbeat.evaluation.database import Database
from offbeat.evaluation.identity import Identity
from offbeat.evaluation.plan import ModelPlan, Planned
from offbeat.evaluation.stopping import why_stopped
from offbeat.evaluation.store import put_answer
from offbeat.models.base import USAGE, Batch, BatchItem, Collected, JsonValue, Reply

_log = logging.getLogger(__name__)

_NOT_NOW = (RateLimited, TransientError, ModelUnavailable)
"""The job is there all the same."""


class Collecting:
    """Collects the jobs of one model.

    Args:
        model: whom.
        identity: who that is.
        every: all questions that its jobs may hold, handed over by whichever command.
        plans: what is wanted now, of all that.
        database: where answers and jobs are kept.
        costs: of the questions.
        on_progress: is given each answer of a job that is wanted when it is on the disk.

    Attributes:
        stopped: why no more should be handed over; None where it may.
    """

    def __init__(
        self,
        model: Batch,
        identity: Identity,
        every: Sequence[ModelPlan],
        plans: Sequence[ModelPlan],
        *,
        database: Database,
        costs: Costs,
        on_progress: Callable[[Answer], None] | None,
    ) -> None:
        self.stopped: str | None = None
        self._model = model
        self._identity = identity
        self._questions: dict[str, list[tuple[Planned, str]]] = {}
        """By key: more than one where variants have the same bytes, as with a sound that repeats itself."""
        for plan in every:
            for planned in plan.planned:
                self._questions.setdefault(planned.key, []).append((planned, plan.question.name))
        self._wanted = {(p.key, p.variant.row.variant_id) for plan in plans for group in plan.to_ask for p in group}
        self._database = database
        self._costs = costs
        self._on_progress = on_progress
        self._breaker = Breaker(answered=any(plan.kept for plan in plans))

    def knows(self, job: Job) -> bool:
        """Whether all questions of a job are among those that it may hold, so that it can be collected."""
        return job.keys <= self._questions.keys()

    async def collect(self, job: Job, *, halted: asyncio.Event) -> str | None:
        """Keep what there is of it, unless the run is to end before that has come; why it cannot be told, or None.

        Raises:
            RunError: it could not be noted.
        """
        known = {key: questions for key, questions in self._questions.items() if key in job.keys}
        items = [BatchItem(key, alike[0][0].variant, alike[0][0].prompt) for key, alike in known.items()]
        collecting = asyncio.ensure_future(caught_of(_collected, self._model, job.job, items))
        await ended(collecting, unless=halted)  # it costs nothing to fetch it another time
        if collecting.cancelled():
            return None
        collected = collecting.result()
        if isinstance(collected, BaseException):
            if isinstance(collected, RequestRejected):
                await self._end(job, f"not taken: {told(collected)}", {}, 0.0)
                return None
            if isinstance(collected, ModelError) and not isinstance(collected, _NOT_NOW):
                self._tell_missing(job, f"lost: {told(collected)}", len(job.keys))
                await self._end(job, f"lost: {told(collected)}", {}, None)
                return None
            return f"{job.job}: cannot be told now: {told(collected)}; the same command collects it later"
        usage = await self._keep(job, known, collected.replies)
        if collected.state == "ended":
            costs = (self._costs.of(planned, collected.replies.get(key)) for key, [(planned, _), *_] in known.items())
            cost = caught(sum, costs) if collected.replies else None
            if missing := len(known.keys() - collected.replies.keys()):
                self._tell_missing(job, collected.note or "ended", missing)
            await self._end(
                job, collected.note or "collected", usage, None if isinstance(cost, BaseException) else cost
            )
        return None

    async def keep_failures(self, failures: Mapping[str, ModelError]) -> None:
        """Keep why questions, by key, are in no job: each is an error, and none is an answer.

        Raises:
            RunError: it could not be noted.
        """
        for key, failure in failures.items():
            for planned, question in self._questions[key]:
                answer = self._read(failure, planned, question, asked_at=utc_now())
                await asyncio.to_thread(put_answer, self._database, answer)

    async def _keep(
        self,
        job: Job,
        known: Mapping[str, Sequence[tuple[Planned, str]]],
        replies: Mapping[str, Reply | ModelError],
    ) -> dict[str, int]:
        """Put the answers on the disk that are not there yet; what all of them have used."""
        usage: dict[str, int] = {}
        answered = answered_by(self._database, self._identity.name)
        for key, questions in known.items():
            came = replies.get(key)
            if came is None:
                continue
            answers = [self._answer(came, *one, job) for one in questions]
            for answer in answers:
                if (key, answer.variant_id) in answered:
                    continue
                await asyncio.to_thread(put_answer, self._database, answer)
                self._watch(questions[0][0].variant.row.clip_id, answer, came)
                if self._on_progress is not None and (key, answer.variant_id) in self._wanted:
                    self._on_progress(answer)
            for word in USAGE:
                count = answers[0].usage.get(word)
                if isinstance(count, int):
                    usage[word] = usage.get(word, 0) + count
        return usage

    def _answer(self, came: Reply | ModelError, planned: Planned, question: str, job: Job) -> Answer:
        answer = self._read(came, planned, question, asked_at=job.submitted_at)
        answer_details: dict[str, JsonValue] = {**answer.details, "batch": job.job}
        return replace(answer, details=answer_details)

    def _read(self, came: Reply | ModelError, planned: Planned, question: str, *, asked_at: str) -> Answer:
        called = checked_call(came, planned)
        return answer_of(called, self._identity, planned, question, asked_at=asked_at, seconds=0.0)

    def _watch(self, clip: str, answer: Answer, came: Reply | ModelError) -> None:
        """See whether more of the same would be paid for in vain."""
        failure = came if isinstance(came, ModelError) else None
        call = self._breaker.begun(clip)
        self.stopped = why_stopped(self._breaker, call, answer, failure, model=self._model) or self.stopped

    def _tell_missing(self, job: Job, note: str, missing: int) -> None:
        """Else nobody would know why there is another batch of the same questions, and why so much is spent."""
        paid = "" if job.call is None else "; what was set aside for them counts as spent, as nobody tells their cost"
        _log.warning("%s: %s: %s; to be handed over anew: %d%s", self._identity.name, job.job, note, missing, paid)

    async def _end(self, job: Job, note: str, usage: Mapping[str, JsonValue], cost: float | None) -> None:
        await self._costs.end(job.call, note, usage, cost)
        end_job(self._database, job.job, note=note)


async def _collected(model: Batch, job: str, items: Sequence[BatchItem]) -> Collected:
    collected = await model.collect(job, items)
    if not isinstance(collected, Collected):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"collect gave {collected!r:.80}, expected a Collected")
    return collected


def answered_by(database: Database, model: str) -> set[tuple[str, str]]:
    """Key and variant of what has an answer."""
    query = "SELECT key, variant_id FROM answers WHERE model = ? AND outcome <> 'error'"
    with database.reading() as connection:
        return set(connection.execute(query, (model,)).fetchall())
