"""Tests of two models, Holm, Wilson and repeats against scipy and statsmodels."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as theirs_mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower
from statsmodels.stats.proportion import proportion_confint

from offbeat.analysis.holm import holm
from offbeat.analysis.mcnemar import mcnemar
from offbeat.analysis.paired import among, detectable_shift, paired_test, sign_flips
from offbeat.analysis.proportions import wilson
from offbeat.analysis.repeats import spread


@given(st.integers(1, 500), st.data())
def test_wilson_agrees_with_statsmodels(trials, data):
    hits = data.draw(st.integers(0, trials))
    assert wilson(hits, trials) == pytest.approx(proportion_confint(hits, trials, method="wilson"), abs=1e-12)


def test_wilson_needs_trials():
    for hits, trials in ((0, 0), (3, 2), (-1, 4)):
        with pytest.raises(ValueError, match="among one or more trials"):
            wilson(hits, trials)


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_agrees_with_statsmodels(first, second):
    theirs = theirs_mcnemar([[5, first], [second, 7]], exact=True).pvalue
    assert mcnemar(first, second) == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize("size", [1, 2, 5, 12])
def test_holm_agrees_with_statsmodels(size):
    p_values = np.round(np.random.default_rng(size).random(size) ** 3, 2)  # rounded, so that there are ties
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1], abs=1e-12)


def test_holm_of_nothing_and_of_nonsense():
    assert holm([]) == []
    with pytest.raises(ValueError, match=r"lie in 0\.\.1"):
        holm([0.2, float("nan")])


SCORES = st.floats(-1, 1).map(lambda value: round(value, 9))  # below 1e-12 a difference counts as none


@given(st.lists(SCORES, min_size=2, max_size=12).filter(lambda d: np.std(d) > 1e-6))
def test_t_agrees_with_scipy(differences):
    ours = paired_test(np.array(differences))
    theirs = stats.ttest_1samp(differences, 0)
    interval = theirs.confidence_interval()
    assert ours.t_p == pytest.approx(theirs.pvalue, abs=1e-12)
    assert (ours.low, ours.high) == pytest.approx((interval.low, interval.high), abs=1e-12)


@pytest.mark.parametrize("n", [2, 5, 9])
def test_exact_flips_are_all_assignments_of_signs(n):
    differences = np.random.default_rng(n).normal(0.3, 1, n)
    sums = [
        abs(sum(s * d for s, d in zip(signs, differences, strict=True)))
        for signs in itertools.product((1, -1), repeat=n)
    ]
    expected = np.mean(np.array(sums) >= abs(differences.sum()) - 1e-12)
    theirs = stats.permutation_test((differences,), np.sum, permutation_type="samples", n_resamples=np.inf).pvalue
    p, exact = sign_flips(differences, rng=np.random.default_rng(0))
    assert (p, exact) == (expected, True)
    assert p == pytest.approx(theirs, abs=1e-12)


def test_drawn_flips_come_near_scipys():
    differences = np.random.default_rng(2).normal(0.25, 1, 40)
    p, exact = sign_flips(differences, rng=np.random.default_rng(0))
    rng = np.random.default_rng(1)
    theirs = stats.permutation_test((differences,), np.mean, permutation_type="samples", n_resamples=9999, rng=rng)
    assert not exact
    assert p == pytest.approx(theirs.pvalue, abs=0.02)
    assert 0.01 < p < 0.9
    assert sign_flips(np.full(40, 1.0), rng=rng)[0] == 1 / 10_000


@pytest.mark.parametrize("n", [3, 10, 51, 400])
def test_the_detectable_difference_is_that_of_statsmodels(n):
    power = TTestPower().power(detectable_shift(n) / np.sqrt(n), nobs=n, alpha=0.05, alternative="two-sided")
    assert power == pytest.approx(0.8, abs=1e-9)


def test_every_number_of_sources_has_a_detectable_difference():
    shifts = [detectable_shift(n) for n in (*range(2, 30), 100, 1_000, 10_000, 100_000)]
    assert shifts == sorted(shifts, reverse=True)
    assert shifts[-1] == pytest.approx(stats.norm.ppf(0.975) + stats.norm.ppf(0.8), rel=1e-4)


def test_the_rule_of_thumb_for_51_sources():
    """0.40 standard deviations of the paired difference."""
    assert detectable_shift(51) / np.sqrt(51) == pytest.approx(0.40, abs=0.005)
    differences = np.random.default_rng(0).normal(0, 0.12, 51)
    assert paired_test(differences).detectable == pytest.approx(0.40 * differences.std(ddof=1), rel=0.01)


@pytest.mark.parametrize(("n", "tests"), [(5, 3), (16, 10), (51, 45), (400, 190)])
def test_a_test_among_others_needs_a_larger_difference(n, tests):
    """Holm's correction asks alpha / tests of the smallest p-value; statsmodels knows the power at that level."""
    differences = np.random.default_rng(n).normal(0, 0.12, n)
    found = among(paired_test(differences), tests)
    power = TTestPower().power(found.detectable / differences.std(ddof=1), nobs=n, alpha=0.05 / tests)
    assert power == pytest.approx(0.8, abs=1e-6)
    assert found.tests == tests
    assert among(found, 1).detectable == pytest.approx(paired_test(differences).detectable)


def test_two_sources_at_least():
    assert paired_test(np.array([0.3])) is None
    with pytest.raises(ValueError, match="needs two sources, got 1"):
        detectable_shift(1)
    with pytest.raises(ValueError, match="not finite"):
        paired_test(np.array([0.3, np.nan]))


def test_models_that_are_alike_everywhere():
    same = paired_test(np.zeros(20))
    assert (same.mean, same.t_p, same.flip_p, same.detectable) == (0, 1, 1, None)


@pytest.mark.parametrize(("n", "p"), [(2, 0.5), (5, 0.0625), (16, 2**-15), (20, 1 / 10_000)])
def test_sources_that_all_differ_by_the_same_have_the_p_value_of_the_sign_flips(n, p):
    found = paired_test(np.full(n, 0.1))
    assert (found.t_p, found.flip_p, found.detectable) == (p, p, None)
    assert among(found, 3).detectable is None


def test_spread_of_repeats():
    choices = np.array([[0, 1, 2, 3], [0, 1, 1, 3], [0, 2, 2, 3]])
    found = spread(choices, np.array([0.5, 0.25, 0.75]))
    assert (found.repeats, found.variants, found.alike) == (3, 4, 0.5)
    assert found.sd == pytest.approx(np.std([0.5, 0.25, 0.75], ddof=1))
    assert spread(choices[:1], np.array([0.5])) is None
    assert spread(choices, np.array([0.5, np.nan, 0.5])) is None
    with pytest.raises(ValueError, match="a score for each of 3 repeats, got 1"):
        spread(choices, np.array([0.5]))
