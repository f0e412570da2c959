"""Run-to-run spread: what changes when the same model is asked the same again.

It is no part of the interval over sources, which says how other videos would have changed the score: it is what stays
uncertain with the same videos. ``sd = sqrt(sum (s_r - mean)^2 / (R - 1))`` over the scores s_r of R repeats; ``alike``
is the share of variants that got the same choice every time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Spread:
    """How repeats differ.

    Attributes:
        repeats: how many times everything was asked.
        variants: how many variants were answered every time.
        scores: of each repeat, on these variants.
        sd: their standard deviation.
        alike: the share of these variants with the same choice every time.
    """

    repeats: int
    variants: int
    scores: tuple[float, ...]
    sd: float
    alike: float


def spread(choices: NDArray[np.int64], scores: NDArray[np.float64]) -> Spread | None:
    """The spread; None with fewer than two repeats, without variants, or where a repeat has no score.

    Args:
        choices: codes, shape (repeats, variants).
        scores: of each repeat, shape (repeats,).

    Raises:
        ValueError: not one score for each repeat.
    """
    if len(choices) != len(scores):
        raise ValueError(f"expected a score for each of {len(choices)} repeats, got {len(scores)}")
    if len(choices) < 2 or choices.shape[1] == 0 or np.isnan(scores).any():
        return None
    return Spread(
        repeats=len(choices),
        variants=choices.shape[1],
        scores=tuple(scores.tolist()),
        sd=float(scores.std(ddof=1)),
        alike=float((choices == choices[0]).all(axis=0).mean()),
    )
