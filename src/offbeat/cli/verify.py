"""`offbeat verify`: is this dataset what it says of itself?"""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path

import click

from offbeat.cli.progress import progress
from offbeat.dataset.remeasure import Remeasured, remeasure
from offbeat.dataset.verify import Checked, check_dataset, draw_sample
from offbeat.dataset.workers import FILE_TIMEOUT_S, Children

EXIT_DIFFERENT = 1
"""Something is not what it should be."""
SAMPLE = 20


@click.command(
    epilog="""\b
    Examples:
      offbeat verify set
      offbeat verify set --all --sources videos
    """
)
@click.argument("dataset", type=click.Path(path_type=Path, file_okay=False))
@click.option("--sample", type=click.IntRange(min=0), metavar="N", help=f"Measure N delays again.  [default: {SAMPLE}]")
@click.option("--all", "measure_all", is_flag=True, help="Measure all delays again.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the choice of the sample.")
@click.option(
    "--sources",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="The folder of the sources: measure against their own sound, and not between variants.",
)
@click.option("--jobs", type=click.IntRange(min=1), default=os.cpu_count() or 1, show_default="cores", help="At once.")
@click.option(
    "--file-timeout",
    type=click.FloatRange(min=1),
    default=FILE_TIMEOUT_S,
    show_default=True,
    metavar="S",
    help="Give a clip up that takes longer.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def verify(
    dataset: Path,
    sample: int | None,
    measure_all: bool,
    seed: int,
    sources: Path | None,
    jobs: int,
    file_timeout: float,
    as_json: bool,
) -> int:
    """Compare DATASET with what it says of itself, and name every difference.

    Every file's hash and every row is checked; delays are measured again, on a sample or on all, between the variants
    of a clip or against the sources. Exits with 0 only if there is no difference, with 1 otherwise.
    """
    if measure_all and sample is not None:
        raise click.UsageError("--all measures all delays; it cannot go with --sample")
    with progress("checking files", None) as advance:
        checked = check_dataset(dataset, jobs=jobs, advance=advance)
    count = len(checked.variants) if measure_all else SAMPLE if sample is None else sample
    chosen = draw_sample(checked.variants, count, seed=seed)
    clips = {variant.row.clip_id for variant in chosen}
    with Children(jobs, timeout_s=file_timeout) as workers, progress("measuring clips", len(clips)) as advance:
        told = remeasure(
            checked.variants,
            chosen,
            sources=checked.sources,
            sources_folder=sources,
            jobs=jobs,
            advance=advance,
            workers=workers,
        )
    differences = [*checked.differences, *told.differences]
    if as_json:
        result = {
            "dataset": str(dataset),
            "files": checked.files,
            "measured": told.measured,
            "untold": told.untold,
            "largest_error_ms": told.worst_ms,
            "differences": [dataclasses.asdict(difference) for difference in differences],
        }
        click.echo(json.dumps(result, indent=2))
    else:
        for difference in differences:
            click.echo(f"{difference}")
        click.echo(_summary(dataset, checked, told, len(differences), against="the sources" if sources else None))
    return EXIT_DIFFERENT if differences else 0


def _summary(dataset: Path, checked: Checked, told: Remeasured, wrong: int, *, against: str | None) -> str:
    parts = [f"{dataset}: {checked.files} files read"]
    if told.measured or told.untold:
        worst = "" if told.worst_ms is None else f", error at most {told.worst_ms:.3f} ms"
        parts.append(f"{told.measured} delays measured again against {against or 'other variants'}{worst}")
    if told.untold:
        parts.append(f"{told.untold} could not be told")
    parts.append("no difference" if not wrong else f"{wrong} difference{'s' if wrong > 1 else ''}")
    return "; ".join(parts) + "."
