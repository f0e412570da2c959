"""One model's turn: everything that is planned for it, asked once, each answer kept on arrival.

A model in process is asked clip by clip: a clip's variants one after the other in one thread, or all in one call where
it takes them so (`Grouped`), so that it may keep what it has of a clip. A model that is awaited is asked variant by
variant, many at a time; a variant is rendered when its call goes out and let go when that returns, so that memory does
not grow with the dataset::

    to ask:   a1 a2 a3 | b1 b2 b3 | c1 c2 c3 | …
    in process, 2 jobs:      thread 1: a1 a2 a3 c1 …      thread 2: b1 b2 b3 …
    awaited, 4 at a time:    a1 a2 a3 b1, then the next whenever one is done

Failures are kept as such, and asked again by the next run. Where going on makes no sense (see
`offbeat.evaluation.calls.patience` and `offbeat.evaluation.calls.breaker`), nothing more goes out; what is in flight is
finished and kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import aclosing

from offbeat.evaluation.answer import Answer
from offbeat.evaluation.asking import ask, ask_together
from offbeat.evaluation.calls.breaker import Breaker
from offbeat.evaluation.calls.calling import Caller, is_asynchronous
from offbeat.evaluation.calls.faults import Failure
from offbeat.evaluation.database import Database
from offbeat.evaluation.money.purse import OutOfMoney
from offbeat.evaluation.plan import ModelPlan, Planned
from offbeat.evaluation.stopping import why_stopped
from offbeat.evaluation.store import put_answer


class Turn:
    """Asks what one plan holds; for one event loop.

    Args:
        plan: what.
        caller: by which the model is asked.
        database: where answers are kept.
        halted: set when nothing more is to go out; set here as well when the model is stopped.
        on_progress: is given each answer when it is on the disk; called from the event loop's thread.
    """

    def __init__(
        self,
        plan: ModelPlan,
        *,
        caller: Caller,
        database: Database,
        halted: asyncio.Event,
        on_progress: Callable[[Answer], None] | None,
    ) -> None:
        self._plan = plan
        self._caller = caller
        self._database = database
        self._halted = halted
        self._on_progress = on_progress
        self._breaker = Breaker(answered=plan.kept > 0)
        self._stopped: str | None = None

    async def take(self, *, at_once: int) -> str | None:
        """Ask all.

        Args:
            at_once: how many clips of a model in process, or calls of another, at most.

        Returns:
            Why the model was stopped early, or None.

        Raises:
            RunError: an answer could not be kept.
        """
        groups = self._plan.to_ask
        if is_asynchronous(self._plan.model):
            groups = tuple((planned,) for group in groups for planned in group)
        left = iter(groups)
        workers = [self._work(left) for _ in range(min(at_once, len(groups)))]
        for failure in await asyncio.gather(*workers, return_exceptions=True):
            if failure is not None:
                raise failure
        return self._stopped

    async def _work(self, left: Iterator[Sequence[Planned]]) -> None:
        """Take the next group until none is left."""
        executor = None if is_asynchronous(self._plan.model) else ThreadPoolExecutor(1, thread_name_prefix="ask")
        try:
            for group in left:
                if self._halted.is_set():
                    return
                if self._caller.grouped:
                    await self._together(group, executor)
                    continue
                for planned in group:
                    if self._halted.is_set():
                        return
                    await self._one(planned, executor)
        except OutOfMoney as failure:
            self._stop(str(failure))
        except BaseException:
            self._halted.set()
            raise
        finally:
            if executor is not None:
                executor.shutdown(wait=False)

    async def _one(self, planned: Planned, executor: Executor | None) -> None:
        number = self._breaker.begun(planned.variant.row.clip_id)
        asked = await ask(self._caller, planned, self._plan.question.name, executor)
        if asked is not None:
            await self._keep(*asked, number, executor)

    async def _together(self, group: Sequence[Planned], executor: Executor | None) -> None:
        """All that is open of a clip in one call, and what may pass in another."""
        # not by the keys: variants may have the same bytes
        numbers = {(p.variant.row.variant_id, p.repeat): self._breaker.begun(p.variant.row.clip_id) for p in group}
        asking = ask_together(self._caller, group, self._plan.question.name, executor)
        async with aclosing(asking) as answers:
            async for answer, failure in answers:
                await self._keep(answer, failure, numbers[answer.variant_id, answer.repeat], executor)

    async def _keep(self, answer: Answer, failure: Failure | None, number: int, executor: Executor | None) -> None:
        await asyncio.get_running_loop().run_in_executor(executor, put_answer, self._database, answer)
        why = why_stopped(self._breaker, number, answer, failure, model=self._plan.model)
        if why is not None:
            self._stop(why)
        if self._on_progress is not None:
            self._on_progress(answer)

    def _stop(self, why: str) -> None:
        if self._stopped is None:
            self._stopped = why
        self._halted.set()
