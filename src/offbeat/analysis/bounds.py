"""The best and the worst that answers without a choice could have been.

An answer that was refused, cut off or could not be read counts as wrong: that is the worst case for accuracy, and for
balanced accuracy, because both rise with every right answer and know no false positives. The best case takes all of
them as right. Where the two lie far apart, the score speaks of the reading of replies more than of perception.

Reference:
    Manski, *Partial Identification of Probability Distributions*, 2003, chapter 1 (worst-case bounds for missing
    outcomes).
"""

from __future__ import annotations

import numpy as np

from offbeat.analysis.scores import CLASSES, NO_CHOICE, Counts


def all_unread_right(counts: Counts) -> Counts:
    """The tables (..., 3, 4) with every answer without a choice moved to its truth."""
    best = counts.copy()
    labels = np.arange(CLASSES)
    best[..., labels, labels] += counts[..., labels, NO_CHOICE]
    best[..., NO_CHOICE] = 0
    return best
