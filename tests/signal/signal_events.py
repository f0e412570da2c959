"""Made clips in which the truth is known: irregular events, each seen and heard."""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from offbeat.media.values import Frames, Sound

HEIGHT, WIDTH = 72, 128
FADE_S = 0.3


def irregular_times(*, seed: int = 0, shortest_s: float = 0.35, longest_s: float = 1.3) -> NDArray[np.float64]:
    """Times from -6 to about +20 s, on a clock of 10 ms, with gaps that do not repeat."""
    rng = np.random.default_rng(seed)
    return np.round(np.cumsum(rng.uniform(shortest_s, longest_s, size=40)) - 6, 2)


def flashes(times_s: NDArray[np.float64], *, fps: Fraction, length_s: float, seed: int = 0) -> Frames:
    """A patch that lights up in the frame nearest to each time and fades, on a noisy ground."""
    rng = np.random.default_rng(seed)
    count = int(length_s * fps)
    images = rng.integers(20, 23, size=(count, HEIGHT, WIDTH)).astype(np.float64)
    for first in np.round(times_s * float(fps)).astype(int):
        for k in range(max(first, 0), min(count, first + int(FADE_S * fps) + 1)):
            images[k, 20:40, 30:60] += 120 * (1 - (k - first) / float(fps) / FADE_S)
    return Frames(images=np.clip(images, 0, 255).astype(np.uint8), fps=fps)


def ball(times_s: NDArray[np.float64], *, fps: Fraction, length_s: float, seed: int = 0) -> Frames:
    """A ball that rests between hits, and at each hit jumps off and comes to rest."""
    rng = np.random.default_rng(seed)
    count = int(length_s * fps)
    images = rng.integers(20, 23, size=(count, HEIGHT, WIDTH)).astype(np.uint8)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    for k in range(count):
        since = (k + 0.5) / float(fps) - times_s
        moved = np.where(since > 0, 18 * (1 - np.exp(-np.maximum(since, 0) / 0.08)), 0).sum()
        at = 20 + abs((moved % 160) - 80)
        images[k][(rows - 40) ** 2 + (columns - at) ** 2 < 64] = 220
    return Frames(images=images, fps=fps)


def hits(
    times_s: NDArray[np.float64], *, delay_s: float, length_s: float, rate_hz: int = 48_000, seed: int = 0
) -> Sound:
    """Decaying noise that sets in `delay_s` after each time, over a quiet hiss."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(int(length_s * rate_hz)) / rate_hz
    samples = 1e-4 * rng.standard_normal(time_s.size)
    for start_s in times_s + delay_s:
        since = time_s - start_s
        on = (since >= 0) & (since < 0.4)
        samples[on] += 0.3 * np.exp(-since[on] / 0.05) * rng.standard_normal(int(on.sum()))
    return Sound(samples=samples[None].astype(np.float32), rate_hz=rate_hz)


def at_frames_of(times_s: NDArray[np.float64], fps: Fraction) -> NDArray[np.float64]:
    """The times moved to the start of their nearest frame, so that a flash tells them exactly."""
    return np.round(times_s * float(fps)) / float(fps)
