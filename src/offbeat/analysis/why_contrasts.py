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

A contrast is **beyond chance** where both hold: its 95 % interval over sources leaves chance out, and a permutation
test within clips gives p < 5 % / m for the m contrasts that were made: 4 from words alone, 8 with probabilities;
detection one-sided, direction two-sided. The test asks whether the answers to a clip's variants might as well stand in
any other order: T is the sum over clips of S_xy, x being what is true and y what was said (noticed or not, behind
rather than ahead, or the ranks of the probabilities within the clip); z = T / sqrt(sum of S_xx S_yy / (n - 1)) under
permutation (van Elteren's test; for shares, that of Cochran, Mantel and Haenszel). A variant that was asked about
several times counts once there, with the mean of what was said of it: a model that repeats itself has said nothing new.
Were repeats taken as answers of their own, 9 to 15 % of simulated observers who answer at random, and the same each of
three to five times, would pass.

Intervals alone would not do: observers that say "sync" at random eight times in ten passed for sensitive in 46 of 100
simulated runs over 5 sources, since the few variants in sync had no false alarm among them, and so no spread. With the
test too, 0 to 4 of 100 pass, whether they say "sync" eight times in ten or three, for 4 to 30 sources (300 runs each).

References:
    Van Elteren, "On the combination of independent two-sample tests of Wilcoxon", Bull. Int. Stat. Inst. 37 (1960) 351.
    Mantel & Haenszel, J. Natl. Cancer Inst. 22 (1959) 719.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr
from scipy.stats import rankdata

from offbeat.analysis import scores
from offbeat.analysis.auroc import area
from offbeat.analysis.groups import Coded
from offbeat.analysis.intervals import Estimate, estimate, resample, seeded_weights

LARGE_MS = 1_000.0
"""Delays beyond it are large: people notice a tenth of it."""
ALPHA = 0.05
"""Shared out among all contrasts of an observer."""
DRAWS = 4_000
"""Of sources."""
PARTS = ("small", "large")

Array = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Contrast:
    """One observer, one part of the delays, words or probabilities.

    Attributes:
        detection: see above.
        direction: see above; without a value where nothing was noticed.
        detection_chance: its value for whoever cannot tell.
        detection_p: by permutation, one-sided.
        direction_p: by permutation, two-sided.
        alpha: below which p tells.
        detection_reach: the `detection_p` of a perfect observer who answered the same variants.
        direction_reach: the `direction_p` of one who noticed the same shifts.
    """

    detection: Estimate
    direction: Estimate
    detection_chance: float
    detection_p: float
    direction_p: float
    alpha: float = ALPHA / 4
    detection_reach: float = 0.0
    direction_reach: float = 0.0

    @property
    def could_detect(self) -> bool:
        """Whether a perfect observer would pass the test: with a few variants not even that one does."""
        return self.detection_reach < self.alpha

    @property
    def could_direct(self) -> bool:
        """The same for the direction of the shifts that were noticed."""
        return self.direction_reach < self.alpha

    @property
    def detects(self) -> bool:
        """Whether shifts are told from sync, beyond chance."""
        return self._detection_leaves_chance_out and self.detection_p < self.alpha

    @property
    def directs(self) -> bool:
        """Whether early is told from late, beyond chance, be it the wrong way round."""
        return self._direction_leaves_chance_out and self.direction_p < self.alpha

    @property
    def unconfirmed(self) -> bool:
        """Whether an interval leaves chance out where no observer at all could have passed the test."""
        return (self._detection_leaves_chance_out and not self.could_detect) or (
            self._direction_leaves_chance_out and not self.could_direct
        )

    @property
    def _detection_leaves_chance_out(self) -> bool:
        low = self.detection.low
        return low is not None and low > self.detection_chance

    @property
    def _direction_leaves_chance_out(self) -> bool:
        low, high = self.direction.low, self.direction.high
        return low is not None and high is not None and (low > 0.5 or high < 0.5)

    @property
    def reversed(self) -> bool:
        """Whether early is called late, beyond chance."""
        return self.directs and self.direction.high is not None and self.direction.high < 0.5


def contrasts(
    coded: Coded,
    delay_ms: Array,
    clip: Codes,
    probabilities: Array | None = None,
    *,
    variant: Codes | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> Mapping[str, Contrast]:
    """Both parts, by the names of `PARTS`; one that has no variants is left out.

    Args:
        coded: the answers.
        delay_ms: of each, shape (n,).
        clip: integer codes, shape (n,).
        probabilities: in the order sync, ahead, behind, shape (n, 3); contrasts are then made from these, and not from
            the words.
        variant: integer codes, shape (n,), by which repeats are known; None where there are none.
        draws: how often sources are drawn.
        seed: of these draws.
    """
    size = np.abs(delay_ms)
    variant = np.arange(size.size) if variant is None else variant
    found: dict[str, Contrast] = {}
    for name, part in (("small", (size > 0) & (size <= LARGE_MS)), ("large", size > LARGE_MS)):
        if not part.any():
            continue
        kept = part | (size == 0)
        own = coded.where(kept)
        if probabilities is None:
            found[name] = _from_words(own, clip[kept], variant[kept], draws, seed)
        else:
            found[name] = _from_probabilities(own, clip[kept], variant[kept], probabilities[kept])
    return found


def shared_alpha(*routes: Mapping[str, Contrast]) -> tuple[dict[str, Contrast], ...]:
    """The same contrasts, with 5 % shared out among all of them."""
    number = max(1, sum(2 * len(route) for route in routes))
    return tuple(
        {name: replace(contrast, alpha=ALPHA / number) for name, contrast in route.items()} for route in routes
    )


def within_clips(true: Array, said: Array, clip: Codes) -> float:
    """The z of the permutation test: how far `said` goes with `true` within clips; 0 where nothing varies.

    Args:
        true: shape (n,).
        said: shape (n,).
        clip: integer codes, shape (n,).
    """
    row = np.unique(clip, return_inverse=True)[1]
    n = np.bincount(row)
    x, y = (values - (np.bincount(row, weights=values) / n)[row] for values in (true, said))
    xx, yy, xy = (np.bincount(row, weights=product) for product in (x * x, y * y, x * y))
    variance = float((xx * yy / np.maximum(n - 1, 1)).sum())
    return float(xy.sum()) / variance**0.5 if variance > 1e-12 else 0.0


def _from_words(coded: Coded, clip: Codes, variant: Codes, draws: int, seed: int) -> Contrast:
    tables = coded.tables()
    drawn = resample(tables, seeded_weights(len(tables), draws=draws, seed=seed)) if len(tables) > 1 else None
    noticed = (coded.choice == 1) | (coded.choice == 2)
    both = noticed & (coded.truth > 0)
    chosen = coded.choice < scores.CLASSES
    return Contrast(
        detection=estimate(tables, _more_noticed, drawn),
        direction=estimate(tables, scores.direction, drawn),
        detection_chance=0.0,
        detection_p=_above(_z(variant, coded.truth > 0, noticed, clip)),
        direction_p=_beside(_z(variant[both], coded.truth[both] == 2, coded.choice[both] == 2, clip[both])),
        detection_reach=_above(_most(variant[chosen], coded.truth[chosen] > 0, clip[chosen])),
        direction_reach=_beside(_most(variant[both], coded.truth[both] == 2, clip[both])),
    )


def _from_probabilities(coded: Coded, clip: Codes, variant: Codes, probabilities: Array) -> Contrast:
    shifted = coded.truth > 0
    of_shifted = coded.where(shifted)
    not_sync = 1 - probabilities[:, 0]
    behind = of_shifted.truth == 2
    rather_behind = probabilities[shifted, 2] - probabilities[shifted, 1]
    return Contrast(
        detection=area(not_sync, shifted, coded.source),
        direction=area(rather_behind, behind, of_shifted.source),
        detection_chance=0.5,
        detection_p=_above(_z(variant, shifted, not_sync, clip, ranked=True)),
        direction_p=_beside(_z(variant[shifted], behind, rather_behind, clip[shifted], ranked=True)),
        detection_reach=_above(_most(variant, shifted, clip)),
        direction_reach=_beside(_most(variant[shifted], behind, clip[shifted])),
    )


def _most(variant: Codes, true: NDArray[np.bool_], clip: Codes) -> float:
    """The z of an observer who says just what is true."""
    return _z(variant, true, true, clip)


def _z(
    variant: Codes,
    true: NDArray[np.bool_],
    said: NDArray[np.bool_] | Array,
    clip: Codes,
    *,
    ranked: bool = False,
) -> float:
    """The z of the test, in which each variant counts once."""
    _, first, row = np.unique(variant, return_index=True, return_inverse=True)
    mean = np.bincount(row, weights=_numbers(said), minlength=first.size) / np.bincount(row, minlength=first.size)
    clips = clip[first]
    return within_clips(_numbers(true[first]), _ranks(mean, clips) if ranked else mean, clips)


def _ranks(values: Array, clip: Codes) -> Array:
    """Of each value within its clip, equal to the ninth decimal means equal; divided by the clip's number of values."""
    rounded = np.round(values, 9)
    ranks = np.zeros(values.size)
    for code in np.unique(clip):
        here = clip == code
        ranks[here] = np.asarray(rankdata(rounded[here]), dtype=np.float64) / (here.sum() + 1)
    return ranks


def _numbers(values: NDArray[np.bool_] | Array) -> Array:
    return values.astype(np.float64)


def _above(z: float) -> float:
    return float(np.asarray(ndtr(-z), dtype=np.float64))


def _beside(z: float) -> float:
    return 2 * _above(abs(z))


def _more_noticed(counts: Array) -> Array:
    return scores.noticed(counts) - scores.false_alarms(counts)
