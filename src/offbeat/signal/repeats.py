"""Sound that repeats itself: where a shift leaves it the same, only the overlap decides, which proves nothing.

Evidence grows with the overlap. Of a beep every second, each whole second of delay fits equally well, yet the one that
happens to leave the longest overlap has the most evidence, and would look certain. So where the sound's onsets are
alike to themselves under the step from the best lag to another, the other's evidence is taken for the same overlap as
the best one's: as much a second, as many seconds.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from offbeat.signal.correlate import pearson_by_lag

Floats = NDArray[np.float64]

ALIKE_AT = 0.8
"""The sound repeats itself under a step if its onsets correlate with themselves this much."""


def like_with_like(evidence: Floats, lags: NDArray[np.int64], heard: Floats, *, least_overlap: int) -> Floats:
    """The evidence, raised where the sound's repetition alone makes it smaller than at the best lag.

    Args:
        evidence: for each lag, shape (k,).
        lags: in frames, ascending by 1, shape (k,).
        heard: onset strength at each frame, shape (n,).
        least_overlap: steps that leave fewer frames in common say nothing.

    Returns:
        Shape (k,); never smaller than `evidence`, and nowhere larger than its largest value.
    """
    best = int(np.argmax(evidence))
    n, steps = len(heard), lags - lags[best]
    known = (np.abs(steps) <= n - least_overlap) & (steps != 0)
    alike = np.zeros(len(lags), dtype=bool)
    alike[known] = pearson_by_lag(heard[:, None], heard, steps[known])[:, 0] >= ALIKE_AT
    overlap = n - np.abs(lags)
    at_equal_overlap = np.minimum(evidence / overlap * overlap[best], evidence[best])
    return np.where(alike, np.maximum(evidence, at_equal_overlap), evidence)
