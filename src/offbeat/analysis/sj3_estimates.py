"""Thresholds of an observer, with intervals over sources, or the reason why there are none.

When there are none: `offbeat.analysis.sj3_identify`. The two sides are told apart only where its rules 4 to 6 let the
asymmetric fit pass too.

**Intervals** leave out one source after the other and fit again (`offbeat.analysis.jackknife`): the PSS and the limits
on their own scale, the window and the ratio of the sides on that of logarithms, the JND on that of 1 / JND: the slope
of the curve.

**The lapse rate** may lie at 0, where it comes out as 0 without any source, and the jackknife knows no error. So the
upper end of its interval is at least the highest rate that the answers allow, were they independent: twice the loss of
log-likelihood, all else fitted again, is 3.84 there (profile likelihood; chi-squared, 1 degree of freedom, 5 %).

``docs/coverage.py`` tells how often the intervals hold the truth.

References:
    Venzon & Moolgavkar, "A method for computing profile-likelihood-based confidence intervals", Appl. Statist. 37
    (1988) 87. For the jackknife see there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from offbeat.analysis import sj3
from offbeat.analysis.intervals import Estimate
from offbeat.analysis.jackknife import LOG, PLAIN, RATE, Scale, left_out, over_left_out
from offbeat.analysis.scores import CLASSES
from offbeat.analysis.sj3 import Array
from offbeat.analysis.sj3_identify import fragile, unfit, unknown

FIGURES = ("pss_ms", "early_limit_ms", "late_limit_ms", "window_ms", "jnd_ms", "lapse_rate")
SIDES = ("jnd_early_ms", "jnd_late_ms", "late_over_early")
SCALES: Mapping[str, Scale] = {
    "window_ms": LOG,
    "jnd_ms": RATE,
    "jnd_early_ms": RATE,
    "jnd_late_ms": RATE,
    "late_over_early": LOG,
}
"""Where the interval of a figure is made; of all others, `PLAIN`."""
_ENOUGH_LOSS = 3.84
_LAPSES = np.geomspace(1e-4, sj3.MOST_LAPSES * 0.999, 24)


@dataclass(frozen=True, slots=True)
class Psychometric:
    """What the answers say of an observer's thresholds.

    Attributes:
        n: answers that hold a choice.
        n_sources: of how many sources.
        reason: why nothing can be identified; None where it can.
        figures: by the names of `FIGURES`; where both sides could be told apart, of `SIDES` too. Empty with a reason.
        curve: the parameters of the symmetric fit, for drawing; None with a reason.
    """

    n: int
    n_sources: int
    reason: str | None
    figures: Mapping[str, Estimate]
    curve: tuple[float, ...] | None


def count_by_source(
    choice: NDArray[np.int64], delay_ms: Array, source: NDArray[np.int64]
) -> tuple[NDArray[np.float64], Array]:
    """Count choices at each delay within each source; answers without a choice are left out.

    Args:
        choice: codes 0..3, shape (n,), as in `offbeat.analysis.scores`.
        delay_ms: shape (n,).
        source: any integer codes, shape (n,).

    Returns:
        Counts, shape (sources, delays, 3), and the delays, ascending.

    Raises:
        ValueError: shapes differ, or a delay is not finite.
    """
    if not choice.shape == delay_ms.shape == source.shape or choice.ndim != 1:
        raise ValueError(
            f"expected three arrays of one length, got shapes {choice.shape}, {delay_ms.shape} and {source.shape}"
        )
    if not np.isfinite(delay_ms).all():
        raise ValueError("a delay is not a finite number of milliseconds")
    chosen = choice < CLASSES
    delays, column = np.unique(delay_ms[chosen], return_inverse=True)
    sources, row = np.unique(source[chosen], return_inverse=True)
    cells = (row * delays.size + column) * CLASSES + choice[chosen]
    counts = np.bincount(cells, minlength=sources.size * delays.size * CLASSES)
    return counts.reshape(sources.size, delays.size, CLASSES).astype(np.float64), delays


def psychometric(counts: Array, delays_ms: Array) -> Psychometric:
    """Thresholds from answers.

    Args:
        counts: from `count_by_source`, shape (sources, delays, 3).
        delays_ms: ascending, shape (delays,).
    """
    n_sources = len(counts)
    total = counts.sum(axis=0)
    n = int(total.sum())
    reason = unfit(counts, delays_ms)
    if reason is not None:
        return Psychometric(n, n_sources, reason, {}, None)
    fitted = sj3.best_fit(total, delays_ms)
    found = estimates(counts, delays_ms, fitted, _without_each(counts, delays_ms, fitted))
    if isinstance(found, str):
        return Psychometric(n, n_sources, found, {}, None)
    figures = found | {"lapse_rate": _lapse_rate(found["lapse_rate"], total, delays_ms, fitted)}
    sides = sj3.best_fit(total, delays_ms, asymmetric=True)
    without = _without_each(counts, delays_ms, sides, asymmetric=True)
    apart = estimates(counts, delays_ms, sides, without, asymmetric=True)
    figures |= {} if isinstance(apart, str) else apart
    return Psychometric(n, n_sources, None, figures, tuple(float(value) for value in fitted.parameters[0]))


def estimates(
    counts: Array, delays_ms: Array, fitted: sj3.Fit, refitted: Array, *, asymmetric: bool = False
) -> dict[str, Estimate] | str:
    """The figures of a fit with their intervals, or the reason, by rules 3 to 6, why there are none.

    Args:
        counts: shape (sources, delays, 3).
        delays_ms: ascending, shape (delays,).
        fitted: to all sources.
        refitted: parameters without each of the sources, shape (sources, 5).
        asymmetric: the fit has a scale for each side: the figures are those of `SIDES`, else those of `FIGURES`.
    """
    alone = len(counts) < 2
    reason = unknown(counts.sum(axis=0), delays_ms, fitted, alone=alone, asymmetric=asymmetric)
    if reason is None and not alone:
        reason = fragile(left_out(counts), refitted, fitted.parameters, delays_ms)
    if reason is not None:
        return reason
    values = _figures(fitted.parameters, asymmetric=asymmetric)
    if alone:
        return {name: over_left_out(float(value[0]), value) for name, value in values.items()}
    of_parts = _figures(refitted, asymmetric=asymmetric)
    return {
        name: over_left_out(float(value[0]), of_parts[name], scale=SCALES.get(name, PLAIN))
        for name, value in values.items()
    }


def _without_each(counts: Array, delays_ms: Array, fitted: sj3.Fit, *, asymmetric: bool = False) -> Array:
    """Fitted again without each of the sources; nothing for a single one."""
    without = left_out(counts) if len(counts) > 1 else counts[:0]
    start = np.repeat(fitted.parameters, len(without), axis=0)
    return sj3.fit(without, delays_ms, start, asymmetric=asymmetric).parameters


def _lapse_rate(found: Estimate, total: Array, delays_ms: Array, fitted: sj3.Fit) -> Estimate:
    """Its interval, kept between 0 and the highest rate that is looked at, and no shorter than the answers allow."""
    if found.value is None or found.low is None or found.high is None:
        return found
    start = np.repeat(fitted.parameters, _LAPSES.size, axis=0)
    start[:, sj3.LAPSE_LOGIT] = np.asarray(logit(_LAPSES / sj3.MOST_LAPSES), dtype=np.float64)
    held = sj3.fit(np.broadcast_to(total, (_LAPSES.size, *total.shape)), delays_ms, start, lapse_fixed=True)
    lost = 2 * (float(fitted.log_likelihood[0]) - held.log_likelihood)
    above = found.value < _LAPSES
    allowed = float(np.interp(_ENOUGH_LOSS, [0.0, *lost[above]], [found.value, *_LAPSES[above]]))
    low = found.low if found.low > _LAPSES[0] else 0.0
    return replace(found, low=low, high=min(max(found.high, allowed), sj3.MOST_LAPSES))


def _figures(parameters: Array, *, asymmetric: bool) -> dict[str, Array]:
    """The figures of `FIGURES`, or those of `SIDES`, of each row of parameters."""
    early, late = np.exp(parameters[:, sj3.LOG_EARLY]), np.exp(parameters[:, sj3.LOG_LATE])
    if asymmetric:
        jnds = sj3.JND_OF_NOISE * early, sj3.JND_OF_NOISE * late
        return dict(zip(SIDES, (*jnds, late / early), strict=True))
    first, last = sj3.limits(parameters)
    middle = parameters[:, sj3.PSS]
    values = (middle, first, last, last - first, sj3.JND_OF_NOISE * early, sj3.lapse_rate(parameters))
    return dict(zip(FIGURES, values, strict=True))
