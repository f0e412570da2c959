"""Every wording, all the way: asked, answered in its words, read on arrival, and read again."""

from offbeat.evaluation.question import shipped_questions
from offbeat.evaluation.reread import reread_run
from offbeat.evaluation.run_folder import open_run
from offbeat.evaluation.runner import run_models
from offbeat.models.registry import make_model


def test_the_oracle_is_right_in_every_wording(dataset, tmp_path):
    questions = list(shipped_questions().values())
    run_models(dataset, [make_model("oracle")], out=tmp_path / "run", questions=questions)
    truth = {variant.row.variant_id: variant.row.label for variant in dataset.variants}
    answers = open_run(tmp_path / "run").answers
    assert len(answers) == len(questions) * len(truth)
    assert all(answer.outcome == "ok" for answer in answers)
    assert all(answer.choice == truth[answer.variant_id] for answer in answers)
    assert {answer.system is None for answer in answers if answer.question == "editor"} == {False}
    assert reread_run(tmp_path / "run").changed == ()
