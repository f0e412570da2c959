"""From a dataset and answers to figures: a pure function, and the value that it returns.

What counts: every answer with the outcome ``ok`` or ``unsure`` counts with its choice; ``unparsed``, ``refused`` and
``truncated`` ones, and those without a choice, count as wrong. ``error`` is no answer: it is not scored, and counted
as missing. Repeats of a question are answers of their own; as sources are resampled, they do not narrow an interval
unduly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from offbeat.analysis import scores
from offbeat.analysis.groups import Coded, split
from offbeat.analysis.intervals import DRAWS, Estimate, draw_weights, estimate, resample
from offbeat.dataset.folder import Dataset
from offbeat.dataset.schema import VariantRow
from offbeat.errors import RunError
from offbeat.evaluation.answer import OUTCOMES, Answer, Outcome
from offbeat.timing import LABELS

CODES: Mapping[str, int] = {label: code for code, label in enumerate(LABELS)}
"""The labels as `offbeat.analysis.scores` codes them."""
CHOICES = (*LABELS, "none")
"""The columns of a confusion table."""
SCORES = {
    "accuracy": scores.accuracy,
    "balanced_accuracy": scores.balanced_accuracy,
    "macro_f1": scores.macro_f1,
    "noticed": scores.noticed,
    "false_alarms": scores.false_alarms,
    "direction": scores.direction,
}
"""The headline figures, by the name that they have in results.json."""


@dataclass(frozen=True, slots=True)
class Group:
    """The answers to a part of the variants.

    Attributes:
        key: what they have in common: a genre, a length, a delay.
        n: scored answers.
        choices: how many chose each of `CHOICES`.
        accuracy: of all of them.
        balanced_accuracy: over the truths that occur among them.
    """

    key: str | float
    n: int
    choices: tuple[int, ...]
    accuracy: Estimate
    balanced_accuracy: Estimate


@dataclass(frozen=True, slots=True)
class ModelResult:
    """All figures of one model under one question.

    Attributes:
        name: unique in the report: the model's name, with question or revision where it needs them.
        model: as it was asked for.
        revision: what exactly answered.
        question: the question's name.
        n: scored answers.
        missing: questions that ended in an error: no answer.
        unasked: variants of the dataset without any row.
        outcomes: how many of each, errors included.
        confusion: truths down, `CHOICES` across.
        figures: the headline figures, by the names of `SCORES`.
        baselines: accuracy, balanced accuracy and macro-F1 of trivial answerers on the same variants.
        constant: the choice that it gave every time, if it did.
        groups: by ``genre``, ``length``, ``delay``, ``size`` (of the delay) and ``overlap``.
    """

    name: str
    model: str
    revision: str
    question: str
    n: int
    missing: int
    unasked: int
    outcomes: Mapping[Outcome, int]
    confusion: tuple[tuple[int, ...], ...]
    figures: Mapping[str, Estimate]
    baselines: Mapping[str, Mapping[str, float | None]]
    constant: str | None
    groups: Mapping[str, tuple[Group, ...]]


@dataclass(frozen=True, slots=True)
class Unscored:
    """Answers to a question with other options than the three; they are listed, not scored."""

    name: str
    n: int
    reason: str


@dataclass(frozen=True, slots=True)
class Results:
    """What a report says.

    Attributes:
        models: best balanced accuracy first.
        unscored: answers that are not three-way choices.
        baselines: of trivial answerers on all variants of the dataset.
        draws: how often the sources were drawn for the intervals.
        seed: of these draws.
    """

    models: tuple[ModelResult, ...]
    unscored: tuple[Unscored, ...]
    baselines: Mapping[str, Mapping[str, float | None]]
    draws: int
    seed: int


def compute_results(
    dataset: Dataset,
    answers: Iterable[Answer],
    *,
    draws: int = DRAWS,
    seed: int = 0,
    advance: Callable[[], object] = lambda: None,
) -> Results:
    """Score all answers; the same input gives the same figures, to the last digit.

    Args:
        dataset: what was asked about.
        answers: of one or several runs over it.
        draws: how often the sources are drawn for the intervals.
        seed: of these draws.
        advance: called once for each model that is done.

    Raises:
        RunError: an answer to a variant that the dataset does not have, or two to the same question and repeat.
    """
    rows = {variant.row.variant_id: variant.row for variant in dataset.variants}
    scorer = _Scorer(rows=rows, draws=draws, seed=seed)
    models: list[ModelResult] = []
    unscored: list[Unscored] = []
    for name, own in entries(answers, rows).items():
        foreign = sorted({answer.choice for answer in own if answer.choice is not None} - set(LABELS))
        if foreign:
            reason = f"its answers are {', '.join(foreign)}; only sync, ahead and behind are scored here"
            unscored.append(Unscored(name=name, n=len(own), reason=reason))
        else:
            models.append(scorer.score(name, own))
        advance()
    return Results(
        models=tuple(sorted(models, key=_rank)),
        unscored=tuple(unscored),
        baselines=_baselines(_truth_totals(variant.row for variant in dataset.variants)),
        draws=draws,
        seed=seed,
    )


def entries(answers: Iterable[Answer], known: Mapping[str, object]) -> dict[str, list[Answer]]:
    """The answers of each model under each question, by a name that tells them apart, in order of appearance.

    Raises:
        RunError: an answer to an unknown variant, or two to the same question and repeat.
    """
    found: dict[tuple[str, str, str], dict[tuple[str, int], Answer]] = {}
    for answer in answers:
        if answer.variant_id not in known:
            raise RunError(
                f"{answer.model} answered for variant {answer.variant_id!r}, which the dataset does not have; "
                "the run belongs to another dataset"
            )
        own = found.setdefault((answer.model, answer.question, answer.revision), {})
        if (answer.variant_id, answer.repeat) in own:
            raise RunError(
                f"{answer.model} has two answers for variant {answer.variant_id!r}, question {answer.question!r}, "
                f"repeat {answer.repeat}; give only one of the runs that hold them"
            )
        own[answer.variant_id, answer.repeat] = answer
    models = Counter(model for model, _, _ in found)
    questions = Counter((model, question) for model, question, _ in found)
    named: dict[str, list[Answer]] = {}
    for (model, question, revision), own in found.items():
        asked_twice = models[model] > questions[model, question]
        answered_twice = questions[model, question] > 1
        parts = [model, *([question] if asked_twice else []), *([revision] if answered_twice else [])]
        named[" · ".join(parts)] = list(own.values())
    return named


def scored_choice(answer: Answer) -> int:
    """The code of what counts as the answer's choice; `offbeat.analysis.scores.NO_CHOICE` where nothing does."""
    if answer.outcome not in ("ok", "unsure") or answer.choice is None:
        return scores.NO_CHOICE
    return CODES[answer.choice]


