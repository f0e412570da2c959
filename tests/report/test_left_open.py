"""What was wanted and is not there: counted over all runs, and said on the page, in results.json and in the paper."""

import json
from dataclasses import replace

import pytest
from report_samples import ATTACK, Parsed, sample_answers, sample_dataset, write_dataset

from offbeat.dataset.folder import open_dataset
from offbeat.errors import ModelError, ModelUnavailable
from offbeat.evaluation.plan import Selection
from offbeat.evaluation.question import find_question
from offbeat.evaluation.run_folder import open_run
from offbeat.evaluation.runner import run_models
from offbeat.models.base import Reply
from offbeat.models.registry import make_model
from offbeat.report.build import build_report
from offbeat.report.left_open import left_open

WORDINGS = ("study", "letters")


class Dies:
    """Answers five times, fails once, and is gone."""

    name, revision, looks = "dies", "1", False

    def __init__(self):
        self.calls = 0

    def reply(self, variant, prompt):
        self.calls += 1
        if self.calls == 6:
            raise ModelError("out of memory")
        if self.calls > 6:
            raise ModelUnavailable(f"the weights are gone {ATTACK}")
        return Reply(prompt.words[0])


class Deaf:
    name, revision = "deaf", "1"

    def reply(self, variant, prompt):
        return Reply(prompt.words[0])


@pytest.fixture
def dataset(tmp_path, clip):
    write_dataset(sample_dataset(tmp_path / "set"), clip)
    return open_dataset(tmp_path / "set")


def ask(dataset, out, *models, repeats=2, **selection):
    questions = [find_question(name) for name in WORDINGS]
    run_models(dataset, models, out=out, questions=questions, repeats=repeats, selection=Selection(**selection))
    return out


def test_a_model_that_was_stopped_or_refused_is_marked_everywhere(dataset, tmp_path):
    run = ask(dataset, tmp_path / "run", make_model("always:sync"), Dies(), Deaf())
    page = build_report([run], out=tmp_path / "report", draws=50).read_text(encoding="utf-8")
    told = json.loads((tmp_path / "report" / "results.json").read_text(encoding="utf-8"))
    dies, whole = told["models"]["dies"], told["models"]["always:sync · study"]
    assert (dies["n"], dies["missing"], dies["wanted"], dies["never_asked"]) == (5, 2, 24, 17)
    assert "the weights are gone" in dies["stopped"]
    assert (whole["wanted"], whole["never_asked"], whole["stopped"]) == (24, 0, None)
    assert [(one["model"], one["question"], one["wanted"]) for one in told["unanswered"]] == [
        ("dies", "letters", 24),
        ("deaf", "study", 24),
        ("deaf", "letters", 24),
    ]
    assert told["unanswered"][1]["why"].startswith("the probe: ")
    parsed = Parsed(page)
    words = "".join(parsed.words)
    assert "2 models were shown 4 to 12 of\n12 variants: " in words
    assert "known amounts. 1 more has no answer." in words
    assert "For reference, on all 12 variants" in words
    assert "19 of 24 not answered" in words
    assert "Of 24 answers that were wanted, 2 ended in an error and 17 were never asked for." in words
    assert "deaf, asked study and letters, has no answer: 48 answers were wanted, and none was ever asked for." in words
    assert [one["href"] for one in parsed.named("a") if "left-" in one.get("href", "")] == ["#left-2"]
    assert not parsed.named("img")  # of what the model said
    paper = tmp_path / "report" / "paper"
    assert "*deaf*, asked study and letters, has no answer: 48 answers" in (paper / "methods.md").read_text("utf-8")
    header, *rows = (paper / "headline.csv").read_text("utf-8").splitlines()
    assert header.endswith(",errors,never asked")
    assert next(row for row in rows if row.startswith("dies,")).endswith(",2,17")


def test_runs_complete_each_other(dataset, tmp_path):
    runs = [ask(dataset, tmp_path / genre, make_model("random"), genres=(genre,)) for genre in ("cooking", "speech")]
    opened = [open_run(run) for run in runs]
    settings = [run.settings for run in opened]
    whole = left_open(dataset, settings, [answer for run in opened for answer in run.answers])
    assert [(one.wanted, one.open) for one in whole.every] == [(24, 0), (24, 0)]
    half = left_open(dataset, settings, opened[0].answers)
    assert [(one.wanted, one.unasked, one.failed) for one in half.every] == [(24, 12, 0), (24, 12, 0)]


def test_what_was_asked_before_a_smaller_limit_is_not_taken_for_unwanted(dataset, tmp_path):
    ask(dataset, tmp_path / "run", make_model("random"))
    run = open_run(ask(dataset, tmp_path / "run", make_model("random"), repeats=1, limit=3))
    assert [(one.wanted, one.open) for one in left_open(dataset, [run.settings], run.answers).every] == [(24, 0)] * 2
    failed = [replace(answer, outcome="error") for answer in run.answers]
    assert [(one.wanted, one.failed) for one in left_open(dataset, [run.settings], failed).every] == [(24, 24)] * 2


def test_nothing_is_said_where_no_run_tells():
    dataset = sample_dataset()
    assert [one.open for one in left_open(dataset, [], sample_answers(dataset, "m", lambda row: "sync")).every] == [0]
