"""`offbeat export`: a dataset in another form."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from offbeat.cli.progress import progress
from offbeat.cli.table import clip_count
from offbeat.dataset.export import export_files, is_there, size_bytes
from offbeat.dataset.folder import Dataset, open_dataset

FORMATS = ("files",)

Folder = click.Path(path_type=Path, file_okay=False)


@click.command(
    epilog="""\b
    Examples:
      offbeat export set --to files --out rendered
      offbeat export set --to files --out rendered --dry-run
    """
)
@click.argument("dataset", type=Folder)
@click.option("--to", required=True, type=click.Choice(FORMATS), help="files: one MP4 for each variant.")
@click.option("--out", required=True, type=Folder, help="The folder to write.")
@click.option("--jobs", type=click.IntRange(min=1), default=os.cpu_count() or 1, show_default="cores", help="At once.")
@click.option("--dry-run", is_flag=True, help="Say what would be written, and write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def export(dataset: Path, to: str, out: Path, jobs: int, dry_run: bool, as_json: bool) -> int:
    """Write DATASET out in another form.

    A compact dataset becomes one of files, with the bytes that a build in that layout gives. Interrupted, the same
    command goes on where it was.
    """
    opened = open_dataset(dataset)
    if dry_run:
        _show_plan(opened, to, out, as_json=as_json)
        return 0
    with progress("exporting variants", len(opened.variants)) as advance:
        exported = export_files(opened, out=out, jobs=jobs, advance=advance)
    info = exported.info
    if as_json:
        told = {"dataset": str(out), "to": to, **info.model_dump(mode="json"), "kept_variants": exported.kept}
        click.echo(json.dumps(told, indent=2))
    else:
        kept = f" ({exported.kept} were there already)" if exported.kept else ""
        click.echo(
            f"{out}: {info.variants} variants of {clip_count(info.clips)}{kept}, each with the bytes that its row says."
        )
    return 0


def _show_plan(dataset: Dataset, to: str, out: Path, *, as_json: bool) -> None:
    variants, size = len(dataset.variants), size_bytes(dataset)
    there = sum(is_there(variant, out) for variant in dataset.variants)
    if as_json:
        told = {"dataset": str(out), "to": to, "variants": variants, "kept_variants": there, "size_bytes": size}
        click.echo(json.dumps(told, indent=2))
    else:
        kept = f", {there} of them there already" if there else ""
        click.echo(f"{out}: {variants} variants{kept}, about {size / 1e6:,.0f} MB. Nothing was written (dry run).")
