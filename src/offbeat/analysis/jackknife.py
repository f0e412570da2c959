"""Intervals by leaving out one source after the other, for figures that take a fit.

With S sources, y = g(figure) of all of them and y_i of all but the i-th::

    bias B = (S - 1) (mean y_i - y)          variance V = (S - 1) / S * sum (y_i - mean y_i)^2

and the interval is g^-1 of (y - B) ± t sqrt(V), t being Student's 97.5 % quantile for S - 1 degrees of freedom. This is
the bootstrap of sources to the first order, with S fits in place of thousands, and without chance. Of the variance
estimators for few clusters the jackknife's is the careful one (it is CR3 for a linear model), and t with S - 1 degrees
of freedom the usual companion.

The scale g is where the figure is nearest to normal, and its error depends least on itself: `PLAIN` for a place, `LOG`
for a width or a ratio, `LOGIT` for an area, `RATE` (-1 / figure) for a spread. A spread that comes out too small by
chance has an error that comes out too small as well; on the scale of rates, which for noise is the slope of the curve,
much less so. A rate whose interval reaches 0 leaves the spread without an upper end, and there is no interval.

References:
    Efron & Tibshirani, *An Introduction to the Bootstrap*, 1993, chapter 11 (jackknife: bias and standard error).
    Cameron & Miller, "A Practitioner's Guide to Cluster-Robust Inference", J. Human Resources 50 (2015) 317, section VI
    (few clusters: CR3, t with one degree of freedom less than clusters).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, stdtrit

from offbeat.analysis.intervals import LEVEL, Estimate

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scale:
    """Where an interval is made.

    Attributes:
        there: from figures to the scale, growing.
        back: from the scale to figures.
        below: the scale ends here; an interval that reaches it has no upper end.
    """

    there: Callable[[Array], Array]
    back: Callable[[Array], Array]
    below: float = np.inf


PLAIN = Scale(lambda value: value, lambda place: place)
LOG = Scale(np.log, np.exp)
LOGIT = Scale(logit, expit)
RATE = Scale(lambda value: -1 / value, lambda place: -1 / place, below=0.0)


def left_out(counts: Array) -> Array:
    """The summed counts of all sources but one, for each of them; of the shape of `counts`, sources first."""
    return counts.sum(axis=0) - counts


def standard_error(without: Array) -> float:
    """How far a figure would stray with other sources, from its values without each of them, shape (S,)."""
    return float(np.sqrt((without.size - 1) * np.var(without)))


def over_left_out(value: float, without: Array, *, scale: Scale = PLAIN, level: float = LEVEL) -> Estimate:
    """A figure of all sources together, with its interval.

    Args:
        value: of all sources.
        without: its value without each of the sources, shape (S,); fewer than two have no interval.
        scale: where the interval is made.
        level: how often such intervals are to hold the truth.
    """
    n = without.size
    alone = Estimate(value=value, low=None, high=None, n_sources=n, method="jackknife")
    if n < 2:
        return alone
    whole, parts = scale.there(np.array(value)), scale.there(without)
    middle = n * float(whole) - (n - 1) * float(parts.mean())
    reach = float(stdtrit(n - 1, (1 + level) / 2)) * standard_error(parts)
    if middle + reach >= scale.below:
        return alone
    low, high = scale.back(np.array([middle - reach, middle + reach]))
    # so lopsided that the corrected middle leaves the estimate out: the interval is drawn out to hold it
    return Estimate(value, min(float(low), value), max(float(high), value), n_sources=n, method="jackknife")
