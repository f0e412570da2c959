"""A run folder: ``run.json``, which says what was asked of whom, and the answers beside it."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

import offbeat
from offbeat.dataset.folder import Dataset
from offbeat.errors import RunError
from offbeat.evaluation.answer import Answer, utc_now
from offbeat.evaluation.database import FILE, Database
from offbeat.evaluation.money.purse import spent_by_model
from offbeat.evaluation.question import Question
from offbeat.evaluation.store import all_answers, is_empty
from offbeat.files import held_folder, write_whole
from offbeat.models.base import JsonValue

INFO = "run.json"
FORMAT_VERSION = 2


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AskedRecord(_Record):
    """What was asked of one model, the last time."""

    revision: str
    probe: Mapping[str, Any] | None
    """What the probe found; None where the model was not probed."""
    questions: tuple[str, ...]
    repeats: int
    seed: int
    limit: int | None
    genres: tuple[str, ...]
    lengths: tuple[str, ...]
    """Clip lengths in seconds, as decimals or fractions."""
    conditions: tuple[str, ...]
    """Empty filters keep everything."""
    expected: int
    """The answers that are wanted: to each question, of each variant that these filters keep, each repeat."""
    asked_at: str
    stopped: str | None = None
    """Why the last command stopped it early; None where it did not, or was cut short itself."""
    earlier: tuple[AskedRecord, ...] = ()
    """What was asked before, the oldest first: of each only the questions that were not asked again since."""

    @property
    def records(self) -> tuple[AskedRecord, ...]:
        """The earlier ones and this one; no question stands in two of them."""
        return (*self.earlier, self)


class RunInfo(_Record):
    """All of run.json."""

    format_version: int = FORMAT_VERSION
    offbeat_version: str = offbeat.__version__
    dataset_folder: str
    """Relative to the run folder, so that both can be moved together."""
    dataset_fingerprint: str
    questions: dict[str, Question] = Field(default_factory=dict[str, Question])
    """Each as it is asked."""
    models: dict[str, AskedRecord] = Field(default_factory=dict[str, AskedRecord])
    created_at: str
    updated_at: str


@dataclass(frozen=True, slots=True)
class Run:
    """A run, for those who read it.

    Attributes:
        folder: where it lies.
        dataset_folder: where its dataset is expected.
        dataset_fingerprint: of the dataset that was asked about.
        settings: the whole of run.json.
        answers: all of them, by model, question, variant and repeat; failures included.
        spent_by_model: what all calls have cost, as far as prices are known; without models that have cost nothing.
    """

    folder: Path
    dataset_folder: Path
    dataset_fingerprint: str
    settings: Mapping[str, JsonValue]
    answers: tuple[Answer, ...]
    spent_by_model: Mapping[str, float]


def open_run(folder: Path) -> Run:
    """Read a run folder, also while answers are still coming in; nothing in it is changed.

    Raises:
        RunError: not a run folder, damaged, or of another version.
    """
    info = read_info(folder)
    with Database(folder / FILE, readonly=True) as database:
        answers, spent = all_answers(database), spent_by_model(database)
    return Run(
        folder=folder,
        dataset_folder=dataset_folder_of(folder, info),
        dataset_fingerprint=info.dataset_fingerprint,
        settings=info.model_dump(mode="json"),
        answers=answers,
        spent_by_model=spent,
    )


@contextmanager
def held_run(folder: Path) -> Generator[Database]:
    """The database of a run folder, for writing; nobody else can hold the folder meanwhile.

    Raises:
        RunError: another process holds it, or it cannot be written to, or its answers are damaged.
    """
    with held_folder(folder, error=RunError), Database(folder / FILE) as database:
        yield database


def note_asked(
    folder: Path,
    database: Database,
    dataset: Dataset,
    questions: Sequence[Question],
    asked: Mapping[str, AskedRecord],
) -> None:
    """Write into run.json what is about to be asked of which models; what it says of other models and questions stays.

    Raises:
        RunError: the folder holds the answers of another dataset, or to another question of the same name, or cannot be
            written to.
    """
    before = read_info(folder) if (folder / INFO).exists() else None
    if before is None and not is_empty(database):
        raise RunError(f"{folder}: answers without {INFO}; put the {INFO} back, or choose another folder")
    if before is not None:
        check_dataset(folder, before, dataset)
        check_questions(folder, before, questions)
    now = utc_now()
    models = dict(before.models) if before else {}
    info = RunInfo(
        dataset_folder=Path(os.path.relpath(dataset.folder.resolve(), folder.resolve())).as_posix(),
        dataset_fingerprint=dataset.fingerprint,
        questions={**(before.questions if before else {}), **{question.name: question for question in questions}},
        models={**models, **{name: _joined(record, models.get(name)) for name, record in asked.items()}},
        created_at=before.created_at if before else now,
        updated_at=now,
    )
    try:
        write_whole(folder / INFO, info.model_dump_json(indent=2) + "\n")
    except OSError as error:
        raise RunError(f"{folder / INFO}: cannot be written ({error.strerror}); is the disk full?") from error


def noted_probes(folder: Path) -> dict[tuple[str, str], Mapping[str, Any]]:
    """What probes have found for this run folder, by the model's name and revision.

    Raises:
        RunError: see `read_info`.
    """
    if not (folder / INFO).exists():
        return {}
    models = read_info(folder).models
    records = [(name, record) for name, asked in models.items() for record in asked.records]
    return {(name, record.revision): record.probe for name, record in records if record.probe is not None}


def check_dataset(folder: Path, info: RunInfo, dataset: Dataset) -> None:
    """Refuse a run folder that holds the answers of another dataset.

    Raises:
        RunError: see above.
    """
    if info.dataset_fingerprint != dataset.fingerprint:
        raise RunError(
            f"{folder}: holds answers about another dataset ({dataset_folder_of(folder, info)}, fingerprint "
            f"{info.dataset_fingerprint[:12]}), not about {dataset.folder} ({dataset.fingerprint[:12]}); "
            "choose another --out"
        )


def check_questions(folder: Path, info: RunInfo, questions: Sequence[Question]) -> None:
    """Refuse questions whose name stands for another one in this run, so that their answers are never mixed.

    Raises:
        RunError: see above.
    """
    for question in questions:
        there = info.questions.get(question.name)
        if there is not None and there.fingerprint != question.fingerprint:
            raise RunError(
                f"{folder}: holds answers to another question named {question.name!r} (its template, options, order or "
                "system prompt were others); rename yours, or choose another --out"
            )


def read_info(folder: Path) -> RunInfo:
    """What run.json says.

    Raises:
        RunError: it is not there, not readable, or of another version.
    """
    path = folder / INFO
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise RunError(
            f"{folder}: no {INFO} there; expected a run folder, as `offbeat run SET --out RUN` makes"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise RunError(f"{path}: cannot be read ({error})") from error
    try:
        found = _Version.model_validate_json(text).format_version
        if found != FORMAT_VERSION:
            raise RunError(
                f"{path}: format version {found}, expected {FORMAT_VERSION}; use the Offbeat that made it, "
                "or another run folder"
            )
        return RunInfo.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise RunError(f"{path}: {field or 'the file'}: {first['msg']}; put a copy of it back") from error


def dataset_folder_of(folder: Path, info: RunInfo) -> Path:
    """Where the dataset is, seen from here."""
    return (folder / info.dataset_folder).resolve()


def _joined(record: AskedRecord, former: AskedRecord | None) -> AskedRecord:
    """The record, with what a former one says of questions that are not asked again."""
    if former is None:
        return record
    left = [_without(one, record.questions) for one in former.records]
    return record.model_copy(update={"earlier": tuple(one for one in left if one.questions)})


def _without(record: AskedRecord, questions: Sequence[str]) -> AskedRecord:
    """The record without these questions, and without what was earlier; all its questions want as many answers."""
    left = tuple(question for question in record.questions if question not in questions)
    expected = record.expected * len(left) // max(1, len(record.questions))
    return record.model_copy(update={"questions": left, "expected": expected, "earlier": ()})


class _Version(BaseModel):
    format_version: int
