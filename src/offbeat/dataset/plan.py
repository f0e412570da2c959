"""Draw the clips: a pure function from what was scanned, and the settings, to a list of windows.

A window may start at any frame at which picture and sound really exist for all that its variants will need, and at
which no variant would be silent::

    sound needed    ├─ margin ─┤├─ largest delay ─┤├──── length ────┤├─ largest lead ─┤├─ margin ─┤
    picture needed                                 ├──── length ────┤

Among the starts that fit, one is drawn with equal chances, by a generator seeded with the settings' seed, the source
and the length: another source in the list, or another length, changes no draw. Where the picture is to be copied, the
starts at which it can be come first.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from offbeat.dataset.settings import BuildSettings
from offbeat.media.copy import copyable_starts
from offbeat.media.coverage import LEVEL_STEP_S, Span
from offbeat.media.scan import SILENT_DBFS, Scan
from offbeat.media.write import AUDIO_HZ, MARGIN_AFTER_SAMPLES, MARGIN_BEFORE_SAMPLES
from offbeat.timing import round_half_up

_SLACK_S = Fraction(1, 100)
"""Beyond the encoder's margins: rounding, and the length of the resampling filter."""
MARGIN_BEFORE_S = Fraction(MARGIN_BEFORE_SAMPLES, AUDIO_HZ) + _SLACK_S
MARGIN_AFTER_S = Fraction(MARGIN_AFTER_SAMPLES, AUDIO_HZ) + _SLACK_S


@dataclass(frozen=True, slots=True)
class Clip:
    """A window of a source's picture.

    Attributes:
        clip_id: hash of source, start, length and rate.
        source_id: which source.
        start_s: when its first frame is shown in the source, exactly.
        length_s: as asked for; the picture lasts `frames` / `fps`.
        frames: how many.
        fps: their rate.
        alternatives: other windows of the same length, in the order of the draw, where `--select` chooses among them.
    """

    clip_id: str
    source_id: str
    start_s: Fraction
    length_s: Fraction
    frames: int
    fps: Fraction
    alternatives: tuple[Clip, ...] = ()


@dataclass(frozen=True, slots=True)
class SourcePlan:
    """What is drawn from one source.

    Attributes:
        clips: the windows.
        refused: lengths that do not fit, each with the reason code and its text.
    """

    clips: tuple[Clip, ...]
    refused: dict[Fraction, tuple[str, str]]


def plan_source(
    source_id: str,
    scanned: Scan,
    settings: BuildSettings,
    *,
    part: tuple[Fraction | None, Fraction | None] = (None, None),
) -> SourcePlan:
    """Draw the windows of one source.

    Args:
        source_id: hexadecimal; seeds the draw together with the settings' seed.
        scanned: what the source holds.
        settings: lengths, delays, clips a source, seed.
        part: use the source only from here to here, in seconds.
    """
    clips: list[Clip] = []
    refused: dict[Fraction, tuple[str, str]] = {}
    for length_s in settings.lengths_s:
        starts, reason = _starts(scanned, length_s, settings.delays_s, part)
        if reason is not None:
            refused[length_s] = reason
            continue
        rng = np.random.default_rng([settings.seed, int(source_id, 16), length_s.numerator, length_s.denominator])
        preferred = starts
        if settings.picture == "copy":
            preferred = np.intersect1d(starts, copyable_starts(scanned, _frames(length_s, scanned.fps)))
        drawn = rng.choice(preferred, size=min(settings.clips_per_source, len(preferred)), replace=False)
        others, missing = np.setdiff1d(starts, preferred), settings.clips_per_source - len(drawn)
        drawn = np.concatenate([drawn, rng.choice(others, size=min(missing, len(others)), replace=False)])
        further = [np.setdiff1d(preferred, drawn), np.setdiff1d(others, drawn)] if settings.windows > 1 else []
        others = np.concatenate([starts[:0], *(rng.permutation(left) for left in further)])
        for place, index in enumerate(np.sort(drawn)):
            shared = others[place :: len(drawn)][: settings.windows - 1]  # no window is offered to two clips
            alternatives = tuple(_clip(source_id, scanned, int(other), length_s) for other in shared)
            clips.append(replace(_clip(source_id, scanned, int(index), length_s), alternatives=alternatives))
    return SourcePlan(clips=tuple(clips), refused=refused)


