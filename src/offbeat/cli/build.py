"""`offbeat build`: from a folder of videos or a source list to a dataset."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import click
from pydantic import ValidationError

from offbeat.cli.progress import duration, progress
from offbeat.cli.table import clip_count, printable
from offbeat.dataset.build import Built, Planned, build_dataset, check_out, plan_dataset
from offbeat.dataset.estimate import estimate
from offbeat.dataset.offer import scan_sources
from offbeat.dataset.settings import BuildSettings
from offbeat.dataset.shard import Part, parse_shard, take_part
from offbeat.dataset.sources import Source, read_sources
from offbeat.dataset.workers import FILE_TIMEOUT_S, Children
from offbeat.errors import SettingsError
from offbeat.timing import delay_grid, exact_seconds

EXIT_INCOMPLETE = 3
"""With --strict: not every source could be used."""


@click.command(
    epilog="""\b
    Examples:
      offbeat build videos --out set
      offbeat build list.csv --out set --lengths 3,5 --max-delay 2 --dry-run
    """
)
@click.argument("sources", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="The dataset folder to write.")
@click.option("--lengths", metavar="S,S,…", help="Clip lengths in seconds.  [default: 3,5,7,10]")
@click.option("--max-delay", metavar="S", help="Largest delay, either way.  [default: 5]")
@click.option("--step", metavar="S", help="Between two delays.  [default: 0.5]")
@click.option("--delays", metavar="S,S,…", help="These delays instead; > 0: the sound comes later than the picture.")
@click.option("--clips-per-source", type=int, help="Clips of each length from each source.  [default: 1]")
@click.option("--seed", type=int, help="Of the random choice of windows.  [default: 0]")
@click.option(
    "--select",
    metavar="RULE",
    help='Which windows: random, eventful, or a condition such as "motion > 0.2 and not scene_cut".  [default: random]',
)
@click.option("--audio", type=click.Choice(["aac", "flac"]), help="AAC-LC, or FLAC without loss.  [default: aac]")
@click.option(
    "--layout",
    type=click.Choice(["files", "compact"]),
    help="A file for each variant, or each clip once and variants rendered when wanted.  [default: files]",
)
@click.option(
    "--picture",
    type=click.Choice(["encode", "copy"]),
    help="Encode each clip's picture, or copy the source's packets where that can be done exactly.  [default: encode]",
)
@click.option("--height", type=int, metavar="LINES", help="Scale pictures to at most so many lines.  [default: none]")
@click.option("--audio-track", type=int, metavar="N", help="This sound track, from 0.  [default: the file's default]")
@click.option("--config", type=click.Path(path_type=Path, dir_okay=False), help="A TOML file of settings; flags win.")
@click.option("--shard", metavar="I/N", help="Build part I of N, for many machines; see `offbeat merge`.")
@click.option("--jobs", type=click.IntRange(min=1), default=os.cpu_count() or 1, show_default="cores", help="At once.")
@click.option(
    "--file-timeout",
    type=click.FloatRange(min=1),
    default=FILE_TIMEOUT_S,
    show_default=True,
    metavar="S",
    help="Give a file, or a clip, up that takes longer.",
)
@click.option("--dry-run", is_flag=True, help="Scan and plan only: what would be made, how large, how long.")
@click.option("--strict", is_flag=True, help=f"Exit with {EXIT_INCOMPLETE} where a source could not be used in full.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def build(
    sources: Path,
    out: Path | None,
    lengths: str | None,
    max_delay: str | None,
    step: str | None,
    delays: str | None,
    clips_per_source: int | None,
    seed: int | None,
    select: str | None,
    audio: str | None,
    layout: str | None,
    picture: str | None,
    height: int | None,
    audio_track: int | None,
    config: Path | None,
    shard: str | None,
    jobs: int,
    file_timeout: float,
    dry_run: bool,
    strict: bool,
    as_json: bool,
) -> int:
    """Cut clips from SOURCES and shift their sound by exact amounts.

    SOURCES is a folder of videos (its sub-folders are genres) or a .csv, .jsonl or .toml list with a column "path",
    and if known genre, language, licence, link, start, end, note. Interrupted, the same command goes on where it was.

    Exit code: 0 if a dataset was made, whatever was refused, or planned (--dry-run); 2 if not; with --strict, 3 if one
    was made and a source could not be used in full.
    """
    if out is None and not dry_run:
        raise click.UsageError("--out is missing: where shall the dataset go? (Or --dry-run.)")
    flags = {"clips_per_source": clips_per_source, "seed": seed, "select": select, "audio": audio}
    flags |= {"layout": layout, "picture": picture, "height": height, "audio_track": audio_track}
    settings = _settings(config, lengths, max_delay, step, delays, flags)
    part = _part(read_sources(sources), shard, jobs=jobs)
    listed = part.sources
    if out is not None and not dry_run:
        check_out(out, settings, part.shard)
    with Children(jobs, timeout_s=file_timeout) as workers:
        with progress("scanning", len(listed)) as advance:
            track = settings.audio_track
            offered = scan_sources(listed, jobs=jobs, advance=advance, audio_track=track, workers=workers)
        planned = plan_dataset(offered, settings)
        if dry_run or out is None:
            _show_plan(planned, settings, jobs=jobs, as_json=as_json)
            return 0
        with progress("building clips", sum(len(one.plan.clips) for one in planned)) as advance:
            built = build_dataset(
                planned, settings, out=out, jobs=jobs, advance=advance, shard=part.shard, workers=workers
            )
    _show_built(built, as_json=as_json)
    whole = all(row.status == "used" and not row.refused_lengths for row in built.sources)
    return EXIT_INCOMPLETE if strict and not whole else 0


def _part(listed: tuple[Source, ...], shard: str | None, *, jobs: int) -> Part:
    """All sources, or those of one shard."""
    if shard is None:
        return Part(sources=listed, shard=None)
    number, of = parse_shard(shard)
    with progress(f"sharing out, shard {shard}", len(listed)) as advance:
        return take_part(listed, number=number, of=of, jobs=jobs, advance=advance)


def _settings(
    config: Path | None,
    lengths: str | None,
    max_delay: str | None,
    step: str | None,
    delays: str | None,
    flags: Mapping[str, object],
) -> BuildSettings:
    """The file's settings, with what the flags say on top.

    Raises:
        SettingsError: something is unknown, out of range, or contradicts.
    """
    values: dict[str, object] = {}
    if config is not None:
        try:
            values = tomllib.loads(config.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise SettingsError(f"{config}: cannot be read as TOML ({error})") from error
    if delays is not None and (max_delay is not None or step is not None):
        raise SettingsError("--delays lists all delays; it cannot go with --max-delay or --step")
    try:
        if lengths is not None:
            values["lengths_s"] = [_seconds("--lengths", part) for part in lengths.split(",")]
        if delays is not None:
            values["delays_s"] = [_seconds("--delays", part) for part in delays.split(",")]
        elif max_delay is not None or step is not None:
            values["delays_s"] = delay_grid(
                _seconds("--max-delay", max_delay or "5"), _seconds("--step", step or "0.5")
            )
        values |= {name: value for name, value in flags.items() if value is not None}
        return BuildSettings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        told = first.get("ctx", {}).get("error")  # a check of our own says itself what it got
        what = f"{told or first['msg']}" + ("" if told else f", got {first['input']!r}")
        raise SettingsError(f"{config or 'settings'}: {field}: {what}") from error
    except ValueError as error:
        raise SettingsError(str(error)) from error


def _seconds(flag: str, text: str) -> Fraction:
    try:
        return exact_seconds(text.strip())
    except ValueError as error:
        raise SettingsError(f"{flag}: {error}") from error


def _show_plan(planned: Sequence[Planned], settings: BuildSettings, *, jobs: int, as_json: bool) -> None:
    total = estimate(planned, settings)
    refusals = [line for one in planned for line in _refusals(one)]
    if as_json:
        clips = [
            {
                "clip_id": clip.clip_id,
                "source": one.offered.source.name,
                "start_s": float(clip.start_s),
                "length_s": float(clip.length_s),
            }
            for one in planned
            for clip in one.plan.clips
        ]
        click.echo(
            json.dumps(
                {
                    "clips": clips,
                    "windows": _windows(planned),
                    "variants": total.variants,
                    "size_bytes": total.size_bytes,
                    "cpu_s": round(total.cpu_s, 1),
                    "refused": [{"source": name, "what": what, "reason": text} for name, what, text in refusals],
                },
                indent=2,
            )
        )
        return
    for one in planned:
        for clip in one.plan.clips:
            click.echo(
                f"{printable(one.offered.source.name)}: {float(clip.length_s):g} s from {float(clip.start_s):.3f} s"
                f" at {float(clip.fps):.5g} frames/s"
            )
    if settings.windows > 1:
        click.echo(
            f"--select {settings.select!r} chooses while building, by decoding: up to {_windows(planned)} windows, "
            f"{settings.windows} a clip at most. Those above are the first of each clip."
        )
    _show_refusals(refusals)
    click.echo(
        f"{clip_count(total.clips)}, {total.variants} variants, about {total.size_bytes / 1e6:,.0f} MB, "
        f"about {duration(total.cpu_s / jobs)} on {jobs} cores. Nothing was written (dry run)."
    )


def _windows(planned: Sequence[Planned]) -> int:
    return sum(1 + len(clip.alternatives) for one in planned for clip in one.plan.clips)


def _show_built(built: Built, *, as_json: bool) -> None:
    if as_json:
        click.echo(
            json.dumps(
                {
                    "dataset": str(built.folder),
                    **built.info.model_dump(mode="json"),
                    "kept_clips": built.kept_clips,
                    "refused": [row.model_dump() for row in built.sources if row.status == "refused"],
                    "refused_lengths": {
                        row.path: row.refused_lengths
                        for row in built.sources
                        if row.status == "used" and row.refused_lengths
                    },
                },
                indent=2,
            )
        )
        return
    refusals: list[tuple[str, str, str]] = []
    for row in built.sources:
        if row.status == "refused" and not row.refused_lengths:
            refusals.append((row.path, "all", f"{row.reason}: {row.detail}"))
        refusals += [(row.path, f"{length} s", text) for length, text in row.refused_lengths.items()]
    _show_refusals(refusals)
    measured = [row for row in built.variants if row.measured_delay_ms is not None]
    worst_ms = max((abs((row.measured_delay_ms or 0.0) - row.audio_delay_ms) for row in measured), default=None)
    proof = (
        "none could be measured"
        if worst_ms is None
        else f"{len(measured)} delays measured, error at most {worst_ms:.3f} ms"
    )
    untold = len(built.variants) - len(measured)
    others = f"; {untold} too quiet or too repetitive to measure" if untold else ""
    read_back = f"Read back: {proof}{others}." if built.variants else "There was nothing to do."
    kept = f" ({built.kept_clips} were there already)" if built.kept_clips else ""
    click.echo(
        f"{built.folder}: {built.info.variants} variants of {clip_count(built.info.clips)}{kept} from "
        f"{built.info.sources_used} of {len(built.sources)} sources. "
        f"{read_back}"
    )


def _refusals(one: Planned) -> list[tuple[str, str, str]]:
    name = one.offered.source.name
    if one.offered.refusal is not None:
        return [(name, "all", ": ".join(one.offered.refusal))]
    return [(name, f"{float(length):g} s", f"{code}: {text}") for length, (code, text) in one.plan.refused.items()]


def _show_refusals(refusals: Sequence[tuple[str, str, str]]) -> None:
    if not refusals:
        return
    click.echo("Not used:")
    merged: dict[tuple[str, str], list[str]] = {}
    for name, what, text in refusals:
        merged.setdefault((name, text.split(":")[0]), []).append(what)
    for (name, code), whats in merged.items():
        first = next(text for other, _, text in refusals if other == name and text.startswith(code))
        # most reasons name the file once more
        click.echo(printable(f"  {name} ({', '.join(whats)}): {first.replace(f'{name}: ', '', 1)}"))
