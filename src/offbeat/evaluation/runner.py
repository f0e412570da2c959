"""A run: models are asked one after the other, and what they answer is kept.

All asking happens in an event loop in a thread of its own, so that a run can be started from anywhere, a notebook
included. On Ctrl-C nothing more goes out, what is in flight is finished and kept, and the interrupt goes on to the
caller; a second Ctrl-C does not wait.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from offbeat.dataset.folder import Dataset
from offbeat.errors import ModelUnavailable, SettingsError
from offbeat.evaluation.admission import admit
from offbeat.evaluation.answer import Answer, utc_now
from offbeat.evaluation.batches.jobs import pending_jobs
from offbeat.evaluation.batches.turn import BatchTurn
from offbeat.evaluation.calls.calling import Caller, is_asynchronous
from offbeat.evaluation.calls.checking import told
from offbeat.evaluation.calls.faults import closed
from offbeat.evaluation.calls.loop import Halt, run_in_loop
from offbeat.evaluation.database import Database
from offbeat.evaluation.identity import identity_of
from offbeat.evaluation.money.purse import Purse, note_unpriced, spent_by_model, unpriced
from offbeat.evaluation.plan import ModelPlan, Selection, plan_models, without
from offbeat.evaluation.question import STUDY, Question
from offbeat.evaluation.run_folder import AskedRecord, held_run, note_asked, noted_probes
from offbeat.evaluation.summary import RunSummary, summarise
from offbeat.evaluation.terms import Terms, check_prices, make_caller, most_at_once, price_name
from offbeat.evaluation.turn import Turn
from offbeat.models.base import Batch, Model

_HALTED = "Nothing more goes out; what is in flight is finished. Ctrl-C again does not wait."

_log = logging.getLogger(__name__)


def run_models(
    dataset: Dataset,
    models: Sequence[Model],
    *,
    out: Path,
    questions: Sequence[Question] = (STUDY,),
    selection: Selection | None = None,
    repeats: int = 1,
    terms: Terms | None = None,
    on_progress: Callable[[Answer], None] | None = None,
    on_note: Callable[[str], None] | None = None,
) -> RunSummary:
    """Ask each model, one model after the other, about all variants that have no answer of it yet.

    Args:
        dataset: about what.
        models: whom.
        out: the run folder, made if need be.
        questions: in which wordings.
        selection: about which variants; all by default.
        repeats: how often each question is asked.
        terms: on what terms.
        on_progress: is given each answer when it is on the disk; called from another thread than this one.
        on_note: is told, in words, what goes on before the first answer, and after Ctrl-C; likewise.

    Raises:
        RunError: the folder is held by another process, belongs to another dataset, or cannot be written to.
        SettingsError, DatasetError: see `offbeat.evaluation.plan`; or a price is unknown.
    """
    selection = selection or Selection()
    terms = terms or Terms()
    if out.resolve() == dataset.folder.resolve():
        raise SettingsError(f"{out}: is the dataset itself; choose another folder for the answers")
    plan_models(dataset, models, questions, selection, repeats, None)
    check_prices(models, terms)
    with held_run(out) as database:
        plans = plan_models(dataset, models, questions, selection, repeats, database)
        former = noted_probes(out)
        asked = {plan.identity.name: _record(plan, plans, selection, repeats, former) for plan in plans}
        note_asked(out, database, dataset, questions, asked)
        every = plan_models(dataset, models, questions, Selection(), repeats, database) if terms.batch else ()
        run = _Run(database, terms, Purse(database, most_usd=terms.most_usd), every, on_progress, on_note)
        stopped: dict[str, str | None] = {}

        async def note(name: str, probe: Mapping[str, Any] | None) -> None:
            await keep(name, probe=probe)

        async def keep(name: str, **found: object) -> None:
            asked[name] = asked[name].model_copy(update=found)
            own = {name: asked[name]}
            await asyncio.to_thread(note_asked, out, database, dataset, questions, own)

        async def ask_all(halt: Halt) -> None:
            for model in models:
                halt.renew()
                if halt.interrupted:
                    return
                own = _of(model, plans)
                name = own[0].identity.name
                stopped[name] = await run.model(model, own, asked[name].probe, halt.asked, note)
                if stopped[name] is not None:
                    await keep(name, stopped=stopped[name])

        run_in_loop(ask_all, on_halt=None if on_note is None else lambda: on_note(_HALTED))
        summaries = tuple(summarise(plan, database, stopped=stopped.get(plan.identity.name)) for plan in plans)
        return RunSummary(summaries, spent_by_model(database), unpriced(database))


@dataclass(frozen=True, slots=True)
class _Run:
    """What all models of a run share."""

    database: Database
    terms: Terms
    purse: Purse
    every: Sequence[ModelPlan]
    on_progress: Callable[[Answer], None] | None
    on_note: Callable[[str], None] | None

    async def model(
        self,
        model: Model,
        plans: Sequence[ModelPlan],
        probe: Mapping[str, Any] | None,
        halted: asyncio.Event,
        note: Callable[[str, Mapping[str, Any] | None], Awaitable[None]],
    ) -> str | None:
        """One model's part: its probe, noted before anything else is asked, and its answers.

        Returns:
            Why it was stopped early, or None.
        """
        try:
            identity_of(model)  # it could when all was planned, but other models may have been asked for hours since
        except ModelUnavailable as failure:
            return str(failure)
        if self.terms.batch and not isinstance(model, Batch):
            return "it takes no batches; leave --batch out"
        identity, priced = plans[0].identity, price_name(model)
        if priced is not None and priced not in self.terms.prices and any(plan.to_ask for plan in plans):
            note_unpriced(self.database, identity.name)
        caller = make_caller(model, terms=self.terms, purse=self.purse, halted=halted, identity=identity)
        at_once = most_at_once(model, self.terms)
        self._note_what_does_not_fit(model, identity.name, at_once)
        try:
            admission = await admit(
                model,
                plans,
                caller,
                former=probe,
                even_if_deaf=self.terms.even_if_deaf,
                clips=self.terms.probe_clips,
                on_note=self.on_note,
                keep=partial(note, identity.name),
            )
            await note(identity.name, admission.record)
            if admission.refusal is not None or halted.is_set():
                return admission.refusal
            return await self._ask(model, plans, caller, halted, at_once)
        finally:
            failure = await closed(model)
            if failure is not None:
                _log.warning("%s could not be closed: %s", identity.name, told(failure))

    def _note_what_does_not_fit(self, model: Model, name: str, fits: int) -> None:
        wanted = self.terms.connections
        if self.on_note is not None and is_asynchronous(model) and fits < wanted:
            why = "the system lets a process open no more files here (ulimit -n)"
            self.on_note(f"{name}: {fits} calls at once, not {wanted}: {why}")

    async def _ask(
        self, model: Model, plans: Sequence[ModelPlan], caller: Caller, halted: asyncio.Event, at_once: int
    ) -> str | None:
        if self.terms.batch and isinstance(model, Batch):
            price = self.terms.prices.get(price_name(model) or "")
            turn = BatchTurn(
                model,
                plans,
                _of(model, self.every),
                database=self.database,
                purse=self.purse,
                price=price,
                on_progress=self.on_progress,
                on_note=self.on_note,
            )
            return await turn.take(halted=halted)
        in_batches = {key for job in pending_jobs(self.database, caller.identity.name) for key in job.keys}
        why = None
        for plan in (without(plan, in_batches) for plan in plans):
            if why is None and not halted.is_set():
                turn = Turn(plan, caller=caller, database=self.database, halted=halted, on_progress=self.on_progress)
                why = await turn.take(at_once=at_once)
        if why is None and in_batches:
            return f"questions in batches: {len(in_batches)}; the same command with --batch collects them"
        return why


def _of(model: Model, plans: Sequence[ModelPlan]) -> list[ModelPlan]:
    return [plan for plan in plans if plan.model is model]


def _record(
    plan: ModelPlan,
    plans: Sequence[ModelPlan],
    selection: Selection,
    repeats: int,
    probes: Mapping[tuple[str, str], Mapping[str, Any]],
) -> AskedRecord:
    own, identity = _of(plan.model, plans), plan.identity
    return AskedRecord(
        revision=identity.revision,
        probe=probes.get((identity.name, identity.revision)),
        questions=tuple(plan.question.name for plan in own),
        repeats=repeats,
        seed=selection.seed,
        limit=selection.limit,
        genres=tuple(selection.genres),
        lengths=tuple(str(length) for length in selection.lengths),
        conditions=tuple(selection.conditions),
        expected=sum(len(plan.planned) for plan in own),
        asked_at=utc_now(),
    )
