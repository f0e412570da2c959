"""``offbeat compare``: two runs beside each other."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from offbeat.cli.table import one_line, text_table

if TYPE_CHECKING:
    from offbeat.dataset.folder import Dataset
    from offbeat.evaluation.answer import Answer
    from offbeat.evaluation.run_folder import Run
    from offbeat.report.compare import Change, Compared, RunsCompared

Folder = click.Path(path_type=Path, file_okay=False)
SHOWN = 20
"""So many changes are listed; --json lists all."""


@click.command(
    epilog="""\b
    Examples:
      offbeat compare run-monday run-friday
      offbeat compare run run --models gemini:gemini-3.8-flash random
    """
)
@click.argument("run_a", metavar="RUN_A", type=Folder)
@click.argument("run_b", metavar="RUN_B", type=Folder)
@click.option(
    "--models",
    nargs=2,
    metavar="A B",
    help="A model of RUN_A and one of RUN_B, as 'name' or 'name · question'; default: those of the same name.",
)
@click.option("--dataset-a", type=Folder, help="Where the dataset of RUN_A lies now, if it was moved.")
@click.option("--dataset-b", type=Folder, help="The same for RUN_B.")
@click.option("--bootstrap", default=10_000, show_default=True, type=click.IntRange(min=100), help="Draws of sources.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0), help="Of the draws.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON, with every answer that changed.")
def compare(
    run_a: Path,
    run_b: Path,
    models: tuple[str, str] | None,
    dataset_a: Path | None,
    dataset_b: Path | None,
    bootstrap: int,
    seed: int,
    as_json: bool,
) -> int:
    """What changed from RUN_A to RUN_B: figures with paired intervals, by genre, and the answers that are others now.

    Differences are B minus A, on what both answered; intervals draw the same sources for both. Runs over different
    datasets are compared on the variants that have the same bytes (SHA-256), if there are any.

    Exit code: 0 if all was compared, 1 if something was left out, 2 if nothing can be compared.
    """
    from offbeat.evaluation.run_folder import open_run
    from offbeat.report.compare import compare_runs

    runs = open_run(run_a), open_run(run_b)
    first = _dataset(runs[0], dataset_a)
    same = runs[0].dataset_fingerprint == runs[1].dataset_fingerprint and dataset_b is None
    second = first if same else _dataset(runs[1], dataset_b)
    found = compare_runs((runs[0].answers, runs[1].answers), (first, second), models=models, draws=bootstrap, seed=seed)
    if as_json:
        click.echo(json.dumps(_as_json(found), allow_nan=False))
    else:
        _tell(found)
    return 0 if found.whole else 1


def _dataset(run: Run, moved_to: Path | None) -> Dataset:
    from offbeat.dataset.folder import open_dataset
    from offbeat.errors import RunError

    opened = open_dataset(moved_to or run.dataset_folder)
    if opened.fingerprint != run.dataset_fingerprint:
        raise RunError(
            f"{opened.folder}: is not the dataset that {run.folder} was asked about; "
            "give it with --dataset-a or --dataset-b"
        )
    return opened


def _tell(found: RunsCompared) -> None:
    if found.variants_left_out:
        click.echo(
            f"different datasets: {found.common_variants} variants have the same bytes in both, "
            f"of {found.variants[0]} and {found.variants[1]}; the others are left out"
        )
    for pair in found.pairs:
        _tell_pair(pair)
    for names, run in ((found.first_alone, "RUN_A"), (found.second_alone, "RUN_B")):
        if names:
            click.echo(f"only in {run}: {', '.join(one_line(name) for name in names)}")
    if found.unscored:
        names = ", ".join(one_line(name) for name in found.unscored)
        click.echo(f"not compared, as only sync, ahead and behind are scored: {names}")


def _tell_pair(pair: Compared) -> None:
    from offbeat.report.compare import EFFECTS
    from offbeat.report.figure_words import NAMES, ends, number, p_value, unit, verdict
    from offbeat.report.words import count

    whole = pair.whole
    click.echo(one_line(whole.first))
    click.echo(one_line(whole.second))
    sources = whole.differences["accuracy"].n_sources
    click.echo(f"{count(whole.n)} answers in common, {sources} sources")
    if any(pair.unmatched):
        click.echo(f"without a partner: {pair.unmatched[0]} answers of RUN_A, {pair.unmatched[1]} of RUN_B")
    rows = [
        (
            f"{NAMES[name]}{', ' if unit(name) else ''}{unit(name)}",
            number(name, whole.figures[name]),
            number(name, whole.others[name]),
            number(name, difference.value, sign=True),
            ends(name, difference, sign=True),
        )
        for name, difference in ((name, whole.differences[name]) for name in NAMES if name in whole.differences)
    ]
    click.echo(text_table(("", "A", "B", "B - A", "95 %"), rows))
    if whole.test is not None:
        click.echo(
            f"balanced accuracy, {whole.test.n_sources} sources with all three truths: t-test "
            f"p {p_value(whole.test.t_p)}, Holm {p_value(whole.holm_p)}, sign flips p {p_value(whole.test.flip_p)}"
            f"{' (exact)' if whole.test.flip_exact else ''}; "
            f"McNemar p {p_value(whole.mcnemar_p)}, as though answers were independent"
        )
    click.echo(one_line(verdict(whole), 500))
    genres = [
        (
            genre,
            part.n,
            number("accuracy", part.figures["accuracy"]),
            number("accuracy", part.others["accuracy"]),
            number("accuracy", part.differences["accuracy"].value, sign=True),
            ends("accuracy", part.differences["accuracy"], sign=True),
        )
        for genre, part in pair.genres.items()
    ]
    click.echo(text_table(("genre, accuracy in %", "answers", "A", "B", "B - A", "95 %"), genres))
    effects = [f"{sum(change.effect == effect for change in pair.changes)} {effect}" for effect in EFFECTS]
    click.echo(f"{len(pair.changes)} answers changed: {', '.join(effects)}")
    for change in pair.changes[:SHOWN]:
        click.echo(f"  {_change_line(change)}")
    if len(pair.changes) > SHOWN:
        click.echo(f"  and {len(pair.changes) - SHOWN} more; --json lists all")


def _change_line(change: Change) -> str:
    from offbeat.report.words import delay

    was, now = (_said(answer) for answer in (change.before, change.after))
    where = f"{one_line(change.row.variant_id)}, {one_line(change.row.genre, 40)}, {delay(change.row.audio_delay_ms)} s"
    return f"{where}: {was} -> {now} ({change.effect})"


def _said(answer: Answer) -> str:
    """``behind``, ``behind (unsure)``, ``refused``."""
    if answer.choice is None or answer.outcome == "ok":
        return one_line(answer.choice or answer.outcome)
    return f"{one_line(answer.choice)} ({answer.outcome})"


def _as_json(found: RunsCompared) -> dict[str, Any]:
    return {
        "variants": {"first": found.variants[0], "second": found.variants[1], "common": found.common_variants},
        "only_in_first": list(found.first_alone),
        "only_in_second": list(found.second_alone),
        "unscored": list(found.unscored),
        "pairs": [_pair_json(pair) for pair in found.pairs],
    }


def _pair_json(pair: Compared) -> dict[str, Any]:
    from offbeat.report.results_json import comparison_json

    return {
        **comparison_json(pair.whole),
        "unmatched": {"first": pair.unmatched[0], "second": pair.unmatched[1]},
        "by_genre": [{"genre": genre, **comparison_json(part)} for genre, part in pair.genres.items()],
        "changes": [
            {
                "variant_id": change.row.variant_id,
                "repeat": change.before.repeat,
                "genre": change.row.genre,
                "audio_delay_ms": change.row.audio_delay_ms,
                "label": change.row.label,
                "effect": change.effect,
                "before": _answer_json(change.before),
                "after": _answer_json(change.after),
            }
            for change in pair.changes
        ],
    }


def _answer_json(answer: Answer) -> dict[str, Any]:
    kept = asdict(answer)
    return {name: kept[name] for name in ("outcome", "choice", "text", "revision")}
