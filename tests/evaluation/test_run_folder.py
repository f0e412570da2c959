"""A run folder: what it says, what it refuses, and that it can be moved."""

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from offbeat.dataset.folder import METADATA, open_dataset
from offbeat.errors import RunError
from offbeat.evaluation.database import FILE
from offbeat.evaluation.plan import Selection, plan_run
from offbeat.evaluation.question import STUDY
from offbeat.evaluation.run_folder import INFO, held_run, open_run
from offbeat.evaluation.runner import run_models
from offbeat.models.registry import make_model


@pytest.fixture
def run(dataset, tmp_path) -> Path:
    out = tmp_path / "runs" / "one"
    run_models(dataset, [make_model("random")], out=out)
    return out


def test_what_a_reader_gets(dataset, run):
    opened = open_run(run)
    assert opened.folder == run
    assert opened.dataset_folder == dataset.folder.resolve()
    assert opened.dataset_fingerprint == dataset.fingerprint
    assert len(opened.answers) == 50
    assert opened.settings["models"]["random"]["expected"] == 50
    assert opened.settings["questions"]["study"]["options"] == ["sync", "ahead", "behind"]
    assert opened.settings["created_at"] <= opened.settings["updated_at"]


def test_another_model_joins_and_the_first_stays(dataset, run):
    before = open_run(run).settings
    run_models(dataset, [make_model("oracle")], out=run, selection=Selection(limit=10, genres=["speech"]))
    after = open_run(run).settings
    assert after["models"]["random"] == before["models"]["random"]
    assert after["models"]["oracle"]["limit"] == 10
    assert after["models"]["oracle"]["genres"] == ["speech"]
    assert after["created_at"] == before["created_at"]


def test_dataset_and_run_can_be_moved_together(tmp_path, run):
    shutil.move(tmp_path / "set", tmp_path / "new" / "set")
    shutil.move(tmp_path / "runs", tmp_path / "new" / "runs")
    moved = tmp_path / "new" / "runs" / "one"
    assert open_dataset(open_run(moved).dataset_folder).fingerprint == open_run(moved).dataset_fingerprint
    assert str(tmp_path) not in (moved / INFO).read_text()


def test_another_dataset_is_refused(dataset, run):
    manifest = dataset.folder / METADATA
    manifest.write_text("".join(manifest.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(RunError, match=r"answers about another dataset .*choose another --out"):
        run_models(open_dataset(dataset.folder), [make_model("random")], out=run)


def test_answers_without_their_description(dataset, run):
    (run / INFO).unlink()
    with pytest.raises(RunError, match=r"answers without run\.json"):
        run_models(dataset, [make_model("random")], out=run)


def test_a_folder_that_was_begun_and_left_is_taken_up(dataset, tmp_path):
    with held_run(tmp_path / "begun"):
        pass
    assert run_models(dataset, [make_model("random")], out=tmp_path / "begun").complete


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "put a copy"),
        ("{}", "format_version"),
        ("[]", "put a copy"),
        ('{"format_version": 3, "new": 1}', "format version 3, expected 2"),
        ('{"format_version": 2}', "dataset_folder"),
        (b"\xff\xfe", "cannot be read"),
    ],
)
def test_a_description_that_is_none(run, content, message):
    (run / INFO).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(RunError, match=message):
        open_run(run)


def test_not_a_run_folder(tmp_path, run):
    with pytest.raises(RunError, match=r"no run\.json there; expected a run folder, as `offbeat run"):
        open_run(tmp_path)
    (run / FILE).unlink()
    with pytest.raises(RunError, match="not there"):
        open_run(run)


def test_one_process_at_a_time(dataset, tmp_path):
    code = (
        "import sys; from pathlib import Path; from offbeat.evaluation.run_folder import held_run\n"
        "with held_run(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "run")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with holder:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(RunError, match="another offbeat process"):
            run_models(dataset, [make_model("random")], out=tmp_path / "run")
        holder.stdin.close()
    assert run_models(dataset, [make_model("random")], out=tmp_path / "run").complete


def test_the_description_is_whole_or_the_old_one(dataset, run, monkeypatch):
    before = (run / INFO).read_bytes()

    def fail(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(RunError, match=r"cannot be written \(No space left on device\)"):
        run_models(dataset, [make_model("oracle")], out=run)
    assert (run / INFO).read_bytes() == before
    assert json.loads(before)["models"].keys() == {"random"}


def test_two_questions_of_one_name_are_never_mixed(dataset, run):
    other = dataclasses.replace(STUDY, template="{length} s: {options}")
    with pytest.raises(RunError, match=r"another question named 'study'.*rename yours, or choose another --out"):
        run_models(dataset, [make_model("oracle")], out=run, questions=[other])
    with pytest.raises(RunError, match="another question named 'study'"):
        plan_run(dataset, [make_model("oracle")], [other], Selection(), 1, run)
    run_models(dataset, [make_model("oracle")], out=run, questions=[dataclasses.replace(other, name="mine")])
    assert set(open_run(run).settings["questions"]) == {"study", "mine"}
    assert {answer.model for answer in open_run(run).answers if answer.question == "study"} == {"random"}
