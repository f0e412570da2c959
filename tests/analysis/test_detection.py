"""Signal detection against worked examples of others, and areas against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from offbeat.analysis import detection, scores
from offbeat.analysis.auroc import area, auroc, count_pairs
from offbeat.analysis.intervals import draw_weights
from offbeat.analysis.jackknife import LOGIT, over_left_out

STUDY = np.array([204.0, 2040.0, 2040.0])


def noticing(hits, signals, alarms, noises):
    """A table in which so many shifted variants and so many in sync are answered `ahead`, the others `sync`."""
    return np.array([[noises - alarms, alarms, 0, 0], [signals - hits, hits, 0, 0], [0, 0, 0, 0]], dtype=float)


def test_the_worked_example_of_statpsych():
    """`signal(82, 46, 100, 100)` of the R package statpsych 1.7: d' 1.002793, bias -0.4019603."""
    counts = noticing(82, 100, 46, 100)
    assert float(detection.detection_d_prime(counts)) == pytest.approx(1.002793, abs=5e-7)
    assert float(detection.detection_criterion(counts)) == pytest.approx(-0.4019603, abs=5e-8)


@pytest.mark.parametrize(("hit", "alarm", "d_prime"), [(0.8, 0.2, 1.683), (0.7, 0.1, 1.806), (0.99, 0.01, 4.653)])
def test_the_table_of_d_prime(hit, alarm, d_prime):
    """Values of the yes/no table, z(H) - z(F); many trials, so that the correction is nothing."""
    counts = noticing(hit * 1e8, 1e8, alarm * 1e8, 1e8)
    assert float(detection.detection_d_prime(counts)) == pytest.approx(d_prime, abs=1e-3)


@given(st.integers(1, 80), st.data())
def test_equal_trials_have_the_familiar_correction(n, data):
    hits, alarms = data.draw(st.integers(0, n)), data.draw(st.integers(0, n))
    expected = norm.ppf((hits + 0.5) / (n + 1)) - norm.ppf((alarms + 0.5) / (n + 1))
    assert float(detection.detection_d_prime(noticing(hits, n, alarms, n))) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("choice", range(3))
def test_a_constant_detects_nothing(choice):
    assert float(detection.detection_d_prime(scores.always(STUDY, choice))) == pytest.approx(0, abs=1e-12)


def test_always_ahead_tells_no_direction_and_always_sync_has_none():
    assert float(detection.direction_d_prime(scores.always(STUDY, 1))) == pytest.approx(0, abs=1e-12)
    assert float(detection.direction_criterion(scores.always(STUDY, 1))) > 2
    assert np.isnan(detection.direction_d_prime(scores.always(STUDY, 0)))
    assert float(detection.detection_criterion(scores.always(STUDY, 0))) > 2


def test_sensitivity_of_a_simulated_observer():
    """Equal-variance noise, d' 1.5, criterion 0.4 off the middle: a million trials of each kind."""
    rng = np.random.default_rng(1)
    hits = int((rng.normal(0.75, 1, 10**6) > 0.4).sum())
    alarms = int((rng.normal(-0.75, 1, 10**6) > 0.4).sum())
    counts = noticing(hits, 10**6, alarms, 10**6)
    assert float(detection.detection_d_prime(counts)) == pytest.approx(1.5, abs=0.01)
    assert float(detection.detection_criterion(counts)) == pytest.approx(0.4, abs=0.01)


def test_no_variants_in_sync_no_sensitivity():
    assert np.isnan(detection.detection_d_prime(noticing(3, 9, 0, 0)))
    stacked = detection.detection_d_prime(np.stack([noticing(3, 9, 0, 0), noticing(3, 9, 1, 9)]))
    assert np.isnan(stacked[0])
    assert stacked[1] > 0


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans(), st.integers(0, 3)), min_size=2, max_size=60))
def test_area_agrees_with_scikit_learn(rows):
    values, positive, source = (np.array(column) for column in zip(*rows, strict=True))
    areas = auroc(count_pairs(values / 5, positive, source))
    if positive.all() or not positive.any():
        assert np.isnan(areas[0])
    else:
        assert areas[0] == pytest.approx(roc_auc_score(positive, values / 5), abs=1e-12)


def test_area_of_each_draw_is_that_of_its_variants():
    rng = np.random.default_rng(3)
    source = np.repeat(np.arange(7) * 3, rng.integers(5, 20, 7))
    positive = rng.random(source.size) < 0.8
    values = np.round(rng.normal(positive * 0.5 + source / 20, 1), 1)
    weights = draw_weights(7, draws=50, rng=rng)
    areas = auroc(count_pairs(values, positive, source), weights)
    for row, one in zip(weights, areas, strict=True):
        rows = np.concatenate([np.flatnonzero(source == 3 * s) for s in np.repeat(np.arange(7), row)])
        assert one == pytest.approx(roc_auc_score(positive[rows], values[rows]), abs=1e-12)


def test_the_interval_of_an_area_rests_on_the_areas_without_each_source():
    rng = np.random.default_rng(4)
    source = np.repeat(np.arange(9), 12)
    positive = np.tile(np.arange(12) < 8, 9)
    values = rng.normal(positive * 0.8 + source / 10, 1)
    without = np.array([roc_auc_score(positive[source != s], values[source != s]) for s in range(9)])
    found = area(values, positive, source)
    assert found.value == pytest.approx(roc_auc_score(positive, values), abs=1e-12)
    theirs = over_left_out(found.value, without, scale=LOGIT)
    assert [found.low, found.high] == pytest.approx([theirs.low, theirs.high], abs=1e-9)
    assert (found.method, found.n_sources) == ("jackknife", 9)


def test_an_area_of_one_ends_within_half_a_pair_and_one_that_rests_on_a_source_has_no_interval():
    source, positive = np.repeat(np.arange(5), 4), np.tile([True, False], 10)
    found = area(positive * 1.0, positive, source)
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(1 - 0.5 / 100, abs=1e-12)
    alone = area(positive * 1.0, positive & (source == 2), source)
    assert alone.value is not None
    assert (alone.low, alone.high) == (None, None)
    assert area(positive * 1.0, positive & (source > 9), source).value is None


def test_a_missing_value_is_refused():
    with pytest.raises(ValueError, match="NaN"):
        count_pairs(np.array([0.1, np.nan]), np.array([True, False]), np.array([0, 1]))
    with pytest.raises(ValueError, match="one length"):
        count_pairs(np.array([0.1]), np.array([True, False]), np.array([0, 1]))
