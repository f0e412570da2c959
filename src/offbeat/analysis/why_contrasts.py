"""Does anything that an observer says depend on the delay? Small delays and large ones, apart.

Two contrasts for each part of the delays, from the words and, where there are option probabilities, from these:

=========  ===================================================  ============================================  ======
contrast   from the words                                       from the probabilities                        chance
=========  ===================================================  ============================================  ======
detection  share taken to be shifted, of the shifted less of    area under the ROC curve of 1 - P(sync),      0; 1/2
           those in sync                                        shifted against in sync
direction  share with the right direction, of the shifted       area under the ROC curve of                   1/2
           variants that were noticed                           P(behind) - P(ahead), behind against ahead
=========  ===================================================  ============================================  ======

The variants in sync stand against the small delays (up to `LARGE_MS`, a second) and again against the large ones.
Intervals draw sources and have a level of 99 %: with up to eight of them, four one-sided, whoever guesses passes for
sensitive in at most 6 of 100 runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from offbeat.analysis import scores
from offbeat.analysis.auroc import auroc, count_pairs
from offbeat.analysis.groups import Coded
from offbeat.analysis.intervals import Estimate, draw_weights, estimate, over_draws, resample

LARGE_MS = 1_000.0
"""Delays beyond it are large: people notice a tenth of it."""
LEVEL = 0.99
DRAWS = 4_000
"""Of sources: 20 lie beyond each end of an interval."""
PARTS = ("small", "large")

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Contrast:
    """One observer, one part of the delays, words or probabilities.

    Attributes:
        detection: see above.
        direction: see above; without a value where nothing was noticed.
        detection_chance: its value for whoever cannot tell.
    """

    detection: Estimate
    direction: Estimate
    detection_chance: float

    @property
    def detects(self) -> bool:
        """Whether shifts are told from sync, beyond chance."""
        return self.detection.low is not None and self.detection.low > self.detection_chance

    @property
    def directs(self) -> bool:
        """Whether early is told from late, beyond chance, be it the wrong way round."""
        low, high = self.direction.low, self.direction.high
        return low is not None and high is not None and (low > 0.5 or high < 0.5)

    @property
    def reversed(self) -> bool:
        """Whether early is called late."""
        return self.direction.high is not None and self.direction.high < 0.5


def contrasts(
    coded: Coded, delay_ms: Array, probabilities: Array | None = None, *, draws: int = DRAWS, seed: int = 0
) -> Mapping[str, Contrast]:
    """Both parts, by the names of `PARTS`; one that has no variants is left out.

    Args:
        coded: the answers.
        delay_ms: of each, shape (n,).
        probabilities: in the order sync, ahead, behind, shape (n, 3); contrasts are then made from these, and not from
            the words.
        draws: how often sources are drawn.
        seed: of these draws.
    """
    size = np.abs(delay_ms)
    found: dict[str, Contrast] = {}
    for name, part in (("small", (size > 0) & (size <= LARGE_MS)), ("large", size > LARGE_MS)):
        if not part.any():
            continue
        kept = part | (size == 0)
        own = coded.where(kept)
        if probabilities is None:
            found[name] = _from_words(own, draws, seed)
        else:
            found[name] = _from_probabilities(own, probabilities[kept], draws, seed)
    return found


def _from_words(coded: Coded, draws: int, seed: int) -> Contrast:
    tables = coded.tables()
    drawn = resample(tables, _weights(len(tables), draws, seed)) if len(tables) > 1 else None
    return Contrast(
        detection=estimate(tables, _more_noticed, drawn, level=LEVEL),
        direction=estimate(tables, scores.direction, drawn, level=LEVEL),
        detection_chance=0.0,
    )


def _from_probabilities(coded: Coded, probabilities: Array, draws: int, seed: int) -> Contrast:
    shifted = coded.truth > 0
    of_shifted = coded.where(shifted)
    rather_behind = probabilities[shifted, 2] - probabilities[shifted, 1]
    return Contrast(
        detection=_area(1 - probabilities[:, 0], shifted, coded.source, draws, seed),
        direction=_area(rather_behind, of_shifted.truth == 2, of_shifted.source, draws, seed),
        detection_chance=0.5,
    )


def _area(values: Array, positive: NDArray[np.bool_], source: NDArray[np.int64], draws: int, seed: int) -> Estimate:
    pairs = count_pairs(values, positive, source)
    n_sources = pairs.positives.size
    drawn = auroc(pairs, _weights(n_sources, draws, seed)) if n_sources > 1 else None
    return over_draws(float(auroc(pairs)[0]), drawn, n_sources=n_sources, level=LEVEL)


def _more_noticed(counts: Array) -> Array:
    return scores.noticed(counts) - scores.false_alarms(counts)


def _weights(n_sources: int, draws: int, seed: int) -> NDArray[np.uint16]:
    return draw_weights(n_sources, draws=draws, rng=np.random.default_rng((seed, n_sources)))
