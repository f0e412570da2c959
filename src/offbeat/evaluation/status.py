"""Where a run stands, told from its folder alone: what is there, missing, failing and why, and what it has cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from offbeat.dataset.folder import Dataset, open_dataset
from offbeat.errors import ModelUnavailable, RunError
from offbeat.evaluation.batches.jobs import pending_jobs
from offbeat.evaluation.database import FILE, Database
from offbeat.evaluation.failures import Failure, failures_of
from offbeat.evaluation.money.purse import spent_by_model, unpriced
from offbeat.evaluation.oddities import oddities
from offbeat.evaluation.plan import ModelPlan, Selection, plan_models
from offbeat.evaluation.question import Question
from offbeat.evaluation.run_folder import INFO, AskedRecord, RunInfo, check_dataset, dataset_folder_of, read_info
from offbeat.evaluation.store import all_answers
from offbeat.evaluation.summary import ModelSummary, summarise
from offbeat.models.base import Prompt, Reply
from offbeat.timing import exact_seconds


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """Where one model stands.

    Attributes:
        name: of the model.
        revision: what was asked the last time.
        asked_at: when that was.
        questions: how far it is with each question, by the last command that asked it.
        failures: why answers are missing, the most frequent first.
        lengths_s: of all clips that it was to be asked about.
        oddities: what makes its answers doubtful; see `offbeat.evaluation.oddities`.
        in_batches: questions that a server has, and whose answers have not been collected.
        probe: what the probe found; None where there was none.
    """

    name: str
    revision: str
    asked_at: str
    questions: tuple[ModelSummary, ...]
    failures: tuple[Failure, ...]
    lengths_s: tuple[float, ...]
    oddities: tuple[str, ...]
    in_batches: int
    probe: Mapping[str, Any] | None

    @property
    def stopped(self) -> tuple[str, ...]:
        """Why the last commands stopped it before everything had an answer; nothing where they did not."""
        return tuple(dict.fromkeys(one.stopped for one in self.questions if one.stopped and not one.complete))

    @property
    def complete(self) -> bool:
        """Whether there is an answer to everything that was asked the last time with each question."""
        return all(question.complete for question in self.questions)


@dataclass(frozen=True, slots=True)
class RunStatus:
    """Where a run stands.

    Attributes:
        models: in the order in which they were first asked.
        spent_by_model: what all calls have cost, as far as prices are known; without those that have cost nothing.
        unpriced: models of which calls went out at an unknown price, which are not in it.
    """

    models: tuple[ModelStatus, ...]
    spent_by_model: Mapping[str, float]
    unpriced: tuple[str, ...]

    @property
    def spent_usd(self) -> float:
        """By all models together."""
        return sum(self.spent_by_model.values())

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return all(model.complete for model in self.models)


def run_status(folder: Path) -> RunStatus:
    """Look; nothing is changed, and a run that is under way is not disturbed.

    Raises:
        RunError: not a run folder, damaged, or of another dataset than the one that lies where its own should be.
        DatasetError: its dataset is not there.
    """
    info = read_info(folder)
    dataset = open_dataset(dataset_folder_of(folder, info))
    check_dataset(folder, info, dataset)
    rows = {variant.row.variant_id: variant.row for variant in dataset.variants}
    with Database(folder / FILE, readonly=True) as database:
        answers = all_answers(database)
        models: list[ModelStatus] = []
        for name, asked in info.models.items():
            asked_for = [
                (plan, record.stopped)
                for record in asked.records
                for plan in _plans(folder, info, dataset, name, record)
            ]
            plans = [plan for plan, _ in asked_for]
            shown = {plan.question.name for plan in plans}
            own = [answer for answer in answers if answer.model == name and answer.question in shown]
            failed = [
                (answer.error, rows[answer.variant_id].clip_length_s) for answer in own if answer.error is not None
            ]
            last = [answer for answer in own if answer.revision == asked.revision]
            odd = [oddities((one for one in last if one.question == question), rows) for question in sorted(shown)]
            models.append(
                ModelStatus(
                    name=name,
                    revision=asked.revision,
                    asked_at=asked.asked_at,
                    questions=tuple(summarise(plan, database, stopped=stopped) for plan, stopped in asked_for),
                    failures=failures_of(failed),
                    lengths_s=tuple(sorted({one.variant.row.clip_length_s for p in plans for one in p.planned})),
                    oddities=tuple(dict.fromkeys(sentence for sentences in odd for sentence in sentences)),
                    in_batches=sum(len(job.keys) for job in pending_jobs(database, name)),
                    probe=asked.probe,
                )
            )
        return RunStatus(tuple(models), spent_by_model(database), unpriced(database))


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is left of a model in a run folder: enough to tell which answers are its."""

    name: str
    revision: str

    def reply(self, variant: object, prompt: Prompt) -> Reply:
        raise ModelUnavailable(f"{self.name} is known by its answers alone")


def _plans(folder: Path, info: RunInfo, dataset: Dataset, name: str, asked: AskedRecord) -> Sequence[ModelPlan]:
    model = _Asked(name, asked.revision)
    return plan_models(dataset, [model], _questions(folder, info, asked), selection_of(asked), asked.repeats, None)


def _questions(folder: Path, info: RunInfo, asked: AskedRecord) -> Sequence[Question]:
    missing = [name for name in asked.questions if name not in info.questions]
    if missing:
        raise RunError(f"{folder / INFO}: the question {missing[0]!r} is not described; put a copy of it back")
    return [info.questions[name] for name in asked.questions]


def selection_of(asked: AskedRecord) -> Selection:
    """Which variants the record is about."""
    return Selection(
        limit=asked.limit,
        genres=asked.genres,
        lengths=tuple(exact_seconds(length) for length in asked.lengths),
        conditions=asked.conditions,
        seed=asked.seed,
    )
