"""The command: what changed, and the scores that follow."""

import json
import shutil
import sqlite3

import pytest
from sklearn.metrics import accuracy_score

from fake_dataset import write_dataset
from offbeat.errors import ModelUnavailable
from offbeat.evaluation.question import find_question
from offbeat.evaluation.run_folder import open_run
from offbeat.evaluation.runner import run_models
from offbeat.models.base import Reply
from offbeat.models.registry import make_model


@pytest.fixture
def dataset(tmp_path):
    dataset = write_dataset(tmp_path / "set")
    run_models(dataset, [make_model("random"), make_model("oracle")], out=tmp_path / "run")
    return dataset


def test_scores(dataset, offbeat, tmp_path):
    code, out, _ = offbeat("score", "run", "--json")
    told = json.loads(out)
    assert code == 0
    assert (told["read"], told["changed"]) == (100, [])
    truth = {variant.row.variant_id: variant.row.label for variant in dataset.variants}
    for model in told["models"]:
        answers = [answer for answer in open_run(tmp_path / "run").answers if answer.model == model["name"]]
        expected = accuracy_score([truth[a.variant_id] for a in answers], [a.choice for a in answers])
        assert model["accuracy"]["value"] == pytest.approx(expected)


def test_a_figure_without_an_interval_has_no_method(offbeat, tmp_path):
    run_models(write_dataset(tmp_path / "set", sources=1), [make_model("oracle")], out=tmp_path / "run")
    (model,) = json.loads(offbeat("score", "run", "--json")[1])["models"]
    alone = {"value": 1.0, "low": None, "high": None, "n_sources": 1, "method": None}
    assert (model["accuracy"], model["balanced_accuracy"]) == (alone, alone)


def test_what_changed_is_listed(dataset, offbeat, tmp_path):
    with sqlite3.connect(tmp_path / "run" / "answers.sqlite") as connection:
        connection.execute(
            "UPDATE answers SET outcome = 'unparsed', choice = NULL WHERE model = 'oracle' AND variant_id < 'v000003'"
        )
    connection.close()
    _, out, _ = offbeat("score", "run")
    assert out.startswith("100 replies read again, 3 now read otherwise\n  oracle, v000000: unparsed -> ahead: ahead\n")
    rows = [line.split() for line in out.splitlines()[-2:]]
    assert rows[0][:5] == ["oracle", "50", "0", "100.0", "%"]
    assert offbeat("score", "run")[1].startswith("100 replies read again, 0 now read otherwise\n")


def test_a_dataset_that_was_moved(dataset, offbeat, tmp_path):
    shutil.move(tmp_path / "set", tmp_path / "elsewhere")
    code, _, err = offbeat("score", "run")
    assert code == 2
    assert "no dataset.json there" in err
    assert offbeat("score", "run", "--dataset", "elsewhere")[0] == 0


def test_another_dataset(dataset, offbeat, tmp_path):
    write_dataset(tmp_path / "other", sources=2)
    code, _, err = offbeat("score", "run", "--dataset", "other")
    assert code == 2
    assert "is not the dataset that run was asked about" in err


def test_no_run(offbeat):
    code, _, err = offbeat("score", "nowhere")
    assert code == 2
    assert "no run.json there" in err


class Dies:
    name, revision, looks = "dies", "1", False

    def reply(self, variant, prompt):
        if variant.row.variant_id > "v000009":
            raise ModelUnavailable("the model is gone")
        return Reply("sync")


def test_what_was_never_asked_for_stands_beside_the_score(dataset, offbeat, tmp_path):
    assert "never asked" not in offbeat("score", "run")[1]
    questions = [find_question("study"), find_question("letters")]
    run_models(dataset, [Dies()], out=tmp_path / "run", questions=questions)
    _, out, _ = offbeat("score", "run")
    (dies,) = [line.split() for line in out.splitlines() if line.startswith("dies  ")]
    assert dies[:4] == ["dies", "10", "1", "39"]
    told = "50 answers were wanted, and none was ever asked for. Why: the model is gone."
    assert f"dies, asked letters, has no answer: {told}" in out
    found = json.loads(offbeat("score", "run", "--json")[1])
    assert {model["name"]: model["never_asked"] for model in found["models"]} == {"oracle": 0, "random": 0, "dies": 39}
    assert found["unanswered"] == [
        {"model": "dies", "question": "letters", "wanted": 50, "why": "the model is gone"},
    ]
