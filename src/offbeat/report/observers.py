"""All observers on one scale, for the first screen: measured ones, references, and what others have published.

A row has a balanced accuracy, a raw accuracy, or both. References are computed on the variants of the dataset: trivial
answerers, and one whose limits are those of people by a broadcasting standard, taken as exact. The last is an upper
mark and no measurement: people lapse, and may notice a shift without telling its direction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from offbeat.analysis import scores
from offbeat.analysis.human_limits import HUMAN_LIMITS, HumanLimit
from offbeat.analysis.intervals import Estimate
from offbeat.dataset.schema import VariantRow
from offbeat.report.findings import FEW_SOURCES
from offbeat.report.insight import Insight
from offbeat.report.published import Published
from offbeat.report.scorer import number_or_none
from offbeat.report.values import CODES, ModelResult, Results
from offbeat.report.words import link, visible, with_interval

Group = Literal["measured", "reference", "published"]
KINDS = {"signal": "detector", "human": "people", "random": "reference", "always": "reference", "oracle": "reference"}
"""What answers, by the first word of its name; all others are models, and need no word."""
PEOPLE = HUMAN_LIMITS[0]


@dataclass(frozen=True, slots=True)
class Observer:
    """One row.

    Attributes:
        group: of what sort the row is; the sorts are never mixed.
        name: who.
        about: a few words beside the name.
        balanced: balanced accuracy.
        accuracy: raw accuracy, which depends on the mix of the material.
        verdict: whether it perceives the delay, in a word; None where nothing says.
        why: where a click on the verdict leads.
        result: all that was measured of it.
    """

    group: Group
    name: str
    about: str
    balanced: Estimate
    accuracy: Estimate
    verdict: str | None = None
    why: str = ""
    result: ModelResult | None = None

    @property
    def href(self) -> str | None:
        """Where a click on a figure leads; None where there is nothing to see."""
        return None if self.result is None else link(model=self.result.name)

    @property
    def says(self) -> str:
        """The row in words, for those who cannot see the marks."""
        parts = [
            f"{word} {with_interval(figure)}"
            for word, figure in (("balanced accuracy", self.balanced), ("accuracy", self.accuracy))
            if figure.value is not None
        ]
        return f"{self.name}: {', '.join(parts) or 'no figures'}"


def observers(
    results: Results, insights: Mapping[str, Insight], published: Published, rows: Iterable[VariantRow]
) -> list[Observer]:
    """All rows: measured ones as `results` orders them, then references, then published ones, paper by paper.

    Args:
        results: the figures.
        insights: thresholds and verdicts, by the models' names.
        published: what others have printed.
        rows: the variants of the dataset.
    """
    return [*_measured(results, insights), *_references(results, list(rows)), *_published(published)]


def beyond(rows: Iterable[VariantRow], limit: HumanLimit = PEOPLE) -> tuple[int, int]:
    """How many shifted variants lie beyond what people notice, and how many there are."""
    shifted = [row.audio_delay_ms for row in rows if row.label != "sync"]
    return sum(1 for delay_ms in shifted if not limit.early_ms <= delay_ms <= limit.late_ms), len(shifted)


def by_limits(rows: Iterable[VariantRow], limit: HumanLimit = PEOPLE) -> tuple[float | None, float | None]:
    """Balanced and raw accuracy of an observer who says sync just within the limits, and tells every direction."""
    table = np.zeros((scores.CLASSES, scores.CLASSES + 1))
    for row in rows:
        delay_ms = row.audio_delay_ms
        choice = "ahead" if delay_ms < limit.early_ms else "behind" if delay_ms > limit.late_ms else "sync"
        table[CODES[row.label], CODES[choice]] += 1
    return number_or_none(scores.balanced_accuracy(table)), number_or_none(scores.accuracy(table))


def _measured(results: Results, insights: Mapping[str, Insight]) -> list[Observer]:
    numbers = {name: number for number, name in enumerate(insights)}
    return [
        Observer(
            group="measured",
            name=visible(model.name),
            about=KINDS.get(model.model.split(":")[0], ""),
            balanced=model.figures["balanced_accuracy"],
            accuracy=model.figures["accuracy"],
            verdict=_verdict(insights[model.name], model) if model.name in insights else None,
            why=f"#why-{numbers[model.name]}" if model.name in insights else "",
            result=model,
        )
        for model in results.models
    ]


def _verdict(insight: Insight, model: ModelResult) -> str:
    """That nothing was found reads as a finding of its own, unless it says where few sources were looked at."""
    number = model.figures["accuracy"].n_sources
    few = insight.why.verdict == "insensitive" and number < FEW_SOURCES
    return f"{insight.why.verdict} ({number} sources)" if few else insight.why.verdict


def _references(results: Results, rows: list[VariantRow]) -> list[Observer]:
    figures = {name: (own["balanced_accuracy"], own["accuracy"], "") for name, own in results.baselines.items()}
    figures["limits of people"] = (*by_limits(rows), f"{PEOPLE.source.split(',')[0]}, taken as exact")
    return [
        Observer("reference", name, about, _exact(balanced), _exact(accuracy))
        for name, (balanced, accuracy, about) in figures.items()
    ]


def _published(published: Published) -> list[Observer]:
    study = [
        Observer("published", row.model, f"study, {row.protocol}", _exact(row.balanced, 100), _exact(row.accuracy, 100))
        for row in published.row
        if row.observer
    ]
    others = [
        Observer("published", row.model, about, _exact(balanced, 100), _exact(accuracy, 100))
        for paper in published.other
        for row in paper.rows
        for about, balanced, accuracy in paper.three_way(row)
    ]
    return study + others


def _exact(value: float | None, whole: float = 1) -> Estimate:
    return Estimate(None if value is None else value / whole, None, None, 0)
