"""Bias to a place in the list of options, for questions whose order is shuffled."""

from dataclasses import replace

import pytest
from report_samples import answer, sample_dataset
from sklearn.metrics import confusion_matrix

from offbeat.evaluation.question import find_question, prompt_for
from offbeat.report.browser import browser_data
from offbeat.report.page import render_page
from offbeat.report.published import load_published
from offbeat.report.results import compute_results
from offbeat.report.results_json import results_json

DELAYS_MS = (-1000.0, -500.0, 0.0, 500.0, 1000.0)


@pytest.fixture(scope="module")
def dataset():
    return sample_dataset(genres={"cooking": 12, "speech": 12}, delays_ms=DELAYS_MS)


def answers_of(dataset, question, choose):
    """`choose` is given the labels in the order in which the prompt shows them."""
    found = []
    for variant in dataset.variants:
        prompt = prompt_for(question, variant)
        meant = dict(zip(prompt.words, prompt.options, strict=True))
        lines = [line.partition(" = ")[0] for line in prompt.text.splitlines()]
        shown = [meant[line] for line in lines if line in meant]
        assert len(shown) == 3
        options = dict(zip(prompt.options, prompt.words, strict=True))
        one = answer(variant.row, "m", choose(shown, variant.row), question.name)
        found.append((replace(one, prompt=prompt.text, options=options), shown))
    return found


@pytest.mark.parametrize("name", ["study-shuffled", "letters"])
def test_one_who_always_takes_the_first_place_is_seen(dataset, name):
    asked = answers_of(dataset, find_question(name), lambda shown, row: shown[0])
    results = compute_results(dataset, [one for one, _ in asked], draws=200)
    truths = {variant.row.variant_id: variant.row.label for variant in dataset.variants}
    expected = confusion_matrix([shown.index(truths[one.variant_id]) for one, shown in asked], [0] * len(asked))
    places = results.models[0].places
    assert [place.n for place in places] == expected.sum(axis=1).tolist()
    assert [place.chosen for place in places] == [len(asked), 0, 0]
    assert [place.accuracy.value for place in places] == [1, 0, 0]
    assert [place.bias.value for place in places] == pytest.approx((expected.sum(0) - expected.sum(1)) / len(asked))
    assert places[0].bias.low > 0
    assert places[0].bias.n_sources == 24
    page = render_page(
        results, dataset, load_published(), browser_data(dataset, [], order=[], missing=set()), {}, title="t", runs=[]
    )
    assert "place-table" in page
    assert '<li><a href="#questions">' in page
    (told,) = results_json(results, dataset, load_published(), [])["models"].values()
    assert [one["chosen"] for one in told["by_place"]] == [len(asked), 0, 0]


def test_a_liking_for_a_word_is_none_for_a_place(dataset):
    asked = answers_of(dataset, find_question("letters"), lambda shown, row: "ahead")
    for place in compute_results(dataset, [one for one, _ in asked], draws=200).models[0].places:
        assert place.bias.low < 0 < place.bias.high


def test_failures_and_answers_without_a_choice_choose_no_place(dataset):
    outcomes = iter(["error", "unparsed"] * len(dataset.variants))
    asked = answers_of(dataset, find_question("letters"), lambda shown, row: next(outcomes))
    places = compute_results(dataset, [one for one, _ in asked], draws=50).models[0].places
    assert sum(place.n for place in places) == len(asked) // 2
    assert [place.chosen for place in places] == [0, 0, 0]


@pytest.mark.parametrize("name", ["study", "capitals"])
def test_one_order_has_no_table(dataset, name):
    asked = answers_of(dataset, find_question(name), lambda shown, row: shown[0])
    results = compute_results(dataset, [one for one, _ in asked], draws=50)
    assert results.models[0].places == ()
    browser = browser_data(dataset, [], order=[], missing=set())
    assert "place-table" not in render_page(results, dataset, load_published(), browser, {}, title="t", runs=[])
    (told,) = results_json(results, dataset, load_published(), [])["models"].values()
    assert told["by_place"] == []
