"""``offbeat status``: what a run folder holds, what is missing, what failed and why."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from offbeat.cli.outcomes import failure_lines, outcome_table, tell_spent
from offbeat.cli.table import one_line

if TYPE_CHECKING:
    from offbeat.evaluation.status import ModelStatus, RunStatus

SHOWN = 5
"""So many kinds of failure are listed for each model; --json lists all."""


@click.command(
    epilog="""\b
    Example:
      offbeat status run
    """
)
@click.argument("run", type=click.Path(path_type=Path, file_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def status(run: Path, as_json: bool) -> int:
    """How far RUN is: answers by outcome, what is missing, what failed and why, what it has cost.

    It may be looked at while it is under way. Missing is what the last command for each model and question asked for
    and that has no answer.

    Exit code: 0 if nothing is missing, 1 if something is, 2 if RUN cannot be read.
    """
    from offbeat.evaluation.status import run_status

    found = run_status(run)
    if as_json:
        click.echo(json.dumps(_as_json(run, found)))
    else:
        _tell(found)
    return 0 if found.complete else 1


def _as_json(run: Path, found: RunStatus) -> dict[str, object]:
    """In the words of `offbeat run --json`; a model's questions stand together."""
    models = [
        {
            **asdict(model),
            "complete": model.complete,
            "questions": [{**asdict(question), "complete": question.complete} for question in model.questions],
        }
        for model in found.models
    ]
    money = {"spent_usd": found.spent_usd, "spent_by_model": found.spent_by_model, "unpriced": found.unpriced}
    return {"run": str(run), "complete": found.complete, **money, "models": models}


def _tell(found: RunStatus) -> None:
    summaries = [question for model in found.models for question in model.questions]
    if not summaries:
        click.echo("nothing was asked")
        return
    click.echo(outcome_table(summaries))
    for model in found.models:
        _tell_model(model)
    tell_spent(found.spent_by_model, found.unpriced)


def _tell_model(model: ModelStatus) -> None:
    if model.in_batches:
        click.echo(f"{one_line(model.name)}: questions in batches: {model.in_batches}")
    if model.probe is not None and not model.probe["passed"] and model.probe["passed"] is not None:
        asked = "asked all the same" if model.probe["overridden"] else "not asked"
        click.echo(one_line(f"{model.name}: {asked}: the probe: {model.probe['says']}", 500))
    for why in model.stopped if not model.in_batches else ():
        if not why.startswith("the probe:"):  # it stands above
            click.echo(one_line(f"{model.name}: stopped: {why}", 800))
    for sentence in model.oddities:
        click.echo(one_line(f"{model.name}: {sentence}", 500))
    lines = failure_lines(model.name, model.failures, model.lengths_s)
    for line in lines[:SHOWN]:
        click.echo(line)
    if len(lines) > SHOWN:
        click.echo(f"{one_line(model.name)}: and {len(lines) - SHOWN} other kinds of failure; --json lists all")
