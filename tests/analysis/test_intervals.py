"""Intervals against a naive loop over resampled rows, and against scipy's bootstrap."""

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from offbeat.analysis import scores
from offbeat.analysis.groups import Coded, split
from offbeat.analysis.intervals import draw_weights, estimate, resample, tail_of


@pytest.fixture(scope="module")
def answers():
    """Twelve sources of unequal size; how often an answer is right differs from source to source."""
    rng = np.random.default_rng(5)
    source = np.repeat(np.arange(12), rng.integers(10, 60, 12))
    truth = rng.choice(3, source.size, p=[0.2, 0.4, 0.4])
    right = rng.random(source.size) < rng.beta(3, 3, 12)[source]
    return Coded(truth=truth, choice=np.where(right, truth, rng.integers(0, 4, source.size)), source=source)


def test_weights_are_whole_draws():
    weights = draw_weights(7, draws=4500, rng=np.random.default_rng(0))
    assert weights.shape == (4500, 7)
    assert (weights.sum(axis=1) == 7).all()
    assert weights.mean(axis=0) == pytest.approx(np.ones(7), abs=0.06)


def test_weighted_counts_are_the_resampled_rows(answers):
    """Each draw, gathered row by row and scored by scikit-learn, gives the same numbers to 1e-12."""
    tables = answers.tables()
    weights = draw_weights(12, draws=200, rng=np.random.default_rng(1))
    drawn = resample(tables, weights)
    for row, table in zip(weights, drawn, strict=True):
        rows = np.concatenate([np.flatnonzero(answers.source == s) for s in np.repeat(np.arange(12), row)])
        truth, choice = answers.truth[rows], answers.choice[rows]
        theirs = metrics.recall_score(truth, choice, labels=[0, 1, 2], average="macro", zero_division=0)
        assert scores.accuracy(table) == pytest.approx(metrics.accuracy_score(truth, choice), abs=1e-12)
        assert scores.balanced_accuracy(table) == pytest.approx(theirs, abs=1e-12)


def test_interval_is_that_of_a_naive_loop(answers):
    tables = answers.tables()
    ours = estimate(tables, scores.accuracy, resample(tables, draw_weights(12, rng=np.random.default_rng(2))))
    rng = np.random.default_rng(3)
    naive = []
    for _ in range(4000):
        rows = np.concatenate([np.flatnonzero(answers.source == s) for s in rng.integers(0, 12, 12)])
        naive.append(np.mean(answers.truth[rows] == answers.choice[rows]))
    assert ours.value == pytest.approx(np.mean(answers.truth == answers.choice), abs=1e-12)
    assert [ours.low, ours.high] == pytest.approx(np.quantile(naive, [tail_of(12), 1 - tail_of(12)]), abs=0.01)
    assert ours.n_sources == 12


def test_interval_of_a_mean_agrees_with_scipy():
    """With as many answers in every source, accuracy is the mean of the sources' accuracies."""
    rng = np.random.default_rng(8)
    right = rng.binomial(20, rng.beta(2, 2, 30))
    tables = np.zeros((30, 3, 4))
    tables[:, 1, 1] = right
    tables[:, 1, 0] = 20 - right
    ours = estimate(tables, scores.accuracy, resample(tables, draw_weights(30, rng=rng)))
    level = 1 - 2 * tail_of(30)
    theirs = stats.bootstrap((right / 20,), np.mean, method="percentile", confidence_level=level, rng=rng)
    theirs = theirs.confidence_interval
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.01)
    assert ours.high - ours.low > 0.1


def test_answers_of_one_source_are_not_independent():
    """Sources that are right or wrong as a whole: the interval is as wide as for 10 observations, not 1,000."""
    tables = np.zeros((10, 3, 4))
    tables[:5, 1, 1] = 100
    tables[5:, 1, 0] = 100
    ours = estimate(tables, scores.accuracy, resample(tables, draw_weights(10, rng=np.random.default_rng(0))))
    student = stats.t(9).ppf(0.975)
    assert tail_of(10) == pytest.approx(stats.norm.cdf(-student * np.sqrt(10 / 9)), rel=1e-12)
    ends = stats.binom(10, 0.5).ppf([tail_of(10), 1 - tail_of(10)]) / 10
    assert (ours.low, ours.high) == pytest.approx(tuple(ends))
    assert ends[0] == 0.1


def test_one_source_has_no_interval_and_none_has_no_score():
    one = np.zeros((1, 3, 4))
    one[0, 0, 0] = 3
    alone = estimate(one, scores.accuracy, None)
    assert (alone.value, alone.low, alone.high, alone.n_sources) == (1.0, None, None, 1)
    nothing = estimate(np.zeros((0, 3, 4)), scores.accuracy, None)
    assert (nothing.value, nothing.low, nothing.high, nothing.n_sources) == (None, None, None, 0)


def test_no_interval_where_many_draws_lack_a_truth():
    """Only one of three sources has variants in sync: 30 % of the draws have none."""
    tables = np.zeros((3, 3, 4))
    tables[0, 0, 0] = 5
    tables[:, 1, 1] = 5
    drawn = resample(tables, draw_weights(3, rng=np.random.default_rng(0)))
    balanced = estimate(tables, scores.balanced_accuracy, drawn)
    assert (balanced.value, balanced.low, balanced.high) == (1.0, None, None)
    assert estimate(tables, scores.accuracy, drawn).low == 1.0


def test_few_draws_that_lack_a_truth_are_left_out():
    tables = np.zeros((40, 3, 4))
    tables[:6, 0, 0] = 5  # (34/40)^40 = 0.15 % of the draws have none of these
    tables[:, 1, 1] = 3
    tables[:, 1, 0] = 2
    drawn = resample(tables, draw_weights(40, rng=np.random.default_rng(0)))
    assert np.isnan(scores.balanced_accuracy(drawn)).any()
    balanced = estimate(tables, scores.balanced_accuracy, drawn)
    assert (balanced.low, balanced.high) == pytest.approx((0.8, 0.8))


def test_split_keeps_every_answer_once(answers):
    keys = ["ab"[s % 2] for s in answers.source]
    parts = split(answers, keys)
    assert set(parts) == {"a", "b"}
    assert sum(part.tables().sum() for part in parts.values()) == answers.truth.size
    assert len(parts["a"].tables()) == 6
    with pytest.raises(ValueError, match="one for each answer"):
        split(answers, keys[:-1])


@pytest.mark.slow
def test_intervals_hold_the_truth_as_often_as_they_say():
    """A guesser on the study's grid, 16 sources of one to four clips: plain percentiles hold 1/3 in 92.8 % of sets."""
    rng = np.random.default_rng(0)
    weights = draw_weights(16, draws=2000, rng=rng)
    held = 0
    for _ in range(1000):
        tables = np.zeros((16, 3, 4))
        for source, clips in enumerate(rng.integers(1, 5, 16)):
            for truth, variants in enumerate((1, 10, 10)):
                tables[source, truth, :3] = rng.multinomial(variants * clips, [1 / 3] * 3)
        interval = estimate(tables, scores.balanced_accuracy, resample(tables, weights))
        held += interval.low <= 1 / 3 <= interval.high
    assert 0.935 < held / 1000 < 0.965


def test_an_interval_needs_two_sources():
    with pytest.raises(ValueError, match="needs two sources, got 1"):
        tail_of(1)
