"""Is it the alteration, or chance? An exact test by permutation, within clips.

A clip is shown several times, some times plain and some times altered. If the alteration does not matter, the replies
to one clip under one question might as well have come in any other order, whatever the model, the clip and the
question are: a model that always says the same fulfils that as well as one that throws dice. So every way of dealing
out which of its replies are the plain ones is equally likely, and the true one is only one of them (Fisher 1935; the
stratified rank test of van Elteren 1960).

For each clip a statistic is worked out under every dealing, and replaced by its rank among them; ranks are summed over
the clips. The chance is the share of all combined dealings whose sum is at least that of the true one: exact, by
convolution, and never below 1 / (number of dealings).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import combinations

DIGITS = 9
"""Statistics are compared to so many decimals, so that rounding in the last place breaks no tie."""

Dealings = tuple[float, ...]
"""A clip's statistic under every dealing, the true one first."""


def separation(distances: Sequence[Sequence[float]], *, plain: int) -> Dealings:
    """How much further the plain replies lie from the altered ones than from one another.

    Args:
        distances: between any two replies of a clip, symmetric; the plain ones come first.
        plain: how many are plain, 2 or more.
    """

    def statistic(chosen: tuple[int, ...], rest: tuple[int, ...]) -> float:
        between = [distances[i][j] for i in chosen for j in rest]
        within = [distances[i][j] for i, j in combinations(chosen, 2)]
        return math.fsum(between) / len(between) - math.fsum(within) / len(within)

    return _over_dealings(len(distances), plain, statistic)


def superiority(scores: Sequence[float], *, plain: int) -> Dealings:
    """In how many pairs the altered reply scores higher than the plain one, less those in which it scores lower.

    Args:
        scores: of a clip's replies; the plain ones come first.
        plain: how many are plain.
    """

    def statistic(chosen: tuple[int, ...], rest: tuple[int, ...]) -> float:
        return float(sum((scores[j] > scores[i]) - (scores[j] < scores[i]) for i in chosen for j in rest))

    return _over_dealings(len(scores), plain, statistic)


def chance(clips: Sequence[Dealings]) -> Fraction:
    """How likely dealings at least as telling as the true one are; 1 where there is no clip."""
    totals: dict[int, int] = {0: 1}
    observed = 0
    for dealings in clips:
        ranks = _doubled_ranks(dealings)
        observed += ranks[0]
        summed: defaultdict[int, int] = defaultdict(int)
        for total, ways in totals.items():
            for rank in ranks:
                summed[total + rank] += ways
        totals = summed
    telling = sum(ways for total, ways in totals.items() if total >= observed)
    return Fraction(telling, sum(totals.values()))


def least_chance(clips: Sequence[Dealings]) -> Fraction:
    """What `chance` would be had the most telling dealing been the true one: 1 where no reply differs from another."""
    return math.prod((Fraction(dealings.count(max(dealings)), len(dealings)) for dealings in clips), start=Fraction(1))


def _over_dealings(count: int, plain: int, statistic: Callable[[tuple[int, ...], tuple[int, ...]], float]) -> Dealings:
    every = range(count)
    return tuple(
        round(statistic(chosen, tuple(k for k in every if k not in chosen)), DIGITS)
        for chosen in combinations(every, plain)
    )


def _doubled_ranks(values: Dealings) -> list[int]:
    """Twice the mean rank of each, from the lowest, so that ties stay whole numbers."""
    return [sum((other < value) + (other <= value) for other in values) for value in values]
