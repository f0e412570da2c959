"""Detection, areas, bounds, repeats and groups of a model, against scikit-learn and by construction."""

import json
from dataclasses import replace

import numpy as np
import pytest
from report_samples import STUDY_DELAYS_MS, STUDY_GENRES, guess, sample_answers, sample_dataset
from scipy.stats import norm
from sklearn import metrics
from statsmodels.stats.proportion import proportion_confint

from offbeat.report.published import load_published
from offbeat.report.results import compute_results
from offbeat.report.results_json import results_json
from offbeat.timing import LABELS


@pytest.fixture(scope="module")
def study():
    return sample_dataset(genres=STUDY_GENRES, lengths=(3.0, 10.0), delays_ms=STUDY_DELAYS_MS)


def notices(row):
    """Notices delays of two seconds and more, and then knows the direction."""
    return row.label if abs(row.audio_delay_ms) >= 2000 else "sync"


def only(dataset, answers, draws=300):
    return compute_results(dataset, answers, draws=draws).models[0]


def test_every_figure_agrees_with_scikit_learn(study):
    answers = sample_answers(study, "m", guess(0.4))
    model = only(study, answers)
    truth, choice = [v.row.label for v in study.variants], [answer.choice for answer in answers]
    expected = {
        "accuracy": metrics.accuracy_score(truth, choice),
        "balanced_accuracy": metrics.balanced_accuracy_score(truth, choice),
        "macro_f1": metrics.f1_score(truth, choice, average="macro"),
        "kappa": metrics.cohen_kappa_score(truth, choice),
        "mcc": metrics.matthews_corrcoef(truth, choice),
    }
    for name, value in expected.items():
        assert model.figures[name].value == pytest.approx(value, abs=1e-12), name
        assert model.figures[name].low < value < model.figures[name].high, name


def test_usage_is_summed_and_servers_are_named(study):
    told = [
        {"input_tokens": 1200, "output_tokens": 2},
        {"input_tokens": 1000, "output_tokens": True, "seconds": 0.5},
        {"input_tokens": "many", "output_tokens": float("nan"), "seconds": 1e300},
        {"input_tokens": -1, "output_tokens": None},
    ]
    answers = [
        replace(one, usage=usage, details=details, outcome=outcome)
        for one, usage, details, outcome in zip(
            sample_answers(study, "m", guess(0.4)),
            told,
            ({"served_model": "b"}, {"served_model": "a"}, {}, {"served_model": None}),
            ("ok", "error", "refused", "ok"),
            strict=False,
        )
    ]
    model = only(study, answers)
    assert (model.usage, model.served) == ({"input_tokens": 2200, "output_tokens": 2, "seconds": 0.5}, ("a", "b"))
    results = compute_results(study, answers, draws=50)
    kept = json.loads(json.dumps(results_json(results, study, load_published(), []), allow_nan=False))["models"]["m"]
    assert (kept["usage"], kept["served_models"]) == (model.usage, ["a", "b"])


def test_hits_and_sensitivity_at_each_size_of_the_delay(study):
    sizes = {group.key: group for group in only(study, sample_answers(study, "m", notices)).groups["size"]}
    assert [sizes[key].noticed.value for key in (500, 1500, 2000, 5000)] == [0, 0, 1, 1]
    assert sizes[0].noticed.value is None
    assert {group.false_alarms.value for group in sizes.values()} == {0}
    n_0, n_s = 102, 204  # in sync, and of each size, over 51 sources and two lengths
    share_0, share_s = n_0 / (n_0 + n_s), n_s / (n_0 + n_s)
    expected = norm.ppf((n_s + share_s) / (n_s + 2 * share_s)) - norm.ppf(share_0 / (n_0 + 2 * share_0))
    assert sizes[2000].detection_d_prime.value == pytest.approx(expected, abs=1e-12)
    assert sizes[500].detection_d_prime.value == pytest.approx(0, abs=1e-12)
    assert sizes[0].detection_d_prime.value is None


def test_groups_of_every_kind(study):
    groups = only(study, sample_answers(study, "m", notices)).groups
    assert [(group.key, group.n) for group in groups["sign"]] == [("ahead", 1020), ("behind", 1020), ("sync", 102)]
    assert [group.key for group in groups["language"]] == ["en", "fr", "ja", "not given"]
    assert [(group.key, group.n) for group in groups["fps"]] == [(25.0, 2142)]
    assert [group.key for group in groups["condition"]] == ["delay"]


