"""Signal detection: how well shifts are noticed, apart from how readily "shifted" is said.

A shifted variant answered ``ahead`` or ``behind`` is a hit, one in sync answered so a false alarm; with z the inverse
of the normal distribution::

    d' = z(H) - z(F)        c = -(z(H) + z(F)) / 2

d' is 0 for whoever cannot tell, whatever they prefer to say; c > 0 means reluctance to say "shifted". Direction is a
second task among the shifts that were noticed: ``behind`` is the signal, ``ahead`` the noise.

Rates of 0 and 1 have no z. The log-linear correction adds one pseudo-observation of "yes" and one of "no", shared out
in proportion to the trials: with n_s shifted and n_0 in sync, of n in all::

    H = (hits + n_s / n) / (n_s + 2 n_s / n)        F = (false alarms + n_0 / n) / (n_0 + 2 n_0 / n)

Where both are equally many that is the familiar (k + 0.5) / (n + 1). Where they are not, as here (20 to 1), adding 0.5
to both would give a constant answerer on the study's grid a d' of -0.85; in proportion it has 0.

An answer without a choice counts as "not noticed". Tables have the shape (..., 3, 4), as in `offbeat.analysis.scores`.

References:
    Hautus, "Corrections for extreme proportions and their biasing effects on estimated values of d'", Behav. Res.
    Methods 27 (1995) 46. Macmillan & Creelman, *Detection Theory: A User's Guide*, 2nd ed. 2005, chapters 1 and 2.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from offbeat.analysis.scores import CLASSES, Counts


def detection_d_prime(counts: Counts) -> NDArray[np.float64]:
    """Sensitivity to there being a shift, in standard deviations; NaN without variants of both kinds."""
    hits, alarms = _z_rates(*_detection(counts))
    return hits - alarms


def detection_criterion(counts: Counts) -> NDArray[np.float64]:
    """Reluctance to say "shifted", in standard deviations; > 0: more "sync" than an unbiased observer says."""
    hits, alarms = _z_rates(*_detection(counts))
    return -(hits + alarms) / 2


def direction_d_prime(counts: Counts) -> NDArray[np.float64]:
    """Sensitivity to the direction among the shifts that were noticed; NaN without noticed ones of both directions."""
    hits, alarms = _z_rates(*_direction(counts))
    return hits - alarms


def direction_criterion(counts: Counts) -> NDArray[np.float64]:
    """Reluctance to say "behind" rather than "ahead", among the shifts that were noticed."""
    hits, alarms = _z_rates(*_direction(counts))
    return -(hits + alarms) / 2


def _detection(counts: Counts) -> tuple[Counts, Counts, Counts, Counts]:
    said = counts[..., 1:CLASSES].sum(axis=-1)
    asked = counts.sum(axis=-1)
    return said[..., 1:].sum(axis=-1), asked[..., 1:].sum(axis=-1), said[..., 0], asked[..., 0]


def _direction(counts: Counts) -> tuple[Counts, Counts, Counts, Counts]:
    noticed = counts[..., 1:CLASSES].sum(axis=-1)
    return counts[..., 2, 2], noticed[..., 2], counts[..., 1, 2], noticed[..., 1]


def _z_rates(hits: Counts, signals: Counts, alarms: Counts, noises: Counts) -> tuple[Counts, Counts]:
    """z(H) and z(F) after the correction; NaN where there are not both."""
    total = signals + noises
    both = (signals > 0) & (noises > 0)
    z_rates: list[Counts] = []
    for yes, trials in ((hits, signals), (alarms, noises)):
        share = np.divide(trials, total, out=np.ones(np.shape(total)), where=both)
        rate = np.divide(yes + share, trials + 2 * share, out=np.full(np.shape(total), np.nan), where=both)
        z_rates.append(np.asarray(ndtri(rate), dtype=np.float64))
    return z_rates[0], z_rates[1]
