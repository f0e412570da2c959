"""Correlation by lag against a loop of numpy.corrcoef."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from offbeat.signal.correlate import pearson_by_lag


def naive(x: np.ndarray, y: np.ndarray, lag: int) -> float:
    n = len(x)
    ours, others = (x[: n - lag], y[lag:]) if lag >= 0 else (x[-lag:], y[: n + lag])
    return np.corrcoef(ours, others)[0, 1]


def test_every_lag_is_pearsons_r_of_the_overlap():
    rng = np.random.default_rng(0)
    curves, other = rng.standard_normal((90, 4)) + 1000, rng.standard_normal(90) * np.linspace(1, 3, 90)
    lags = np.arange(-80, 81)
    found = pearson_by_lag(curves, other, lags)
    expected = [[naive(curves[:, m], other, lag) for m in range(4)] for lag in lags]
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_a_late_copy_is_found_at_a_positive_lag():
    x = np.random.default_rng(1).standard_normal(200)
    lags = np.arange(-50, 51)
    late = np.concatenate([np.zeros(7), x[:-7]])
    assert lags[pearson_by_lag(x[:, None], late, lags)[:, 0].argmax()] == 7


@settings(max_examples=50)
@given(
    arrays(np.float64, 30, elements=st.floats(-1e3, 1e3, width=32)),
    arrays(np.float64, 30, elements=st.floats(-1e3, 1e3, width=32)),
)
def test_swapping_the_two_or_turning_time_round_turns_the_lags_round(x, y):
    lags = np.arange(-20, 21)
    found = pearson_by_lag(x[:, None], y, lags)[:, 0]
    assert np.abs(found).max() <= 1
    np.testing.assert_allclose(pearson_by_lag(y[:, None], x, lags)[::-1, 0], found, atol=1e-6)
    np.testing.assert_allclose(pearson_by_lag(x[::-1, None], y[::-1], lags)[::-1, 0], found, atol=1e-6)


def test_a_curve_that_does_not_vary_says_nothing():
    x, y = np.zeros((50, 1)), np.random.default_rng(2).standard_normal(50)
    assert not pearson_by_lag(x, y, np.arange(-9, 10)).any()
    x[45:] = 1  # all its change is outside the overlap at lag +20
    assert pearson_by_lag(x, y, np.array([20]))[0, 0] == 0


def test_shapes_are_checked():
    with pytest.raises(ValueError, match=r"shape \(5, m\)"):
        pearson_by_lag(np.zeros((4, 1)), np.zeros(5), np.array([0]))
    with pytest.raises(ValueError, match="no pair of 5"):
        pearson_by_lag(np.zeros((5, 1)), np.zeros(5), np.array([5]))
