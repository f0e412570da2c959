"""All figures of one model under one question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from offbeat.analysis import bounds, scores
from offbeat.analysis.auroc import area
from offbeat.analysis.groups import Coded, split
from offbeat.analysis.intervals import Estimate
from offbeat.analysis.repeats import Spread, spread
from offbeat.dataset.schema import VariantRow
from offbeat.evaluation.answer import OUTCOMES, Answer
from offbeat.evaluation.oddities import oddities
from offbeat.report.draws import SCORES, Draws
from offbeat.report.places import places
from offbeat.report.values import CHOICES, CODES, Bounds, Group, ModelResult
from offbeat.timing import LABELS

AREAS = ("detection_auroc", "direction_auroc")
"""The headline figures that come from option probabilities."""
FIGURES = (*SCORES, *AREAS)
IN_GROUPS = ("accuracy", "balanced_accuracy", "noticed", "false_alarms", "detection_d_prime")
BOUNDED = ("accuracy", "balanced_accuracy")
NO_LANGUAGE = "not given"
_MOST_USED = 1e15
SERVED = "served_model"
"""The detail of an answer in which a server says who has answered."""


def scored_choice(answer: Answer) -> int:
    """The code of what counts as the answer's choice; `offbeat.analysis.scores.NO_CHOICE` where nothing does."""
    if answer.outcome not in ("ok", "unsure") or answer.choice is None:
        return scores.NO_CHOICE
    return CODES[answer.choice]


class Scorer:
    """Scores one model after the other."""

    def __init__(self, rows: Mapping[str, VariantRow], draws: Draws) -> None:
        self._rows = rows
        self._draws = draws
        self._sources = {name: number for number, name in enumerate(sorted({r.source_id for r in rows.values()}))}

    def coded(self, answers: Sequence[Answer]) -> Coded:
        """Answers as arrays, in their order."""
        rows = [self._rows[answer.variant_id] for answer in answers]
        return Coded(
            truth=np.array([CODES[row.label] for row in rows], dtype=np.int64),
            choice=np.array([scored_choice(answer) for answer in answers], dtype=np.int64),
            source=np.array([self._sources[row.source_id] for row in rows], dtype=np.int64),
        )

    def score(self, name: str, answers: Sequence[Answer]) -> ModelResult:
        """Everything about one model; errors among its answers are counted, and not scored."""
        kept = [answer for answer in answers if answer.outcome != "error"]
        rows = [self._rows[answer.variant_id] for answer in kept]
        coded = self.coded(kept)
        tables = coded.tables()
        total = tables.sum(axis=0)
        outcomes = Counter(answer.outcome for answer in answers)
        chosen = [choice for choice, number in zip(CHOICES, total.sum(axis=0), strict=True) if number]
        probabilities, told = option_probabilities(kept)
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
            figures=self._draws.estimates(tables, SCORES) | _areas(probabilities[told], coded.where(told)),
            bounds=_bounds(total),
            baselines=baselines(total.sum(axis=1)),
            with_probabilities=int(told.sum()),
            served=tuple(sorted({str(served) for answer in answers if (served := answer.details.get(SERVED))})),
            usage=_usage(answers),
            oddities=tuple(oddities(answers, self._rows)),
            spread=self._spread(kept),
            constant=chosen[0] if len(chosen) == 1 and chosen[0] in LABELS else None,
            groups={
                "genre": self._groups(coded, [row.genre for row in rows]),
                "language": self._groups(coded, [row.language or NO_LANGUAGE for row in rows]),
                "length": self._groups(coded, [row.clip_length_s for row in rows]),
                "delay": self._groups(coded, [row.audio_delay_ms for row in rows], with_sync=True),
                "size": self._groups(coded, [abs(row.audio_delay_ms) for row in rows], with_sync=True),
                "sign": self._groups(coded, [row.label for row in rows], with_sync=True),
                "overlap": self._groups(coded, ["some" if row.overlap_s > 0 else "none" for row in rows]),
                "fps": self._groups(coded, [row.fps for row in rows]),
                "condition": self._groups(coded, [row.condition for row in rows]),
            },
            places=places(kept, coded, self._draws),
        )

    def _groups(self, coded: Coded, keys: Sequence[str | float], *, with_sync: bool = False) -> tuple[Group, ...]:
        found: list[Group] = []
        in_sync = coded.where(coded.truth == 0) if with_sync else None
        for key, part in split(coded, keys).items():
            tables = part.tables()
            figures = self._draws.estimates(tables, IN_GROUPS)
            if in_sync is not None and in_sync.truth.size and (part.truth > 0).all():
                beside = _together(part, in_sync).tables()
                figures |= self._draws.estimates(beside, ("false_alarms", "detection_d_prime"))
            choices = tuple(int(number) for number in tables.sum(axis=(0, 1)))
            found.append(Group(key=key, n=sum(choices), choices=choices, **figures))
        return tuple(sorted(found, key=_by_key))

    def _spread(self, answers: Sequence[Answer]) -> Spread | None:
        repeats: dict[int, dict[str, Answer]] = {}
        for answer in answers:
            repeats.setdefault(answer.repeat, {})[answer.variant_id] = answer
        if len(repeats) < 2:
            return None
        each = [repeats[number] for number in sorted(repeats)]
        everywhere = [name for name in each[0] if all(name in own for own in each)]
        coded = [self.coded([own[name] for name in everywhere]) for own in each]
        values = np.array([float(scores.balanced_accuracy(one.tables().sum(axis=0))) for one in coded])
        return spread(np.array([one.choice for one in coded]), values)


