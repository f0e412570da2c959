"""The permutation test, against counting by hand, scipy's own, and simulated models that cannot tell."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from scipy.stats import fisher_exact, permutation_test

from offbeat.evaluation.probe.exact import chance, least_chance, separation, superiority


def differ(values):
    return [[float(a != b) for a in values] for b in values]


@pytest.mark.parametrize(
    ("replies", "expected"),
    [
        ("aabc", Fraction(1, 6)),
        ("aabb", Fraction(2, 6)),
        ("aaab", Fraction(3, 6)),
        ("aaaa", Fraction(1)),
        ("abcd", Fraction(1)),
    ],
)
def test_one_clip_counted_by_hand(replies, expected):
    assert chance([separation(differ(replies), plain=2)]) == expected


def test_clips_that_all_say_the_most_multiply():
    most = superiority([0, 0, 1, 1], plain=2)
    assert [chance([most] * clips) for clips in range(5)] == [Fraction(1, 6**clips) for clips in range(5)]


def test_one_sided():
    assert chance([superiority([1, 1, 0, 0], plain=2)]) == 1
    assert chance([superiority([0, 0, 1, 1], plain=2)]) == Fraction(1, 6)


def test_one_clip_of_yes_and_no_is_fishers_exact_test():
    for plain_yes, altered_yes in product(range(6), range(6)):
        scores = [1] * plain_yes + [0] * (5 - plain_yes) + [1] * altered_yes + [0] * (5 - altered_yes)
        table = [[altered_yes, 5 - altered_yes], [plain_yes, 5 - plain_yes]]
        expected = fisher_exact(table, alternative="greater").pvalue
        assert float(chance([superiority(scores, plain=5)])) == pytest.approx(expected, abs=1e-12)


def test_one_clip_of_numbers_is_scipys_permutation_test():
    rng = np.random.default_rng(7)
    for _ in range(5):
        plain, altered = rng.normal(size=3), rng.normal(loc=1, size=4)

        def statistic(a, b):
            return float(np.sign(b[None, :] - a[:, None]).sum())

        expected = permutation_test(
            (plain, altered), statistic, alternative="greater", n_resamples=np.inf, vectorized=False
        ).pvalue
        found = chance([superiority([*plain.tolist(), *altered.tolist()], plain=3)])
        assert float(found) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("options", [2, 3, 1000])
@pytest.mark.parametrize("favourite", [0.0, 0.8])
def test_replies_by_chance_are_called_telling_no_more_often_than_allowed(options, favourite):
    """Uniform dice and loaded ones; with 1000 options hardly any two replies are the same."""
    rng = np.random.default_rng((options, int(10 * favourite)))
    rounds, telling = 2000, {"separation": 0, "superiority": 0}
    for _ in range(rounds):
        drawn = rng.integers(options, size=(4, 4))
        drawn[rng.random((4, 4)) < favourite] = 0
        telling["separation"] += chance([separation(differ(clip), plain=2) for clip in drawn.tolist()]) <= 0.05
        telling["superiority"] += chance([superiority(clip, plain=2) for clip in drawn.tolist()]) <= 0.05
    for times in telling.values():
        assert times / rounds < 0.05 + 3 * (0.05 * 0.95 / rounds) ** 0.5


def test_no_clip_tells_nothing():
    assert chance([]) == least_chance([]) == 1


@pytest.mark.parametrize(("replies", "least"), [("aabc", "aabc"), ("abac", "aabc"), ("abab", "aabb"), ("aaaa", "aaaa")])
def test_the_least_chance_is_that_of_the_most_telling_order(replies, least):
    """It depends on what was said, not on what was said to what."""
    found = least_chance([separation(differ(replies), plain=2)] * 2)
    assert found == chance([separation(differ(least), plain=2)] * 2)
