"""Reading again: outcomes that reading decides follow the rules of today, nothing else moves."""

import dataclasses

import pytest

from offbeat.evaluation import asking, reread
from offbeat.evaluation.question import find_question
from offbeat.evaluation.reread import reread_run
from offbeat.evaluation.run_folder import open_run
from offbeat.evaluation.runner import run_models
from offbeat.models.base import Reply
from offbeat.models.registry import make_model

SAYS = {
    -2.0: Reply("Answer: ahead"),
    -1.0: Reply("mumble"),
    0.0: Reply("sync", stop="refused"),
    1.0: Reply("sync", stop="truncated"),
    2.0: Reply("behind", stop="unsure"),
}


class Mixed:
    name, revision, looks = "mixed", "1", False

    def reply(self, variant, prompt):
        return SAYS[variant.row.audio_delay_ms / 1000]


def test_nothing_changes_while_the_rules_stay(dataset, tmp_path):
    run_models(dataset, [Mixed()], out=tmp_path / "run")
    before = open_run(tmp_path / "run")
    again = reread_run(tmp_path / "run")
    assert (again.read, again.changed) == (30, ())
    assert open_run(tmp_path / "run") == before


def test_answers_read_by_older_rules_are_read_anew(dataset, tmp_path, monkeypatch):
    def poor(text, stop, *_, **__):
        return (stop, None) if stop != "complete" else ("ok", "sync")

    monkeypatch.setattr(asking, "read_reply", poor)
    run_models(dataset, [Mixed()], out=tmp_path / "run")
    monkeypatch.undo()
    before = open_run(tmp_path / "run").answers
    again = reread_run(tmp_path / "run")
    after = open_run(tmp_path / "run").answers
    assert (again.read, len(again.changed)) == (30, 30)
    texts = [dataclasses.replace(answer, outcome="ok", choice=None) for answer in before]
    assert [dataclasses.replace(answer, outcome="ok", choice=None) for answer in after] == texts
    assert {(a.text, a.outcome, a.choice) for a in after} == {
        ("Answer: ahead", "ok", "ahead"),
        ("mumble", "unparsed", None),
        ("sync", "refused", None),
        ("sync", "truncated", None),
        ("behind", "unsure", "behind"),
    }


def test_all_or_nothing(dataset, tmp_path, monkeypatch):
    run_models(dataset, [make_model("oracle")], out=tmp_path / "run")
    before = open_run(tmp_path / "run").answers
    seen = []

    def fail_at_ten(*_, **__):
        seen.append(1)
        if len(seen) == 10:
            raise RuntimeError("stop")
        return "unparsed", None

    monkeypatch.setattr(reread, "read_reply", fail_at_ten)
    with pytest.raises(RuntimeError, match="stop"):
        reread_run(tmp_path / "run")
    assert open_run(tmp_path / "run").answers == before


def test_each_answer_is_read_by_its_own_words(dataset, tmp_path, monkeypatch):
    """The same letter means another thing in another clip."""

    def blind(*_, **__):
        return "unparsed", None

    monkeypatch.setattr(asking, "read_reply", blind)
    run_models(dataset, [make_model("oracle")], out=tmp_path / "run", questions=[find_question("letters")])
    monkeypatch.undo()
    truth = {variant.row.variant_id: variant.row.label for variant in dataset.variants}
    assert len(reread_run(tmp_path / "run").changed) == 50
    answers = open_run(tmp_path / "run").answers
    assert {answer.variant_id: answer.choice for answer in answers} == truth
    assert {answer.text for answer in answers} == {"A", "B", "C"}
    assert len({tuple(answer.options.values()) for answer in answers}) > 1
