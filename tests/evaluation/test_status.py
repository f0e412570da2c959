"""Where a run stands, told from its folder."""

import json

import pytest

from offbeat.errors import DatasetError, ModelError, ModelUnavailable, RunError
from offbeat.evaluation.database import FILE, Database
from offbeat.evaluation.failures import Failure
from offbeat.evaluation.money.purse import Purse
from offbeat.evaluation.plan import Selection
from offbeat.evaluation.question import find_question
from offbeat.evaluation.run_folder import INFO, read_info
from offbeat.evaluation.runner import run_models
from offbeat.evaluation.status import run_status
from offbeat.models.base import Reply
from offbeat.models.registry import make_model


class Patchy:
    name, revision, looks = "patchy", "1", False

    def reply(self, variant, prompt):
        delay_ms = variant.row.audio_delay_ms
        if delay_ms in (1000, 2000):
            raise ModelError("busy" if delay_ms == 1000 else f"no file {variant.row.variant_id}")
        return Reply(prompt.words[0])


def test_what_is_there_missing_and_failing(dataset, tmp_path):
    run_models(dataset, [make_model("random"), Patchy()], out=tmp_path / "run")
    found = run_status(tmp_path / "run")
    random, patchy = found.models
    assert random.complete
    assert not found.complete
    (study,) = patchy.questions
    assert (study.expected, study.outcomes["ok"], study.outcomes["error"], study.missing) == (50, 30, 20, 0)
    assert patchy.failures[0] == Failure("busy", 10, patchy.lengths_s)
    assert len(patchy.failures) == 11
    assert found.spent_usd == 0


def test_it_is_measured_by_the_last_command(dataset, tmp_path):
    run_models(dataset, [make_model("random")], out=tmp_path / "run", selection=Selection(limit=7, seed=3))
    assert run_status(tmp_path / "run").models[0].questions[0].expected == 7
    questions = [find_question("study"), find_question("letters")]
    run_models(dataset, [make_model("random")], out=tmp_path / "run", questions=questions, repeats=2)
    found = run_status(tmp_path / "run").models[0].questions
    assert [(one.question, one.expected, one.outcomes["ok"], one.missing) for one in found] == [
        ("study", 100, 100, 0),
        ("letters", 100, 100, 0),
    ]


def test_each_question_is_measured_by_the_last_command_that_asked_it(dataset, tmp_path):
    def ask(*questions, limit, revision="1"):
        patchy = Patchy()
        patchy.revision = revision
        chosen = [find_question(name) for name in questions]
        selection = Selection(limit=limit)
        return run_models(dataset, [patchy], out=tmp_path / "run", questions=chosen, selection=selection)

    def told():
        (patchy,) = run_status(tmp_path / "run").models
        return [
            (one.question, one.revision, one.expected, one.expected - one.outcomes["error"]) for one in patchy.questions
        ]

    ask("study", "letters", limit=20)
    many = told()
    assert [(name, expected) for name, _, expected, _ in many] == [("study", 20), ("letters", 20)]
    ask("letters", limit=10, revision="2")
    assert told()[0] == many[0]
    assert told()[1][:3] == ("letters", "2", 10)
    info = read_info(tmp_path / "run").models["patchy"]
    assert [(one.revision, one.questions, one.expected) for one in info.records] == [
        ("1", ("study",), 20),
        ("2", ("letters",), 10),
    ]
    ask("study", limit=5, revision="2")
    assert [one[:3] for one in told()] == [("letters", "2", 10), ("study", "2", 5)]
    ask("letters", "study", limit=None, revision="3")
    assert [one[:3] for one in told()] == [("letters", "3", 50), ("study", "3", 50)]
    assert read_info(tmp_path / "run").models["patchy"].earlier == ()


def test_failures_are_those_of_the_questions_that_are_shown(dataset, tmp_path):
    run_models(dataset, [Patchy()], out=tmp_path / "run")
    run_models(dataset, [Patchy()], out=tmp_path / "run", questions=[find_question("letters")])
    (patchy,) = run_status(tmp_path / "run").models
    assert [(question.question, question.outcomes["error"]) for question in patchy.questions] == [
        ("study", 20),
        ("letters", 20),
    ]
    assert sum(failure.times for failure in patchy.failures) == 40


def test_a_folder_that_tells_of_the_last_question_alone_can_be_read(dataset, tmp_path):
    run_models(dataset, [make_model("random")], out=tmp_path / "run")
    path = tmp_path / "run" / INFO
    info = json.loads(path.read_text())
    del info["models"]["random"]["earlier"]
    path.write_text(json.dumps(info))
    assert run_status(tmp_path / "run").complete


def test_answers_of_another_revision_do_not_count(dataset, tmp_path):
    run_models(dataset, [make_model("random", seed=1)], out=tmp_path / "run")
    run_models(dataset, [make_model("random", seed=2)], out=tmp_path / "run", selection=Selection(limit=5))
    path = tmp_path / "run" / INFO
    info = json.loads(path.read_text())
    info["models"]["random"]["limit"] = None
    path.write_text(json.dumps(info))
    (study,) = run_status(tmp_path / "run").models[0].questions
    assert (study.outcomes["ok"], study.missing) == (5, 45)


def test_what_cannot_be_told(dataset, tmp_path):
    run_models(dataset, [make_model("random")], out=tmp_path / "run")
    path = tmp_path / "run" / INFO
    whole = path.read_text()
    path.write_text(whole.replace('"study": {', '"other": {'))
    with pytest.raises(RunError, match="'study' is not described"):
        run_status(tmp_path / "run")
    path.write_text(whole)
    dataset.folder.rename(tmp_path / "elsewhere")
    with pytest.raises(DatasetError):
        run_status(tmp_path / "run")


class Gone:
    name, revision, looks = "gone", "1", False

    def reply(self, variant, prompt):
        raise ModelUnavailable("the model is no more")


def test_why_a_model_was_stopped_is_kept_until_it_is_asked_again(dataset, tmp_path, monkeypatch):
    run_models(dataset, [Gone(), make_model("random")], out=tmp_path / "run")
    gone, random = run_status(tmp_path / "run").models
    assert (gone.stopped, gone.complete) == (("the model is no more",), False)
    assert (random.stopped, random.complete) == ((), True)
    monkeypatch.setattr(Gone, "reply", lambda self, variant, prompt: Reply("sync"))
    run_models(dataset, [Gone()], out=tmp_path / "run")
    assert run_status(tmp_path / "run").models[0].stopped == ()


def test_what_each_model_has_cost(dataset, tmp_path):
    run_models(dataset, [make_model("random"), Patchy()], out=tmp_path / "run")
    with Database(tmp_path / "run" / FILE) as database:
        purse = Purse(database)
        for model, costs in (("patchy", (0.25, None)), ("other", (0.5, 0.5)), ("random", (0.0,))):
            for cost in costs:
                call = purse.begin(model=model, key="k", purpose="answer", most_usd=0.5)
                purse.end(call, ended="Reply", usage=None, cost_usd=cost)
    found = run_status(tmp_path / "run")
    assert list(found.spent_by_model.items()) == [("other", 1.0), ("patchy", 0.75)]
    assert found.spent_usd == 1.75