def test_baselines_stand_beside_every_figure(study):
    model = only(study, sample_answers(study, "m", notices))
    for baseline in model.baselines.values():
        assert baseline["kappa"] == pytest.approx(0, abs=1e-12)
        assert baseline["mcc"] == pytest.approx(0, abs=1e-12)
        assert baseline["detection_d_prime"] == pytest.approx(0, abs=1e-12)
    assert model.baselines["always:ahead"]["bias_ahead"] == pytest.approx(11 / 21)


def test_one_answer_a_source_has_the_interval_of_wilson():
    dataset = sample_dataset(genres={"speech": 12}, delays_ms=STUDY_DELAYS_MS)
    model = only(dataset, sample_answers(dataset, "m", guess(0.5)))
    at = {group.key: group for group in model.groups["delay"]}[1000.0]
    right = round(at.accuracy.value * 12)
    assert at.accuracy.method == "wilson"
    assert (at.accuracy.low, at.accuracy.high) == pytest.approx(proportion_confint(right, 12, method="wilson"))
    assert model.figures["false_alarms"].method == "wilson"
    assert model.figures["accuracy"].method == "bootstrap"


def with_probabilities(answers, rows, rng):
    """Says sync whatever it sees; its probabilities know a little of the delay."""
    given = []
    for answer, row in zip(answers, rows, strict=True):
        seen = row.audio_delay_ms / 1000 + rng.normal(0, 2)
        odds = np.exp([3.0, -seen / 2, seen / 2])
        given.append(replace(answer, probabilities=dict(zip(LABELS, odds / odds.sum(), strict=True))))
    return given


def test_areas_show_what_the_words_hide(study):
    rows = [variant.row for variant in study.variants]
    answers = with_probabilities(sample_answers(study, "m", lambda row: "sync"), rows, np.random.default_rng(0))
    model = only(study, answers)
    shifted = np.array([row.label != "sync" for row in rows])
    sync, ahead, behind = (np.array([answer.probabilities[label] for answer in answers]) for label in LABELS)
    late = np.array([row.label == "behind" for row in rows])
    expected = metrics.roc_auc_score(shifted, 1 - sync)
    assert model.figures["detection_auroc"].value == pytest.approx(expected, abs=1e-12)
    assert model.figures["detection_auroc"].low > 0.55
    expected = metrics.roc_auc_score(late[shifted], (behind - ahead)[shifted])
    assert model.figures["direction_auroc"].value == pytest.approx(expected, abs=1e-12)
    assert (model.constant, model.figures["kappa"].value, model.with_probabilities) == ("sync", 0, 2142)


def test_no_probabilities_no_area(study):
    answers = sample_answers(study, "m", notices)
    answers[0] = replace(answers[0], probabilities={"sync": 1.0})  # not of all three
    answers[1] = replace(answers[1], probabilities={"sync": float("nan"), "ahead": 0.5, "behind": 0.5})
    model = only(study, answers)
    assert model.with_probabilities == 0
    assert model.figures["detection_auroc"].value is None
    assert model.figures["direction_auroc"].n_sources == 0


def test_bounds_take_the_unread_as_wrong_or_right(study):
    unread = iter(["refused", "unparsed"] * 10_000)
    model = only(study, sample_answers(study, "m", lambda row: row.label if row.label != "ahead" else next(unread)))
    bounds = model.bounds["accuracy"]
    assert bounds.worst == model.figures["accuracy"].value == pytest.approx(11 / 21)
    assert bounds.best == 1
    assert (model.bounds["balanced_accuracy"].worst, model.bounds["balanced_accuracy"].best) == (2 / 3, 1)


def test_spread_over_repeats():
    dataset = sample_dataset()
    replies = [lambda row: row.label, lambda row: "sync", lambda row: row.label if row.genre == "speech" else "sync"]
    answers = [one for k, reply in enumerate(replies) for one in sample_answers(dataset, "m", reply, repeat=k)]
    found = only(dataset, answers).spread
    assert found.scores == pytest.approx((1, 1 / 3, 2 / 3))
    assert (found.variants, found.alike) == (12, 4 / 12)
    assert only(dataset, answers[:12]).spread is None


def test_results_json_holds_all_of_it(study):
    results = compute_results(study, sample_answers(study, "m", notices), draws=200)
    told = json.loads(json.dumps(results_json(results, study, load_published(), []), allow_nan=False))
    model = told["models"]["m"]
    assert {group["label"]: group["n"] for group in model["by_sign"]} == {"ahead": 1020, "behind": 1020, "sync": 102}
    assert model["by_delay_size"][4]["noticed"]["value"] == 1
    assert model["repeats"] is None
    assert model["detection_auroc"]["value"] is None
    assert model["bounds"]["accuracy"]["best"] == model["accuracy"]["value"]
    assert told["comparisons"]["pairs"] == []
