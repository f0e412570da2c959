"""Kappa, MCC, bias and bounds against scikit-learn, and for those who cannot tell."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from offbeat.analysis import agreement, bias, bounds, scores

STUDY = np.array([204.0, 2040.0, 2040.0])
pairs = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), min_size=2, max_size=60)


def table(pairs_):
    truth, choice = (np.array(column, dtype=np.int64) for column in zip(*pairs_, strict=True))
    return truth, choice, scores.confusion_by_source(truth, choice, np.zeros_like(truth)).sum(axis=0)


@given(pairs)
def test_kappa_and_mcc_agree_with_scikit_learn(pairs_):
    truth, choice, counts = table(pairs_)
    if len(set(truth)) == 1:
        assert np.isnan(agreement.mcc(counts))
        return
    assert agreement.kappa(counts) == pytest.approx(metrics.cohen_kappa_score(truth, choice), abs=1e-12)
    assert agreement.mcc(counts) == pytest.approx(metrics.matthews_corrcoef(truth, choice), abs=1e-12)


@pytest.mark.parametrize("counts", [*(scores.always(STUDY, k) for k in range(3)), scores.uniform(STUDY)])
def test_who_cannot_tell_has_no_agreement(counts):
    assert agreement.kappa(counts) == pytest.approx(0, abs=1e-12)
    assert agreement.mcc(counts) == pytest.approx(0, abs=1e-12)


def test_thousands_of_tables_at_once():
    rng = np.random.default_rng(0)
    tables = rng.integers(0, 30, (500, 3, 4)).astype(float)
    for score in (agreement.kappa, agreement.mcc):
        assert score(tables) == pytest.approx([float(score(one)) for one in tables], abs=1e-12)


def test_bias_is_the_excess_of_a_choice():
    counts = np.array([[6, 3, 1, 0], [2, 5, 2, 1], [4, 1, 5, 0]], dtype=float)
    assert [float(bias.towards(k)(counts)) for k in range(3)] == pytest.approx([2 / 30, -1 / 30, -2 / 30])
    assert float(bias.towards(0)(scores.always(STUDY, 0))) == pytest.approx(1 - 204 / 4284)


def test_bounds_turn_the_unread_right():
    counts = np.array([[6, 3, 1, 0], [2, 5, 2, 1], [4, 1, 5, 10]], dtype=float)
    best = bounds.all_unread_right(counts)
    assert np.trace(best[:, :3]) == np.trace(counts[:, :3]) + 11
    assert best.sum() == counts.sum()
    assert best[:, 3].tolist() == [0, 0, 0]
    assert counts[2, 3] == 10  # what was given is as it was


@pytest.mark.parametrize("score", [agreement.kappa, agreement.mcc, bias.towards(0)])
def test_nothing_has_no_score(score):
    assert np.isnan(score(np.zeros((3, 4))))