def _areas(probabilities: NDArray[np.float64], coded: Coded) -> dict[str, Estimate]:
    shifted = coded.truth > 0
    of_shifted = coded.where(shifted)
    behind_rather = probabilities[shifted, 2] - probabilities[shifted, 1]
    return {
        "detection_auroc": area(1 - probabilities[:, 0], shifted, coded.source),
        "direction_auroc": area(behind_rather, of_shifted.truth == 2, of_shifted.source),
    }


def baselines(totals: scores.Counts) -> dict[str, dict[str, float | None]]:
    """The figures of trivial answerers on variants of which so many are in sync, ahead and behind."""
    tables = {f"always:{label}": scores.always(totals, code) for label, code in CODES.items()}
    tables["uniform guess"] = scores.uniform(totals)
    return {
        name: {score: number_or_none(compute(table)) for score, compute in SCORES.items()}
        for name, table in tables.items()
    }


def truth_totals(rows: Iterable[VariantRow]) -> scores.Counts:
    """How many variants are in sync, ahead and behind."""
    labels = Counter(row.label for row in rows)
    return np.array([labels[label] for label in LABELS], dtype=np.float64)


def number_or_none(value: NDArray[np.float64]) -> float | None:
    """A single figure; None where it is undefined."""
    return None if np.isnan(value) else float(value)


def _bounds(total: scores.Counts) -> dict[str, Bounds]:
    best = bounds.all_unread_right(total)
    return {
        name: Bounds(worst=number_or_none(SCORES[name](total)), best=number_or_none(SCORES[name](best)))
        for name in BOUNDED
    }


def option_probabilities(answers: Sequence[Answer]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Probabilities in the order of `LABELS`, shape (n, 3), and which answers have all three of them, finite."""
    nothing = dict.fromkeys(LABELS, float("nan"))
    given = [nothing if answer.probabilities is None else nothing | dict(answer.probabilities) for answer in answers]
    table = np.array([[one[label] for label in LABELS] for one in given], dtype=np.float64).reshape(-1, len(LABELS))
    return table, np.logical_and.reduce(np.isfinite(table), axis=1)


def _usage(answers: Sequence[Answer]) -> dict[str, float]:
    used: dict[str, float] = {}
    for name, value in (item for answer in answers for item in answer.usage.items()):
        # servers say what they like: no flag, no NaN and no infinity is a number of tokens
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _MOST_USED:
            used[name] = used.get(name, 0) + value
    return used


def _together(first: Coded, second: Coded) -> Coded:
    return Coded(
        truth=np.concatenate([first.truth, second.truth]),
        choice=np.concatenate([first.choice, second.choice]),
        source=np.concatenate([first.source, second.source]),
    )


def _by_key(group: Group) -> tuple[float, str]:
    return (0.0, group.key) if isinstance(group.key, str) else (group.key, "")
