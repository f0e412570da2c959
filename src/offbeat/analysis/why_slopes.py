"""How option probabilities move with the delay, although the word may never change.

Slopes within sources, so that what differs between sources plays no part: with S_xy and S_xx the sums over a source's
variants of products of deviations from the source's own means, the slope is sum S_xy / sum S_xx over sources. Intervals
draw sources. Two movements, each in shares and in log-odds (natural logarithms; probabilities below 1e-6 count as
1e-6), per second:

* ``sync_by_size``: P(sync) over the size of the delay. Below 0: the further apart, the less sure of "sync".
* ``behind_by_delay``: P(behind) - P(ahead) over the delay, log(P(behind) / P(ahead)) for the log-odds. Above 0: the
  later the sound, the rather "behind".

Shares are what one sees in a chart; log-odds show movement that a strong preference has pressed against 0 or 1.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from offbeat.analysis.intervals import DRAWS, Estimate, over_draws, seeded_weights

LEAST = 1e-6
SAME_WITHIN = 1e-6
"""Probabilities that differ by no more are the same."""
SLOPES = ("sync_by_size", "behind_by_delay", "sync_by_size_log_odds", "behind_by_delay_log_odds")

Array = NDArray[np.float64]


def slopes(
    probabilities: Array, delay_ms: Array, source: NDArray[np.int64], *, draws: int = DRAWS, seed: int = 0
) -> Mapping[str, Estimate]:
    """The slopes of `SLOPES`, per second.

    Args:
        probabilities: in the order sync, ahead, behind, shape (n, 3).
        delay_ms: shape (n,).
        source: integer codes, shape (n,).
        draws: how often sources are drawn.
        seed: of these draws.
    """
    logs = np.log(np.clip(probabilities, LEAST, 1 - LEAST))
    not_sync = np.log(np.clip(1 - probabilities[:, 0], LEAST, 1 - LEAST))
    delay_s = delay_ms / 1000
    pairs = (
        (np.abs(delay_s), probabilities[:, 0]),
        (delay_s, probabilities[:, 2] - probabilities[:, 1]),
        (np.abs(delay_s), logs[:, 0] - not_sync),
        (delay_s, logs[:, 2] - logs[:, 1]),
    )
    row = np.unique(source, return_inverse=True)[1]
    n_sources = int(row.max()) + 1 if row.size else 0
    weights = seeded_weights(n_sources, draws=draws, seed=seed) if n_sources else None
    found: dict[str, Estimate] = {}
    for name, (x, y) in zip(SLOPES, pairs, strict=True):
        xy, xx = _moments(x, y, row, n_sources)
        value = xy.sum() / xx.sum() if xx.sum() > 0 else np.nan
        drawn = None
        if weights is not None and n_sources > 1:
            below = weights @ xx
            drawn = np.divide(weights @ xy, below, out=np.full(len(weights), np.nan), where=below > 0)
        found[name] = over_draws(float(value), drawn, n_sources=n_sources)
    return found


def unmoved(probabilities: Array, delay_ms: Array, clip: NDArray[np.int64]) -> bool | None:
    """Whether a clip's probabilities are the same at all its delays, for every clip; None where none has two delays.

    The picture of a clip's variants is the same to the byte, and the sound is not: who says the same of all of them,
    to the sixth decimal, did not hear it.
    """
    order = np.argsort(clip, kind="stable")
    firsts = np.flatnonzero(np.diff(clip[order], prepend=clip[order][:1] - 1)) if clip.size else np.array([], int)
    if firsts.size == 0:
        return None
    ranges = [np.maximum.reduceat(x[order], firsts) - np.minimum.reduceat(x[order], firsts) for x in probabilities.T]
    several = np.maximum.reduceat(delay_ms[order], firsts) > np.minimum.reduceat(delay_ms[order], firsts)
    if not several.any():
        return None
    return bool((np.max(ranges, axis=0)[several] <= SAME_WITHIN).all())


def _moments(x: Array, y: Array, row: NDArray[np.intp], n_sources: int) -> tuple[Array, Array]:
    """S_xy and S_xx of each source."""
    n = np.maximum(np.bincount(row, minlength=n_sources), 1)
    x = x - (np.bincount(row, weights=x, minlength=n_sources) / n)[row]
    y = y - (np.bincount(row, weights=y, minlength=n_sources) / n)[row]
    xy, xx = (np.bincount(row, weights=product, minlength=n_sources) for product in (x * y, x * x))
    return xy.astype(np.float64), xx.astype(np.float64)
