"""Flags: what makes a clip or a variant easy, hard or impossible to judge, measured and put into its row.

An observer that fails where nobody could succeed has not failed. So each row says whether there was anything to hear
and to see, whether the shift falls on a period of the sound, and how clearly a method that learns nothing finds the
unshifted clip in step. docs/flags.md has the definitions in full, and how they are spread over real clips.

All is computed once a clip, from small grey copies of its frames and the span of sound that its variants share.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from offbeat.media.coverage import LEVEL_STEP_S
from offbeat.media.scan import SILENT_DBFS
from offbeat.media.values import Frames, Sound, SoundSpan
from offbeat.signal import Motion, estimate_delay, measure_motion
from offbeat.signal.onsets import ENVELOPE_HZ, onset_strength
from offbeat.signal.windows import moving_max, moving_mean, smoothed

DIGITS = 4
"""All figures are rounded to so many decimals: more are noise, and would make rows differ between machines."""

ONSET_RISE = 8.0
"""An onset stands out by this much from the mean around it: as if the 24 bands rose by a third of a neper each within
10 ms. Steady noise has 0.1 such moments a second, a click or a syllable 20 and more."""
ONSET_ALONE_S = 0.05
"""Nearer to each other than this, the strongest counts for all."""
ONSET_AROUND_S = 0.1
"""The mean around is taken over this much on either side."""

PERIOD_WINDOW_S = 0.1
"""Onsets are smeared by a Hann window this long before they are compared, about twice the 45 ms by which sound may be
early before people notice (ITU-R BT.1359): strokes of a hand are no more regular than that."""
PERIODIC_AT = 0.6
"""Irregular sounds stay below, even over 3 s; a drummer's beat lies above."""

STILL_BELOW = 2.0
STILL_SHARE = 0.95
"""A picture is still where, for this share of its frames, no ninth of a picture's height changes by more than
`STILL_BELOW` grey values: encoders make that much by themselves, at key frames more."""

CUT_CHANGE = 18.0
"""At a cut the mean change is at least so many grey values of 255 ..."""
CUT_RATIO = 3.5
"""... and so many times the upper quartile of the changes within `CUT_AROUND_S` ..."""
CUT_ALIKE = 0.9
"""... and the coarse pictures on both sides correlate less than this: a lamp that is switched on is no cut ..."""
CUT_AROUND_S = 0.25
FLASH_S = 0.1
"""... and the change is still there so much later, and so much earlier: a flash is no cut."""
_COARSE_PIXELS = 9
_GREY_RANGE = 255.0


@dataclass(frozen=True, slots=True)
class PictureFlags:
    """Of a clip; the same for all its variants.

    Attributes:
        motion: mean change from frame to frame, cuts left out, in shares of the range from black to white, times
            frames a second, so that it does not depend on the frame rate; None for a single frame.
        still: whether nothing moves.
        scene_cut: whether there is a hard cut inside.
        syncability: the chance that `offbeat.signal` gives to "in step" when it is shown the unshifted clip; None
            where it has nothing to go by.
    """

    motion: float | None
    still: bool
    scene_cut: bool
    syncability: float | None


@dataclass(frozen=True, slots=True)
class SoundFlags:
    """Of a variant: of the sound that is heard with the picture.

    Attributes:
        silence_share: the share of its tenths of a second that are below `SILENT_DBFS`.
        onset_density: onsets a second.
        periodicity: how alike its onsets are to those of the unshifted sound, 0 to 1: Pearson's r, negative ones as
            0; None for the unshifted sound itself, and where one of the two has no onsets at all.
        periodic: whether the periodicity is at least `PERIODIC_AT`.
    """

    silence_share: float
    onset_density: float
    periodicity: float | None
    periodic: bool


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """What the flags need of a span of sound, measured once for all variants of a clip.

    Attributes:
        start_samples: where the span begins.
        rate_hz: its rate.
        power: sums of the samples' power, mean over the channels, from the start, shape (n + 1,).
        onsets: moments of onsets, in steps of 1 / `ENVELOPE_HZ`, ascending.
        strength: onset strength, shape (moments,).
        pattern: the same, smeared.
    """

    start_samples: int
    rate_hz: int
    power: NDArray[np.float64]
    onsets: NDArray[np.int64]
    strength: NDArray[np.float64]
    pattern: NDArray[np.float64]


