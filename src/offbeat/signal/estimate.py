"""From a picture's motion and a sound's onsets to a delay, how sure it is, and whether that is enough.

1. *Envelopes.* Motion of each tile and onset strength, on the picture's own frame times, are compressed by a cube
   root, cut off at three standard deviations above their mean (a scene cut or a bang is one large value, not a
   reason), and freed of what is slower than a second.
2. *Evidence.* For each tile and lag, Pearson's r over the overlap. If the two were Gaussian with `INDEPENDENT_HZ`
   independent values a second over T seconds, the logarithm of the likelihood ratio between "related as found" and
   "unrelated" would be -T · INDEPENDENT_HZ / 2 · log(1 - RELIABILITY · r²).
   Only positive r counts: sound sets in when things move.
3. *Tiles.* Which tile makes the sound is unknown, so the ratios are averaged as ratios (a mixture), weighted by how
   much a tile moves: one tile that fits is enough, and many that do not fit drown nothing. The logarithms of the
   three tile sizes are averaged.
4. *Delay.* The lag with the most evidence, refined between frames by a parabola.
5. *Confidence.* A logistic function of how much the best lag stands out, once a sound that repeats itself is
   allowed for: see `offbeat.signal.repeats` and `offbeat.signal.confidence`.

References:
    Hershey & Movellan, "Audio Vision: Using Audio-Visual Synchrony to Locate Sounds", NIPS 12 (1999): finds the pixels
    that go with the sound's energy by their Gaussian mutual information with it, -1/2 log(1 - r²).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from offbeat.media.values import Frames, Sound
from offbeat.signal.confidence import SURE_AT, chance_right, label_chances, peak_log_odds
from offbeat.signal.correlate import pearson_by_lag
from offbeat.signal.motion import Motion, measure_motion
from offbeat.signal.onsets import at_frames, onset_strength
from offbeat.signal.repeats import like_with_like
from offbeat.signal.windows import moving_mean
from offbeat.timing import Label

Floats = NDArray[np.float64]
Reason = Literal["unclear", "still", "silent", "too_short"]

MAX_DELAY_S = 5.25
"""The study's range, and half a step of its grid beyond, so that a peak at its end can be seen as one."""
MIN_OVERLAP_S = 1.5
"""With less than this in common, any two envelopes look alike somewhere."""
COMPRESSION = 1 / 3
"""Between a logarithm, which blows up noise, and none, where one loud moment outweighs all others."""
CUT_OFF_DEVIATIONS = 3.0
SLOW_S = 1.0
"""What changes more slowly (a zoom, a swelling of music) tells nothing of the delay, and looks alike at many lags."""
INDEPENDENT_HZ = 15.0
"""Independent values a second of either envelope: half of the usual 30 frames, since neighbours are alike."""
RELIABILITY = 0.8
"""The share of an envelope that the other could explain at best; keeps r near 1 from counting without bound, so that
two almost equal peaks of a strictly periodic clip stay almost equal."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What picture and sound tell about their delay.

    Attributes:
        delay_s: the best guess at ``audio_delay``, > 0: the sound comes later; None where there is nothing to go by.
        confidence: calibrated chance that the best guess is within `TOLERANCE_S` of the truth.
        chances: of ``sync`` (within `TOLERANCE_S` of 0), ``ahead`` and ``behind``; they sum to 1.
        reason: why it cannot tell; None where it can.
        lags_s: the delays that were tried, ascending, shape (k,); empty where none could be.
        evidence: for each of them, how much better it explains the clip than no relation does, in nats.
        log_odds: of the best lag against all others, before calibration; None where there are no lags.
    """

    delay_s: float | None
    confidence: float
    chances: dict[Label, float]
    reason: Reason | None
    lags_s: Floats
    evidence: Floats
    log_odds: float | None

    @property
    def cannot_tell(self) -> bool:
        """Whether there is a reason not to rely on the best guess."""
        return self.reason is not None

    @property
    def label(self) -> Label:
        """The likeliest of the three answers; ``sync`` where there is nothing to go by."""
        return max(self.chances, key=self.chances.__getitem__)  # the first of equals: sync


