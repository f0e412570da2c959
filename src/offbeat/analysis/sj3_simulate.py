"""Simulated observers of three choices: for checking the fit, and for planning how many sources are needed.

An observer's PSS moves from source to source with a normal spread b, and half of its window with a normal spread w,
since material differs. Each criterion is then normal too, and over many sources such answers follow the same model with
the noise sqrt(s^2 + b^2 + w^2), which is what a fit to all sources together estimates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logit

from offbeat.analysis import sj3
from offbeat.analysis.sj3 import Array


@dataclass(frozen=True, slots=True)
class Observer:
    """The truth of a simulated observer.

    Attributes:
        early_limit_ms: the criterion between ahead and sync.
        late_limit_ms: the criterion between sync and behind.
        noise_ms: s, within a source.
        between_ms: b, of the PSS over sources.
        lapse_rate: how often it answers at random; at most `offbeat.analysis.sj3.MOST_LAPSES`.
        between_half_ms: w, of half the window over sources; no more than a third of that half, so that it stays one.
    """

    early_limit_ms: float
    late_limit_ms: float
    noise_ms: float
    between_ms: float = 0.0
    lapse_rate: float = 0.02
    between_half_ms: float = 0.0

    def truth(self) -> dict[str, float]:
        """What a fit to many sources should find, by the names of its figures."""
        noise = float(np.linalg.norm([self.noise_ms, self.between_ms, self.between_half_ms]))
        jnd = sj3.JND_OF_NOISE * noise
        return {
            "pss_ms": (self.early_limit_ms + self.late_limit_ms) / 2,
            "early_limit_ms": self.early_limit_ms,
            "late_limit_ms": self.late_limit_ms,
            "window_ms": self.late_limit_ms - self.early_limit_ms,
            "jnd_ms": jnd,
            "lapse_rate": self.lapse_rate,
            "jnd_early_ms": jnd,
            "jnd_late_ms": jnd,
            "late_over_early": 1.0,
        }


def simulate(observer: Observer, delays_ms: Array, *, sources: int, clips: int, rng: np.random.Generator) -> Array:
    """Answers of an observer.

    Args:
        observer: who.
        delays_ms: at which delays every clip is shown, shape (d,).
        sources: how many.
        clips: how many of each source.
        rng: where chance comes from.

    Returns:
        Counts, shape (sources, d, 3), in the order sync, ahead, behind.
    """
    middle = (observer.early_limit_ms + observer.late_limit_ms) / 2
    half = (observer.late_limit_ms - observer.early_limit_ms) / 2
    parameters = np.empty((sources, sj3.PARAMETERS))
    parameters[:, sj3.PSS] = rng.normal(middle, observer.between_ms, size=sources)
    halves = rng.normal(half, observer.between_half_ms, size=sources)
    parameters[:, sj3.LOG_H] = np.log(np.maximum(halves, half / 100) / observer.noise_ms)
    parameters[:, [sj3.LOG_EARLY, sj3.LOG_LATE]] = np.log(observer.noise_ms)
    parameters[:, sj3.LAPSE_LOGIT] = logit(observer.lapse_rate / sj3.MOST_LAPSES)
    chances = sj3.shares(delays_ms, parameters)
    return rng.multinomial(clips, chances / chances.sum(axis=-1, keepdims=True)).astype(np.float64)
