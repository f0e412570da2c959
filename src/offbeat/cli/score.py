"""``offbeat score``: read the stored answers again, and score them."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from offbeat.cli.table import one_line, text_table

if TYPE_CHECKING:
    from offbeat.evaluation.reread import Reread
    from offbeat.report.left_open import Left
    from offbeat.report.values import ModelResult, Results

Folder = click.Path(path_type=Path, file_okay=False)
SHOWN = 20
"""So many changes are listed; --json lists all."""
FIGURES = ("accuracy", "balanced_accuracy")


@click.command(
    epilog="""\b
    Example:
      offbeat score run
    """
)
@click.argument("run", type=Folder)
@click.option("--dataset", type=Folder, help="Where the dataset lies now, if it was moved.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def score(run: Path, dataset: Path | None, as_json: bool) -> int:
    """Read the raw replies of RUN again, by the rules of this version, and score them; nobody is asked.

    The raw texts stay as they are. Of refused, cut and failed replies nothing changes.

    Exit code: 0 if all was read and scored, 2 if not.
    """
    from offbeat.dataset.folder import open_dataset
    from offbeat.errors import RunError
    from offbeat.evaluation.reread import reread_run
    from offbeat.evaluation.run_folder import open_run
    from offbeat.report.left_open import left_open
    from offbeat.report.results import compute_results

    before = open_run(run)
    opened = open_dataset(dataset or before.dataset_folder)
    if opened.fingerprint != before.dataset_fingerprint:
        raise RunError(f"{opened.folder}: is not the dataset that {run} was asked about; give it with --dataset")
    reread = reread_run(run)
    answers = open_run(run).answers
    results = compute_results(opened, answers)
    left = left_open(opened, [before.settings], answers)
    if as_json:
        click.echo(json.dumps(_as_json(reread, results, left)))
    else:
        _tell(reread, results, left)
    return 0


def _tell(reread: Reread, results: Results, left: Left) -> None:
    from offbeat.report.words import with_interval

    click.echo(f"{reread.read} replies read again, {len(reread.changed)} now read otherwise")
    for old, new in reread.changed[:SHOWN]:
        was, now = old.choice or old.outcome, new.choice or new.outcome
        click.echo(f"  {one_line(new.model)}, {new.variant_id}: {was} -> {now}: {one_line(new.text or '', 60)}")
    if len(reread.changed) > SHOWN:
        click.echo(f"  and {len(reread.changed) - SHOWN} more; --json lists all")
    unasked = {model.name: _unasked(left, model) for model in results.models}
    some = any(unasked.values())
    rows = [
        (
            model.name,
            model.n,
            model.missing,
            *([unasked[model.name]] if some else []),
            *(with_interval(model.figures[name]) for name in FIGURES),
        )
        for model in results.models
    ]
    if rows:
        header = ("model", "scored", "errors", *(["never asked"] if some else []), "accuracy", "balanced accuracy")
        click.echo(text_table(header, rows))
    for one in left.silent_models:
        click.echo(one_line(f"{one.model}, asked {one.question}, has no answer: {one.says}", 500))
    for other in results.unscored:
        click.echo(f"{one_line(other.name)}: {other.n} answers, not scored: {other.reason}")


def _unasked(left: Left, model: ModelResult) -> int:
    own = left.of(model)
    return 0 if own is None else own.unasked


def _as_json(reread: Reread, results: Results, left: Left) -> dict[str, object]:
    from offbeat.report.insight_json import figure_json

    return {
        "read": reread.read,
        "changed": [
            {
                "model": new.model,
                "variant_id": new.variant_id,
                "question": new.question,
                "before": {"outcome": old.outcome, "choice": old.choice},
                "after": {"outcome": new.outcome, "choice": new.choice},
                "text": new.text,
            }
            for old, new in reread.changed
        ],
        "models": [
            {
                "name": model.name,
                "n": model.n,
                "errors": model.missing,
                "never_asked": _unasked(left, model),
                "outcomes": dict(model.outcomes),
                **{name: figure_json(model.figures[name]) for name in FIGURES},
            }
            for model in results.models
        ],
        "unanswered": [
            {"model": one.model, "question": one.question, "wanted": one.wanted, "why": one.why} for one in left.silent
        ],
        "not_scored": [asdict(other) for other in results.unscored],
    }
