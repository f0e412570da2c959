"""How models fared, as a table for people: `offbeat run` and `offbeat status` show the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from offbeat.cli.table import one_line, text_table

if TYPE_CHECKING:
    from offbeat.evaluation.summary import ModelSummary


def failure_line(model: str, times: int, text: str) -> str:
    """How often a model failed in one way; many texts begin with its name."""
    return one_line(f"{model}: {times} x {text.removeprefix(f'{model}: ')}", 500)


def tell_spent(spent_usd: float, unpriced: Sequence[str]) -> None:
    """What calls have cost, and whose are not in it; nothing where there is nothing to tell."""
    if spent_usd:
        click.echo(f"spent, as far as prices are known: ${spent_usd:.4f}")
    if unpriced:
        names = ", ".join(map(one_line, unpriced))
        click.echo(f"not counted, nor by --max-cost: calls at an unknown price (--unknown-price), of {names}")


def outcome_table(summaries: Sequence[ModelSummary]) -> str:
    """A line for each model and question; the question is left out where there is but one."""
    several = len({summary.question for summary in summaries}) > 1
    outcomes = list(summaries[0].outcomes)
    rows = [
        (
            summary.name,
            *([summary.question] if several else []),
            summary.expected,
            *(summary.outcomes[outcome] for outcome in outcomes),
            summary.missing,
        )
        for summary in summaries
    ]
    return text_table(("model", *(["question"] if several else []), "wanted", *outcomes, "missing"), rows)
