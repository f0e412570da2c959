"""When things happen, and how what strikes moves before and after."""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from offbeat.timing import round_half_up


def on_samples(times_s: Sequence[float], rate_hz: int) -> tuple[Fraction, ...]:
    """The times, each moved to the nearest sample, so that a sound can start exactly there."""
    return tuple(Fraction(round_half_up(Fraction(time_s) * rate_hz), rate_hz) for time_s in times_s)


def irregular(
    rng: np.random.Generator, length_s: Fraction, *, median_s: float, spread: float, shortest_s: float
) -> list[float]:
    """Times from 0.3 s to the end, with log-normal gaps: no period, so that no other delay fits as well as 0.

    Args:
        rng: where chance comes from.
        length_s: of the whole scene.
        median_s: of the gaps.
        spread: standard deviation of the gaps' natural logarithm.
        shortest_s: no gap is shorter.
    """
    times: list[float] = []
    time_s = float(rng.uniform(0.3, 0.3 + median_s))
    while time_s < float(length_s) - 0.1:
        times.append(time_s)
        time_s += max(shortest_s, median_s * math.exp(spread * float(rng.standard_normal())))
    return times


def ease(share: float) -> float:
    """From 0 to 1 with a soft start and end; outside, 0 or 1."""
    share = min(max(share, 0.0), 1.0)
    return share * share * (3 - 2 * share)


@dataclass(frozen=True, slots=True)
class Around:
    """How far a moment lies from what happened before it and what comes after; infinite where nothing does."""

    since_s: float
    until_s: float
    before: int
    """Index of the last event, -1 where there is none."""


class Times:
    """Sorted times with a quick look-up of the neighbours of a moment."""

    def __init__(self, times_s: Sequence[Fraction | float]) -> None:
        """`times_s` in increasing order."""
        self.times_s = [float(time_s) for time_s in times_s]

    def around(self, time_s: float) -> Around:
        """What lies before and after; an event at this very moment is 0 before."""
        after = bisect.bisect_right(self.times_s, time_s + 1e-9)
        since = time_s - self.times_s[after - 1] if after else math.inf
        until = self.times_s[after] - time_s if after < len(self.times_s) else math.inf
        return Around(since_s=max(since, 0.0), until_s=until, before=after - 1)


def stroke(
    around: Around, *, fall_s: float = 0.09, raise_s: float = 0.22, rebound_s: float = 0.12, rest: float = 0.35
) -> float:
    """How far a stick, knife or finger is lifted: 0 at each strike, 1 at the top just before the fall.

    It rests between strikes, is raised in time for the next one, falls ever faster, and bounces back::

        1            .
        rest  ______/ |  .------
        0             |_/          time
                      strike

    Args:
        around: the moment between the strikes.
        fall_s: from the top to the strike.
        raise_s: from the rest to the top.
        rebound_s: from the strike back to the rest.
        rest: how far it is lifted between strikes.
    """
    until = around.until_s
    if until < fall_s:
        lift = 1 - (1 - until / fall_s) ** 2
    else:
        lift = 1 - (1 - rest) * ease((until - fall_s) / raise_s) if math.isfinite(until) else rest
    back = 1.0 if not math.isfinite(around.since_s) else math.sqrt(min(around.since_s / rebound_s, 1.0))
    return lift * back


def fading(since_s: float, decay_s: float) -> float:
    """1 at an event, falling by e in each `decay_s`; 0 where there was none."""
    return math.exp(-since_s / decay_s) if math.isfinite(since_s) else 0.0
