"""Where a run stands, told from its folder."""

import json

import pytest

from offbeat.errors import DatasetError, ModelError, RunError
from offbeat.evaluation.plan import Selection
from offbeat.evaluation.question import find_question
from offbeat.evaluation.run_folder import INFO
from offbeat.evaluation.runner import run_models
from offbeat.evaluation.status import Failure, run_status
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
    assert patchy.failures[0] == Failure("busy", 10)
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


def test_failures_are_those_of_the_questions_that_are_shown(dataset, tmp_path):
    run_models(dataset, [Patchy()], out=tmp_path / "run")
    run_models(dataset, [Patchy()], out=tmp_path / "run", questions=[find_question("letters")])
    (patchy,) = run_status(tmp_path / "run").models
    assert [question.question for question in patchy.questions] == ["letters"]
    assert sum(failure.times for failure in patchy.failures) == patchy.questions[0].outcomes["error"] == 20


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
