"""Holm's correction: what p-values mean when several questions are asked at once.

The family must be declared before one looks. Sorted upwards, p_(1) <= ... <= p_(m), the adjusted values are::

    q_(k) = min(1, max over j <= k of (m - j + 1) p_(j))

Rejecting where q <= alpha holds the chance of even one false rejection at alpha, whatever depends on what.

Reference:
    Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Statist. 6 (1979) 65.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def holm(p_values: Sequence[float]) -> list[float]:
    """The adjusted p-values, in the order in which they came; none for none.

    Raises:
        ValueError: one does not lie in 0..1.
    """
    given = np.asarray(p_values, dtype=np.float64)
    if not ((given >= 0) & (given <= 1)).all():
        raise ValueError(f"p-values must lie in 0..1, got {list(p_values)}")
    order = np.argsort(given, kind="stable")
    stepped = np.maximum.accumulate(given[order] * np.arange(given.size, 0, -1))
    adjusted = np.empty_like(given)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted.tolist()
