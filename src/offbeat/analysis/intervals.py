"""Intervals by resampling sources; where there is nothing to resample together, Wilson's.

All variants of a source share its material, so that they are no independent observations: treated as such, "95 %"
intervals cover far less. The unit that is drawn is the source, with all its answers: S sources are drawn from S with
replacement, the score is computed from the drawn ones, and the interval lies between two percentiles over the draws.
Drawing S of S with replacement gives each source a multinomial weight, and every score here
comes from summed counts, so one draw is one row of ``weights @ counts``.

The percentiles are not the 2.5th and 97.5th. With few sources that interval is too narrow, as the normal distribution
is beside Student's t. The expanded percentile interval (Hesterberg 2015) takes the tail Phi(-sqrt(n / (n - 1)) t), t
being Student's 97.5 % quantile for n - 1 degrees of freedom: 1.4 % at each end for 16 sources, 2.1 % for 51. How often
it held the truth, a balanced accuracy of 1/3, in 1000 sets of a guesser's answers on the study's grid with one to four
clips a source (plain percentiles in brackets): 5 sources 90.5 % (83.7), 16 sources 94.8 % (92.8), 51 sources 94.5 %
(93.7). With five sources it is still too narrow.

The interval says how far the score would move with other sources of the same kind; it knows nothing of kinds that were
not in the set, and a score of exactly 0 or 1 has an interval without width. Fewer than two sources have none.

A share of which each source gives one trial at most has no clusters: its trials are independent of each other, and its
interval is Wilson's (`offbeat.analysis.proportions`). Figures that take a fit leave out one source after the other
instead (`offbeat.analysis.jackknife`). `Estimate.method` tells which one it is.

References:
    Hesterberg, "What Teachers Should Know About the Bootstrap", The American Statistician 69 (2015) 371, section 5.3
    (expanded percentile interval; arXiv:1411.5279). Efron & Tibshirani, *An Introduction to the Bootstrap*, 1993,
    chapter 13 (percentile interval). Field & Welsh,
    "Bootstrapping clustered data", J. R. Statist. Soc. B 69 (2007) 369. Miller, "Adding Error Bars to Evals",
    arXiv:2411.00640 (clusters in model evaluations).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit

from offbeat.analysis.proportions import wilson

DRAWS = 10_000
LEVEL = 0.95
UNDEFINED_AT_MOST = 0.05
"""The share of draws that may lack a score, for want of a truth, before the interval is withheld."""

Score = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""From tables (..., 3, 4) to numbers (...): one of `offbeat.analysis.scores`."""

_CHUNK = 2_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A score with its interval.

    Attributes:
        value: None where there is nothing to score.
        low: lower end of the interval; None where there is none.
        high: upper end.
        n_sources: how many sources it rests on.
        method: how an interval is made; see above.
    """

    value: float | None
    low: float | None
    high: float | None
    n_sources: int
    method: Literal["bootstrap", "jackknife", "wilson"] = "bootstrap"


def draw_weights(n_sources: int, *, draws: int = DRAWS, rng: np.random.Generator) -> NDArray[np.uint16]:
    """How often each source is drawn: shape (draws, n_sources), every row a multinomial draw with sum n_sources."""
    share = np.full(n_sources, 1 / n_sources)
    chunks = [
        rng.multinomial(n_sources, share, size=min(_CHUNK, draws - start)).astype(np.uint16)
        for start in range(0, draws, _CHUNK)
    ]
    return np.concatenate(chunks)


def seeded_weights(n_sources: int, *, draws: int, seed: int) -> NDArray[np.uint16]:
    """The same draws every time for a number of sources, so that all figures of a report draw the same ones."""
    return draw_weights(n_sources, draws=draws, rng=np.random.default_rng((seed, n_sources)))


def resample(counts: NDArray[np.float64], weights: NDArray[np.uint16]) -> NDArray[np.float64]:
    """The summed tables of all draws.

    Args:
        counts: a table for each source, shape (n_sources, 3, 4).
        weights: from `draw_weights`, shape (draws, n_sources).

    Returns:
        Shape (draws, 3, 4).
    """
    flat = counts.reshape(len(counts), -1)
    chunks = [weights[start : start + _CHUNK].astype(np.float64) @ flat for start in range(0, len(weights), _CHUNK)]
    return np.concatenate(chunks).reshape(len(weights), *counts.shape[1:])


def estimate(
    counts: NDArray[np.float64],
    score: Score,
    drawn: NDArray[np.float64] | None,
    *,
    level: float = LEVEL,
    trials: Score | None = None,
) -> Estimate:
    """A score of all sources together, and its interval: the expanded percentiles over the draws, or Wilson's.

    Args:
        counts: a table for each source, shape (n_sources, 3, 4).
        score: what is computed from the summed tables.
        drawn: from `resample`; may be None where there are fewer than two sources.
        level: how often such intervals are to hold the truth.
        trials: for a share: out of how many. Where no source has more than one, the interval is Wilson's.
    """
    value = float(score(counts.sum(axis=0))) if len(counts) else float("nan")
    if trials is not None and len(counts) > 1 and not np.isnan(value) and trials(counts).max() <= 1:
        total = float(trials(counts.sum(axis=0)))
        low, high = wilson(round(value * total), total, level=level)
        return Estimate(value=value, low=low, high=high, n_sources=len(counts), method="wilson")
    scores = None if drawn is None or len(counts) < 2 or np.isnan(value) else score(drawn)
    return over_draws(value, scores, n_sources=len(counts), level=level)


def over_draws(value: float, scores: NDArray[np.float64] | None, *, n_sources: int, level: float = LEVEL) -> Estimate:
    """A figure of all sources together, with the expanded percentile interval over its values in the draws.

    A draw in which the figure is undefined (balanced accuracy without one of the truths) is left out; where more than
    `UNDEFINED_AT_MOST` of them are, there is no interval, because it would speak of the lucky draws alone.

    Args:
        value: of all sources; NaN where there is nothing to score.
        scores: its value in each draw, shape (draws,); None where there are fewer than two sources.
        n_sources: how many sources it rests on.
        level: how often such intervals are to hold the truth.
    """
    if np.isnan(value):
        return Estimate(value=None, low=None, high=None, n_sources=n_sources)
    alone = Estimate(value=value, low=None, high=None, n_sources=n_sources)
    if n_sources < 2 or scores is None:
        return alone
    known = scores[~np.isnan(scores)]
    if known.size < (1 - UNDEFINED_AT_MOST) * scores.size:
        return alone
    tail = tail_of(n_sources, level=level)
    low, high = np.quantile(known, [tail, 1 - tail])
    return Estimate(value=value, low=float(low), high=float(high), n_sources=n_sources)


def tail_of(n_sources: int, *, level: float = LEVEL) -> float:
    """The share of draws beyond either end of the interval: Phi(-sqrt(n / (n - 1)) t_{n - 1, (1 + level) / 2}).

    Raises:
        ValueError: fewer than two sources.
    """
    if n_sources < 2:
        raise ValueError(f"an interval needs two sources, got {n_sources}")
    student = float(stdtrit(n_sources - 1, (1 + level) / 2))
    return float(np.asarray(ndtr(-np.sqrt(n_sources / (n_sources - 1)) * student), dtype=np.float64))
