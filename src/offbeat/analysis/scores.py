"""Scores of a three-way choice, all computed from one table of counts.

Conventions
-----------
Truths are coded 0 ``sync``, 1 ``ahead``, 2 ``behind``; choices the same, and 3 for *no choice* (unreadable, refused,
cut off). A table of counts has the shape (..., 3, 4): truths down, choices across. Every score takes leading axes, so
that thousands of resampled tables are scored at once; what is undefined is NaN, never 0.

No choice is never right: it lowers accuracy and recall, and counts for no class as a false positive.

References:
    Accuracy: as in the study "Do State-of-the-art Audio-visual VLMs Understand Audio-video Temporal Misalignment",
    Gen4AVC workshop, ICCV 2025. Balanced accuracy and macro-F1: as scikit-learn computes them
    (``tests/analysis/test_scores.py``).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CLASSES = 3
NO_CHOICE = 3
"""The code, and the column, of an answer without a choice."""

Codes = NDArray[np.int64]
Counts = NDArray[np.float64]


def confusion_by_source(truth: Codes, choice: Codes, source: Codes) -> Counts:
    """Count (truth, choice) pairs within each source.

    Args:
        truth: codes 0..2, shape (n,).
        choice: codes 0..3, shape (n,).
        source: any integer codes, shape (n,).

    Returns:
        Shape (number of distinct sources, 3, 4), sources in ascending order of their code; its sum over the first
        axis is the confusion table.

    Raises:
        ValueError: shapes differ, or a code is out of range.
    """
    if not truth.shape == choice.shape == source.shape or truth.ndim != 1:
        raise ValueError(
            f"expected three arrays of one length, got shapes {truth.shape}, {choice.shape} and {source.shape}"
        )
    for name, codes, highest in (("truth", truth, CLASSES - 1), ("choice", choice, NO_CHOICE)):
        if codes.size and (codes.min() < 0 or codes.max() > highest):
            raise ValueError(f"a {name} code must lie in 0..{highest}, got {codes.min()}..{codes.max()}")
    sources, row = np.unique(source, return_inverse=True)
    width = CLASSES + 1
    cells = (row * CLASSES + truth) * width + choice
    counts = np.bincount(cells, minlength=sources.size * CLASSES * width)
    return counts.reshape(sources.size, CLASSES, width).astype(np.float64)


def accuracy(counts: Counts) -> NDArray[np.float64]:
    """Share of right answers: sum of the diagonal / sum of the table, as the study computes it."""
    return ratio(np.trace(counts[..., :CLASSES], axis1=-2, axis2=-1), counts.sum(axis=(-2, -1)))


def recall(counts: Counts) -> NDArray[np.float64]:
    """For each truth, the share answered with it: C[k, k] / sum_j C[k, j]; shape (..., 3), NaN where there is none."""
    return ratio(np.diagonal(counts[..., :CLASSES], axis1=-2, axis2=-1), counts.sum(axis=-1))


def balanced_accuracy(counts: Counts) -> NDArray[np.float64]:
    """The mean of the recalls, so that every truth weighs the same; any constant answer has 1/3.

    A truth that no table has is left out, as in scikit-learn. With several tables, one that lacks a truth that another
    has is NaN: a mean over fewer truths would be another quantity.
    """
    return _mean_over_classes(recall(counts))


def macro_f1(counts: Counts) -> NDArray[np.float64]:
    """The mean over the three classes of F1 = 2 C[k, k] / (sum_j C[k, j] + sum_i C[i, k]).

    A class that is neither true nor chosen has no F1 and is left out, by the same rule as in `balanced_accuracy`.
    """
    hits = np.diagonal(counts[..., :CLASSES], axis1=-2, axis2=-1)
    return _mean_over_classes(ratio(2 * hits, counts.sum(axis=-1) + counts[..., :CLASSES].sum(axis=-2)))


def noticed(counts: Counts) -> NDArray[np.float64]:
    """Of the shifted variants, the share answered ``ahead`` or ``behind``, in the right direction or not."""
    return ratio(counts[..., 1:, 1:CLASSES].sum(axis=(-2, -1)), counts[..., 1:, :].sum(axis=(-2, -1)))


def false_alarms(counts: Counts) -> NDArray[np.float64]:
    """Of the variants in sync, the share answered ``ahead`` or ``behind``."""
    return ratio(counts[..., 0, 1:CLASSES].sum(axis=-1), counts[..., 0, :].sum(axis=-1))


def direction(counts: Counts) -> NDArray[np.float64]:
    """Of the shifted variants that were noticed, the share with the right direction; a guess has 1/2."""
    right = counts[..., 1, 1] + counts[..., 2, 2]
    return ratio(right, counts[..., 1:, 1:CLASSES].sum(axis=(-2, -1)))


def always(totals: Counts, choice: int) -> Counts:
    """The table of one who gives the same choice every time; `totals` are the variants of each truth, shape (3,)."""
    counts = np.zeros((CLASSES, CLASSES + 1))
    counts[:, choice] = totals
    return counts


def uniform(totals: Counts) -> Counts:
    """The expected table of one who guesses each choice with 1/3; `totals` as in `always`."""
    counts = np.zeros((CLASSES, CLASSES + 1))
    counts[:, :CLASSES] = totals[:, None] / CLASSES
    return counts


def ratio(part: Counts, whole: Counts) -> NDArray[np.float64]:
    """Part / whole; NaN where nothing was counted."""
    return np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=whole > 0)


def _mean_over_classes(values: NDArray[np.float64]) -> NDArray[np.float64]:
    known = ~np.isnan(values).all(axis=tuple(range(values.ndim - 1)))
    if not known.any():
        return np.full(values.shape[:-1], np.nan)
    return values[..., known].mean(axis=-1)
