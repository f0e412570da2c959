"""What can be asked and whom: lists that a user reads before a run, and a model tried out."""

from __future__ import annotations

import json
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from click.testing import CliRunner

from offbeat.cli import models as models_module
from offbeat.cli.doctor import doctor
from offbeat.cli.model_options import read_options
from offbeat.cli.models import models
from offbeat.cli.questions import questions
from offbeat.errors import ModelUnavailable, SettingsError
from offbeat.evaluation.question import shipped_questions
from offbeat.models import registry

MINE = '''
from offbeat.models.base import Reply


class Mine:
    """Says what stands first.

    More of it.
    """

    name, revision = "mine", "1"

    def __init__(self, *, argument: str = "", fps: float = 2, voice: str = "low", weights: str) -> None: ...

    def reply(self, variant, prompt):
        return Reply(text=prompt.words[0])


class Peeking(Mine):
    def __init__(self) -> None: ...

    def reply(self, variant, prompt):
        return Reply(text=prompt.word_for(variant.row.label))
'''


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    Path("mymodels.py").write_text(MINE)


def _invoke(command, *words: str):
    return CliRunner().invoke(command, [*words], standalone_mode=False)


def test_the_questions_are_listed() -> None:
    lines = _invoke(questions).stdout.splitlines()
    assert [line.split()[0] for line in lines[1:]] == list(shipped_questions())
    assert "A / B / C" in next(line for line in lines if line.startswith("letters"))


def test_one_question_is_shown_as_it_is_asked() -> None:
    assert _invoke(questions, "study").stdout.rstrip() == (
        "You will watch a 5-second video with audio.\nReply with ONLY ONE word:\n"
        "sync = audio matches video\nahead = audio earlier than video\nbehind = audio later than video"
    )
    assert _invoke(questions, "editor").stdout.startswith("system\nYou are a film editor")
    told = json.loads(_invoke(questions, "letters", "--json").stdout)
    assert sorted(told["options"].values()) == ["A", "B", "C"]
    assert f"{told['options']['ahead']} = audio earlier than video" in told["prompt"]
    assert [row["name"] for row in json.loads(_invoke(questions, "--json").stdout)] == list(shipped_questions())


def test_an_unknown_question() -> None:
    assert isinstance(_invoke(questions, "none").exception, SettingsError)


def test_every_installed_model_is_listed_with_its_options() -> None:
    listed = {row["name"]: row for row in json.loads(_invoke(models, "--json").stdout)}
    assert set(listed) == set(registry.known_models())
    assert listed["signal"]["about"].startswith("Answers by the estimated delay")
    assert listed["random"]["options"] == {}
    assert "always  The same choice every time; always:sync" in _invoke(models).stdout


@pytest.mark.usefixtures("own")
def test_a_model_of_ones_own_is_listed() -> None:
    assert _invoke(models, "mymodels.py:Mine").stdout.splitlines() == [
        "mymodels.py:Mine  Says what stands first.",
        "    --option fps=2",
        "    --option voice=low",
        "    --option weights=…",
    ]
    assert isinstance(_invoke(models, "mymodels.py:Yours").exception, ModelUnavailable)


def test_what_is_missing_or_broken_is_told_and_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    class Distribution:
        name = "offbeat"
        requires = ("no-such-package>=1; extra == 'needy'",)

    needy = EntryPoint("needy", "offbeat.models.signal:Signal", registry.GROUP)
    broken = EntryPoint("broken", "offbeat.models.base:NoSuch", registry.GROUP)
    object.__setattr__(needy, "dist", Distribution())
    monkeypatch.setattr(registry, "known_models", lambda: {"broken": broken, "needy": needy})
    listed = _invoke(models_module.models).stdout
    assert "broken  'broken': offbeat.models.base:NoSuch cannot be imported" in listed
    assert '    not installed; type: pip install "offbeat[needy]"' in listed


@pytest.mark.usefixtures("own")
def test_a_model_is_tried_out() -> None:
    good = _invoke(doctor, "--model", "mymodels.py:Mine", "--option", "weights=w", "--json")
    assert good.return_value == 0
    found = {finding["what"]: finding for finding in json.loads(good.stdout)}
    assert found["replies"]["found"] == "sync, sync, sync; the truth is ahead, sync, behind"
    assert all(finding["ok"] for finding in found.values())
    bad = _invoke(doctor, "--model", "mymodels.py:Peeking")
    assert bad.return_value == 1
    assert "FAULT   truth        other replies when label or delay in the row are others" in bad.stdout


@pytest.mark.usefixtures("own")
def test_what_cannot_be_tried_out() -> None:
    assert isinstance(_invoke(doctor, "--model", "mymodels.py:Mine").exception, ModelUnavailable)
    assert isinstance(_invoke(doctor, "--model", "random", "--option", "fps=2").exception, SettingsError)
    assert "--option and --base-url belong to a model" in str(_invoke(doctor, "--option", "fps=2").exception)


@pytest.mark.parametrize("value", ["a=b", "[1", "", "1" * 5000, "[" * 100_000])
def test_what_is_no_json_is_text(value):
    assert read_options([f"key_env={value}"], None, ["openai:m"]) == {"key_env": value}


def test_answers_that_no_report_will_score_are_told_before_they_are_asked_for(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(
        '[[question]]\nname = "own"\ntemplate = "When?\\n{options}"\n'
        'options = [{ label = "sync" }, { label = "ahead" }, { label = "late" }]\n'
    )
    told = _invoke(questions, f"{tmp_path / 'own.toml'}:own").stderr
    assert "own: a report lists its answers and scores none: late is none of the labels sync, ahead, behind" in told
    assert "scores none" not in _invoke(questions, "letters").stderr
