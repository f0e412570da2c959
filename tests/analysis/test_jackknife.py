"""Intervals that leave out one source after the other: against scipy's t interval, known biases, and the bootstrap."""

import numpy as np
import pytest
from scipy import stats

from offbeat.analysis import sj3
from offbeat.analysis.jackknife import LOG, PLAIN, RATE, left_out, over_left_out, standard_error
from offbeat.analysis.sj3_estimates import psychometric
from offbeat.analysis.sj3_simulate import Observer, simulate

VALUES = np.random.default_rng(5).gamma(3.0, 2.0, size=13)
FINE = 50.0 * np.arange(-10, 11)


def means_without_each(values):
    return left_out(values) / (values.size - 1)


def test_the_interval_of_a_mean_is_students():
    theirs = stats.ttest_1samp(VALUES, 0.0).confidence_interval(0.95)
    ours = over_left_out(VALUES.mean(), means_without_each(VALUES))
    assert [ours.low, ours.high] == pytest.approx([theirs.low, theirs.high], rel=1e-12)
    assert standard_error(means_without_each(VALUES)) == pytest.approx(stats.sem(VALUES), rel=1e-12)
    assert (ours.n_sources, ours.method) == (13, "jackknife")


def test_the_middle_of_a_biased_variance_is_the_unbiased_one():
    without = np.array([np.delete(VALUES, place).var() for place in range(VALUES.size)])
    found = over_left_out(VALUES.var(), without)
    assert (found.low + found.high) / 2 == pytest.approx(VALUES.var(ddof=1), rel=1e-12)
    assert found.value == VALUES.var()


@pytest.mark.parametrize(("scale", "there"), [(LOG, np.log), (RATE, lambda value: -1 / value)])
def test_on_another_scale_it_is_the_interval_there(scale, there):
    whole, without = VALUES.mean(), means_without_each(VALUES)
    found = over_left_out(whole, without, scale=scale)
    plain = over_left_out(there(whole), there(without), scale=PLAIN)
    assert [there(found.low), there(found.high)] == pytest.approx([plain.low, plain.high], rel=1e-12)
    assert 0 < found.low < found.value < found.high


def test_a_spread_whose_rate_may_be_none_has_no_upper_end_and_no_interval():
    found = over_left_out(3.0, np.array([1.0, 9.0, 2.0]), scale=RATE)
    assert (found.value, found.low, found.high) == (3.0, None, None)


def test_one_source_has_no_interval():
    found = over_left_out(3.0, np.array([2.0]))
    assert (found.value, found.low, found.high, found.n_sources) == (3.0, None, None, 1)


def test_an_interval_holds_its_estimate_however_lopsided():
    found = over_left_out(1.0, np.array([0.5, 0.5001, 0.4999]))
    assert found.low <= 1.0 <= found.high


def test_the_errors_of_a_fit_are_those_of_a_bootstrap_of_sources():
    rng = np.random.default_rng(3)
    counts = simulate(Observer(-45.0, 125.0, 70.0, 50.0, 0.04), FINE, sources=40, clips=4, rng=rng)
    whole = sj3.best_fit(counts.sum(axis=0), FINE).parameters
    drawn = np.tensordot(rng.multinomial(40, [1 / 40] * 40, size=400).astype(float), counts, axes=1)
    ours, theirs = (
        sj3.fit(tables, FINE, np.repeat(whole, len(tables), axis=0)).parameters for tables in (left_out(counts), drawn)
    )
    for place in (sj3.PSS, sj3.LOG_H, sj3.LOG_EARLY):
        assert standard_error(ours[:, place]) == pytest.approx(theirs[:, place].std(), rel=0.2)


def test_a_lapse_rate_of_nothing_has_an_upper_end():
    """At its boundary all fits without a source find 0 as well; so many answers can rule out 5 %, and not 0.1 %."""
    rng = np.random.default_rng(4)
    counts = simulate(Observer(-45.0, 125.0, 70.0, 0.0, 0.0), FINE, sources=16, clips=4, rng=rng)
    found = psychometric(counts, FINE).figures["lapse_rate"]
    assert found.value < 1e-4
    assert found.low == 0.0
    assert 0.001 < found.high < 0.05


def test_too_few_sources_with_an_answer_have_no_thresholds():
    counts = np.zeros((30, 21, 3))
    counts[:, :10, 1], counts[:, 10:, 2] = 4, 4
    counts[:2, 8:14] = [4, 0, 0]
    assert "it answered sync for 2 of its 30 sources alone" in psychometric(counts, FINE).reason
