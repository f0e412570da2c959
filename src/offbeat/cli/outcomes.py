"""How models fared, as a table for people: `offbeat run` and `offbeat status` show the same."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import click

from offbeat.cli.table import one_line, text_table

if TYPE_CHECKING:
    from offbeat.evaluation.failures import Failure
    from offbeat.evaluation.summary import ModelSummary


def failure_lines(model: str, failures: Sequence[Failure], lengths_s: Collection[float]) -> list[str]:
    """How often a model failed in each way, the most frequent first; many texts begin with its name.

    Texts that differ in their numbers alone are one way; where only clips of some lengths fail so, it is said.

    Args:
        model: its name.
        failures: its failures.
        lengths_s: of all clips that it was to be asked about.
    """
    from offbeat.evaluation.failures import is_confined, kinds_of

    lines: list[str] = []
    for kind in kinds_of(failures):
        lengths = " and ".join(f"{length:g} s" for length in kind.lengths_s)
        where = f", all of clips of {lengths}:" if is_confined(kind, lengths_s) else ""
        lines.append(one_line(f"{model}: {kind.times} x{where} {kind.text.removeprefix(f'{model}: ')}", 500))
    return lines


def tell_spent(spent_by_model: Mapping[str, float], unpriced: Sequence[str]) -> None:
    """What calls have cost, and whose are not in it; nothing where there is nothing to tell."""
    if spent_by_model:
        each = ", ".join(f"{one_line(name)} ${usd:.4f}" for name, usd in spent_by_model.items())
        total = f"${sum(spent_by_model.values()):.4f}"
        click.echo(f"spent, as far as prices are known: {f'{total}: {each}' if len(spent_by_model) > 1 else total}")
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
