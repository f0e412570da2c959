"""The psychometric model of three choices (SJ3): sound first, together, picture first.

Each clip gives the observer a noisy impression of its delay d; two criteria cut the axis of impressions into "ahead",
"sync" and "behind". With the point of subjective simultaneity m (PSS), the noise s, the criteria h noises before and
after m, and t = (d - m) / s::

    P(ahead) = Phi(-h - t)      P(behind) = Phi(t - h)      P(sync) = Phi(h - t) - Phi(-h - t)

and with a lapse rate l, at which one of the three is given whatever the delay: P = (1 - l) P + l / 3. The criteria lie
at c1 = m - h s and c2 = m + h s: the early and the late limit, where half of the impressions are called "sync"; the
window is c2 - c1 and the just noticeable difference JND = 0.6745 s. Of all means and criteria only c1 and c2 can be
told from answers, so that the mean of the noise is 0.

The asymmetric model has two scales, s_early where d < m and s_late where d >= m: the same impressions on an axis that
is stretched on one side. It is continuous, its three shares are shares whatever the parameters, and it holds the
symmetric one (s_early = s_late); a difference of two cumulative normals with slopes of their own can turn negative.

**Fit.** Maximum likelihood by Fisher scoring with Levenberg's damping, analytic derivatives, for thousands of tables of
counts at once. The refits without each of the sources are one batch, started at the fit to all of them.

References:
    Garcia-Perez & Alcala-Quintana, "On the discrepant results in synchrony judgment and temporal-order judgment tasks",
    Psychon. Bull. Rev. 19 (2012) 820; Alcala-Quintana & Garcia-Perez, Behav. Res. Methods 45 (2013) 972 (SJ3). Yarrow,
    "Collecting and interpreting judgments about perceived simultaneity", in *Timing and Time Perception*, Brill 2018
    (criteria on an axis with noise). Wichmann & Hill, Percept. Psychophys. 63 (2001) 1293 (lapses).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtr

from offbeat.analysis.scores import CLASSES

SYNC, AHEAD, BEHIND = range(CLASSES)
MOST_LAPSES = 0.5
"""A higher lapse rate is not looked for: whoever guesses every other time has no threshold worth the name."""
JND_OF_NOISE = 0.674489750196082
"""Phi(0.6745) = 3/4."""

PSS, LOG_H, LOG_EARLY, LOG_LATE, LAPSE_LOGIT = range(5)
"""The places of the parameters: m in ms, log h, log s_early, log s_late (s in ms), logit of l / MOST_LAPSES."""
PARAMETERS = 5

_SYMMETRIC = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 0], [0, 0, 0, 1]], dtype=np.float64)
_ASYMMETRIC = np.eye(PARAMETERS)
_FLOOR = 1e-12
_ROUNDS = 80
_SETTLED = 1e-9
_DAMPING = (1e-9, 1e9)

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Fit:
    """Fitted tables, one a row.

    Attributes:
        parameters: shape (b, 5), see `PSS` and what follows it.
        log_likelihood: shape (b,), without the multinomial constant.
    """

    parameters: Array
    log_likelihood: Array


def bounds(delays_ms: Array) -> tuple[Array, Array]:
    """The lowest and the highest value of each parameter that is looked at, for a grid of delays."""
    steps = np.diff(np.unique(delays_ms))
    span = float(np.ptp(delays_ms))
    narrow, wide = np.log(steps.min() / 20), np.log(4 * span)
    low = np.array([delays_ms.min() - span, np.log(0.01), narrow, narrow, -12.0])
    high = np.array([delays_ms.max() + span, np.log(20.0), wide, wide, 12.0])
    return low, high


def shares(delays_ms: Array, parameters: Array) -> Array:
    """The chance of each answer.

    Args:
        delays_ms: shape (d,).
        parameters: shape (b, 5).

    Returns:
        Shape (b, d, 3), in the order sync, ahead, behind.
    """
    return _shares_and_slopes(delays_ms, parameters)[0]


def lapse_rate(parameters: Array) -> Array:
    """The rate of lapses l of each row of parameters."""
    return MOST_LAPSES * np.asarray(expit(parameters[:, LAPSE_LOGIT]), dtype=np.float64)


def limits(parameters: Array) -> tuple[Array, Array]:
    """The early and the late limit, c1 and c2, of each row of parameters."""
    h = np.exp(parameters[:, LOG_H])
    early, late = np.exp(parameters[:, LOG_EARLY]), np.exp(parameters[:, LOG_LATE])
    return parameters[:, PSS] - h * early, parameters[:, PSS] + h * late


def starts(delays_ms: Array) -> Array:
    """Parameters to start from: narrow and wide windows, little and much noise, on either side; shape (16, 5)."""
    span = float(np.ptp(delays_ms))
    middle = float(delays_ms.mean())
    return np.array(
        [
            [middle + where * span, np.log(h), np.log(s * span), np.log(s * span), lapse]
            for where in (-0.1, 0.1)
            for h in (0.5, 2.0)
            for s in (0.03, 0.2)
            for lapse in (-3.0, 0.0)
        ]
    )


def fit(counts: Array, delays_ms: Array, start: Array, *, asymmetric: bool = False, lapse_fixed: bool = False) -> Fit:
    """Fit every table from every row's own start.

    Args:
        counts: answers, shape (b, d, 3), in the order sync, ahead, behind.
        delays_ms: shape (d,).
        start: shape (b, 5).
        asymmetric: with a scale for each side; otherwise both are the same.
        lapse_fixed: the lapse rate stays at that of the start.
    """
    design = _ASYMMETRIC if asymmetric else _SYMMETRIC
    if lapse_fixed:
        design = design[:, :-1]
    low, high = bounds(delays_ms)
    theta = np.clip(start, low, high)
    value = _log_likelihood(counts, shares(delays_ms, theta))
    damping = np.full(len(theta), 1e-2)
    active = np.arange(len(theta))
    for _ in range(_ROUNDS):
        if active.size == 0:
            break
        moved, gain = _step(counts[active], delays_ms, theta[active], value[active], damping[active], design)
        moved = np.clip(moved, low, high)
        reached = _log_likelihood(counts[active], shares(delays_ms, moved))
        better = reached >= value[active]
        still = np.abs(reached - value[active]) < _SETTLED * (1 + np.abs(value[active]))
        done = still & (better | (gain < _SETTLED))  # at a bound a step is taken that leads nowhere
        theta[active[better]] = moved[better]
        value[active[better]] = reached[better]
        damping[active] = np.clip(np.where(better, damping[active] / 8, damping[active] * 6), *_DAMPING)
        active = active[~done & (damping[active] < _DAMPING[1])]
    return Fit(parameters=theta, log_likelihood=value)


def best_fit(counts: Array, delays_ms: Array, *, asymmetric: bool = False) -> Fit:
    """The best of the fits from all `starts`, of one table of shape (d, 3), one row; or of each of (b, d, 3)."""
    tables = counts.reshape(-1, *counts.shape[-2:])
    begin = starts(delays_ms)
    every = np.repeat(tables, len(begin), axis=0)
    found = fit(every, delays_ms, np.tile(begin, (len(tables), 1)), asymmetric=asymmetric)
    reached = found.log_likelihood.reshape(len(tables), len(begin))
    best = np.argmax(reached, axis=1) + len(begin) * np.arange(len(tables))
    return Fit(found.parameters[best], found.log_likelihood[best])


def information(counts: Array, delays_ms: Array, parameters: Array, *, asymmetric: bool = False) -> Array:
    """The Fisher information of the free parameters, were answers independent; shape (b, 4, 4) or (b, 5, 5)."""
    p, slopes = _shares_and_slopes(delays_ms, parameters)
    slopes = slopes @ (_ASYMMETRIC if asymmetric else _SYMMETRIC)
    weights = counts.sum(axis=-1)[..., None] / p
    return np.einsum("bdkp,bdk,bdkq->bpq", slopes, weights, slopes)


def _step(
    counts: Array, delays_ms: Array, theta: Array, value: Array, damping: Array, design: Array
) -> tuple[Array, Array]:
    """Where to go, and what is to be gained there at most by the quadratic approximation."""
    p, slopes = _shares_and_slopes(delays_ms, theta)
    slopes = slopes @ design
    gradient = np.einsum("bdkp,bdk->bp", slopes, counts / p)
    weights = counts.sum(axis=-1)[..., None] / p
    curvature = np.einsum("bdkp,bdkq->bpq", slopes * weights[..., None], slopes)
    places = range(design.shape[1])
    diagonal = curvature[:, places, places]
    curvature[:, places, places] += damping[:, None] * diagonal + 1e-9 * (
        1 + diagonal.max(axis=1, keepdims=True) * 1e-6
    )
    step = np.asarray(np.linalg.solve(curvature, gradient[..., None]), dtype=np.float64)[..., 0]
    return theta + step @ design.T, np.abs(np.einsum("bp,bp->b", step, gradient)) / (1 + np.abs(value))


def _log_likelihood(counts: Array, p: Array) -> Array:
    return (counts * np.log(p)).sum(axis=(-2, -1))


def _shares_and_slopes(delays_ms: Array, parameters: Array) -> tuple[Array, Array]:
    """Shares (b, d, 3), and their derivatives by each parameter (b, d, 3, 5)."""
    m = parameters[:, PSS, None]
    h = np.exp(parameters[:, LOG_H, None])
    early = delays_ms[None, :] < m
    scale = np.exp(np.where(early, parameters[:, LOG_EARLY, None], parameters[:, LOG_LATE, None]))
    t = (delays_ms[None, :] - m) / scale
    lapse = lapse_rate(parameters)[:, None, None]
    size = np.abs(t)  # with it, the difference is one of lower tails, and loses no digits
    raw = np.stack([ndtr(h - size) - ndtr(-h - size), ndtr(-h - t), ndtr(t - h)], axis=-1)
    low, high = _density(-h - t), _density(t - h)
    by_t = np.stack([low - high, -low, high], axis=-1) * (1 - lapse)
    by_h = np.stack([low + high, -low, -high], axis=-1) * (1 - lapse)
    slopes = np.empty((*raw.shape, PARAMETERS))
    slopes[..., PSS] = by_t * (-1 / scale)[..., None]
    slopes[..., LOG_H] = by_h * h[..., None]
    slopes[..., LOG_EARLY] = by_t * np.where(early, -t, 0.0)[..., None]
    slopes[..., LOG_LATE] = by_t * np.where(early, 0.0, -t)[..., None]
    slopes[..., LAPSE_LOGIT] = (1 / CLASSES - raw) * lapse * (1 - lapse / MOST_LAPSES)
    return np.maximum((1 - lapse) * raw + lapse / CLASSES, _FLOOR), slopes


def _density(z: Array) -> Array:
    return np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