def variant_id_of(clip: Clip, condition: str, *, seed: int) -> str:
    """A name that tells nothing: hash of clip, condition and seed."""
    return _digest(clip.clip_id, condition, str(seed))


def _clip(source_id: str, scanned: Scan, index: int, length_s: Fraction) -> Clip:
    start_s, fps = scanned.frame_time_s(index), scanned.fps
    return Clip(
        clip_id=_digest(source_id, str(start_s), str(length_s), str(fps)),
        source_id=source_id,
        start_s=start_s,
        length_s=length_s,
        frames=_frames(length_s, fps),
        fps=fps,
    )


def _frames(length_s: Fraction, fps: Fraction) -> int:
    return max(1, round_half_up(length_s * fps))


def _digest(*parts: str) -> str:
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:12]


def _starts(
    scanned: Scan, length_s: Fraction, delays_s: tuple[Fraction, ...], part: tuple[Fraction | None, Fraction | None]
) -> tuple[NDArray[np.int64], tuple[str, str] | None]:
    """Indices of the frames at which a window may start, or the reason why there are none."""
    lasts_s = _frames(length_s, scanned.fps) / scanned.fps
    before_s = max(Fraction(0), *delays_s) + MARGIN_BEFORE_S
    after_s = lasts_s + max(Fraction(0), *(-delay for delay in delays_s)) + MARGIN_AFTER_S
    times = scanned.frame_times_s
    fits = _within(times, Fraction(0), lasts_s, _clipped(scanned.picture, part))
    fits &= _within(times, before_s, after_s, _clipped(scanned.sound, part))
    none = np.zeros(0, dtype=np.int64)
    if not fits.any():
        needed_s = before_s + after_s
        longest_s = max((span.stop_s - span.start_s for span in _clipped(scanned.sound, part)), default=Fraction(0))
        return none, (
            "too_short",
            f"a {float(length_s):g}-s clip with these delays needs {float(needed_s):.2f} s of unbroken sound, "
            f"{float(longest_s):.2f} s is the longest there is; use shorter --lengths or a smaller --max-delay",
        )
    fits &= _never_silent(scanned, lasts_s, delays_s)
    if not fits.any():
        return none, (
            "silent",
            f"wherever a {float(length_s):g}-s clip could start, one of its variants would be silent "
            f"(below {SILENT_DBFS:.0f} dBFS throughout)",
        )
    return np.flatnonzero(fits).astype(np.int64), None


def _clipped(spans: tuple[Span, ...], part: tuple[Fraction | None, Fraction | None]) -> tuple[Span, ...]:
    start_s, end_s = part
    cut = [
        Span(
            span.start_s if start_s is None else max(span.start_s, start_s),
            span.stop_s if end_s is None else min(span.stop_s, end_s),
        )
        for span in spans
    ]
    return tuple(span for span in cut if span.stop_s > span.start_s)


def _within(
    times: NDArray[np.float64], before_s: Fraction, after_s: Fraction, spans: tuple[Span, ...]
) -> NDArray[np.bool_]:
    """Where [time - before, time + after) lies inside one span; a microsecond is forgiven to floats."""
    inside = np.zeros(len(times), dtype=bool)
    for span in spans:
        low, high = float(span.start_s + before_s) - 1e-6, float(span.stop_s - after_s) + 1e-6
        inside |= (times >= low) & (times <= high)
    return inside


def _never_silent(scanned: Scan, lasts_s: Fraction, delays_s: tuple[Fraction, ...]) -> NDArray[np.bool_]:
    """Where each variant has at least one tenth of a second, wholly inside it, that is not silent."""
    loud = np.concatenate([[0], np.cumsum(scanned.levels_dbfs >= SILENT_DBFS)])
    step_s = float(LEVEL_STEP_S)
    heard = np.ones(len(scanned.frame_times_s), dtype=bool)
    for delay_s in delays_s:
        begin = scanned.frame_times_s - float(delay_s)
        first = np.clip(np.ceil(begin / step_s), 0, len(loud) - 1).astype(np.int64)
        last = np.clip(np.floor((begin + float(lasts_s)) / step_s), 0, len(loud) - 1).astype(np.int64)
        heard &= loud[np.maximum(first, last)] > loud[first]
    return heard
