"""Whether an observer has thresholds: the reason why not, or None.

**Not identifiable** is a result, and never a number. In this order:

1. answers to fewer than three delays, on both sides of 0;
2. one of the three answers was never given: a constant answer has no threshold, and an observer that never says
   "sync" no window; or so few sources were given it that more than 5 % of draws of S sources from these S would lack
   it, (1 - k / S)^S for k of them;
3. the answers do not follow the delay: the slope of the answer (-1 ahead, 0 sync, +1 behind) over the delay, within
   sources, is not above 0 with 95 % confidence (`offbeat.analysis.jackknife`). With a single source, twice the gain in
   log-likelihood over the same shares at every delay must exceed 13.8 (chi-squared, 2 degrees of freedom, p < 0.001);
4. the lapse rate ends at its upper bound (`offbeat.analysis.sj3.MOST_LAPSES`), so that the other parameters
   have to stand for the lapses beyond it; or a limit or the PSS lies outside the delays that were tried;
5. the noise or the window is known to no better than a factor of e, standard error on the logarithm more than 1 by the
   Fisher information: the grid of delays is too coarse for this observer, or its answers are too few;
6. it hangs on single sources: without one of them an answer was never given, a parameter ends at a bound or a limit
   lies outside the delays; or a limit is within 1.64 standard errors of their end, so that with other sources it would
   lie outside in more than 5 % of cases.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from offbeat.analysis import sj3
from offbeat.analysis.intervals import UNDEFINED_AT_MOST
from offbeat.analysis.jackknife import left_out, over_left_out, standard_error
from offbeat.analysis.scores import CLASSES
from offbeat.analysis.sj3 import AHEAD, BEHIND, Array

ENOUGH_GAIN = 13.8
"""Twice the gain in log-likelihood that a single source must show: chi-squared, 2 degrees of freedom, p < 0.001."""
MOST_ERROR = 1.0
"""The standard error of log noise and log window, beyond which they are not known."""
AT_MOST = 0.99
"""The share of the highest lapse rate beyond which it counts as reached."""
GUESSING = "it guesses every other time or more often"
COARSE = "the answers turn within a step of the delays that were tried, or are too few: it needs a finer grid of delays"
OUTSIDE = "its limits lie outside the delays that were tried, or too near their ends to tell"
_NAMES = {0: "sync", AHEAD: "ahead", BEHIND: "behind"}


def unfit(counts: Array, delays_ms: Array) -> str | None:
    """Rules 1 to 3, for several sources: before anything is fitted; counts have the shape (sources, delays, 3)."""
    if delays_ms.size < 3 or delays_ms.min() >= 0 or delays_ms.max() <= 0:
        return f"{_many(delays_ms.size, 'delay')} with an answer; thresholds need three or more, on both sides of 0"
    given = (counts.sum(axis=1) > 0).sum(axis=0)
    only = [_NAMES[code] for code in range(CLASSES) if given[code]]
    if len(only) == 1:
        return f"it always answered {only[0]}"
    never = [_NAMES[code] for code in range(CLASSES) if not given[code]]
    if never:
        return f"it never answered {never[0]}"
    n = len(counts)
    if n < 2:
        return None
    seldom = int(given.argmin())
    if (1 - given[seldom] / n) ** n > UNDEFINED_AT_MOST:
        return f"it answered {_NAMES[seldom]} for {given[seldom]} of its {n} sources alone: too few to rest on"
    return _unmoved(counts, delays_ms)


def _unmoved(counts: Array, delays_ms: Array) -> str | None:
    """Rule 3: sum of S_xy over sum of S_xx, x being the delay within a source and y the answer."""
    asked = counts.sum(axis=-1)
    answer = counts[..., BEHIND] - counts[..., AHEAD]
    mean = (asked * delays_ms).sum(axis=1) / np.maximum(asked.sum(axis=1), 1)
    centred = delays_ms[None, :] - mean[:, None]
    xy, xx = (answer * centred).sum(axis=1), (asked * centred**2).sum(axis=1)
    if left_out(xx).min() <= 0:
        return COARSE
    slope = over_left_out(float(xy.sum() / xx.sum()), left_out(xy) / left_out(xx))
    if slope.high is not None and slope.high < 0:
        return "its answers follow the delay the wrong way round: the later the sound, the more often it says ahead"
    if slope.low is None or slope.low <= 0:
        return "its answers do not follow the delay: no more behind, and no less ahead, the later the sound is"
    return None


def unknown(total: Array, delays_ms: Array, fitted: sj3.Fit, *, alone: bool, asymmetric: bool = False) -> str | None:
    """Rules 3, for a single source, to 5: what the fit to all answers, shape (delays, 3), tells."""
    if alone:
        pooled = total.sum(axis=0)
        flat = float((pooled * np.log(pooled / pooled.sum())).sum())
        if 2 * (float(fitted.log_likelihood[0]) - flat) < ENOUGH_GAIN:
            return "the answers to its one source do not follow the delay beyond chance"
    if float(sj3.lapse_rate(fitted.parameters)[0]) > AT_MOST * sj3.MOST_LAPSES:
        return GUESSING
    early, late = sj3.limits(fitted.parameters)
    if early[0] < delays_ms.min() or late[0] > delays_ms.max():
        return OUTSIDE
    known = sj3.information(total[None], delays_ms, fitted.parameters, asymmetric=asymmetric)[0]
    scale = np.sqrt(np.maximum(np.diag(known), 1e-300))
    relative = known / np.outer(scale, scale)
    if np.linalg.cond(relative) > 1e10:
        return COARSE
    spread = np.asarray(np.linalg.inv(relative), dtype=np.float64) / np.outer(scale, scale)
    scales = [sj3.LOG_EARLY, sj3.LOG_LATE] if asymmetric else [sj3.LOG_EARLY]
    for place in scales:
        window = spread[place, place] + spread[sj3.LOG_H, sj3.LOG_H] + 2 * spread[place, sj3.LOG_H]
        if max(spread[place, place], window) > MOST_ERROR**2:
            return COARSE
    return None


def fragile(without: Array, parameters: Array, whole: Array, delays_ms: Array) -> str | None:
    """Rule 6.

    Args:
        without: the answers to all sources but one, for each of them, shape (sources, delays, 3).
        parameters: fitted to these, shape (sources, 5).
        whole: fitted to all sources, shape (1, 5).
        delays_ms: ascending, shape (delays,).
    """
    low, high = sj3.bounds(delays_ms)
    inner = parameters[:, : sj3.LAPSE_LOGIT]
    at_bound = (inner <= low[: sj3.LAPSE_LOGIT]) | (inner >= high[: sj3.LAPSE_LOGIT])
    if (without.sum(axis=1) == 0).any() or at_bound.any():
        return COARSE
    margin = float(np.asarray(ndtri(1 - UNDEFINED_AT_MOST), dtype=np.float64))
    first, last = delays_ms.min(), delays_ms.max()
    early, late = sj3.limits(parameters)
    own_early, own_late = (float(limit[0]) for limit in sj3.limits(whole))
    near = own_early - margin * standard_error(early) < first or own_late + margin * standard_error(late) > last
    return OUTSIDE if near or early.min() < first or late.max() > last else None


def _many(number: int, word: str) -> str:
    return f"1 {word}" if number == 1 else f"{number} {word}s"
