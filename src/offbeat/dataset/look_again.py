"""Look the sound of a clip's variants up again: what `offbeat.dataset.remeasure` has done in child processes.

Against another variant, the middle half of what the two share is looked up in the other; against the source, the whole
variant in the source's own sound over all that the clip's variants need. In either case over every position, without
being told the nominal one.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from offbeat.dataset.consistency import clip_of
from offbeat.dataset.difference import Difference
from offbeat.dataset.schema import VariantRow
from offbeat.dataset.variant import Variant
from offbeat.dataset.window import first_sample, sample_count, samples_needed
from offbeat.errors import MediaError
from offbeat.media.cut_sound import cut_sound
from offbeat.media.delay import Locator
from offbeat.media.verify import TOLERANCE_MS
from offbeat.media.write import AUDIO_HZ
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


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A source's file, and which of its sound tracks was used."""

    path: Path
    track: int | None


@dataclass(frozen=True, slots=True)
class Looked:
    """One look-up.

    Attributes:
        shift_samples: how much later than it should be the sound is heard; None where nobody can tell.
        against: in what it was looked up.
        recognised: False where it was not found at all.
    """

    shift_samples: float | None
    against: str = ""
    recognised: bool = True


@dataclass(frozen=True, slots=True)
class ClipToLook:
    """What one look needs; plain values, for a child process.

    Attributes:
        chosen: the variants to look up, all of one clip.
        others: all variants of that clip that can be read, the chosen ones among them.
        between: look them up in each other; else in the source.
        source: None where it is not there, and nothing can be told.
    """

    chosen: tuple[Variant, ...]
    others: tuple[Variant, ...]
    between: bool
    source: SourceFile | None


def look_again(clip: ClipToLook) -> list[tuple[VariantRow, Looked | Difference]]:
    """Look each chosen variant up; a difference beside it where what is rendered is not what its row says."""
    looks: Iterable[tuple[Variant, Looked | Difference]] = ((variant, Looked(None)) for variant in clip.chosen)
    if clip.between:
        looks = _between(clip.chosen, clip.others)
    elif clip.source is not None:
        looks = _in_source(clip.chosen, clip.others, clip.source)
    return [(variant.row, look) for variant, look in (*_rendered(clip.chosen), *looks)]


def try_to_decode(variant: Variant) -> None:
    """Decode a variant's sound, to learn whether the process survives it; what the sound is does not matter."""
    with contextlib.suppress(MediaError):
        variant.sound()


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


def _between(chosen: Sequence[Variant], clip: Sequence[Variant]) -> Iterator[tuple[Variant, Looked | Difference]]:
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
            yield variant, Looked(None)
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
    chosen: Sequence[Variant], clip: Sequence[Variant], source: SourceFile
) -> Iterator[tuple[Variant, Looked | Difference]]:
    """Each chosen variant against the source's own sound."""
    window = clip_of(clip[0].row)
    needed = samples_needed(window, (exact_seconds(one.row.audio_delay_ms) / 1000 for one in clip))
    try:
        span = cut_sound(
            source.path, start_samples=needed.start, stop_samples=needed.stop, rate_hz=AUDIO_HZ, track=source.track
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
        expected = first_sample(window) - _delay_samples(variant.row) - span.start_samples
        yield variant, _look(locator, mine, expected, against=f"{source.path}")


def _look(locator: Locator, piece: Floats, expected: int, *, against: str) -> Looked:
    """How much earlier in the locator's span than `expected` a piece lies: as much later it is heard."""
    if len(piece) == 0 or np.sqrt(np.mean(np.square(piece))) < _QUIET:
        return Looked(None)
    match = locator.find(piece)
    if match is None:
        return Looked(None)
    if match.correlation < _RECOGNISED:
        return Looked(None, against, recognised=False)
    shift = expected - match.position_samples
    if abs(shift) * 1000 / AUDIO_HZ > TOLERANCE_MS:
        inside = 0 <= expected <= len(locator.span) - len(piece)
        if inside and locator.correlation_at(piece, expected) > match.correlation - _TIE:
            return Looked(None)
    return Looked(shift, against)


def _mono(variant: Variant) -> Floats:
    """Its decoded sound, as long as the picture: AAC decodes to whole packets."""
    return variant.sound().mono()[: sample_count(clip_of(variant.row))]


def _delay_samples(row: VariantRow) -> int:
    return to_samples(exact_seconds(row.audio_delay_ms) / 1000, row.audio_hz)
