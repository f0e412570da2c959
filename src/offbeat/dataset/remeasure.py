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
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from offbeat.conditions.delay import heard_from
from offbeat.dataset.consistency import clip_of
from offbeat.dataset.difference import Difference
from offbeat.dataset.offer import ID_DIGITS
from offbeat.dataset.schema import SourceRow, VariantRow
from offbeat.dataset.variant import Variant
from offbeat.errors import MediaError
from offbeat.files import sha256_of
from offbeat.media.cut import cut_sound
from offbeat.media.delay import Locator
from offbeat.media.verify import TOLERANCE_MS
from offbeat.media.write import AUDIO_HZ, MARGIN_AFTER_SAMPLES, MARGIN_BEFORE_SAMPLES, to_count
from offbeat.timing import exact_seconds, to_samples

Floats = NDArray[np.float32]

SHARED_S = 0.5
"""Variants that share less sound are not compared."""
_RECOGNISED = 0.5
"""Below this correlation the sound was not found again."""
_TIE = 0.01
"""Two places whose correlations differ by less cannot be told apart, when both sounds went through an encoder."""
_QUIET = 1e-3
"""RMS of -60 dBFS: an encoder may leave nothing of it."""


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


@dataclass(frozen=True, slots=True)
class _Source:
    """A source's file, and which of its sound tracks was used."""

    path: Path
    track: int | None


@dataclass(frozen=True, slots=True)
class _Looked:
    """One look-up.

    Attributes:
        shift_samples: how much later than it should be the sound is heard; None where nobody can tell.
        against: in what it was looked up.
        recognised: False where it was not found at all.
    """

    shift_samples: float | None
    against: str = ""
    recognised: bool = True


def remeasure(
    variants: Sequence[Variant],
    chosen: Sequence[Variant],
    *,
    sources: Sequence[SourceRow],
    sources_folder: Path | None,
    jobs: int,
    advance: Callable[[], None],
) -> Remeasured:
    """Measure the chosen variants.

    Args:
        variants: all of the dataset that can be read, to compare with.
        chosen: those to measure.
        sources: of the dataset.
        sources_folder: where the sources lie, by the paths in `sources.jsonl`; None compares variants with each other.
        jobs: clips at once.
        advance: called once for each chosen variant.
    """
    clips: dict[str, list[Variant]] = {}
    for variant in variants:
        clips.setdefault(variant.row.clip_id, []).append(variant)
    wanted: dict[str, list[Variant]] = {}
    for variant in chosen:
        wanted.setdefault(variant.row.clip_id, []).append(variant)
    result = Remeasured()
    files: Mapping[str, _Source] = {}
    if sources_folder is not None:
        files, result.differences = _source_files(sources, {one.row.source_id for one in chosen}, sources_folder)

    def one_clip(clip_id: str) -> list[tuple[Variant, _Looked | Difference]]:
        source = files.get(wanted[clip_id][0].row.source_id)
        if sources_folder is None:
            looks = _between(wanted[clip_id], clips[clip_id])
        elif source is None:
            looks = ((variant, _Looked(None)) for variant in wanted[clip_id])  # its source was named already
        else:
            looks = _in_source(wanted[clip_id], clips[clip_id], source)
        told: list[tuple[Variant, _Looked | Difference]] = [*_rendered(wanted[clip_id])]
        for look in looks:
            told.append(look)
            advance()
        return told

    with ThreadPoolExecutor(max_workers=jobs) as pool:
        for told in pool.map(one_clip, wanted):
            for variant, look in told:
                _count(result, variant.row, look)
    return result


def _count(result: Remeasured, row: VariantRow, look: _Looked | Difference) -> None:
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


def _rendered(chosen: Sequence[Variant]) -> Iterator[tuple[Variant, Difference]]:
    """Where a variant that is rendered on demand is not what its row says."""
    for variant in chosen:
        if variant.clip is None:
            continue
        try:
            found = hashlib.sha256(variant.mp4_bytes()).hexdigest()
        except MediaError:
            continue  # named when its sound is asked for
        if found != variant.row.sha256:
            yield variant, Difference(variant.row.file_name, "sha256", f"{found} when rendered", variant.row.sha256)


def _between(chosen: Sequence[Variant], clip: Sequence[Variant]) -> Iterator[tuple[Variant, _Looked | Difference]]:
    """Each chosen variant against another one of its clip."""
    heard: dict[str, Floats] = {}
    locators: dict[str, Locator] = {}

    def hear(variant: Variant) -> Floats:
        if variant.row.variant_id not in heard:
            heard[variant.row.variant_id] = _mono(variant)
        return heard[variant.row.variant_id]

    for variant in chosen:
        other = _other(variant, clip)
        if other is None:
            yield variant, _Looked(None)
            continue
        try:
            mine, others = hear(variant), hear(other)
        except MediaError as error:
            yield variant, Difference(variant.row.file_name, "sound", str(error), "clips that decode")
            continue
        if other.row.variant_id not in locators:
            locators[other.row.variant_id] = Locator(others)
        locator = locators[other.row.variant_id]
        apart = _delay_samples(variant.row) - _delay_samples(other.row)
        first, last = max(0, apart), min(len(mine), len(others) + apart)
        quarter = (last - first) // 4
        piece = mine[first + quarter : last - quarter]
        yield variant, _look(locator, piece, first + quarter - apart, against=other.row.file_name)


