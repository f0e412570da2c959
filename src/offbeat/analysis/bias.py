"""Bias: how often each choice is given, beside how often it is true.

For one of the three labels k, with n answers: ``bias_k = (number chosen k - number that are k) / n``. It is 0 for all
three in perfect answers, and the three sum to minus the share without a choice. A model that always says "sync" on the
study's grid has +95.2 % for ``sync``; a balanced accuracy of 1/3 beside it says bias, not blindness, is what there is
to see in its words.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from offbeat.analysis.scores import Counts, ratio


def towards(label: int) -> Callable[[Counts], NDArray[np.float64]]:
    """The bias towards one label, as a function of tables (..., 3, 4); NaN where nothing was counted.

    Args:
        label: its code, 0..2.
    """

    def bias(counts: Counts) -> NDArray[np.float64]:
        excess = counts[..., :, label].sum(axis=-1) - counts[..., label, :].sum(axis=-1)
        return ratio(excess, counts.sum(axis=(-2, -1)))

    return bias
