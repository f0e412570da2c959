"""Scores against scikit-learn on random answers, and against the figures of the study's grid."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from offbeat.analysis import scores

STUDY = np.array([204.0, 2040.0, 2040.0])
"""Variants of the study that are in sync, ahead and behind: 51 videos x 4 lengths x 21 delays."""

pairs = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), min_size=1, max_size=60)


def table(pairs_):
    truth, choice = (np.array(column, dtype=np.int64) for column in zip(*pairs_, strict=True))
    return truth, choice, scores.confusion_by_source(truth, choice, np.zeros_like(truth)).sum(axis=0)


@given(pairs)
def test_confusion_agrees_with_scikit_learn(pairs_):
    truth, choice, counts = table(pairs_)
    theirs = metrics.confusion_matrix(truth, choice, labels=[0, 1, 2, 3])
    assert np.array_equal(counts, theirs[:3])


@given(pairs)
def test_accuracy_agrees_with_scikit_learn(pairs_):
    truth, choice, counts = table(pairs_)
    assert scores.accuracy(counts) == pytest.approx(metrics.accuracy_score(truth, choice), abs=1e-12)


@given(pairs)
def test_balanced_accuracy_agrees_with_scikit_learn(pairs_):
    truth, choice, counts = table(pairs_)
    theirs = metrics.recall_score(truth, choice, labels=np.unique(truth), average="macro", zero_division=0)
    assert scores.balanced_accuracy(counts) == pytest.approx(theirs, abs=1e-12)
    if set(choice) <= set(truth) and len(set(truth)) > 1:  # otherwise scikit-learn warns
        assert scores.balanced_accuracy(counts) == pytest.approx(
            metrics.balanced_accuracy_score(truth, choice), abs=1e-12
        )


@given(pairs)
def test_macro_f1_agrees_with_scikit_learn(pairs_):
    truth, choice, counts = table(pairs_)
    seen = np.array([k for k in range(3) if k in truth or k in choice])
    theirs = metrics.f1_score(truth, choice, labels=seen, average="macro", zero_division=0)
    assert scores.macro_f1(counts) == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize(
    ("counts", "accuracy", "macro_f1"),
    [
        (scores.always(STUDY, 0), 204 / 4284, 0.030),
        (scores.always(STUDY, 1), 0.476, 0.215),
        (scores.always(STUDY, 2), 0.476, 0.215),
        (scores.uniform(STUDY), 1 / 3, 0.289),
    ],
)
def test_trivial_answerers_on_the_grid_of_the_study(counts, accuracy, macro_f1):
    assert counts.sum() == 4284
    assert scores.accuracy(counts) == pytest.approx(accuracy, abs=5e-4)
    assert scores.balanced_accuracy(counts) == pytest.approx(1 / 3, abs=1e-12)
    assert scores.macro_f1(counts) == pytest.approx(macro_f1, abs=5e-4)


def test_no_choice_is_wrong_and_a_false_positive_of_nothing():
    _, _, counts = table([(0, 0), (0, 3), (1, 1), (2, 2)])
    assert scores.accuracy(counts) == 0.75
    assert scores.balanced_accuracy(counts) == pytest.approx((0.5 + 1 + 1) / 3)
    assert scores.macro_f1(counts) == pytest.approx((2 / 3 + 1 + 1) / 3)


def test_noticing_and_direction():
    counts = np.array([[6, 3, 1, 0], [2, 5, 2, 1], [4, 1, 5, 0]], dtype=float)
    assert scores.noticed(counts) == pytest.approx(13 / 20)
    assert scores.false_alarms(counts) == pytest.approx(4 / 10)
    assert scores.direction(counts) == pytest.approx(10 / 13)


@pytest.mark.parametrize(
    "score",
    [
        scores.accuracy,
        scores.balanced_accuracy,
        scores.macro_f1,
        scores.noticed,
        scores.false_alarms,
        scores.direction,
    ],
)
def test_nothing_has_no_score(score):
    assert np.isnan(score(np.zeros((3, 4))))
    assert np.isnan(score(np.zeros((5, 3, 4)))).all()


def test_a_table_that_lacks_a_truth_of_the_others_has_no_balanced_accuracy():
    whole = np.array([[4, 0, 0, 0], [0, 2, 2, 0], [0, 0, 4, 0]], dtype=float)
    lacking = whole.copy()
    lacking[0] = 0
    both = scores.balanced_accuracy(np.stack([whole, lacking]))
    assert both[0] == pytest.approx((1 + 0.5 + 1) / 3)
    assert np.isnan(both[1])
    assert scores.balanced_accuracy(lacking) == pytest.approx((0.5 + 1) / 2)  # alone: over what is there


def test_counts_within_each_source():
    counts = scores.confusion_by_source(np.array([0, 1, 2, 2]), np.array([0, 3, 2, 1]), np.array([7, 7, 2, 2]))
    assert counts.shape == (2, 3, 4)
    assert counts[0, 2].tolist() == [0, 1, 1, 0]  # source 2 comes first
    assert counts[1].sum() == 2


@pytest.mark.parametrize(("truth", "choice"), [([3], [0]), ([0], [4]), ([-1], [0]), ([0], [-1])])
def test_codes_out_of_range_are_refused(truth, choice):
    with pytest.raises(ValueError, match="code must lie in"):
        scores.confusion_by_source(np.array(truth), np.array(choice), np.array([0]))


def test_unequal_lengths_are_refused():
    with pytest.raises(ValueError, match="one length"):
        scores.confusion_by_source(np.array([0, 1]), np.array([0]), np.array([0]))