def _other(variant: Variant, clip: Sequence[Variant]) -> Variant | None:
    """With which to compare: the one at 0, or the one with the nearest delay; None where none shares enough."""
    row = variant.row
    apart_ms = row.clip_length_s * 1000 - SHARED_S * 1000
    near = [
        other
        for other in clip
        if other.row.variant_id != row.variant_id
        and other.row.audio_delay_ms != row.audio_delay_ms
        and abs(other.row.audio_delay_ms - row.audio_delay_ms) <= apart_ms
    ]
    return min(
        near,
        key=lambda other: (other.row.audio_delay_ms != 0, abs(other.row.audio_delay_ms - row.audio_delay_ms)),
        default=None,
    )


def _in_source(
    chosen: Sequence[Variant], clip: Sequence[Variant], source: _Source
) -> Iterator[tuple[Variant, _Looked | Difference]]:
    """Each chosen variant against the source's own sound."""
    window = clip_of(clip[0].row)
    start, count = to_samples(window.start_s, AUDIO_HZ), to_count(window.frames / window.fps)
    firsts = [
        heard_from(start, audio_delay_s=exact_seconds(one.row.audio_delay_ms) / 1000, rate_hz=AUDIO_HZ) for one in clip
    ]
    try:
        span = cut_sound(
            source.path,
            start_samples=min(firsts) - MARGIN_BEFORE_SAMPLES,
            stop_samples=max(firsts) + count + MARGIN_AFTER_SAMPLES,
            rate_hz=AUDIO_HZ,
            track=source.track,
        )
    except MediaError as error:
        for variant in chosen:
            yield variant, Difference(variant.row.file_name, "source", str(error), "a source that decodes")
        return
    locator = Locator(span.sound.mono())
    for variant in chosen:
        try:
            mine = _mono(variant)
        except MediaError as error:
            yield variant, Difference(variant.row.file_name, "sound", str(error), "a clip that decodes")
            continue
        expected = start - _delay_samples(variant.row) - span.start_samples
        yield variant, _look(locator, mine, expected, against=f"{source.path}")


def _look(locator: Locator, piece: Floats, expected: int, *, against: str) -> _Looked:
    """How much earlier in the locator's span than `expected` a piece lies: as much later it is heard."""
    if len(piece) == 0 or np.sqrt(np.mean(np.square(piece))) < _QUIET:
        return _Looked(None)
    match = locator.find(piece)
    if match is None:
        return _Looked(None)
    if match.correlation < _RECOGNISED:
        return _Looked(None, against, recognised=False)
    shift = expected - match.position_samples
    if abs(shift) * 1000 / AUDIO_HZ > TOLERANCE_MS:
        inside = 0 <= expected <= len(locator.span) - len(piece)
        if inside and locator.correlation_at(piece, expected) > match.correlation - _TIE:
            return _Looked(None)
    return _Looked(shift, against)


def _mono(variant: Variant) -> Floats:
    """Its decoded sound, as long as the picture: AAC decodes to whole packets."""
    window = clip_of(variant.row)
    return variant.sound().mono()[: to_count(window.frames / window.fps)]


def _delay_samples(row: VariantRow) -> int:
    return to_samples(exact_seconds(row.audio_delay_ms) / 1000, row.audio_hz)


def _source_files(
    sources: Sequence[SourceRow], needed: set[str], folder: Path
) -> tuple[dict[str, _Source], list[Difference]]:
    """The files of the needed sources, proved by their content; and what is wrong with the others."""
    files: dict[str, _Source] = {}
    wrong: list[Difference] = []
    for source in sources:
        if source.source_id not in needed or source.source_id in files or source.status != "used":
            continue
        path = (folder / source.path.replace("\0", "?")).resolve()
        if not path.is_relative_to(folder.resolve()):
            wrong.append(Difference(source.path, "path", "outside", f"a file inside {folder}"))
        elif not path.is_file():
            wrong.append(Difference(source.path, "source", f"none in {folder}", "the video"))
        elif (found := sha256_of(path)[:ID_DIGITS]) != source.source_id:
            wrong.append(Difference(source.path, "source_id", f"{found}: another content", source.source_id))
        else:
            files[source.source_id] = _Source(path, source.audio_track)
    return files, wrong
