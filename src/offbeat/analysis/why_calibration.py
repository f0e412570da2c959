"""What a model would answer without its bias: choices from option probabilities, the preference for an option removed.

* **Calibrated by the mean**: q_k = p_k / mean(p_k) over all of the model's variants, the largest q is the choice. No
  truth is used. Contextual calibration (Zhao et al. 2021) divides by what a model says of an empty input; here all
  delays together are the input that tells nothing of one of them (as in batch calibration, Zhou et al. 2024).
* **The best criterion in hindsight**: the largest of log p_k + b_k, with the b that give the best balanced accuracy. It
  uses the truths, and is no result of the model: an upper mark, without an interval. Beside it stands the same
  **chosen on other sources**: for each fifth of the sources, the b that are best on the other four. That is honest, and
  has an interval.

References:
    Zhao et al., "Calibrate Before Use: Improving Few-Shot Performance of Language Models", ICML 2021
    (arXiv:2102.09690).
    Zhou et al., "Batch Calibration: Rethinking Calibration for In-Context Learning and Prompt Engineering", ICLR 2024
    (arXiv:2309.17249).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from offbeat.analysis import scores
from offbeat.analysis.groups import Coded
from offbeat.analysis.intervals import DRAWS, Estimate, estimate, over_draws, resample, seeded_weights

FOLDS = 5
_STEPS = 25
_LEAST = 1e-12

Array = NDArray[np.float64]
Choices = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Balanced accuracies on the answers that have probabilities.

    Attributes:
        words: of the answers as they were given.
        by_mean: after calibration by the mean; no truth is used.
        elsewhere: with the criterion that was best on other sources; None with fewer than two sources.
        hindsight: with the criterion that is best on these very answers; it has no interval.
        gain: `elsewhere` less `words`, on the same draws of sources.
        choices_by_mean: how often sync, ahead and behind are then chosen.
    """

    words: Estimate
    by_mean: Estimate
    elsewhere: Estimate | None
    hindsight: float | None
    gain: Estimate | None
    choices_by_mean: tuple[int, ...]


def calibrate(coded: Coded, probabilities: Array, *, draws: int = DRAWS, seed: int = 0) -> Calibration:
    """Take the bias out in both ways.

    Args:
        coded: answers that have probabilities.
        probabilities: in the order sync, ahead, behind, shape (n, 3).
        draws: how often sources are drawn.
        seed: of these draws.
    """
    words = coded.tables()
    n = len(words)
    weights = seeded_weights(n, draws=draws, seed=seed) if n > 1 else None
    mean_choice = by_mean(probabilities)
    best, held_out = best_criterion(coded, probabilities)
    by_mean_tables = scores.confusion_by_source(coded.truth, mean_choice, coded.source)
    elsewhere = gain = None
    if held_out is not None and weights is not None:
        tables = scores.confusion_by_source(coded.truth, held_out, coded.source)
        elsewhere = _balanced(tables, weights)
        drawn = scores.balanced_accuracy(resample(tables, weights)) - scores.balanced_accuracy(resample(words, weights))
        value = scores.balanced_accuracy(tables.sum(axis=0)) - scores.balanced_accuracy(words.sum(axis=0))
        gain = over_draws(float(value), drawn, n_sources=n)
    return Calibration(
        words=_balanced(words, weights),
        by_mean=_balanced(by_mean_tables, weights),
        elsewhere=elsewhere,
        hindsight=None if np.isnan(best) else best,
        gain=gain,
        choices_by_mean=tuple(int(number) for number in np.bincount(mean_choice, minlength=scores.CLASSES)),
    )


def by_mean(probabilities: Array) -> Choices:
    """The option whose probability is largest beside its mean; shape (n,)."""
    mean = np.maximum(probabilities.mean(axis=0), _LEAST)
    return np.argmax(probabilities / mean, axis=1).astype(np.int64)


def best_criterion(coded: Coded, probabilities: Array) -> tuple[float, Choices | None]:
    """The balanced accuracy of the best criterion in hindsight, and the choices by criteria found on other sources.

    Criteria are tried on a grid: an advantage of 27 sizes for each of ahead and behind over sync, taken from the
    quantiles of the model's own log-odds.
    """
    logs = np.log(np.maximum(probabilities, _LEAST))
    odds = logs[:, 1:] - logs[:, :1]
    tried = [_advantages(column) for column in odds.T]
    sources, row = np.unique(coded.source, return_inverse=True)
    width = sources.size * scores.CLASSES
    cell = row * scores.CLASSES + coded.truth
    asked = np.bincount(cell, minlength=width).reshape(sources.size, scores.CLASSES)
    choices = [_choose(odds, ahead, behind) for ahead in tried[0] for behind in tried[1]]
    right = np.array([np.bincount(cell[choice == coded.truth], minlength=width) for choice in choices])
    right = right.reshape(len(choices), sources.size, scores.CLASSES)

    def balanced(kept: NDArray[np.bool_]) -> Array:
        trials = asked[kept].sum(axis=0)
        known = trials > 0
        return (right[:, kept].sum(axis=1)[:, known] / trials[known]).mean(axis=1)

    everywhere = balanced(np.ones(sources.size, dtype=bool))
    if sources.size < 2:
        return float(everywhere.max()), None
    fold = np.arange(sources.size) % min(FOLDS, sources.size)
    held_out = np.empty(coded.truth.size, dtype=np.int64)
    for number in range(fold.max() + 1):
        best = int(np.argmax(balanced(fold != number)))
        here = (fold == number)[row]
        held_out[here] = choices[best][here]
    return float(everywhere.max()), held_out


def _advantages(odds: Array) -> Array:
    """Minus quantiles of the log-odds, and one step beyond either end: never, and always, above sync."""
    inner = np.quantile(odds, np.linspace(0, 1, _STEPS))
    return -np.concatenate([[inner[0] - 1], inner, [inner[-1] + 1]])


def _choose(odds: Array, ahead: float, behind: float) -> Choices:
    first, second = odds[:, 0] + ahead, odds[:, 1] + behind
    return np.where(np.maximum(first, second) <= 0, 0, np.where(first >= second, 1, 2))


def _balanced(tables: scores.Counts, weights: NDArray[np.uint16] | None) -> Estimate:
    return estimate(tables, scores.balanced_accuracy, None if weights is None else resample(tables, weights))