def listen(span: SoundSpan) -> Heard:
    """Measure a span of sound."""
    sound = span.sound
    envelope = onset_strength(sound)
    if envelope is None:  # silent throughout
        envelope = np.zeros(sound.count * ENVELOPE_HZ // sound.rate_hz)
    power = np.mean(np.square(sound.samples, dtype=np.float64), axis=0)
    smear = np.hanning(round(PERIOD_WINDOW_S * ENVELOPE_HZ) + 1)
    return Heard(
        start_samples=span.start_samples,
        rate_hz=sound.rate_hz,
        power=np.concatenate([[0.0], np.cumsum(power)]),
        onsets=onset_moments(envelope),
        strength=envelope,
        pattern=smoothed(envelope, smear / smear.sum()),
    )


def onset_moments(envelope: NDArray[np.float64]) -> NDArray[np.int64]:
    """Where new sounds set in: peaks of the onset strength that stand out from what is around them.

    Args:
        envelope: onset strength, `ENVELOPE_HZ` values a second, shape (n,).

    Returns:
        Indices into it, ascending, further apart than `ONSET_ALONE_S`.
    """
    alone, around = round(ONSET_ALONE_S * ENVELOPE_HZ), round(ONSET_AROUND_S * ENVELOPE_HZ)
    if not len(envelope):
        return np.zeros(0, dtype=np.int64)
    highest = moving_max(envelope, 2 * alone + 1)
    mean = moving_mean(envelope, 2 * around + 1)
    peaks = np.flatnonzero((envelope == highest) & (envelope > mean + ONSET_RISE))
    kept = np.diff(peaks, prepend=-alone - 1) > alone  # of equals side by side the first
    return peaks[kept].astype(np.int64)


def sound_flags(heard: Heard, *, start_samples: int, sync_samples: int, count: int) -> SoundFlags:
    """Flags of a variant's sound.

    Args:
        heard: the clip's span.
        start_samples: the sample of the source that is heard with the first frame.
        sync_samples: the sample that would be, were nothing shifted.
        count: how many samples are heard.
    """
    first, sync = _moment(heard, start_samples), _moment(heard, sync_samples)
    moments = min(count * ENVELOPE_HZ // heard.rate_hz, len(heard.pattern) - max(first, sync))
    density = np.count_nonzero((heard.onsets >= first) & (heard.onsets < first + moments)) / (count / heard.rate_hz)
    alike: float | None = None
    if start_samples != sync_samples:
        alike = _correlation(heard.pattern[first : first + moments], heard.pattern[sync : sync + moments])
    return SoundFlags(
        silence_share=round(_silence_share(heard, start_samples - heard.start_samples, count), DIGITS),
        onset_density=round(float(density), DIGITS),
        periodicity=None if alike is None else round(max(0.0, alike), DIGITS),
        periodic=alike is not None and alike >= PERIODIC_AT,
    )


def picture_flags(frames: Frames, sound: Sound, *, motion: Motion | None = None) -> PictureFlags:
    """Flags of a clip's picture, and of how it goes with its own sound.

    Args:
        frames: in grey, about `offbeat.signal.motion.HEIGHT` lines high.
        sound: of the clip, unshifted.
        motion: of these frames, where it is known already.
    """
    motion = measure_motion(frames) if motion is None else motion
    change = motion.levels[-1][1:, 0].astype(np.float64)
    cuts = scene_cuts(frames, motion)
    moved = np.delete(change, [cut - 1 for cut in cuts])
    liveliest = motion.levels[0][1:].max(axis=1) if len(change) else np.zeros(1)
    estimate = estimate_delay(motion, sound)
    return PictureFlags(
        motion=round(float(moved.mean()) / _GREY_RANGE * float(frames.fps), DIGITS) if len(moved) else None,
        still=bool(np.quantile(liveliest, STILL_SHARE) <= STILL_BELOW),
        scene_cut=bool(cuts),
        syncability=None if estimate.delay_s is None else round(estimate.chances["sync"], DIGITS),
    )


def scene_cuts(frames: Frames, motion: Motion) -> list[int]:
    """The frames with which a new shot begins after a hard cut; fades and dissolves are not found.

    Args:
        frames: in grey.
        motion: what `measure_motion` made of them.
    """
    images, change = frames.images, motion.levels[-1][:, 0]
    around = max(3, round(CUT_AROUND_S * frames.fps))
    later = max(2, round(FLASH_S * frames.fps))
    cuts: list[int] = []
    for k in np.flatnonzero(change >= CUT_CHANGE).tolist():
        if k == 0:
            continue  # there is no frame before the first
        near = np.concatenate([change[max(1, k - around) : k], change[k + 1 : k + 1 + around]])
        if len(near) and change[k] < CUT_RATIO * np.quantile(near, 0.75):
            continue
        before, after = images[k - 1], images[k]
        lasts = min(
            _difference(images[max(0, k - 1 - later)], after),
            _difference(before, images[min(len(images) - 1, k + later)]),
        )
        alike = _correlation(_coarse(before), _coarse(after))
        if lasts >= change[k] / 2 and (alike is None or alike < CUT_ALIKE):
            cuts.append(k)
    return cuts


def _moment(heard: Heard, samples: int) -> int:
    return round((samples - heard.start_samples) * ENVELOPE_HZ / heard.rate_hz)


def _silence_share(heard: Heard, first: int, count: int) -> float:
    """Of whole tenths of a second from `first` on; a shorter sound is one piece."""
    step = min(count, int(LEVEL_STEP_S * heard.rate_hz))
    edges = first + step * np.arange(count // step + 1)
    mean = np.diff(heard.power[edges]) / step
    return float(np.mean(mean < 10 ** (SILENT_DBFS / 10)))


def _correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float | None:
    """Pearson's r; None where one of the two does not vary."""
    one, other = one.ravel() - one.mean(), other.ravel() - other.mean()
    scale = float(np.sqrt(np.sum(one**2) * np.sum(other**2)))
    return None if scale < 1e-9 else float(np.sum(one * other)) / scale


def _difference(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    return float(np.mean(np.maximum(one, other) - np.minimum(one, other)))


def _coarse(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    return moving_mean(moving_mean(image.astype(np.float64), _COARSE_PIXELS), _COARSE_PIXELS, axis=1)
