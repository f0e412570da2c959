"""Asking: every planned question once, each answer kept on arrival, whatever else goes wrong.

A clip's variants are asked one after the other in one thread, so that a model may keep what it has of a clip; `jobs`
clips are asked at the same time. A failure is kept as such and asked again by the next run. Ten failures in a row with
one and the same text stop a model: the eleventh would not fare better, and may cost money.

On Ctrl-C what is in flight is finished and kept, nothing more is asked, and the interrupt goes on to the caller.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from offbeat.dataset.folder import Dataset
from offbeat.errors import SettingsError
from offbeat.evaluation.answer import OUTCOMES, Answer
from offbeat.evaluation.asking import ask
from offbeat.evaluation.plan import ModelPlan, Planned, Selection, plan_models
from offbeat.evaluation.question import STUDY, Question
from offbeat.evaluation.run_folder import AskedRecord, held_run, note_asked, utc_now
from offbeat.evaluation.store import AnswerStore
from offbeat.models.base import Model

EQUAL_ERRORS = 10
"""So many failures in a row with one text stop a model."""


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """How one model fared.

    Attributes:
        name: of the model.
        revision: what exactly answered.
        expected: how many variants wanted an answer: the sum of `outcomes` and `missing`.
        kept: how many of them had one before this run.
        outcomes: how many there are now of each outcome.
        missing: how many were never asked.
        stopped: why the model was stopped early; None if it was not.
    """

    name: str
    revision: str
    expected: int
    kept: int
    outcomes: dict[str, int]
    missing: int
    stopped: str | None

    @property
    def complete(self) -> bool:
        """Whether every variant has an answer, readable or not."""
        return self.missing == 0 and self.outcomes["error"] == 0


@dataclass(frozen=True, slots=True)
class RunSummary:
    """How all models fared, in the order in which they were named."""

    models: tuple[ModelSummary, ...]

    @property
    def complete(self) -> bool:
        """Whether every variant has an answer of every model."""
        return all(model.complete for model in self.models)


def run_models(
    dataset: Dataset,
    models: Sequence[Model],
    *,
    out: Path,
    question: Question = STUDY,
    limit: int | None = None,
    genres: Sequence[str] = (),
    lengths: Sequence[Fraction] = (),
    conditions: Sequence[str] = (),
    seed: int = 0,
    jobs: int = 1,
    on_progress: Callable[[Answer], None] | None = None,
) -> RunSummary:
    """Ask each model, one model after the other, about all variants that have no answer of it yet.

    Args:
        dataset: about what.
        models: whom.
        out: the run folder, made if need be.
        question: what.
        limit: at most so many variants; see `Selection`, as for the next four.
        genres: of these genres.
        lengths: of these clip lengths, in seconds.
        conditions: under these conditions.
        seed: which variants a limit draws.
        jobs: how many clips at the same time.
        on_progress: is given each answer when it is on the disk; called from several threads.

    Raises:
        RunError: the folder is held by another process, belongs to another dataset, or cannot be written to.
        SettingsError, DatasetError: see `offbeat.evaluation.plan`.
    """
    selection = Selection(limit=limit, genres=genres, lengths=lengths, conditions=conditions, seed=seed)
    if out.resolve() == dataset.folder.resolve():
        raise SettingsError(f"{out}: is the dataset itself; choose another folder for the answers")
    plan_models(dataset, models, question, selection, None)
    with held_run(out) as store:
        plans = plan_models(dataset, models, question, selection, store)
        asked = {plan.model.name: _record(plan, question, selection) for plan in plans}
        note_asked(out, store, dataset, question, asked)
        stopped = [_Asking(plan, question, store, on_progress).run(jobs) for plan in plans]
        return RunSummary(tuple(_summary(p, question, store, why) for p, why in zip(plans, stopped, strict=True)))


class _Asking:
    """One model's turn: the threads, and what they share."""

    def __init__(
        self, plan: ModelPlan, question: Question, store: AnswerStore, on_progress: Callable[[Answer], None] | None
    ) -> None:
        self._plan = plan
        self._question = question
        self._store = store
        self._on_progress = on_progress
        self._changed = threading.Condition()
        self._halted = False
        self._in_flight = 0
        self._last_error: str | None = None
        self._equal_errors = 0
        self._stopped: str | None = None

    def run(self, jobs: int) -> str | None:
        """Ask all; returns why the model was stopped early, or None."""
        pool = ThreadPoolExecutor(max_workers=max(1, jobs), thread_name_prefix="ask")
        clips: list[Future[None]] = []
        try:
            clips += [pool.submit(self._clip, group) for group in self._plan.to_ask]
            wait(clips, return_when=FIRST_EXCEPTION)
        finally:
            self._finish()
            pool.shutdown(wait=True, cancel_futures=True)
        for clip in clips:
            if not clip.cancelled():
                clip.result()
        return self._stopped

    def _finish(self) -> None:
        """Let nothing more begin, and wait for what is in flight.

        The pool's own waiting is not enough: an interrupt while it starts a thread makes it forget that thread.
        """
        with self._changed:
            self._halted = True
            self._changed.wait_for(lambda: self._in_flight == 0)

    def _clip(self, group: Sequence[Planned]) -> None:
        for planned in group:
            with self._changed:
                if self._halted:
                    return
                self._in_flight += 1
            try:
                self._one(planned)
            finally:
                with self._changed:
                    self._in_flight -= 1
                    self._changed.notify_all()

    def _one(self, planned: Planned) -> None:
        answer, useless = ask(self._plan.model, planned, self._question.name)
        self._store.put(answer)
        self._watch(answer.error, useless=useless)
        if self._on_progress is not None:
            self._on_progress(answer)

    def _watch(self, error: str | None, *, useless: bool) -> None:
        """Stop the model where going on makes no sense."""
        with self._changed:
            self._equal_errors = 0 if error is None else self._equal_errors + 1 if error == self._last_error else 1
            self._last_error = error
            if self._stopped is None and (useless or self._equal_errors >= EQUAL_ERRORS):
                times = "" if useless else f"{self._equal_errors} times in a row: "
                self._stopped = f"{times}{error}"
                self._halted = True


def _record(plan: ModelPlan, question: Question, selection: Selection) -> AskedRecord:
    return AskedRecord(
        revision=plan.model.revision,
        question=question.name,
        seed=selection.seed,
        limit=selection.limit,
        genres=tuple(selection.genres),
        lengths=tuple(str(length) for length in selection.lengths),
        conditions=tuple(selection.conditions),
        expected=len(plan.planned),
        asked_at=utc_now(),
    )


def _summary(plan: ModelPlan, question: Question, store: AnswerStore, stopped: str | None) -> ModelSummary:
    """Counted from what is on the disk, by the keys of this run."""
    stored = store.outcomes(plan.model.name, question.name, 0)
    found = [stored.get(planned.variant.row.variant_id, ("", "")) for planned in plan.planned]
    counts = Counter(outcome for (key, outcome), planned in zip(found, plan.planned, strict=True) if key == planned.key)
    return ModelSummary(
        name=plan.model.name,
        revision=plan.model.revision,
        expected=len(plan.planned),
        kept=plan.kept,
        outcomes={outcome: counts[outcome] for outcome in OUTCOMES},
        missing=len(plan.planned) - counts.total(),
        stopped=stopped,
    )
