"""Correlation of many curves with one, at every lag, over the part where the two overlap.

For lag k, the values x[i] are paired with y[i + k]; a pair exists for n - |k| of the n values. Means and variances are
those of the paired values alone, so that each number is Pearson's r of its overlap: a plain cross-correlation would
favour small lags, since fewer pairs add up to less, and loud stretches, since they add up to more. All sums come from
six Fourier transforms (``tests/signal/test_correlate.py`` compares with a loop of `numpy.corrcoef`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from offbeat.fourier import fast_length

Floats = NDArray[np.float64]

LEAST_VARIANCE_SHARE = 0.02
"""An overlap in which a curve has less than this share of its usual variance says nothing: r is 0 there."""


def pearson_by_lag(curves: Floats, other: Floats, lags: NDArray[np.int64]) -> Floats:
    """Pearson's r between each curve and the other, for each lag.

    Args:
        curves: shape (n, m).
        other: shape (n,); lag k pairs curves[i] with other[i + k], so k > 0 means that `other` is late.
        lags: whole numbers, each smaller than n in size, shape (k,).

    Returns:
        Shape (k, m), in [-1, 1]; 0 where one of the two hardly varies in the overlap.

    Raises:
        ValueError: lengths differ, or a lag leaves no pair.
    """
    n = len(other)
    if curves.ndim != 2 or len(curves) != n:
        raise ValueError(f"expected curves of the shape ({n}, m), got {curves.shape}")
    if lags.size and np.abs(lags).max() >= n:
        raise ValueError(f"a lag of {np.abs(lags).max()} leaves no pair of {n} values")
    x, y = curves - curves.mean(axis=0), (other - other.mean())[:, None]
    length = fast_length(2 * n)

    def paired_sum(left: Floats, right: Floats) -> Floats:
        spectrum = np.conj(np.fft.rfft(left, length, axis=0)) * np.fft.rfft(right, length, axis=0)
        return np.fft.irfft(spectrum, length, axis=0)[lags]

    ones = np.ones((n, 1))
    pairs = (n - np.abs(lags)).astype(np.float64)[:, None]
    x_sum, y_sum = paired_sum(x, ones), paired_sum(ones, y)
    x_scatter = paired_sum(x**2, ones) - x_sum**2 / pairs
    y_scatter = paired_sum(ones, y**2) - y_sum**2 / pairs
    both = paired_sum(x, y) - x_sum * y_sum / pairs
    varies = _varies(x_scatter, x, pairs) & _varies(y_scatter, y, pairs)
    scale = np.sqrt(np.where(varies, x_scatter * y_scatter, 1.0))
    return np.clip(np.where(varies, both / scale, 0.0), -1, 1)


def _varies(scatter: Floats, values: Floats, pairs: Floats) -> NDArray[np.bool_]:
    usual = values.var(axis=0)
    return (scatter > LEAST_VARIANCE_SHARE * pairs * usual) & (usual > 0)
