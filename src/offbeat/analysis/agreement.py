"""Agreement beyond chance: Cohen's kappa, and the multi-class correlation coefficient of Gorodkin.

Both are taken from tables (..., 3, 4) as `offbeat.analysis.scores` makes them; no choice is a fourth category that is
never true. With n the sum of the table, c its trace, t_k the sums of its rows and p_k those of its columns::

    kappa = (n c - sum t_k p_k) / (n^2 - sum t_k p_k)
    mcc   = (n c - sum t_k p_k) / sqrt((n^2 - sum t_k^2) (n^2 - sum p_k^2))

Any constant answer, and any answer that does not depend on the truth, has 0 in both; perfect answers have 1. A
constant answer makes the second a 0 / 0; as its covariance with the truth is 0, it is given 0, as in scikit-learn.
Where there is but one truth, there is nothing to correlate with: NaN.

References:
    Cohen, "A coefficient of agreement for nominal scales", Educ. Psychol. Meas. 20 (1960) 37. Gorodkin, "Comparing two
    K-category assignments by a K-category correlation coefficient", Comput. Biol. Chem. 28 (2004) 367.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from offbeat.analysis.scores import CLASSES, Counts, ratio


def kappa(counts: Counts) -> NDArray[np.float64]:
    """Cohen's kappa; NaN where agreement by chance is certain, or nothing was counted."""
    n, agreed, truths, choices = _parts(counts)
    by_chance = (truths * choices[..., :CLASSES]).sum(axis=-1)
    return ratio(n * agreed - by_chance, n**2 - by_chance)


def mcc(counts: Counts) -> NDArray[np.float64]:
    """Matthews' correlation coefficient of several classes; NaN where there are not two truths."""
    n, agreed, truths, choices = _parts(counts)
    covariance = n * agreed - (truths * choices[..., :CLASSES]).sum(axis=-1)
    of_truth = n**2 - (truths**2).sum(axis=-1)
    of_choice = n**2 - (choices**2).sum(axis=-1)
    correlation = ratio(covariance, np.sqrt(of_truth * of_choice))
    return np.where((of_truth > 0) & (of_choice == 0), 0.0, correlation)


def _parts(counts: Counts) -> tuple[Counts, Counts, Counts, Counts]:
    return (
        counts.sum(axis=(-2, -1)),
        np.trace(counts[..., :CLASSES], axis1=-2, axis2=-1),
        counts.sum(axis=-1),
        counts.sum(axis=-2),
    )