class _Scorer:
    """Scores one model after the other with the same draws, so that the order of models changes nothing."""

    def __init__(self, *, rows: Mapping[str, VariantRow], draws: int, seed: int) -> None:
        self._rows = rows
        self._draws = draws
        self._seed = seed
        self._weights: dict[int, NDArray[np.uint16]] = {}
        self._sources = {name: number for number, name in enumerate(sorted({r.source_id for r in rows.values()}))}

    def score(self, name: str, answers: Sequence[Answer]) -> ModelResult:
        kept = [answer for answer in answers if answer.outcome != "error"]
        rows = [self._rows[answer.variant_id] for answer in kept]
        coded = Coded(
            truth=np.array([CODES[row.label] for row in rows], dtype=np.int64),
            choice=np.array([scored_choice(answer) for answer in kept], dtype=np.int64),
            source=np.array([self._sources[row.source_id] for row in rows], dtype=np.int64),
        )
        tables = coded.tables()
        total = tables.sum(axis=0)
        outcomes = Counter(answer.outcome for answer in answers)
        chosen = [choice for choice, number in zip(CHOICES, total.sum(axis=0), strict=True) if number]
        return ModelResult(
            name=name,
            model=answers[0].model,
            revision=answers[0].revision,
            question=answers[0].question,
            n=len(kept),
            missing=len(answers) - len(kept),
            unasked=len(self._rows) - len({answer.variant_id for answer in answers}),
            outcomes={outcome: outcomes[outcome] for outcome in OUTCOMES},
            confusion=tuple(tuple(int(cell) for cell in row) for row in total),
            figures=self._estimates(tables, *SCORES),
            baselines=_baselines(total.sum(axis=1)),
            constant=chosen[0] if len(chosen) == 1 and chosen[0] in LABELS else None,
            groups={
                "genre": self._groups(coded, [row.genre for row in rows]),
                "length": self._groups(coded, [row.clip_length_s for row in rows]),
                "delay": self._groups(coded, [row.audio_delay_ms for row in rows]),
                "size": self._groups(coded, [abs(row.audio_delay_ms) for row in rows]),
                "overlap": self._groups(coded, ["some" if row.overlap_s > 0 else "none" for row in rows]),
            },
        )

    def _groups(self, coded: Coded, keys: Sequence[str | float]) -> tuple[Group, ...]:
        found: list[Group] = []
        for key, part in split(coded, keys).items():
            tables = part.tables()
            figures = self._estimates(tables, "accuracy", "balanced_accuracy")
            choices = tuple(int(number) for number in tables.sum(axis=(0, 1)))
            found.append(Group(key=key, n=sum(choices), choices=choices, **figures))
        return tuple(sorted(found, key=_by_key))

    def _estimates(self, tables: scores.Counts, *names: str) -> dict[str, Estimate]:
        drawn = resample(tables, self._draw(len(tables))) if len(tables) > 1 else None
        return {name: estimate(tables, SCORES[name], drawn) for name in names}

    def _draw(self, n_sources: int) -> NDArray[np.uint16]:
        if n_sources not in self._weights:
            rng = np.random.default_rng((self._seed, n_sources))
            self._weights[n_sources] = draw_weights(n_sources, draws=self._draws, rng=rng)
        return self._weights[n_sources]


def _rank(model: ModelResult) -> tuple[float, str]:
    value = model.figures["balanced_accuracy"].value
    return (float("inf") if value is None else -value, model.name)


def _by_key(group: Group) -> tuple[float, str]:
    return (0.0, group.key) if isinstance(group.key, str) else (group.key, "")


def _truth_totals(rows: Iterable[VariantRow]) -> scores.Counts:
    labels = Counter(row.label for row in rows)
    return np.array([labels[label] for label in LABELS], dtype=np.float64)


def _baselines(totals: scores.Counts) -> dict[str, dict[str, float | None]]:
    tables = {f"always:{label}": scores.always(totals, code) for label, code in CODES.items()}
    tables["uniform guess"] = scores.uniform(totals)
    names = ("accuracy", "balanced_accuracy", "macro_f1")
    return {name: {score: _number(float(SCORES[score](table))) for score in names} for name, table in tables.items()}


def _number(value: float) -> float | None:
    return None if np.isnan(value) else value
