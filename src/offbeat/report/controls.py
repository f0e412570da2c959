"""Controls: rows of the same model, asked under the same question, with something taken away or rearranged.

A control is told by its name: that of the model, and what was changed in brackets: ``qwen-omni:7B[video-only]``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from offbeat.report.insight import Insight
from offbeat.report.values import CHOICES, ModelResult, Results
from offbeat.report.words import link, percent, visible, with_interval


@dataclass(frozen=True, slots=True)
class ControlRow:
    """What a control did.

    Attributes:
        name: what was changed.
        balanced_accuracy: with its interval.
        said_sync: the share of its answers.
        verdict: its own.
        href: where a click on a figure leads.
    """

    name: str
    balanced_accuracy: str
    said_sync: str
    verdict: str
    href: str


def controls_of(name: str, results: Results) -> list[ModelResult]:
    """The controls of a row of the report, in its order; none of a control itself."""
    own = next(model for model in results.models if model.name == name)
    base, brackets = _parts(own.model)
    if brackets:
        return []
    return [
        model
        for model in results.models
        if model.n
        and model.question == own.question
        and model.name != name
        and _parts(model.model)[0] == base
        and _parts(model.model)[1]
    ]


def control_rows(name: str, results: Results, insights: Mapping[str, Insight]) -> list[ControlRow]:
    """The rows that the section "Why?" shows."""
    return [
        ControlRow(
            name=visible(_parts(model.model)[1]),
            balanced_accuracy=with_interval(model.figures["balanced_accuracy"]),
            said_sync=f"{percent(sum(row[CHOICES.index('sync')] for row in model.confusion) / model.n)} %",
            verdict=insights[model.name].why.verdict,
            href=link(model=model.name),
        )
        for model in controls_of(name, results)
    ]


def _parts(model: str) -> tuple[str, str]:
    """The name, and what stands in brackets at its end; nothing where there are none."""
    base, bracket, rest = model.partition("[")
    return (base, rest[:-1]) if bracket and rest.endswith("]") else (model, "")
