"""``offbeat run``: ask models about every variant of a dataset."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import click

from offbeat.cli.model_options import base_url_flag, finite, option_flag
from offbeat.cli.money_flags import max_cost_flag, price_file_flag, unknown_price_flag
from offbeat.cli.opening import open_all
from offbeat.cli.outcomes import failure_lines, outcome_table, tell_spent
from offbeat.cli.progress import progress
from offbeat.cli.table import one_line, text_table
from offbeat.cli.tracebacks import each_once
from offbeat.timing import exact_seconds

if TYPE_CHECKING:
    from offbeat.evaluation.answer import Answer
    from offbeat.evaluation.money.estimate import Estimate
    from offbeat.evaluation.summary import RunSummary

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
      offbeat run set --model gemini:gemini-3.8-flash --option fps=8 --max-cost 5 --out run
      offbeat run set --model openai:Qwen/Qwen2.5-Omni-7B --option preset=vllm --out run
    """
)
@click.argument("dataset", type=Folder)
@click.option("--model", "specs", metavar="SPEC", multiple=True, required=True, help="Whom to ask; several times.")
@click.option("--out", required=True, type=Folder, help="The run folder; one with answers is gone on with.")
@click.option(
    "--question",
    "question_specs",
    metavar="NAME",
    multiple=True,
    default=("study",),
    show_default="study",
    help="In which wording; several times. Also FILE.toml:NAME.",
)
@click.option("--repeats", type=click.IntRange(min=1), metavar="K", default=1, help="Ask everything K times.")
@option_flag
@base_url_flag
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
    help="Clips at the same time, for a model on this machine.",
)
@click.option(
    "--connections",
    type=click.IntRange(min=1),
    metavar="N",
    default=32,
    show_default=True,
    help="Calls at the same time, at most, for a model on a server.",
)
@click.option(
    "--timeout",
    "call_limit_s",
    type=click.FloatRange(min=0, min_open=True),
    callback=finite,
    metavar="S",
    default=600.0,
    show_default=True,
    help="Longest call to a server.",
)
@max_cost_flag
@price_file_flag
@unknown_price_flag
@click.option("--even-if-deaf", is_flag=True, help="Ask although the probe did not show that the model hears and sees.")
@click.option(
    "--probe-clips",
    type=click.IntRange(min=1),
    metavar="N",
    default=4,
    show_default=True,
    help="How many clips the probe shows.",
)
@click.option("--batch", is_flag=True, help="Hand over a batch, at a lower price; the same command collects it later.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of random, and of --limit.")
@click.option("--dry-run", is_flag=True, help="Say what would be asked, and what it may cost; ask nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def run(
    dataset: Path,
    specs: tuple[str, ...],
    out: Path,
    question_specs: tuple[str, ...],
    repeats: int,
    option_texts: tuple[str, ...],
    base_url: str | None,
    limit: int | None,
    genres: tuple[str, ...],
    lengths: tuple[Fraction, ...],
    conditions: tuple[str, ...],
    jobs: int,
    connections: int,
    call_limit_s: float,
    most_usd: float | None,
    price_file: Path | None,
    unknown_price_ok: bool,
    even_if_deaf: bool,
    probe_clips: int,
    batch: bool,
    seed: int,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Ask models about every variant of DATASET, and keep each answer the moment it comes.

    The same command goes on where it was stopped: what has an answer is not asked again, what failed is. A SPEC is a
    name, such as random, always:sync, oracle, signal, or a name with more, such as gemini:MODEL, openai:MODEL,
    replay:FILE, human:FILE (people's answers), or a class in a file of your own, mymodels.py:Mine. `offbeat models` and
    `offbeat questions` list them.

    Before a model is asked, a probe tells whether it hears and sees at all: see `offbeat probe --help`.

    Exit code: 0 if everything that was to be asked has an answer, 1 if not, 2 if the run could not start or had to
    end.
    """
    from offbeat.evaluation.money.estimate import estimate_run, keys_in_batches
    from offbeat.evaluation.plan import Selection, asked_anew, plan_run
    from offbeat.evaluation.question import unscored
    from offbeat.evaluation.run_folder import noted_probes
    from offbeat.evaluation.runner import run_models
    from offbeat.evaluation.terms import Terms

    opened = open_all(
        dataset,
        specs=specs,
        question_specs=question_specs,
        option_texts=option_texts,
        base_url=base_url,
        price_file=price_file,
        seed=seed,
    )
    for question in opened.questions:
        if (note := unscored(question)) is not None:
            click.echo(note, err=True)
    selection = Selection(limit=limit, genres=genres, lengths=lengths, conditions=conditions, seed=seed)
    plans = plan_run(opened.dataset, opened.models, opened.questions, selection, repeats, out)
    for words in (words for plan in plans for words in asked_anew(plan)):
        click.echo(one_line(words, 800), err=True)
    pending = keys_in_batches(out, opened.models)
    if dry_run:
        estimates = estimate_run(
            plans,
            opened.prices,
            batch=batch,
            probes=noted_probes(out),
            pending=pending,
            even_if_deaf=even_if_deaf,
            probe_clips=probe_clips,
        )
        _tell_estimates(estimates, as_json)
        return 0
    failed: defaultdict[str, list[tuple[str, float]]] = defaultdict(list)
    length_s = {variant.row.variant_id: variant.row.clip_length_s for variant in opened.dataset.variants}
    to_ask = [planned for plan in plans for group in plan.to_ask for planned in group]
    in_batches = sum(planned.key in pending for planned in to_ask)
    terms = Terms(
        jobs=jobs,
        connections=connections,
        call_limit_s=call_limit_s,
        prices=opened.prices,
        most_usd=most_usd,
        unknown_price_ok=unknown_price_ok,
        even_if_deaf=even_if_deaf,
        probe_clips=probe_clips,
        batch=batch,
    )
    what, total = ("collecting", in_batches) if batch else ("asking", len(to_ask) - in_batches)
    if batch and not in_batches:
        what, total = "handing over", None  # collected by a later command
    with each_once(), progress(what, total) as advance:

        def on_progress(answer: Answer) -> None:
            if answer.error is not None:
                failed[answer.model].append((answer.error, length_s[answer.variant_id]))
            advance()

        summary = run_models(
            opened.dataset,
            opened.models,
            out=out,
            questions=opened.questions,
            selection=selection,
            repeats=repeats,
            terms=terms,
            on_progress=on_progress,
            on_note=lambda note: click.echo(note, err=True),
        )
    _tell_errors(summary, failed, {one.variant.row.clip_length_s for plan in plans for one in plan.planned})
    _tell_oddities(summary, out)
    _tell(summary, out, as_json)
    return 0 if summary.complete else 1


def _tell_estimates(estimates: Sequence[Estimate], as_json: bool) -> None:
    unknown = [estimate.name for estimate in estimates if estimate.most_usd is None]
    total = None if unknown else sum(estimate.most_usd or 0.0 for estimate in estimates)
    if as_json:
        models = [asdict(estimate) for estimate in estimates]
        click.echo(json.dumps({"dry_run": True, "models": models, "most_usd": total}))
        return
    header = ("model", "question", "wanted", "answered", "to ask", "probe", "tokens in", "tokens out", "at most $")
    click.echo(text_table(header, [_estimate_row(estimate) for estimate in estimates]))
    if in_batches := sum(estimate.in_batches for estimate in estimates):
        click.echo(f"Besides, questions in batches: {in_batches}; they are not counted, and --batch collects them.")
    if len(estimates) > 1 and total:
        click.echo(f"All of them together: at most ${total:.2f}.")
    if any(estimate.tokens for estimate in estimates):
        click.echo("Tokens and cost are upper bounds, as long as no call has to be made again: every reply is taken to")
        click.echo("use its whole budget. --max-cost sets a bound that holds in any case.")


def _estimate_row(estimate: Estimate) -> tuple[str | int, ...]:
    tokens = estimate.tokens
    written = tokens.get("output_tokens", 0) + tokens.get("thinking_tokens", 0)
    cost = "unknown" if estimate.most_usd is None else f"{estimate.most_usd:.2f}" if estimate.most_usd else "free"
    if not estimate.to_ask and not estimate.probe_calls:
        cost = "-"
    counts = (tokens["input_tokens"], written) if tokens else ("-", "-")
    return (
        estimate.name,
        estimate.question,
        estimate.expected,
        estimate.kept,
        estimate.to_ask,
        estimate.probe_calls,
        *counts,
        cost,
    )


def _tell_errors(summary: RunSummary, failed: dict[str, list[tuple[str, float]]], lengths_s: set[float]) -> None:
    from offbeat.evaluation.failures import failures_of

    told: set[str] = set()
    for model in summary.models:
        if model.name in told:
            continue
        told.add(model.name)
        for line in failure_lines(model.name, failures_of(failed[model.name]), lengths_s)[:3]:
            click.echo(line, err=True)
        if model.stopped is not None:
            own = [other for other in summary.models if other.name == model.name]
            left = sum(other.missing + other.outcomes["error"] for other in own)
            how_many = f"{left} without an answer: " if left else ""
            click.echo(one_line(f"{model.name}: {how_many}{model.stopped}", 800), err=True)


def _tell_oddities(summary: RunSummary, out: Path) -> None:
    from offbeat.evaluation.status import run_status

    asked = {model.name for model in summary.models}
    for model in run_status(out).models:
        for sentence in model.oddities if model.name in asked else ():
            click.echo(one_line(f"{model.name}: {sentence}", 500), err=True)


def _tell(summary: RunSummary, out: Path, as_json: bool) -> None:
    if as_json:
        models = [{**asdict(model), "complete": model.complete} for model in summary.models]
        money = {
            "spent_usd": summary.spent_usd,
            "spent_by_model": summary.spent_by_model,
            "unpriced": summary.unpriced,
        }
        click.echo(json.dumps({"run": str(out), "complete": summary.complete, **money, "models": models}))
        return
    click.echo(outcome_table(summary.models))
    tell_spent(summary.spent_by_model, summary.unpriced)
    if not summary.complete:
        click.echo("Not everything has an answer; the same command asks what is open.", err=True)
