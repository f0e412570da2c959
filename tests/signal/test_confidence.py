"""From evidence to confidence: formulae, limits, and the order of things."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax

from offbeat.signal.confidence import (
    INTERCEPT,
    SLOPE,
    TOLERANCE_S,
    chance_right,
    label_chances,
    label_of_estimate,
    peak_log_odds,
)

LAGS_S = np.arange(-50, 51) / 25


def test_log_odds_are_those_of_the_softmax_near_the_peak():
    evidence = np.random.default_rng(0).standard_normal(101) * 2
    share = softmax(evidence)[np.abs(LAGS_S - LAGS_S[evidence.argmax()]) <= TOLERANCE_S].sum()
    assert peak_log_odds(LAGS_S, evidence) == pytest.approx(math.log(share / (1 - share)))


@given(st.floats(0, 50), st.floats(0.1, 50))
def test_a_higher_peak_is_never_less_sure(height, more):
    evidence = np.zeros(101)
    evidence[30] = height
    higher = evidence.copy()
    higher[30] += more
    assert peak_log_odds(LAGS_S, higher) >= peak_log_odds(LAGS_S, evidence)
    assert 0 < chance_right(peak_log_odds(LAGS_S, higher)) < 1


def test_a_second_peak_takes_the_confidence_away():
    one = np.zeros(101)
    one[30] = 20
    two = one.copy()
    two[70] = 20
    assert chance_right(peak_log_odds(LAGS_S, one)) > 0.8
    assert chance_right(peak_log_odds(LAGS_S, two)) == pytest.approx(1 / (1 + math.exp(-INTERCEPT)), abs=0.01)
    assert SLOPE > 0


def test_even_evidence_and_few_lags_have_limits():
    assert peak_log_odds(LAGS_S, np.zeros(101)) == pytest.approx(math.log(6 / 95))
    assert peak_log_odds(np.array([0.0]), np.array([1.0])) == 9
    assert peak_log_odds(LAGS_S, np.where(LAGS_S == 0, 1e6, 0.0)) == 9


@pytest.mark.parametrize(
    ("delay_s", "label"), [(-0.21, "ahead"), (-0.2, "sync"), (0.0, "sync"), (0.2, "sync"), (0.21, "behind")]
)
def test_labels(delay_s, label):
    assert label_of_estimate(delay_s) == label
    assert label_chances(delay_s, 0.7)[label] == pytest.approx(0.8)


def test_chances_without_an_estimate_are_even():
    assert set(label_chances(None, 0.0).values()) == {1 / 3}
    with pytest.raises(ValueError, match="between 0 and 1"):
        label_chances(0.0, 1.5)
