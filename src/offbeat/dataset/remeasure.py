"""Measure the delays of a finished dataset again, from its decoded sound.

Without the sources, between the variants of a clip: both show the same window of the source, with delays d and r, so
what is sample i of the one is sample i - (d - r) of the other. The middle half of what they share is looked up in the
other, over every position, and must be found there. The other is the variant at 0 where the two share enough, else the
one with the nearest delay. Where the two disagree, either may be wrong: the difference names both. An error that all
variants of a clip have in common does not show in this.

In the compact layout each measured variant is rendered first, and the rendered file compared with its row's SHA-256.

With the sources: the whole variant is looked up in the source's own sound over all that the clip's variants need, as
when it was built.

Quiet and repetitive sound has no place that can be told: it is counted apart, and is no difference.

The files are a stranger's: they are decoded in child processes (`offbeat.dataset.workers`), a clip at a time. Where a
child does not come back, each file of its clip is tried alone; the one that ends it is named, and the others are
measured without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from offbeat.dataset.difference import Difference
from offbeat.dataset.look_again import ClipToLook, Looked, SourceFile, look_again, try_to_decode
from offbeat.dataset.offer import ID_DIGITS
from offbeat.dataset.schema import SourceRow, VariantRow
from offbeat.dataset.variant import Variant
from offbeat.dataset.workers import Lost, Threads, Workers
from offbeat.files import sha256_of
from offbeat.media.verify import TOLERANCE_MS


@dataclass(slots=True)
class Remeasured:
    """What measuring again told.

    Attributes:
        measured: how many delays.
        untold: how many could not be told: too quiet, repetitive, or no other variant shares enough.
        worst_ms: the largest error among those measured and right; None where there is none.
        differences: what is wrong.
    """

    measured: int = 0
    untold: int = 0
    worst_ms: float | None = None
    differences: list[Difference] = field(default_factory=list[Difference])


def remeasure(
    variants: Sequence[Variant],
    chosen: Sequence[Variant],
    *,
    sources: Sequence[SourceRow],
    sources_folder: Path | None,
    jobs: int,
    advance: Callable[[], None],
    workers: Workers | None = None,
) -> Remeasured:
    """Measure the chosen variants.

    Args:
        variants: all of the dataset that can be read, to compare with.
        chosen: those to measure.
        sources: of the dataset.
        sources_folder: where the sources lie, by the paths in `sources.jsonl`; None compares variants with each other.
        jobs: clips at once.
        advance: called once for each clip with a chosen variant.
        workers: child processes to do it in, for files of strangers; by default `jobs` threads of this process.
    """
    workers = workers or Threads(jobs)
    clips: dict[str, list[Variant]] = {}
    for variant in variants:
        clips.setdefault(variant.row.clip_id, []).append(variant)
    wanted: dict[str, list[Variant]] = {}
    for variant in chosen:
        wanted.setdefault(variant.row.clip_id, []).append(variant)
    result = Remeasured()
    files: Mapping[str, SourceFile] = {}
    if sources_folder is not None:
        files, result.differences = _source_files(sources, {one.row.source_id for one in chosen}, sources_folder)
    items = [
        ClipToLook(
            chosen=tuple(mine),
            others=tuple(clips[clip_id]),
            between=sources_folder is None,
            source=files.get(mine[0].row.source_id),  # one that is missing was named already
        )
        for clip_id, mine in wanted.items()
    ]
    for item, told in zip(items, workers.map(look_again, items, advance=advance), strict=True):
        for row, look in _without_the_bad(item, told, workers) if isinstance(told, Lost) else told:
            _count(result, row, look)
    return result


def _without_the_bad(
    item: ClipToLook, lost: Lost, workers: Workers
) -> Iterator[tuple[VariantRow, Looked | Difference]]:
    """Name each file of a clip whose decoding alone ends a child, and measure the others again without it."""
    tried = workers.map(try_to_decode, item.others, advance=lambda: None)
    bad: set[str] = set()
    for variant, end in zip(item.others, tried, strict=True):
        if isinstance(end, Lost):
            bad.add(variant.row.variant_id)
            yield variant.row, Difference(variant.row.file_name, "sound", end.detail, "a clip that decodes")
    chosen, others = (
        tuple(one for one in part if one.row.variant_id not in bad) for part in (item.chosen, item.others)
    )
    again = lost
    if bad:
        again = workers.map(look_again, [replace(item, chosen=chosen, others=others)], advance=lambda: None)[0]
    if not isinstance(again, Lost):
        yield from again
        return
    row = item.chosen[0].row
    where = f"clip {row.clip_id}" + ("" if item.source is None else f" against {item.source.path}")
    yield row, Difference(where, "audio_delay_ms", again.detail, "delays that can be measured")


def _count(result: Remeasured, row: VariantRow, look: Looked | Difference) -> None:
    if isinstance(look, Difference):
        result.differences.append(look)
    elif look.shift_samples is not None:
        error_ms = look.shift_samples * 1000 / row.audio_hz
        result.measured += 1
        if abs(error_ms) > TOLERANCE_MS:
            expected = f"{row.audio_delay_ms:.3f} within {TOLERANCE_MS:g} ms"
            found = f"{row.audio_delay_ms + error_ms:.3f} against {look.against}"
            result.differences.append(Difference(row.file_name, "audio_delay_ms", found, expected))
        else:
            result.worst_ms = max(result.worst_ms or 0.0, abs(error_ms))
    elif not look.recognised and row.measured_delay_ms is not None:
        expected = f"{row.audio_delay_ms:.3f}, as it was measured when it was built"
        result.differences.append(
            Difference(row.file_name, "audio_delay_ms", f"other sound than in {look.against}", expected)
        )
    else:
        result.untold += 1


def _source_files(
    sources: Sequence[SourceRow], needed: set[str], folder: Path
) -> tuple[dict[str, SourceFile], list[Difference]]:
    """The files of the needed sources, proved by their content; and what is wrong with the others."""
    files: dict[str, SourceFile] = {}
    wrong: list[Difference] = []
    for source in sources:
        if source.source_id not in needed or source.source_id in files or source.status != "used":
            continue
        path = (folder / source.path.replace("\0", "?")).resolve()
        if not path.is_relative_to(folder.resolve()):
            wrong.append(Difference(source.path, "path", "outside", f"a file inside {folder}"))
        elif not path.is_file():
            wrong.append(Difference(source.path, "source", f"none in {folder}", "the video"))
        else:
            try:
                found = sha256_of(path)[:ID_DIGITS]
            except OSError as error:
                wrong.append(Difference(source.path, "source", f"unreadable ({error.strerror})", "the video"))
                continue
            if found == source.source_id:
                files[source.source_id] = SourceFile(path, source.audio_track)
            else:
                wrong.append(Difference(source.path, "source_id", f"{found}: another content", source.source_id))
    return files, wrong
