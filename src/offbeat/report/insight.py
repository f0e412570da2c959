"""Of each model: its thresholds, and why it answers as it does. From the dataset, its answers and what runs tell.

Left out of the thresholds are answers without a choice, and variants in which picture and sound share no moment: no
observer can tell their direction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from offbeat.analysis import bias
from offbeat.analysis.groups import Coded
from offbeat.analysis.intervals import Estimate, estimate
from offbeat.analysis.scores import CLASSES
from offbeat.analysis.sj3_estimates import Psychometric, count_by_source, psychometric
from offbeat.analysis.why_calibration import Calibration, calibrate
from offbeat.analysis.why_contrasts import DRAWS, contrasts, shared_alpha
from offbeat.analysis.why_slopes import slopes, unmoved
from offbeat.analysis.why_verdict import Evidence, Verdict, judge
from offbeat.dataset.folder import Dataset
from offbeat.dataset.schema import VariantRow
from offbeat.evaluation.answer import Answer
from offbeat.report.draws import Draws
from offbeat.report.marks import probe_record
from offbeat.report.results import entries
from offbeat.report.scorer import Scorer, option_probabilities
from offbeat.report.values import CODES, ModelResult, Results

GROUPED: Mapping[str, Callable[[VariantRow], str | float]] = {
    "genre": lambda row: row.genre,
    "length": lambda row: row.clip_length_s,
}
"""By what thresholds are given apart."""

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class AtDelay:
    """What a model did at one delay.

    Attributes:
        delay_ms: which.
        n: answers with a choice.
        shares: of sync, ahead and behind among them.
        mean: of the option probabilities; None without any.
    """

    delay_ms: float
    n: int
    shares: tuple[float, ...]
    mean: tuple[float, ...] | None


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Psychometrics of one model.

    Attributes:
        all: of all its answers that can be used.
        groups: of a part of them, by ``genre`` and ``length`` and by the group's key.
        points: its answers at each delay, as they were fitted.
        apart: answers left out because picture and sound share no moment.
    """

    all: Psychometric
    groups: Mapping[str, Mapping[str | float, Psychometric]]
    points: tuple[AtDelay, ...]
    apart: int


@dataclass(frozen=True, slots=True)
class Why:
    """What stands behind the answers of one model.

    Attributes:
        verdict: in a word.
        says: the rule that it came by.
        evidence: what it rests on.
        slopes: of its probabilities; empty without these.
        with_probabilities: how many answers have them.
        points: its answers and mean probabilities at each delay, those without a common moment included.
    """

    verdict: Verdict
    says: str
    evidence: Evidence
    slopes: Mapping[str, Estimate]
    with_probabilities: int
    points: tuple[AtDelay, ...]


@dataclass(frozen=True, slots=True)
class Insight:
    """Both, of one model."""

    thresholds: Thresholds
    why: Why


def look_into(
    dataset: Dataset, answers: Iterable[Answer], results: Results, runs: Sequence[Mapping[str, Any]]
) -> dict[str, Insight]:
    """Thresholds and verdicts of all models with a scored answer, by the names of `results`, in their order.

    Args:
        dataset: what was asked about.
        answers: of one or several runs over it.
        results: the figures of the same answers.
        runs: name and settings of each run: what their probes found.
    """
    rows = {variant.row.variant_id: variant.row for variant in dataset.variants}
    named = entries(answers, rows)
    return {
        model.name: _insight(model, [a for a in named[model.name] if a.outcome != "error"], rows, results, runs)
        for model in results.models
        if model.n
    }


@dataclass(frozen=True, slots=True)
class _Asked:
    coded: Coded
    delay_ms: Array
    clip: NDArray[np.int64]
    variant: NDArray[np.int64]
    probabilities: Array
    told: NDArray[np.bool_]


