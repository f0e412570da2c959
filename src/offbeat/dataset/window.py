"""A window's material: the span of sound that all its variants share, and small grey frames to measure."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from offbeat.conditions.delay import heard_from
from offbeat.dataset.plan import Clip
from offbeat.errors import MediaError
from offbeat.media.cut_picture import cut_picture
from offbeat.media.cut_sound import cut_sound
from offbeat.media.grey import with_grey_copies
from offbeat.media.scan import Scan
from offbeat.media.span import RoundedSpan, rounded
from offbeat.media.values import Frames
from offbeat.media.write import AUDIO_HZ, MARGIN_AFTER_SAMPLES, MARGIN_BEFORE_SAMPLES, to_count
from offbeat.signal.motion import HEIGHT
from offbeat.timing import to_samples


def first_sample(clip: Clip, audio_delay_s: Fraction = Fraction(0)) -> int:
    """The sample of the source that is heard with the first frame."""
    return heard_from(to_samples(clip.start_s, AUDIO_HZ), audio_delay_s=audio_delay_s, rate_hz=AUDIO_HZ)


def sample_count(clip: Clip) -> int:
    """How many samples last as long as the picture."""
    return to_count(clip.frames / clip.fps)


def samples_needed(clip: Clip, delays_s: Iterable[Fraction]) -> range:
    """Which samples of the source its variants need, with the encoder's margins; those at a delay of 0 in any case."""
    firsts = [first_sample(clip), *(first_sample(clip, delay_s) for delay_s in delays_s)]
    return range(min(firsts) - MARGIN_BEFORE_SAMPLES, max(firsts) + sample_count(clip) + MARGIN_AFTER_SAMPLES)


def cut_span(clip: Clip, scanned: Scan, delays_s: tuple[Fraction, ...]) -> RoundedSpan:
    """The sound of all variants, with the encoder's margins, rounded to 16 bits.

    Raises:
        MediaError: `sound_gap`; `not_finite`, where samples are no finite numbers.
    """
    needed = samples_needed(clip, delays_s)
    span = cut_sound(
        scanned.path,
        start_samples=needed.start,
        stop_samples=needed.stop,
        rate_hz=AUDIO_HZ,
        track=scanned.audio_track,
    )
    if not np.isfinite(span.sound.samples).all():
        raise MediaError(
            f"{scanned.path}: its sound around {float(clip.start_s):.2f} s has samples that are no finite numbers",
            reason="not_finite",
        )
    return rounded(span)


def grey_frames(clip: Clip, scanned: Scan) -> Frames:
    """The clip's picture to measure: grey, at most `offbeat.signal.motion.HEIGHT` lines.

    Raises:
        MediaError: as `cut_picture`.
    """
    copies: list[NDArray[np.uint8]] = []
    frames = cut_picture(
        scanned.path,
        geometry=scanned.geometry,
        start_s=clip.start_s,
        fps=clip.fps,
        count=clip.frames,
        stamped_s=scanned.frame_times_s,
    )
    for _ in with_grey_copies(frames, height=HEIGHT, into=copies):
        pass
    return Frames(images=np.stack(copies), fps=clip.fps)
