"""Means, maxima and weighted means around each value; beyond both ends, the value at the end goes on.

As `scipy.ndimage` has them with ``mode="nearest"``, with which ``tests/signal/test_windows.py`` compares; importing
that costs a process more CPU than a build spends on the sound of a clip.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def moving_mean(values: Floats, size: int, *, axis: int = 0) -> Floats:
    """The mean of the `size` values around each along an axis; `size` is odd."""
    return _around(values, size, axis).mean(axis=-1)


def moving_max(values: Floats, size: int) -> Floats:
    """The largest of the `size` values around each, shape (n,); `size` is odd."""
    return np.asarray(_around(values, size, 0).max(axis=-1))


def smoothed(values: Floats, weights: Floats) -> Floats:
    """The weighted mean around each value, shape (n,); of weights, there is an odd number, the same from both ends."""
    return np.einsum("ij,j->i", _around(values, len(weights), 0), weights)


def _around(values: Floats, size: int, axis: int) -> Floats:
    """Each value's neighbourhood, in a new last axis; a view."""
    if size % 2 == 0:
        raise ValueError(f"as many values before as after: expected an odd size, got {size}")
    reach = [(0, 0)] * values.ndim
    reach[axis] = (size // 2, size // 2)
    return sliding_window_view(np.pad(values, reach, mode="edge"), size, axis=axis)
