"""The rows of the first screen: their figures against scikit-learn, and what is measured apart from what is not."""

import pytest
from report_samples import STUDY_DELAYS_MS, guess, sample_answers, sample_dataset
from sklearn.metrics import accuracy_score, balanced_accuracy_score

from offbeat.report.insight import look_into
from offbeat.report.observers import PEOPLE, beyond, by_limits, observers
from offbeat.report.published import load_published
from offbeat.report.results import compute_results

FINE_MS = (-400.0, -90.0, -45.0, -40.0, 0.0, 40.0, 125.0, 126.0, 300.0)


def rows_of(delays_ms):
    return [variant.row for variant in sample_dataset(delays_ms=delays_ms).variants]


@pytest.fixture(scope="module")
def found():
    dataset = sample_dataset()
    answers = [
        *sample_answers(dataset, "signal", guess(0.5)),
        *sample_answers(dataset, "human:lab", lambda row: row.label if row.label != "ahead" else "unparsed"),
        *sample_answers(dataset, "failing", lambda row: "error"),
    ]
    results = compute_results(dataset, answers, draws=100)
    insights = look_into(dataset, answers, results, [])
    return observers(results, insights, load_published(), [variant.row for variant in dataset.variants])


def test_limits_of_people_score_as_by_scikit_learn():
    rows = rows_of(FINE_MS)
    early, late = -45.0, 125.0
    choices = ["sync" if early <= r.audio_delay_ms <= late else r.label for r in rows]
    truths = [row.label for row in rows]
    expected = balanced_accuracy_score(truths, choices), accuracy_score(truths, choices)
    assert by_limits(rows) == pytest.approx(expected, abs=1e-12)
    assert expected[0] < 0.7  # in this grid people's limits hide shifts


def test_on_the_study_grid_every_shift_is_beyond_what_people_notice():
    rows = rows_of(STUDY_DELAYS_MS)
    assert by_limits(rows) == (1.0, 1.0)
    assert beyond(rows) == (80, 80)
    assert beyond(rows_of(FINE_MS)) == (4 * 4, 4 * 8)
    assert (PEOPLE.early_ms, PEOPLE.late_ms) == (-45.0, 125.0)


def test_no_variants_have_no_figures():
    assert by_limits([]) == (None, None)
    assert beyond([]) == (0, 0)


def test_the_sorts_are_never_mixed(found):
    groups = [row.group for row in found]
    assert groups == sorted(groups, key=["measured", "reference", "published"].index)
    assert all((row.result is not None) == (row.group == "measured") for row in found)
    assert all((row.href is not None) == (row.group == "measured") for row in found)
    assert all(row.balanced.low is None and row.accuracy.low is None for row in found if row.group != "measured")


def test_measured_rows_say_what_answers(found):
    measured = {row.name: row for row in found if row.group == "measured"}
    assert {name: row.about for name, row in measured.items()} == {
        "human:lab": "people",
        "signal": "detector",
        "failing": "",
    }
    assert measured["human:lab"].result.choiceless == 4
    assert measured["human:lab"].balanced.value == pytest.approx(2 / 3)
    assert measured["signal"].verdict
    assert (measured["failing"].verdict, measured["failing"].says) == (None, "failing: no figures")


@pytest.mark.parametrize(
    ("sources", "choice", "verdict"),
    [
        (7, lambda row: "sync", "insensitive (7 sources)"),
        (8, lambda row: "sync", "insensitive"),
        (7, lambda row: row.label, "sensitive"),
        (1, lambda row: "sync", "cannot be told"),
    ],
)
def test_that_nothing_was_found_in_few_sources_says_in_how_many(sources, choice, verdict):
    dataset = sample_dataset(genres={"speech": sources}, delays_ms=STUDY_DELAYS_MS)
    answers = sample_answers(dataset, "m", choice)
    results = compute_results(dataset, answers, draws=100)
    insights = look_into(dataset, answers, results, [])
    rows = observers(results, insights, load_published(), [variant.row for variant in dataset.variants])
    assert rows[0].verdict == verdict


def test_published_rows_are_as_printed(found):
    published = {(row.name, row.about): row for row in found if row.group == "published"}
    figures = {
        key: tuple(None if one.value is None else round(100 * one.value, 6) for one in (row.balanced, row.accuracy))
        for key, row in published.items()
    }
    assert figures["Gemini 2.0 Flash", "study, 10-s clips only"] == (None, 26.0)
    assert figures["Qwen2.5-Omni 7B", "study, all lengths"] == (33.3, 4.7)
    assert figures["Gemini-3.1-Pro", "THUD"] == (49.3, None)
    assert figures["Qwen3-Omni 30B-A3B, SFT + DPO", "THUD, fine-tuned, in domain"] == (None, 83.1)
    assert not [key for key in published if "random" in key[0] or "AV-SyncBench" in key[1] or "DAVE" in key[1]]


def test_references_are_those_of_these_variants(found):
    references = {row.name: (row.balanced.value, row.accuracy.value) for row in found if row.group == "reference"}
    third = pytest.approx(1 / 3)
    assert references == {
        "always:sync": (third, third),
        "always:ahead": (third, third),
        "always:behind": (third, third),
        "uniform guess": (third, third),
        "limits of people": (1.0, 1.0),
    }
