"""``offbeat run``: ask models about every variant of a dataset."""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import click

from offbeat.cli.progress import progress
from offbeat.cli.table import one_line, text_table
from offbeat.timing import exact_seconds

if TYPE_CHECKING:
    from offbeat.evaluation.answer import Answer
    from offbeat.evaluation.plan import ModelPlan
    from offbeat.evaluation.runner import RunSummary

Folder = click.Path(path_type=Path, file_okay=False)
MOST_JOBS = 8


def _seconds(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[Fraction, ...]:
    try:
        return tuple(exact_seconds(part) for value in values for part in value.split(","))
    except ValueError as error:
        raise click.BadParameter(f"{error}; expected seconds such as 3 or 2.5, several with commas between") from error


@click.command(
    epilog="""\b
    Examples:
      offbeat run set --model random --model signal --out run
      offbeat run set --model replay:answers.csv --out run --lengths 3,10 --genre speech
    """
)
@click.argument("dataset", type=Folder)
@click.option("--model", "specs", metavar="SPEC", multiple=True, required=True, help="Whom to ask; several times.")
@click.option("--out", required=True, type=Folder, help="The run folder; one with answers is gone on with.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    metavar="N",
    help="N variants, spread evenly over the sources, the same for all.",
)
@click.option("--genre", "genres", multiple=True, metavar="G", help="Of this genre only; several times.")
@click.option(
    "--length",
    "--lengths",
    "lengths",
    multiple=True,
    metavar="S,S,…",
    callback=_seconds,
    help="Clips of these seconds.",
)
@click.option("--condition", "conditions", multiple=True, metavar="C", help="Under this condition only; several times.")
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=min(MOST_JOBS, os.cpu_count() or 1),
    show_default="cores, at most 8",
    help="Clips at the same time.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of random, and of --limit.")
@click.option("--dry-run", is_flag=True, help="Say what would be asked, and ask nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def run(
    dataset: Path,
    specs: tuple[str, ...],
    out: Path,
    limit: int | None,
    genres: tuple[str, ...],
    lengths: tuple[Fraction, ...],
    conditions: tuple[str, ...],
    jobs: int,
    seed: int,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Ask models about every variant of DATASET, and keep each answer the moment it comes.

    The same command goes on where it was stopped: what has an answer is not asked again, what failed is. A SPEC is a
    name, such as random, always:sync, oracle, signal, or a name with more, such as replay:FILE.

    Exit code: 0 if every variant that was to be asked has an answer, 1 if not, 2 if the run could not start or had to
    end.
    """
    from offbeat.dataset.folder import open_dataset
    from offbeat.evaluation.plan import Selection, plan_run
    from offbeat.evaluation.question import STUDY
    from offbeat.evaluation.runner import run_models
    from offbeat.models.registry import make_model

    opened = open_dataset(dataset)
    models = [make_model(spec, seed=seed) for spec in specs]
    selection = Selection(limit=limit, genres=genres, lengths=lengths, conditions=conditions, seed=seed)
    plans = plan_run(opened, models, STUDY, selection, out)
    if dry_run:
        _tell_plan(plans, as_json)
        return 0
    errors: defaultdict[str, Counter[str]] = defaultdict(Counter)
    to_ask = sum(len(group) for plan in plans for group in plan.to_ask)
    with progress("asking", to_ask) as advance:

        def on_progress(answer: Answer) -> None:
            if answer.error is not None:
                errors[answer.model][answer.error] += 1
            advance()

        summary = run_models(
            opened,
            models,
            out=out,
            limit=limit,
            genres=genres,
            lengths=lengths,
            conditions=conditions,
            seed=seed,
            jobs=jobs,
            on_progress=on_progress,
        )
    _tell_errors(summary, errors)
    _tell(summary, out, as_json)
    return 0 if summary.complete else 1


def _tell_plan(plans: Sequence[ModelPlan], as_json: bool) -> None:
    rows = [
        (plan.model.name, plan.model.revision, len(plan.planned), plan.kept, len(plan.planned) - plan.kept)
        for plan in plans
    ]
    header = ("name", "revision", "expected", "kept", "to_ask")
    if as_json:
        click.echo(json.dumps({"dry_run": True, "models": [dict(zip(header, row, strict=True)) for row in rows]}))
    else:
        click.echo(text_table(("model", "revision", "variants", "answered", "to ask"), rows))


def _tell_errors(summary: RunSummary, errors: dict[str, Counter[str]]) -> None:
    for model in summary.models:
        for text, times in errors[model.name].most_common(3):
            click.echo(one_line(f"{model.name}: {times} x {text}", 500), err=True)
        if model.stopped is not None:
            click.echo(
                one_line(f"{model.name}: stopped early, {model.missing} never asked: {model.stopped}", 500), err=True
            )


def _tell(summary: RunSummary, out: Path, as_json: bool) -> None:
    if as_json:
        models = [{**asdict(model), "complete": model.complete} for model in summary.models]
        click.echo(json.dumps({"run": str(out), "complete": summary.complete, "models": models}))
        return
    outcomes = list(summary.models[0].outcomes)
    rows = [(m.name, m.expected, *(m.outcomes[outcome] for outcome in outcomes), m.missing) for m in summary.models]
    click.echo(text_table(("model", "variants", *outcomes, "missing"), rows))
    if not summary.complete:
        click.echo("Not every variant has an answer; the same command asks what is open.", err=True)
