"""How models fared, as a table for people: `offbeat run` and `offbeat status` show the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from offbeat.cli.table import text_table

if TYPE_CHECKING:
    from offbeat.evaluation.summary import ModelSummary


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
