"""Pairs of models, against scipy and statsmodels on the sources' own scores."""

import numpy as np
import pytest
from report_samples import STUDY_DELAYS_MS, guess, sample_answers, sample_dataset
from scipy import stats
from sklearn.metrics import balanced_accuracy_score
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower

from offbeat.report.results import compute_results


@pytest.fixture(scope="module")
def dataset():
    return sample_dataset(genres={"speech": 6, "sports": 6}, lengths=(3.0, 5.0), delays_ms=STUDY_DELAYS_MS)


@pytest.fixture(scope="module")
def answers(dataset):
    return {
        name: sample_answers(dataset, name, guess(p, k))
        for k, (name, p) in enumerate((("a", 0.3), ("b", 0.4), ("c", 0.0)))
    }


def by_source(dataset, answers):
    """Balanced accuracy of each source, by scikit-learn."""
    rows = [variant.row for variant in dataset.variants]
    found = {}
    for source in sorted({row.source_id for row in rows}):
        own = [(row.label, answer.choice) for row, answer in zip(rows, answers, strict=True) if row.source_id == source]
        found[source] = balanced_accuracy_score(*zip(*own, strict=True))
    return np.array(list(found.values()))


def pairs(dataset, *answers, draws=2000):
    results = compute_results(dataset, [one for own in answers for one in own], draws=draws)
    return {(pair.first, pair.second): pair for pair in results.comparisons}


def test_the_paired_test_is_scipys_on_the_scores_of_sources(dataset, answers):
    pair = pairs(dataset, answers["a"], answers["b"])["b", "a"]
    theirs = stats.ttest_rel(by_source(dataset, answers["a"]), by_source(dataset, answers["b"]))
    assert pair.test.t_p == pytest.approx(theirs.pvalue, abs=1e-12)
    assert (pair.test.low, pair.test.high) == pytest.approx(tuple(theirs.confidence_interval()), abs=1e-12)
    assert pair.test.flip_exact
    assert pair.differences["balanced_accuracy"].value == pytest.approx(pair.test.mean, abs=1e-12)  # a balanced grid
    assert pair.n == 12 * 2 * 21


def test_the_interval_of_the_difference_draws_the_same_sources_for_both(dataset, answers):
    """Both models are good or bad at the same sources: the difference hardly varies although each score does."""
    rng = np.random.default_rng(0)
    hard = {source.source_id for source in dataset.sources[::2]}
    easy = sample_answers(dataset, "easy", lambda row: "sync" if row.source_id in hard else row.label)
    near = sample_answers(
        dataset, "near", lambda row: "sync" if row.source_id in hard or rng.random() < 0.1 else row.label
    )
    pair = pairs(dataset, easy, near)["easy", "near"]
    difference = pair.differences["balanced_accuracy"]
    assert difference.high - difference.low < 0.08
    scores = compute_results(dataset, easy, draws=2000).models[0].figures["balanced_accuracy"]
    assert scores.high - scores.low > 0.3


def test_holm_is_over_all_pairs(dataset, answers):
    found = pairs(dataset, *answers.values())
    assert set(found) == {("b", "a"), ("b", "c"), ("a", "c")}
    expected = multipletests([pair.test.t_p for pair in found.values()], method="holm")[1]
    assert [pair.holm_p for pair in found.values()] == pytest.approx(list(expected), abs=1e-12)


def test_the_detectable_difference_is_that_of_a_test_among_all_pairs(dataset, answers):
    found = pairs(dataset, *answers.values())["b", "a"]
    differences = by_source(dataset, answers["a"]) - by_source(dataset, answers["b"])
    power = TTestPower().power(found.test.detectable / differences.std(ddof=1), nobs=12, alpha=0.05 / 3)
    assert power == pytest.approx(0.8, abs=1e-6)


def test_scores_that_differ_in_their_last_digit_are_equal():
    """On every source 3 of 15 are right: one of five of each truth, or three of five in sync."""
    assert (0.2 + 0.2 + 0.2) / 3 != 0.6 / 3
    fives = sample_dataset(genres={"speech": 6}, lengths=(3.0, 4.0, 5.0, 6.0, 7.0), delays_ms=(-500.0, 0.0, 500.0))
    wrong = {"sync": "ahead", "ahead": "behind", "behind": "ahead"}
    even = sample_answers(fives, "even", lambda row: row.label if row.clip_length_s == 3 else wrong[row.label])
    timid = sample_answers(
        fives, "timid", lambda row: "sync" if row.label == "sync" and row.clip_length_s <= 5 else wrong[row.label]
    )
    (pair,) = pairs(fives, even, timid).values()
    assert (pair.test.mean, pair.test.t_p, pair.test.detectable) == (0, 1, None)


def test_only_what_both_answered_is_compared(dataset, answers):
    part = [one if k % 3 else None for k, one in enumerate(answers["a"])]
    part = [one for one in part if one is not None]
    failed = sample_answers(dataset, "b", lambda row: "error" if row.genre == "sports" else row.label)
    pair = pairs(dataset, part, failed)["b", "a"]
    speech = {variant.row.variant_id for variant in dataset.variants if variant.row.genre == "speech"}
    assert pair.n == sum(one.variant_id in speech for one in part)
    assert pair.differences["accuracy"].n_sources == 6


def test_nothing_in_common(dataset):
    first = sample_answers(dataset, "a", lambda row: row.label if row.genre == "speech" else "error")
    second = sample_answers(dataset, "b", lambda row: row.label if row.genre == "sports" else "error")
    pair = pairs(dataset, first, second)["a", "b"]
    assert (pair.n, pair.test, pair.holm_p, pair.mcnemar_p) == (0, None, None, 1)
    assert pair.differences["balanced_accuracy"].value is None


def test_sources_that_lack_a_truth_are_left_out_of_the_test_and_counted():
    dataset = sample_dataset(genres={"speech": 6}, delays_ms=STUDY_DELAYS_MS)
    lacking = dataset.sources[0].source_id

    def reply(row):
        return "error" if row.source_id == lacking and row.label == "sync" else row.label

    pair = pairs(dataset, sample_answers(dataset, "a", reply), sample_answers(dataset, "b", guess(0.2)))["a", "b"]
    assert (pair.left_out, pair.test.n_sources) == (1, 5)
    assert pair.differences["accuracy"].n_sources == 6


def test_one_sided_answers_are_counted(dataset):
    always = sample_answers(dataset, "ahead", lambda row: "ahead")
    oracle = sample_answers(dataset, "oracle", lambda row: row.label)
    pair = pairs(dataset, always, oracle)["oracle", "ahead"]
    assert (pair.first_only, pair.second_only) == (24 * 11, 0)
    assert pair.mcnemar_p < 1e-12
