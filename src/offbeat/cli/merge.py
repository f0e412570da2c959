"""`offbeat merge`: one dataset out of the shards that many machines have built."""

from __future__ import annotations

import json
from pathlib import Path

import click

from offbeat.cli.progress import progress
from offbeat.cli.table import clip_count
from offbeat.dataset.folder import files_of
from offbeat.dataset.merge import merge_shards, open_shards


@click.command(
    epilog="""\b
    Example, on three machines and then on one:
      offbeat build videos --out part1 --shard 1/3
      offbeat build videos --out part2 --shard 2/3
      offbeat build videos --out part3 --shard 3/3
      offbeat merge part1 part2 part3 --out set
    """
)
@click.argument("shards", nargs=-1, required=True, type=click.Path(path_type=Path, file_okay=False))
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="The dataset to write.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def merge(shards: tuple[Path, ...], out: Path, as_json: bool) -> int:
    """Make one dataset of all its SHARDS: the same bytes as one build of the whole list, in whatever order.

    A shard that is missing, not finished or made otherwise is named. Files are linked where the file system can, and
    copied where not. Interrupted, the same command goes on where it was.
    """
    opened = open_shards(shards)
    files = sum(len(files_of((variant.row for variant in shard.variants), shard.clips)) for shard in opened)
    with progress("merging files", files) as advance:
        merged = merge_shards(opened, out=out, advance=advance)
    if as_json:
        how = {"linked": merged.linked, "copied": merged.copied, "kept": merged.kept}
        click.echo(json.dumps({"dataset": str(out), **merged.info.model_dump(mode="json"), **how}, indent=2))
    else:
        info = merged.info
        click.echo(
            f"{out}: {info.variants} variants of {clip_count(info.clips)} from {info.sources_used} of "
            f"{info.sources_used + info.sources_refused} sources, out of {len(opened)} shards. Files: {merged.linked} "
            f"linked, {merged.copied} copied, {merged.kept} there already."
        )
    return 0
