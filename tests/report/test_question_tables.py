"""Scores by question: one row a model, one column a wording."""

import pytest
from report_samples import Parsed, guess, sample_answers, sample_dataset
from sklearn.metrics import balanced_accuracy_score

from offbeat.report.browser import browser_data
from offbeat.report.page import render_page
from offbeat.report.published import load_published
from offbeat.report.question_tables import question_table
from offbeat.report.results import compute_results

HOSTILE = "<img src=x>\u202e"


@pytest.fixture(scope="module")
def dataset():
    return sample_dataset(genres={"cooking": 3, "speech": 3}, delays_ms=(-1000.0, -500.0, 0.0, 500.0, 1000.0))


def results_of(dataset, *asked):
    answers = [
        one
        for name, question, reply, revision in asked
        for one in sample_answers(dataset, name, reply, question=question, revision=revision)
    ]
    return compute_results(dataset, answers, draws=100), answers


def test_one_question_has_no_table(dataset):
    results, _ = results_of(dataset, ("m", "study", guess(0.5), "1"), ("n", "study", guess(0.2), "1"))
    assert question_table(results) is None


def test_two_revisions_of_one_question_have_no_table(dataset):
    results, _ = results_of(dataset, ("m", "study", guess(0.5), "1"), ("m", "study", guess(0.2), "2"))
    assert question_table(results) is None


def test_scores_stand_by_question_and_lead_to_their_answers(dataset):
    results, answers = results_of(
        dataset,
        ("m", "letters", guess(0.8, 1), "1"),
        ("m", "study", guess(0.2, 2), "1"),
        ("n", "study", lambda row: row.label, "1"),
        ("n", "words", lambda row: "sync", "1"),
        ("o", "study", guess(0.1), "1"),
    )
    table = question_table(results)
    assert table.questions == ("study", "letters", "words")
    rows = {row.name: row for row in table.rows}
    assert set(rows) == {"m", "n"}, "o was asked once"
    truths = {variant.row.variant_id: variant.row.label for variant in dataset.variants}
    for place, question in enumerate(("study", "letters")):
        own = [one for one in answers if (one.model, one.question) == ("m", question)]
        expected = balanced_accuracy_score([truths[one.variant_id] for one in own], [one.choice for one in own])
        assert rows["m"].cells[place].value == f"{100 * expected:.1f}"
        assert rows["m"].cells[place].href == f"#model=m+%C2%B7+{question}"
    assert rows["m"].cells[2] is None
    assert [cell and cell.value for cell in rows["n"].cells] == ["100.0", None, "33.3"]
    words, href = rows["n"].widest
    assert words.startswith("words − study: −66.7 [−66.7, −66.7], Holm p ")
    assert href == "#model=n+%C2%B7+words&unlike=n+%C2%B7+study"


def test_revisions_are_told_apart_and_names_are_harmless(dataset):
    results, _ = results_of(
        dataset,
        *(("m", question, guess(0.5), revision) for question in ("study", HOSTILE) for revision in ("1", "2")),
    )
    table = question_table(results)
    assert sorted(row.name for row in table.rows) == ["m · 1", "m · 2"]
    assert table.questions == ("study", "<img src=x>\ufffd")
    browser = browser_data(dataset, [], order=[], missing=set())
    page = Parsed(render_page(results, dataset, load_published(), browser, {}, title="t", runs=[]))
    assert page.named("img") == []
    assert "question-table" in {element.get("id") for element in page.named("table")}
    assert "#questions" in {element.get("href") for element in page.named("a")}


def test_the_page_of_one_question_has_no_such_section(dataset):
    results, _ = results_of(dataset, ("m", "study", guess(0.5), "1"))
    browser = browser_data(dataset, [], order=[], missing=set())
    assert "question-table" not in render_page(results, dataset, load_published(), browser, {}, title="t", runs=[])