def estimate_delay(
    picture: Frames | Motion, sound: Sound, *, max_delay_s: float = MAX_DELAY_S, sure_at: float = SURE_AT
) -> Estimate:
    """Estimate how much later the sound of a clip comes than its picture.

    Args:
        picture: grey frames, best `offbeat.signal.motion.HEIGHT` lines high, or what `measure_motion` made of them.
        sound: of the same clip, from the moment of the first frame.
        max_delay_s: delays up to this size are tried, as far as `MIN_OVERLAP_S` remains.
        sure_at: below this confidence it cannot tell.

    Raises:
        ValueError: colour frames, no frame, or samples that are not finite.
    """
    motion = picture if isinstance(picture, Motion) else measure_motion(picture)
    fps = float(motion.fps)
    onsets = onset_strength(sound)
    count = min(motion.count, int(sound.length_s * motion.fps))
    most = min(int(max_delay_s * fps), count - math.ceil(MIN_OVERLAP_S * fps))
    if most < 1:
        return _nothing("too_short")
    if onsets is None:
        return _nothing("silent")
    levels = [_prepared(level[:count].astype(np.float64), fps) for level in motion.levels]
    if not any(level.any() for level in levels):
        return _nothing("still")
    lags = np.arange(-most, most + 1)
    heard = _prepared(at_frames(onsets, motion.fps, count)[:, None], fps)[:, 0]
    overlap_s = (count - np.abs(lags)) / fps
    evidence = np.mean([_evidence(level, heard, lags, overlap_s) for level in levels], axis=0)
    lags_s, best = lags / fps, int(np.argmax(evidence))
    delay_s = float(lags_s[best]) + _beyond(evidence, best) / fps
    fair = like_with_like(evidence, lags, heard, least_overlap=math.ceil(MIN_OVERLAP_S * fps))
    log_odds = peak_log_odds(lags_s, fair)
    confidence = chance_right(log_odds)
    return Estimate(
        delay_s=delay_s,
        confidence=confidence,
        chances=label_chances(delay_s, confidence),
        reason=None if confidence >= sure_at else "unclear",
        lags_s=lags_s,
        evidence=evidence,
        log_odds=log_odds,
    )


def _prepared(curves: Floats, fps: float) -> Floats:
    curves = np.power(curves, COMPRESSION)
    curves = np.minimum(curves, curves.mean(axis=0) + CUT_OFF_DEVIATIONS * curves.std(axis=0))
    slow = moving_mean(curves, 2 * int(SLOW_S * fps / 2) + 1)
    return curves - slow


def _evidence(tiles: Floats, heard: Floats, lags: NDArray[np.int64], overlap_s: Floats) -> Floats:
    weight = tiles.std(axis=0)
    moving = weight > 0
    if not moving.any():
        return np.zeros(len(lags))
    r = np.maximum(pearson_by_lag(tiles[:, moving], heard, lags), 0)
    log_ratio = -np.log1p(-RELIABILITY * r**2) * (overlap_s[:, None] * INDEPENDENT_HZ / 2)
    largest = log_ratio.max(axis=1, keepdims=True)  # without leaving the range of floats
    return largest[:, 0] + np.log(np.exp(log_ratio - largest) @ (weight[moving] / weight.sum()))


def _beyond(evidence: Floats, best: int) -> float:
    """Where the parabola through the best value and its neighbours peaks, in steps from the best, within ±1/2."""
    if not 0 < best < len(evidence) - 1:
        return 0.0
    left, middle, right = evidence[best - 1 : best + 2]
    curvature = left - 2 * middle + right
    return 0.0 if curvature >= 0 else float(np.clip((left - right) / (2 * curvature), -0.5, 0.5))


def _nothing(reason: Reason) -> Estimate:
    return Estimate(
        delay_s=None,
        confidence=0.0,
        chances=label_chances(None, 0.0),
        reason=reason,
        lags_s=np.empty(0),
        evidence=np.empty(0),
        log_odds=None,
    )
