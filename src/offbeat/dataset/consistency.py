"""Do the rows of a dataset agree with each other, with its settings, its sources and its counts? No media is opened.

What a row says twice (label and delay; overlap, length and delay; name and identity) must agree, all variants of a clip
must share what belongs to the clip, and each clip must have each delay of the settings once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from offbeat.conditions.delay import NAME, heard_from
from offbeat.dataset.difference import Difference
from offbeat.dataset.folder import CLIP_ROWS, INFO, METADATA, SOURCES, read_lines
from offbeat.dataset.plan import Clip, variant_id_of
from offbeat.dataset.schema import ClipRow, DatasetInfo, SourceRow, VariantRow
from offbeat.dataset.settings import BuildSettings
from offbeat.media.verify import TOLERANCE_MS
from offbeat.media.write import AUDIO_HZ
from offbeat.timing import exact_seconds, label_of, overlap_of, round_half_up, to_milliseconds, to_samples

_CLIP_FIELDS = (
    "source_id",
    "genre",
    "language",
    "condition",
    "clip_start_s",
    "clip_length_s",
    "fps",
    "width",
    "height",
    "audio_hz",
    "picture",
    "picture_note",
    "draws",
    "motion",
    "still",
    "scene_cut",
    "syncability",
)
"""What all variants of a clip share."""
_ROUNDING_S = 2e-6
"""Delays in milliseconds are rounded to the microsecond."""

RowT = TypeVar("RowT", bound=BaseModel)


def valid_rows(kind: type[RowT], path: Path) -> tuple[list[RowT], list[Difference]]:
    """All rows that are valid, and what is wrong with the others."""
    if not path.is_file():
        return [], [Difference(path.name, "file", "none", "one")]
    rows: list[RowT] = []
    wrong: list[Difference] = []
    for number, line in enumerate(read_lines(path), start=1):
        try:
            rows.append(kind.model_validate_json(line))
        except ValidationError as error:
            wrong += [
                Difference(
                    f"{path.name}, line {number}",
                    ".".join(str(part) for part in one["loc"]) or "row",
                    repr(one["input"]),
                    one["msg"],
                )
                for one in error.errors()
            ]
    return rows, wrong


def clip_of(row: VariantRow) -> Clip:
    """The window that a row's clip shows, as far as its rounded figures tell."""
    length_s, fps = exact_seconds(row.clip_length_s), exact_seconds(row.fps)
    return Clip(
        clip_id=row.clip_id,
        source_id=row.source_id,
        start_s=exact_seconds(row.clip_start_s),
        length_s=length_s,
        frames=max(1, round_half_up(length_s * fps)),
        fps=fps,
    )


def inconsistencies(
    info: DatasetInfo, settings: BuildSettings, sources: Sequence[SourceRow], rows: Sequence[VariantRow]
) -> Iterator[Difference]:
    """Everything in which the rows disagree."""
    for row in rows:
        yield from _in_row(row, settings)
    yield from _repeated(rows)
    yield from _in_clips(rows, settings)
    yield from _against_sources(sources, rows)
    counts = {
        "sources_used": sum(source.status == "used" for source in sources),
        "sources_refused": sum(source.status == "refused" for source in sources),
        "clips": len({row.clip_id for row in rows}),
        "variants": len(rows),
    }
    for field, count in counts.items():
        if getattr(info, field) != count:
            yield Difference(INFO, field, f"{getattr(info, field)}", f"{count}, as many as there are rows for")


def _in_row(row: VariantRow, settings: BuildSettings) -> Iterator[Difference]:
    delay_s = exact_seconds(row.audio_delay_ms) / 1000
    if row.label != (label := label_of(delay_s)):
        yield Difference(row.file_name, "label", row.label, f"{label}, since audio_delay_ms is {row.audio_delay_ms:g}")
    overlap_s = float(overlap_of(exact_seconds(row.clip_length_s), delay_s))
    if abs(row.overlap_s - overlap_s) > _ROUNDING_S:
        yield Difference(row.file_name, "overlap_s", f"{row.overlap_s:g}", f"{overlap_s:g}, from length and delay")
    measured_ms = row.measured_delay_ms
    if measured_ms is not None and abs(measured_ms - row.audio_delay_ms) > TOLERANCE_MS:
        expected = f"{row.audio_delay_ms:g} within {TOLERANCE_MS:g} ms"
        yield Difference(row.file_name, "measured_delay_ms", f"{measured_ms:g}", expected)
    if exact_seconds(row.clip_length_s) not in settings.lengths_s:
        yield Difference(row.file_name, "clip_length_s", f"{row.clip_length_s:g}", f"one of those in {INFO}")
    exact = next((one for one in settings.delays_s if to_milliseconds(one) == row.audio_delay_ms), None)
    if exact is None:
        yield Difference(row.file_name, "audio_delay_ms", f"{row.audio_delay_ms:g}", f"one of those in {INFO}")
        return
    variant_id = variant_id_of(clip_of(row), f"{NAME} {exact}", seed=settings.seed)
    if row.variant_id != variant_id:
        yield Difference(row.file_name, "variant_id", row.variant_id, f"{variant_id}, from clip, delay and seed")


