"""Thresholds of an observer, with intervals over sources, or the reason why there are none.

**Not identifiable** is a result, and never a number. In this order:

1. answers to fewer than three delays, on both sides of 0;
2. one of the three answers was never given: a constant answer has no threshold, and an observer that never says
   "sync" no window;
3. the answers do not follow the delay: the slope of the answer (-1 ahead, 0 sync, +1 behind) over the delay, within
   sources, is not above 0 with 95 % confidence. The interval resamples sources; with a single source, twice the gain in
   log-likelihood over the same shares at every delay must exceed 13.8 (chi-squared, 2 degrees of freedom, p < 0.001);
4. a limit or the PSS lies outside the delays that were tried;
5. the noise or the window is known to no better than a factor of e, standard error on the logarithm more than 1 by the
   Fisher information: the grid of delays is too coarse for this observer, or its answers are too few;
6. in more than 5 % of the draws of sources rule 2 or 4 is broken, or a parameter ends at a bound.

**Intervals** draw sources and fit again; `DRAWS` is 2,000: a refit of 21 delays takes 0.2 ms in a batch, and a
percentile near 2 % of 2,000 draws rests on 40 of them. Noise that is estimated from few sources comes out too small,
and in a draw of them smaller still; so the percentiles are the bias-corrected ones (Efron 1981), Phi(2 z0 ± z), z0
being the normal quantile of the share of draws below the estimate, z that of the expanded tails. The two sides are told
apart only where all of it holds for the asymmetric fit too. ``docs/coverage.py`` tells how often the intervals hold the
truth.

References:
    Efron, "Nonparametric standard errors and confidence intervals", Canad. J. Statist. 9 (1981) 139.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from offbeat.analysis import sj3
from offbeat.analysis.intervals import UNDEFINED_AT_MOST, Estimate, draw_weights, over_draws, tail_of
from offbeat.analysis.scores import CLASSES
from offbeat.analysis.sj3 import AHEAD, BEHIND, Array

DRAWS = 2_000
ENOUGH_GAIN = 13.8
"""Twice the gain in log-likelihood that a single source must show: chi-squared, 2 degrees of freedom, p < 0.001."""
MOST_ERROR = 1.0
"""The standard error of log noise and log window, beyond which they are not known."""
FIGURES = ("pss_ms", "early_limit_ms", "late_limit_ms", "window_ms", "jnd_ms", "lapse_rate")
SIDES = ("jnd_early_ms", "jnd_late_ms", "late_over_early")
_NAMES = {0: "sync", AHEAD: "ahead", BEHIND: "behind"}


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


def psychometric(counts: Array, delays_ms: Array, *, draws: int = DRAWS, seed: int = 0) -> Psychometric:
    """Thresholds from answers.

    Args:
        counts: from `count_by_source`, shape (sources, delays, 3).
        delays_ms: ascending, shape (delays,).
        draws: how often the sources are drawn.
        seed: of these draws.
    """
    n_sources = len(counts)
    total = counts.sum(axis=0)
    n = int(total.sum())
    weights = np.zeros((0, n_sources))
    if n_sources > 1:
        rng = np.random.default_rng((seed, n_sources))
        weights = draw_weights(n_sources, draws=draws, rng=rng).astype(np.float64)
    reason = _unfit(counts, delays_ms, weights)
    if reason is not None:
        return Psychometric(n, n_sources, reason, {}, None)
    fitted = sj3.best_fit(total, delays_ms)
    reason = _unknown(total, delays_ms, fitted, alone=n_sources < 2)
    if reason is not None:
        return Psychometric(n, n_sources, reason, {}, None)
    drawn = np.tensordot(weights, counts, axes=1) if n_sources > 1 else None
    figures = _estimates(fitted.parameters, drawn, delays_ms, n_sources, asymmetric=False)
    if figures is None:
        return Psychometric(n, n_sources, _COARSE, {}, None)
    sides = sj3.best_fit(total, delays_ms, asymmetric=True)
    if _unknown(total, delays_ms, sides, alone=False, asymmetric=True) is None:
        figures |= _estimates(sides.parameters, drawn, delays_ms, n_sources, asymmetric=True) or {}
    return Psychometric(n, n_sources, None, figures, tuple(float(value) for value in fitted.parameters[0]))


def _unfit(counts: Array, delays_ms: Array, weights: Array) -> str | None:
    """Rules 1 to 3, for several sources: before anything is fitted."""
    if delays_ms.size < 3 or delays_ms.min() >= 0 or delays_ms.max() <= 0:
        return f"{_many(delays_ms.size, 'delay')} with an answer; thresholds need three or more, on both sides of 0"
    given = counts.sum(axis=(0, 1))
    only = [_NAMES[code] for code in range(CLASSES) if given[code]]
    if len(only) == 1:
        return f"it always answered {only[0]}"
    never = [_NAMES[code] for code in range(CLASSES) if not given[code]]
    if never:
        return f"it never answered {never[0]}"
    if len(counts) < 2:
        return None
    slope = _slope(counts, delays_ms, weights)
    if slope.high is not None and slope.high < 0:
        return "its answers follow the delay the wrong way round: the later the sound, the more often it says ahead"
    if slope.low is None or slope.low <= 0:
        return "its answers do not follow the delay: no more behind, and no less ahead, the later the sound is"
    return None


def _unknown(total: Array, delays_ms: Array, fitted: sj3.Fit, *, alone: bool, asymmetric: bool = False) -> str | None:
    """Rules 3, for a single source, to 5: what the fit tells."""
    if alone:
        pooled = total.sum(axis=0)
        flat = float((pooled * np.log(pooled / pooled.sum())).sum())
        if 2 * (float(fitted.log_likelihood[0]) - flat) < ENOUGH_GAIN:
            return "the answers to its one source do not follow the delay beyond chance"
    values = _figures(fitted.parameters, asymmetric=False)
    early, late = float(values["early_limit_ms"][0]), float(values["late_limit_ms"][0])
    if early < delays_ms.min() or late > delays_ms.max():
        return "its limits lie outside the delays that were tried"
    known = sj3.information(total[None], delays_ms, fitted.parameters, asymmetric=asymmetric)[0]
    scale = np.sqrt(np.maximum(np.diag(known), 1e-300))
    relative = known / np.outer(scale, scale)
    if np.linalg.cond(relative) > 1e10:
        return _COARSE
    spread = np.asarray(np.linalg.inv(relative), dtype=np.float64) / np.outer(scale, scale)
    scales = [sj3.LOG_EARLY, sj3.LOG_LATE] if asymmetric else [sj3.LOG_EARLY]
    for place in scales:
        window = spread[place, place] + spread[sj3.LOG_H, sj3.LOG_H] + 2 * spread[place, sj3.LOG_H]
        if max(spread[place, place], window) > MOST_ERROR**2:
            return _COARSE
    return None


_COARSE = (
    "the answers turn within a step of the delays that were tried, or are too few: it needs a finer grid of delays"
)


def _slope(counts: Array, delays_ms: Array, weights: Array) -> Estimate:
    """How much the answer (-1, 0, +1) grows per ms of delay, within sources: sum of S_xy over sum of S_xx."""
    asked = counts.sum(axis=-1)
    answer = counts[..., BEHIND] - counts[..., AHEAD]
    mean = (asked * delays_ms).sum(axis=1) / np.maximum(asked.sum(axis=1), 1)
    centred = delays_ms[None, :] - mean[:, None]
    xy, xx = (answer * centred).sum(axis=1), (asked * centred**2).sum(axis=1)
    drawn = np.divide(weights @ xy, weights @ xx, out=np.full(len(weights), np.nan), where=weights @ xx > 0)
    return over_draws(float(xy.sum() / xx.sum()), drawn, n_sources=len(counts))


def _estimates(
    found: Array, drawn: Array | None, delays_ms: Array, n_sources: int, *, asymmetric: bool
) -> dict[str, Estimate] | None:
    """The figures with their intervals; None where too many draws have no thresholds."""
    values = _figures(found, asymmetric=asymmetric)
    if drawn is None:
        return {name: over_draws(float(value[0]), None, n_sources=n_sources) for name, value in values.items()}
    fitted = sj3.fit(drawn, delays_ms, np.repeat(found, len(drawn), axis=0), asymmetric=asymmetric)
    of_draws = _figures(fitted.parameters, asymmetric=asymmetric)
    limits = _figures(fitted.parameters, asymmetric=False)
    low, high = sj3.bounds(delays_ms)
    inner = fitted.parameters[:, : sj3.LAPSE_LOGIT]
    lost = (drawn.sum(axis=1) == 0).any(axis=1)  # an answer that was never given
    lost |= ((inner <= low[: sj3.LAPSE_LOGIT]) | (inner >= high[: sj3.LAPSE_LOGIT])).any(axis=1)
    lost |= (limits["early_limit_ms"] < delays_ms.min()) | (limits["late_limit_ms"] > delays_ms.max())
    if lost.mean() > UNDEFINED_AT_MOST:
        return None
    return {name: _corrected(float(value[0]), of_draws[name][~lost], n_sources) for name, value in values.items()}


def _corrected(value: float, drawn: Array, n_sources: int) -> Estimate:
    """The bias-corrected percentile interval, at the expanded tails of `offbeat.analysis.intervals`."""
    beyond = float(np.asarray(ndtri(tail_of(n_sources)), dtype=np.float64))
    below = float(np.clip((drawn < value).mean(), 1 / drawn.size, 1 - 1 / drawn.size))
    shift = 2 * float(np.asarray(ndtri(below), dtype=np.float64))
    low, high = np.quantile(drawn, np.asarray(ndtr([shift + beyond, shift - beyond]), dtype=np.float64))
    return Estimate(value=value, low=float(low), high=float(high), n_sources=n_sources)


def _figures(parameters: Array, *, asymmetric: bool) -> dict[str, Array]:
    """The figures of `FIGURES`, or those of `SIDES`, of each row of parameters."""
    early, late = np.exp(parameters[:, sj3.LOG_EARLY]), np.exp(parameters[:, sj3.LOG_LATE])
    if asymmetric:
        jnds = sj3.JND_OF_NOISE * early, sj3.JND_OF_NOISE * late
        return dict(zip(SIDES, (*jnds, late / early), strict=True))
    m, h = parameters[:, sj3.PSS], np.exp(parameters[:, sj3.LOG_H])
    first, last = m - h * early, m + h * late
    values = (m, first, last, last - first, sj3.JND_OF_NOISE * early, sj3.lapse_rate(parameters))
    return dict(zip(FIGURES, values, strict=True))


def _many(number: int, word: str) -> str:
    return f"1 {word}" if number == 1 else f"{number} {word}s"
