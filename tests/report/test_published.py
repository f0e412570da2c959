"""Published rows: as printed, with their source, and computed ones by the rule that they name."""

import json

import pytest
from pydantic import ValidationError
from report_samples import Parsed, guess, sample_answers, sample_dataset

from offbeat.report.browser import browser_data
from offbeat.report.page import render_page
from offbeat.report.published import Published, load_published
from offbeat.report.results import compute_results
from offbeat.report.results_json import results_json

PAPERS = {paper.name: paper for paper in load_published().other}


def test_every_paper_has_its_source_and_its_protocol():
    assert set(PAPERS) == {"THUD", "THUD, fine-tuned", "AV-SyncBench", "Synchformer", "DAVE"}
    for paper in PAPERS.values():
        assert paper.link.startswith("https://arxiv.org/abs/")
        assert paper.link.removeprefix("https://arxiv.org/abs/") in paper.citation
        assert paper.material
        assert paper.protocol
        assert {name for row in paper.rows for name in row.figures} == set(paper.columns)


@pytest.mark.parametrize("row", PAPERS["THUD"].rows, ids=lambda row: row.model)
def test_balanced_accuracy_of_thud_is_computed_from_its_figures(row):
    assert row.computed["balanced"] == pytest.approx((row.figures["synced"] + 2 * row.figures["shift"]) / 3, abs=0.051)


def test_all_three_parts_of_dave_are_there_as_counted_in_its_published_answers():
    right = {"Gemini 2.0 Flash": (442, 1, 0), "Gemini 1.5 Pro": (385, 2, 0), "random": (144, 21, 14)}
    shares = {row.model: tuple(row.figures.values()) for row in PAPERS["DAVE"].rows}
    assert shares == {
        model: tuple(round(100 * count / n, 1) for count, n in zip(counts, (712, 76, 66), strict=True))
        for model, counts in right.items()
    }


def test_they_stand_apart_from_what_was_measured():
    dataset = sample_dataset()
    results = compute_results(dataset, sample_answers(dataset, "m", guess(0.5)), draws=50)
    told = json.loads(json.dumps(results_json(results, dataset, load_published(), [])))
    assert set(told["models"]) == {"m"}
    assert [paper["name"] for paper in told["published"]["other"]] == list(PAPERS)
    page = render_page(
        results,
        dataset,
        load_published(),
        browser_data(dataset, [], order=[], missing=set()),
        {},
        title="t",
        runs=[],
    )
    words = "".join(Parsed(page).words)
    assert words.count("published, other material") == len(PAPERS)
    assert "Gemini-3.1-Pro" in words


def test_a_row_with_a_slip_of_the_pen_is_refused():
    whole = load_published().model_dump()
    whole["other"][0]["rows"][0]["figure"] = 3
    with pytest.raises(ValidationError, match="figure"):
        Published.model_validate(whole)
