"""The tables of scores and pairs on the page."""

from dataclasses import replace

import pytest
from report_samples import Parsed, guess, sample_answers, sample_dataset

from offbeat.report.browser import browser_data
from offbeat.report.figure_words import NAMES, PLAIN, number, p_value, verdict
from offbeat.report.page import render_page
from offbeat.report.published import load_published
from offbeat.report.results import compute_results
from offbeat.report.score_tables import pair_rows, score_rows
from offbeat.report.scorer import FIGURES
from offbeat.report.tables import group_rows, said_shifted


@pytest.fixture(scope="module")
def dataset():
    return sample_dataset(genres={"cooking": 4, "speech": 4}, delays_ms=(-1000.0, -500.0, 0.0, 500.0, 1000.0))


def compute(dataset, **models):
    answers = [one for name, reply in models.items() for one in sample_answers(dataset, name, reply)]
    return compute_results(dataset, answers, draws=200)


def test_every_figure_has_a_name():
    assert set(NAMES) == set(FIGURES)
    assert {
        "macro_f1", "kappa", "mcc", "detection_d_prime", "detection_criterion", "direction_d_prime",
        "direction_criterion", "detection_auroc", "direction_auroc",
    } == PLAIN  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        *(("accuracy", 0.476, "47.6"), ("kappa", -0.02, "−0.020"), ("bias_sync", 0.05, "+5.0"), ("mcc", None, "–")),
        *(("detection_criterion", -1e-9, "0.000"), ("bias_sync", 1e-9, "0.0"), ("mcc", -0.0006, "−0.001")),
    ],
)
def test_numbers_in_their_units(name, value, shown):
    assert number(name, value) == shown


def test_p_values():
    assert [p_value(p) for p in (0.0004, 0.04, 1.0, None)] == ["< 0.001", "0.040", "1.000", "–"]


def test_rows_stand_beside_baselines(dataset):
    rows = {row.name: row for row in score_rows(compute(dataset, m=lambda row: row.label))}
    assert rows["accuracy, %"].cells[0][0] == "100.0"
    assert rows["accuracy, %"].baselines == ("20.0", "40.0", "40.0", "33.3")
    assert rows["Cohen's κ"].baselines == ("0.000",) * 4
    assert "ROC area, direction" not in rows  # no model gave probabilities
    assert not [name for name in rows if "unread" in name or "repeat" in name]


def test_bounds_and_repeats_where_there_are_any(dataset):
    answers = sample_answers(dataset, "m", lambda row: row.label if row.label != "sync" else "refused")
    answers += sample_answers(dataset, "m", lambda row: row.label, repeat=1)
    rows = {row.name: row for row in score_rows(compute_results(dataset, answers, draws=50))}
    assert rows["its bounds, unread wrong … right"].cells[0][0] == "83.3 … 100.0"
    spread = rows["its SD over repeats, points"].cells[0][0]
    assert spread == "23.6 (of 2)"


def test_hits_at_each_delay_and_false_alarms_at_none(dataset):
    model = compute(dataset, m=lambda row: "ahead" if abs(row.audio_delay_ms) > 600 else "sync").models[0]
    rows = group_rows([model], "size", str, "size", figure=said_shifted)
    assert [(row.name, row.cells[0].figure.value) for row in rows] == [("0.0", 0), ("500.0", 0), ("1000.0", 1)]
    always = compute(dataset, m=lambda row: "ahead").models[0]
    rows = group_rows([always], "size", str, "size", figure=said_shifted)
    assert [row.cells[0].figure.value for row in rows] == [1, 1, 1]


def test_pairs_in_words(dataset):
    results = compute(dataset, good=lambda row: row.label, bad=guess(0.1), same=lambda row: row.label)
    says = {(row.first, row.second): row.says for row in pair_rows(results)}
    assert says["good", "same"] == "Alike on every source."
    assert says["good", "bad"].startswith("good is better by ")
    assert pair_rows(results)[0].sources == "8"
    second = next(pair for pair in results.comparisons if pair.second == "bad")
    row = next(row for row in pair_rows(results) if row.second == "bad")
    assert row.differing == f"#model=bad&unlike={second.first}"
    assert row.alone == (
        (second.first_only, f"#model={second.first}&unlike=bad&right=yes"),
        (0, f"{row.differing}&right=yes"),
    )
    null = compute(dataset, one=guess(0.3, 1), two=guess(0.3, 2)).comparisons[0]
    assert f"a true one of {100 * null.test.detectable:.1f} points would have been found with 80 % power" in verdict(
        null
    )


def test_an_interval_that_leaves_zero_out_is_not_said_to_find_nothing(dataset):
    results = compute(dataset, a=guess(0.3, 1), b=guess(0.3, 2))
    (pair,) = results.comparisons
    assert verdict(pair).startswith("No difference was found; a true one of ")
    found = replace(pair.differences["balanced_accuracy"], low=0.01, high=0.4)
    apart = replace(pair, differences={**pair.differences, "balanced_accuracy": found})
    assert verdict(apart).startswith("The interval leaves 0 out, but the test finds no difference; a true one of ")


def test_two_sources_show_no_difference_however_alike():
    two = sample_dataset(genres={"cooking": 2}, delays_ms=(-500.0, 0.0, 500.0))
    results = compute(two, good=lambda row: row.label, constant=lambda row: "sync")
    assert pair_rows(results)[0].detectable == "–"
    assert verdict(results.comparisons[0]) == "66.7 points apart on every source, but on too few of them to tell."


def test_no_source_with_all_three_truths_has_no_test_and_says_so():
    dataset = sample_dataset(genres={"cooking": 3}, delays_ms=(-500.0, 500.0))
    (pair,) = compute(dataset, good=lambda row: row.label, bad=lambda row: "ahead").comparisons
    assert pair.test is None
    assert verdict(pair) == "Of 3 sources in common fewer than two have all three truths among the answers: no test."
    alone = sample_dataset(genres={"cooking": 1}, delays_ms=(-500.0, 0.0, 500.0))
    (pair,) = compute(alone, good=lambda row: row.label, bad=lambda row: "ahead").comparisons
    assert verdict(pair) == "Fewer than two sources in common: nothing can be said."


def test_the_page_shows_pairs_only_where_there_are_any(dataset):
    def page(results):
        browser = browser_data(dataset, [], order=[], missing=set())
        return Parsed(render_page(results, dataset, load_published(), browser, {}, title="t", runs=[]))

    ids = [{element.get("id") for element in parsed.named("table")} for parsed in (
        page(compute(dataset, m=guess(0.5))), page(compute(dataset, m=guess(0.5), n=guess(0.2)))
    )]  # fmt: skip
    assert ["pair-table" in found for found in ids] == [False, True]
    assert all("score-table" in found for found in ids)
