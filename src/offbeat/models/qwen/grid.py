"""Which frames are shown, and how far each is from the time that it is stamped with.

The model stamps frame k with k / fps, whatever it is shown. ``grid`` shows what the clip shows at that moment: the last
frame that begins at or before it. ``official`` is the sampling of the makers' package ``qwen_omni_utils``: n frames
evenly from the first to the last, as ``linspace(0, N - 1, n)``, so that the last frame of a clip is stamped almost
1 / fps too early::

    3 s at 25 frames a second, fps 2     stamps      0   0.5   1.0   1.5   2.0   2.5
                                         grid        0   0.48  1.0   1.48  2.0   2.48
                                         official    0   0.6   1.2   1.76  2.36  2.96
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from offbeat.errors import ModelError
from offbeat.media.rate import frames_at_rate
from offbeat.timing import round_half_up

Sampler = Literal["grid", "official"]
MOST_FRAMES = 768
"""The makers' bound, and ours: a clip with more is refused rather than thinned out."""
_FEWEST_OFFICIAL = 4


@dataclass(frozen=True, slots=True)
class Sampled:
    """Frames that are shown.

    Attributes:
        indices: of the clip's frames, an even number of them.
        times_s: when each begins in the clip.
        stamps_s: where the model takes each to be.
    """

    indices: tuple[int, ...]
    times_s: tuple[Fraction, ...]
    stamps_s: tuple[Fraction, ...]

    @property
    def off_stamp_s(self) -> Fraction:
        """The largest distance between a frame's time and its stamp."""
        return max(abs(time - stamp) for time, stamp in zip(self.times_s, self.stamps_s, strict=True))


def sample(count: int, clip_fps: Fraction, *, fps: Fraction, sampler: Sampler) -> Sampled:
    """Choose frames.

    Args:
        count: frames of the clip.
        clip_fps: at its own rate.
        fps: frames a second that the model is shown.
        sampler: see the module.

    Raises:
        ModelError: more frames than the model takes.
    """
    if sampler == "grid":
        shown = frames_at_rate(count / clip_fps, fps)
        _check(shown, count, clip_fps, fps)
        indices = [min(count - 1, k * clip_fps // fps) for k in range(shown)]
    else:
        shown = min(max(count / clip_fps * fps, Fraction(_FEWEST_OFFICIAL)), Fraction(count)) // 2 * 2
        _check(shown, count, clip_fps, fps)
        indices = [round_half_up(Fraction(k * (count - 1), max(1, shown - 1))) for k in range(shown)]
    return Sampled(
        tuple(indices), tuple(index / clip_fps for index in indices), tuple(Fraction(k) / fps for k in range(shown))
    )


def _check(shown: int, count: int, clip_fps: Fraction, fps: Fraction) -> None:
    if not 2 <= shown <= MOST_FRAMES:
        raise ModelError(
            f"{float(count / clip_fps):g} s at fps={float(fps):g} are {shown} frames; expected 2 to {MOST_FRAMES}: "
            "choose another fps, or other clip lengths"
        )
