"""Figures from datasets and answers: the study's grid, outcomes, names, and what is refused."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from report_samples import STUDY_DELAYS_MS, STUDY_GENRES, answer, guess, sample_answers, sample_dataset

from offbeat.analysis.intervals import Estimate
from offbeat.errors import RunError
from offbeat.report.findings import FEW_SOURCES, few_sources, finding, shown
from offbeat.report.insight import look_into
from offbeat.report.published import load_published
from offbeat.report.results import compute_results, entries
from offbeat.report.results_json import INTERVAL_METHODS, RESULTS_VERSION, results_json
from offbeat.timing import LABELS


@pytest.fixture(scope="module")
def study():
    return sample_dataset(genres=STUDY_GENRES, lengths=(3.0, 5.0, 7.0, 10.0), delays_ms=STUDY_DELAYS_MS)


@pytest.fixture(scope="module")
def results(study):
    answers = [
        *sample_answers(study, "always:sync", lambda row: "sync"),
        *sample_answers(study, "always:ahead", lambda row: "ahead"),
        *sample_answers(study, "oracle", lambda row: row.label),
        *sample_answers(study, "half right", guess(0.5)),
    ]
    return compute_results(study, answers, draws=500)


def by_name(results):
    return {model.name: model for model in results.models}


def test_trivial_answerers_score_as_in_the_study(results):
    models = by_name(results)
    assert models["always:sync"].n == 4284
    assert models["always:sync"].figures["accuracy"] == Estimate(204 / 4284, 204 / 4284, 204 / 4284, 51)
    assert models["always:sync"].figures["balanced_accuracy"].value == pytest.approx(1 / 3)
    assert models["always:ahead"].figures["accuracy"].value == pytest.approx(0.476, abs=5e-4)
    assert models["oracle"].figures["accuracy"] == Estimate(1.0, 1.0, 1.0, 51)
    assert models["always:ahead"].baselines["always:ahead"]["accuracy"] == pytest.approx(0.476, abs=5e-4)
    assert results.baselines["uniform guess"]["macro_f1"] == pytest.approx(0.289, abs=5e-4)


def test_the_best_comes_first(results):
    assert [model.name for model in results.models] == ["oracle", "half right", "always:ahead", "always:sync"]


def test_groups_hold_their_own_sources(results):
    groups = by_name(results)["half right"].groups
    assert [(group.key, group.n, group.accuracy.n_sources) for group in groups["genre"]] == [
        ("ASMR", 840, 10), ("cooking", 924, 11), ("instrument", 840, 10), ("speech", 840, 10), ("sports", 840, 10),
    ]  # fmt: skip
    assert [group.key for group in groups["length"]] == [3, 5, 7, 10]
    assert [group.key for group in groups["delay"]] == list(STUDY_DELAYS_MS)
    assert [group.key for group in groups["size"]] == [500.0 * k for k in range(11)]
    assert all(sum(group.choices) == group.n == 204 for group in groups["delay"])


def test_variants_without_overlap_are_the_612_of_the_study(results):
    overlap = {group.key: group.n for group in by_name(results)["oracle"].groups["overlap"]}
    assert overlap == {"none": 612, "some": 4284 - 612}


def test_same_input_same_figures_in_any_order(study):
    one = sample_answers(study, "one", guess(0.4, 1))
    two = sample_answers(study, "two", guess(0.6, 2))
    assert compute_results(study, one + two, draws=200) == compute_results(study, two + one, draws=200)


def test_what_cannot_be_read_is_wrong_and_what_failed_is_missing():
    dataset = sample_dataset(delays_ms=(-1000.0, 0.0, 1000.0, 2000.0, 3000.0, 4000.0))
    replies = dict(
        zip((-1000, 0, 1000, 2000, 3000), ("ahead", "refused", "unparsed", "truncated", "error"), strict=True)
    )
    model = compute_results(dataset, sample_answers(dataset, "m", lambda row: replies.get(row.audio_delay_ms))).models[
        0
    ]
    assert (model.n, model.missing, model.unasked) == (16, 4, 4)
    assert model.outcomes == {"ok": 4, "unsure": 0, "unparsed": 4, "refused": 4, "truncated": 4, "error": 4}
    assert model.figures["accuracy"].value == 0.25
    assert model.confusion == ((0, 0, 0, 4), (0, 4, 0, 0), (0, 0, 0, 8))
    assert model.constant is None


def test_a_choice_counts_only_where_the_outcome_allows_it():
    dataset = sample_dataset(genres={"speech": 1}, delays_ms=(0.0,))
    row = dataset.variants[0].row
    sure = answer(row, "m", "sync")
    for outcome, right in (("ok", 1.0), ("unsure", 1.0), ("truncated", 0.0), ("refused", 0.0)):
        model = compute_results(dataset, [replace(sure, outcome=outcome)]).models[0]
        assert model.figures["accuracy"].value == right, outcome


def test_only_errors_give_no_score():
    dataset = sample_dataset()
    model = compute_results(dataset, sample_answers(dataset, "m", lambda row: "error")).models[0]
    assert (model.n, model.missing) == (0, 12)
    assert model.figures["accuracy"] == Estimate(None, None, None, 0)
    assert model.groups["genre"] == ()
    assert "no answer that can be scored" in finding(model)


def test_names_tell_questions_and_revisions_apart():
    dataset = sample_dataset()
    answers = [
        *sample_answers(dataset, "a", guess(0.5)),
        *sample_answers(dataset, "b", guess(0.5), question="study"),
        *sample_answers(dataset, "b", guess(0.5), question="short"),
        *sample_answers(dataset, "c", guess(0.5), revision="1"),
        *sample_answers(dataset, "c", guess(0.5), revision="2"),
        *sample_answers(dataset, "d", guess(0.5), revision="1 host=a:1 fps=8"),
        *sample_answers(dataset, "d", guess(0.5), revision="1 host=b:2 fps=8"),
        *sample_answers(dataset, "e", guess(0.5), revision="1"),
        *sample_answers(dataset, "e", guess(0.5), revision="1 fps=8"),
    ]
    names = set(entries(answers, {variant.row.variant_id: None for variant in dataset.variants}))
    assert names == {
        "a", "b · study", "b · short", "c · 1", "c · 2", "d · host=a:1", "d · host=b:2", "e · 1", "e · 1 fps=8",
    }  # fmt: skip


def test_repeats_count_as_answers():
    dataset = sample_dataset()
    answers = [
        *sample_answers(dataset, "m", lambda row: row.label),
        *sample_answers(dataset, "m", lambda row: "sync", repeat=1),
    ]
    model = compute_results(dataset, answers, draws=50).models[0]
    assert (model.n, model.unasked) == (24, 0)
    assert model.figures["accuracy"].value == pytest.approx((12 + 4) / 24)


def test_a_variant_that_was_answered_more_often_weighs_more_and_the_numbers_tell():
    dataset = sample_dataset()
    once = sample_answers(dataset, "m", lambda row: row.label)
    again = sample_answers(dataset, "m", lambda row: "sync", repeat=1)
    for second in (again, again[:3]):
        model = compute_results(dataset, [*once, *second], draws=50).models[0]
        right = sum(one.choice == row.row.label for one, row in zip(second, dataset.variants, strict=False))
        assert model.figures["accuracy"].value == pytest.approx((12 + right) / (12 + len(second)))
        assert model.spread is not None
        unequal = len(second) < 12
        assert (model.n > model.spread.variants * model.spread.repeats) == unequal
        words = " 9 of its 15 answers are to variants that were not answered all 2 times: these variants weigh less."
        assert finding(model).endswith(words) == unequal
        assert ("weigh less" in finding(model)) == unequal


def test_two_answers_to_one_question_are_refused():
    dataset = sample_dataset()
    answers = sample_answers(dataset, "m", guess(0.5))
    with pytest.raises(RunError, match=r"m has two answers .* repeat 0; give only one of the runs"):
        compute_results(dataset, [*answers, replace(answers[0], text="another", choice="ahead")])
    with pytest.raises(RunError, match="m has two answers"):
        compute_results(dataset, [*answers, replace(answers[0], key="asked otherwise")])


def test_what_two_runs_hold_alike_counts_once():
    """A reference such as random, asked in both of two runs."""
    dataset = sample_dataset()
    both = sample_answers(dataset, "random", guess(0.5))
    alone = compute_results(dataset, [*both, *sample_answers(dataset, "a", guess(0.9))], draws=50)
    results = compute_results(dataset, [*both, *sample_answers(dataset, "a", guess(0.9)), *both], draws=50)
    assert results == alone


def test_answers_of_another_dataset_are_refused():
    other = sample_dataset(genres={"sports": 1})
    with pytest.raises(RunError, match="belongs to another dataset"):
        compute_results(sample_dataset(), sample_answers(other, "m", guess(0.5)))


def test_other_options_are_listed_and_not_scored():
    dataset = sample_dataset()
    results = compute_results(dataset, sample_answers(dataset, "m", lambda row: "yes", question="binary"))
    assert results.models == ()
    assert shown(results.models, 12) == ("No model has a scored answer to any of", "")
    assert (results.unscored[0].name, results.unscored[0].n) == ("m", 12)


@pytest.mark.parametrize(
    ("choose", "words"),
    [
        (lambda row: "sync", "answered sync every time: it cannot be told from a constant"),
        (lambda row: row.label, "does better than a guess: balanced accuracy 100.0 % [100.0, 100.0]"),
        (lambda row: LABELS[LABELS.index(row.label) - 1], "does worse than a guess"),
        (guess(0.0), "cannot be told from a guess"),
    ],
)
def test_findings(study, choose, words):
    model = compute_results(study, sample_answers(study, "m", choose), draws=200).models[0]
    assert words in finding(model)


def test_a_finding_says_what_answers_without_a_choice_cost():
    dataset = sample_dataset(genres={"cooking": 5}, delays_ms=(-1000.0, 0.0, 1000.0))
    replies = {-1000.0: "refused", 0.0: "sync", 1000.0: "ahead"}
    model = compute_results(dataset, sample_answers(dataset, "m", lambda row: replies[row.audio_delay_ms])).models[0]
    best = (1 + 1 + 0) / 3
    assert f"were 5 of its 15 answers; had they been right, it would have {100 * best:.1f} %. " in finding(model)


def test_one_source_is_too_little_for_a_finding():
    dataset = sample_dataset(genres={"speech": 1})
    model = compute_results(dataset, sample_answers(dataset, "m", lambda row: row.label)).models[0]
    assert finding(model).endswith("100.0 % on one source: too little to say how it would do on others.")


@pytest.mark.parametrize("sources", [1, 3])
def test_every_figure_for_programs_has_the_same_keys_and_a_method_where_it_has_an_interval(sources):
    dataset = sample_dataset(genres={"speech": sources}, delays_ms=STUDY_DELAYS_MS)
    told = {"sync": 0.2, "ahead": 0.3, "behind": 0.5}
    answers = [replace(one, probabilities=told) for one in sample_answers(dataset, "m", guess(0.5))]
    results = compute_results(dataset, answers, draws=50)
    insights = look_into(dataset, answers, results, [])
    found = list(figures(results_json(results, dataset, load_published(), [], insights)))
    assert {frozenset(figure) for figure in found} == {frozenset(("value", "low", "high", "n_sources", "method"))}
    assert [figure for figure in found if (figure["low"] is None) != (figure["method"] is None)] == []
    assert {figure["method"] for figure in found} - {None} <= set(INTERVAL_METHODS)
    assert any(figure["method"] for figure in found) == (sources > 1)


def figures(value):
    """All of a nested value that have the ends of an interval."""
    if isinstance(value, dict) and "low" in value:
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ():
        yield from figures(part)


def test_the_keys_for_programs_are_documented(study, results):
    page = (Path(__file__).parents[2] / "docs" / "howto" / "compare.md").read_text(encoding="utf-8")
    section = page.split("## For other programs")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    keys = [key for row in rows for key in re.findall("`(.+?)`", row)]
    assert keys == list(results_json(results, study, load_published(), []))
    assert f"| `results_version` | {RESULTS_VERSION}." in section
    assert dict(re.findall(r"^\* `(\w+)`: (.+)[;.]$", section, flags=re.MULTILINE)) == INTERVAL_METHODS
    assert f"below {FEW_SOURCES}." in section


@pytest.mark.parametrize(
    ("genres", "words"),
    [
        ({"speech": 5}, "all figures here rest on fewer than 8"),
        ({"speech": 9, "music": 3}, "some genres rest on fewer than 8"),
        ({"speech": 8}, None),
    ],
)
def test_few_sources_are_warned_of(genres, words):
    dataset = sample_dataset(genres=genres)
    models = compute_results(dataset, sample_answers(dataset, "m", lambda row: row.label), draws=50).models
    warnings = few_sources(models)
    assert [words in warning for warning in warnings] == ([] if words is None else [True])


def test_results_json_holds_every_figure_with_its_interval_and_sources(study, results):
    told = json.loads(json.dumps(results_json(results, study, load_published(), []), allow_nan=False))
    sync = told["models"]["always:sync"]
    share = 204 / 4284
    assert sync["accuracy"] == {"value": share, "low": share, "high": share, "n_sources": 51, "method": "bootstrap"}
    assert sync["direction"] == {"value": None, "low": None, "high": None, "n_sources": 51, "method": None}
    assert sync["confusion"]["behind"] == {"sync": 2040, "ahead": 0, "behind": 0, "none": 0}
    assert sync["by_delay"][0]["audio_delay_ms"] == -5000
    assert sync["by_delay"][0]["choices"]["sync"] == 204
    assert {group["genre"]: group["n_sources"] for group in sync["by_genre"]} == STUDY_GENRES
    assert [row["accuracy"] for row in told["published"]["row"]] == [26.0, 4.7, 4.7, 33.3]
    assert told["dataset"]["fingerprint"] == study.fingerprint
