"""Wilson's interval of a share, for observations that are independent of each other.

With k of n and z = Phi^-1((1 + level) / 2)::

    centre = (k + z^2 / 2) / (n + z^2)      half = z / (n + z^2) * sqrt(k (n - k) / n + z^2 / 4)

It is used where each source gives one observation at most, so that there are no clusters: a share of one delay at one
length with one clip a source, say. Unlike the bootstrap it has a width where all, or none, were right.

References:
    Wilson, "Probable inference, the law of succession, and statistical inference", J. Am. Stat. Assoc. 22 (1927) 209.
    Brown, Cai & DasGupta, "Interval estimation for a binomial proportion", Statistical Science 16 (2001) 101.
"""

from __future__ import annotations

import math

from scipy.special import ndtri


def wilson(hits: float, trials: float, *, level: float = 0.95) -> tuple[float, float]:
    """Lower and upper end.

    Args:
        hits: how many had it, 0..trials.
        trials: out of how many.
        level: how often such intervals are to hold the truth.

    Raises:
        ValueError: no trials, or hits that are not among them.
    """
    if not (trials > 0 and 0 <= hits <= trials):
        raise ValueError(f"expected hits among one or more trials, got {hits} of {trials}")
    z = float(ndtri((1 + level) / 2))
    centre = (hits + z**2 / 2) / (trials + z**2)
    half = z / (trials + z**2) * math.sqrt(hits * (trials - hits) / trials + z**2 / 4)
    low = 0.0 if hits == 0 else centre - half
    high = 1.0 if hits == trials else centre + half
    return low, high
