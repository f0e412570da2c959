"""How far an estimate can be trusted: from the evidence at all lags to the chance that its best lag is right.

If the evidence were a true log-likelihood, and every lag equally likely beforehand, a softmax over the lags would give
each its probability, and the share of them near the best lag would be the confidence. It is not quite that (rhythm
makes lags alike, tiles are no independent witnesses, the sound's maker may not be in the picture), so the log odds of
that share go through a logistic function with two constants. They were fitted on real clips with known shifts; the
table in docs/signal.md shows what becomes of sources that the fit has not seen, and ``benchmarks/signal_media.py``
makes it again.

References:
    Platt, "Probabilistic Outputs for Support Vector Machines and Comparisons to Regularized Likelihood Methods", in
    Advances in Large Margin Classifiers (1999): a logistic function of a score, fitted on held-out cases.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from offbeat.timing import Label

TOLERANCE_S = 0.2
"""An estimate is right when it is this near to the truth: four frames to six, and less than half a step of the study's
grid. Estimates nearer to 0 than this are called ``sync``."""
SURE_AT = 0.5
"""Below this confidence an estimate is likelier wrong than right, and says that it cannot tell."""
INTERCEPT = -0.93
SLOPE = 0.49
"""Of the logistic function; the benchmark prints the fit."""
_LARGEST_LOG_ODDS = 9.0
"""A share within 1 / 8000 of 0 or 1 is no more certain than that."""


def peak_log_odds(lags_s: NDArray[np.float64], evidence: NDArray[np.float64]) -> float:
    """Log odds of the share of the likelihood that lies within `TOLERANCE_S` of the best lag, limited to ±9."""
    near = np.abs(lags_s - lags_s[np.argmax(evidence)]) <= TOLERANCE_S
    if near.all():
        return _LARGEST_LOG_ODDS
    log_odds = log_of_sum(evidence[near]) - log_of_sum(evidence[~near])
    return float(np.clip(log_odds, -_LARGEST_LOG_ODDS, _LARGEST_LOG_ODDS))


def log_of_sum(logs: NDArray[np.float64]) -> float:
    """log(sum(exp(logs))), shape (n,), without leaving the range of floats."""
    largest = float(logs.max())
    return largest + math.log(float(np.exp(logs - largest).sum()))


def chance_right(log_odds: float) -> float:
    """The calibrated chance that the best lag is within `TOLERANCE_S` of the truth."""
    return 1 / (1 + math.exp(-(INTERCEPT + SLOPE * log_odds)))


def label_of_estimate(delay_s: float) -> Label:
    """``sync`` for an estimate within `TOLERANCE_S` of 0, else its direction."""
    if abs(delay_s) <= TOLERANCE_S:
        return "sync"
    return "ahead" if delay_s < 0 else "behind"


def label_chances(delay_s: float | None, confidence: float) -> dict[Label, float]:
    """The chance of each answer: the confidence goes to the estimate's, the rest to all three in equal parts.

    Equal parts, because nothing is known beforehand of how often material is out of step; without an estimate, all
    three are 1/3.
    """
    if not 0 <= confidence <= 1 or math.isnan(confidence):
        raise ValueError(f"a confidence lies between 0 and 1, got {confidence}")
    chances: dict[Label, float] = dict.fromkeys(("sync", "ahead", "behind"), (1 - confidence) / 3)
    if delay_s is None:
        return dict.fromkeys(chances, 1 / 3)
    chances[label_of_estimate(delay_s)] += confidence
    return chances