def _repeated(rows: Sequence[VariantRow]) -> Iterator[Difference]:
    for field in ("variant_id", "file_name"):
        seen: set[str] = set()
        for number, row in enumerate(rows, start=1):
            value: str = getattr(row, field)
            if value in seen:
                yield Difference(f"{METADATA}, row {number}", field, f"{value} again", "each once")
            seen.add(value)


def _in_clips(rows: Sequence[VariantRow], settings: BuildSettings) -> Iterator[Difference]:
    clips: dict[str, list[VariantRow]] = {}
    for row in rows:
        clips.setdefault(row.clip_id, []).append(row)
    wanted = sorted(to_milliseconds(delay_s) for delay_s in settings.delays_s)
    for clip_id, mine in clips.items():
        for row in mine[1:]:
            for field in _CLIP_FIELDS:
                if getattr(row, field) != getattr(mine[0], field):
                    expected = f"{getattr(mine[0], field)!r}, as {mine[0].file_name} of the same clip"
                    yield Difference(row.file_name, field, repr(getattr(row, field)), expected)
        delays = sorted(row.audio_delay_ms for row in mine)
        if delays != wanted:
            found = ", ".join(f"{delay_ms:g}" for delay_ms in delays)
            yield Difference(f"clip {clip_id}", "audio_delay_ms", found, f"each delay in {INFO} once")


def clip_inconsistencies(clips: Sequence[ClipRow], rows: Sequence[VariantRow]) -> Iterator[Difference]:
    """In the compact layout: each clip stands in `clips.jsonl` once, and says of each variant what its row says."""
    by_id = {clip.clip_id: clip for clip in clips}
    if len(by_id) != len(clips):
        yield Difference(CLIP_ROWS, "clip_id", f"{len(clips) - len(by_id)} again", "each once")
    for row in rows:
        clip = by_id.get(row.clip_id)
        if clip is None or row.variant_id not in clip.heard_from_samples:
            yield Difference(row.file_name, "clip_id", row.clip_id, f"one in {CLIP_ROWS} that has this variant")
            continue
        first = heard_from(
            to_samples(clip.start_s, AUDIO_HZ),
            audio_delay_s=exact_seconds(row.audio_delay_ms) / 1000,
            rate_hz=AUDIO_HZ,
        )
        if (found := clip.heard_from_samples[row.variant_id]) != first:
            expected = f"{first}, from the clip's start and the row's delay"
            yield Difference(f"{CLIP_ROWS}, {row.variant_id}", "heard_from_samples", f"{found}", expected)
        stated = {
            "source_id": clip.source_id,
            "clip_start_s": round(float(clip.start_s), 6),
            "clip_length_s": float(clip.length_s),
            "fps": round(float(clip.picture.fps), 6),
            "width": clip.picture.width,
            "height": clip.picture.height,
        }
        for field, value in stated.items():
            if getattr(row, field) != value:
                yield Difference(row.file_name, field, f"{getattr(row, field)}", f"{value}, as in {CLIP_ROWS}")
    heard = {row.variant_id for row in rows}
    for clip in clips:
        if more := sorted(clip.heard_from_samples.keys() - heard):
            yield Difference(
                f"{CLIP_ROWS}, clip {clip.clip_id}", "heard_from_samples", ", ".join(more), "variants with rows"
            )


def _against_sources(sources: Sequence[SourceRow], rows: Sequence[VariantRow]) -> Iterator[Difference]:
    used: dict[str, list[SourceRow]] = {}
    for source in sources:
        if source.status == "used":
            used.setdefault(source.source_id, []).append(source)
    clips: dict[str, set[str]] = {}
    for row in rows:
        clips.setdefault(row.source_id, set()).add(row.clip_id)
        mine = used.get(row.source_id)
        if mine is None:
            yield Difference(row.file_name, "source_id", row.source_id, f"one that is used in {SOURCES}")
            continue
        for field in ("genre", "language"):
            if getattr(row, field) not in [getattr(source, field) for source in mine]:
                expected = f"{getattr(mine[0], field)!r}, as in {SOURCES}"
                yield Difference(row.file_name, field, repr(getattr(row, field)), expected)
    for source_id, mine in used.items():
        stated, there = sum(source.clips for source in mine), len(clips.get(source_id, ()))
        if stated != there:
            yield Difference(
                f"{SOURCES}, {mine[0].path}", "clips", f"{stated}", f"{there}, as many as there are rows for"
            )