def _insight(
    model: ModelResult,
    answers: Sequence[Answer],
    rows: Mapping[str, VariantRow],
    results: Results,
    runs: Sequence[Mapping[str, Any]],
) -> Insight:
    own = [rows[answer.variant_id] for answer in answers]
    asked = _asked(answers, rows, Scorer(rows, Draws(draws=results.draws, seed=results.seed)))
    overlapping = np.array([row.overlap_s > 0 for row in own])

    def thresholds(mask: NDArray[np.bool_]) -> Psychometric:
        return psychometric(*count_by_source(asked.coded.choice[mask], asked.delay_ms[mask], asked.coded.source[mask]))

    groups = {
        by: {
            key: thresholds(overlapping & np.array([key_of(row) == key for row in own]))
            for key in sorted({key_of(row) for row in own}, key=lambda key: (isinstance(key, str), key))
        }
        for by, key_of in GROUPED.items()
    }
    return Insight(
        thresholds=Thresholds(
            all=thresholds(overlapping),
            groups=groups,
            points=_points(asked, overlapping),
            apart=int((~overlapping).sum()),
        ),
        why=_why(asked, draws=min(results.draws, DRAWS), seed=results.seed, probe=probe_record(model, runs)),
    )


def _asked(answers: Sequence[Answer], rows: Mapping[str, VariantRow], scorer: Scorer) -> _Asked:
    own = [rows[answer.variant_id] for answer in answers]
    clips = {name: number for number, name in enumerate(sorted({row.clip_id for row in own}))}
    variants = {name: number for number, name in enumerate(sorted({row.variant_id for row in own}))}
    probabilities, told = option_probabilities(answers)
    return _Asked(
        coded=scorer.coded(answers),
        delay_ms=np.array([row.audio_delay_ms for row in own], dtype=np.float64),
        clip=np.array([clips[row.clip_id] for row in own], dtype=np.int64),
        variant=np.array([variants[row.variant_id] for row in own], dtype=np.int64),
        probabilities=probabilities,
        told=told,
    )


def _why(asked: _Asked, *, draws: int, seed: int, probe: Mapping[str, Any] | None) -> Why:
    told = asked.told
    some = bool(told.any())
    coded, delays, probabilities = asked.coded.where(told), asked.delay_ms[told], asked.probabilities[told]
    words, in_probabilities = shared_alpha(
        contrasts(asked.coded, asked.delay_ms, asked.clip, variant=asked.variant, draws=draws, seed=seed),
        contrasts(
            coded,
            delays,
            asked.clip[told],
            probabilities,
            variant=asked.variant[told],
            draws=draws,
            seed=seed,
        )
        if some
        else {},
    )
    evidence = Evidence(
        words=words,
        probabilities=in_probabilities,
        calibration=_calibration(coded, probabilities, draws=draws, seed=seed) if some else None,
        excess=_excess(asked.coded, draws=draws, seed=seed),
        unmoved=unmoved(probabilities, delays, asked.clip[told]) if some else None,
        probe_sound=_sense(probe, "sound"),
        probe_picture=_sense(probe, "picture"),
    )
    verdict, says = judge(evidence)
    return Why(
        verdict=verdict,
        says=says,
        evidence=evidence,
        slopes=slopes(probabilities, delays, coded.source, draws=draws, seed=seed) if some else {},
        with_probabilities=int(told.sum()),
        points=_points(asked, np.ones(told.size, dtype=bool)),
    )


def _calibration(coded: Coded, probabilities: Array, *, draws: int, seed: int) -> Calibration | None:
    """None where not all three truths are among them: balanced accuracy would be another quantity."""
    if np.unique(coded.truth).size < CLASSES:
        return None
    return calibrate(coded, probabilities, draws=draws, seed=seed)


def _excess(coded: Coded, *, draws: int, seed: int) -> dict[str, Estimate]:
    tables = coded.tables()
    drawn = Draws(draws=draws, seed=seed).tables(tables)
    return {label: estimate(tables, bias.towards(code), drawn) for label, code in CODES.items()}


def _sense(probe: Mapping[str, Any] | None, sense: str) -> str | None:
    found = None if probe is None else probe.get(sense)
    return None if found is None else str(found["verdict"])


def _points(asked: _Asked, mask: NDArray[np.bool_]) -> tuple[AtDelay, ...]:
    points: list[AtDelay] = []
    for delay_ms in np.unique(asked.delay_ms[mask]):
        here = mask & (asked.delay_ms == delay_ms)
        counts = np.bincount(asked.coded.choice[here], minlength=CLASSES + 1)[:CLASSES]
        n = int(counts.sum())
        told = here & asked.told
        mean = tuple(float(value) for value in asked.probabilities[told].mean(axis=0)) if told.any() else None
        shares = tuple(float(count) / n for count in counts) if n else ()
        points.append(AtDelay(delay_ms=float(delay_ms), n=n, shares=shares, mean=mean))
    return tuple(points)
