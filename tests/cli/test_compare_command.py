"""Two runs beside each other: figures, answers that changed, datasets that differ, and what is refused."""

import dataclasses
import json

import pytest
from report_samples import digest, guess, sample_answers, sample_dataset, write_dataset, write_run
from sklearn.metrics import accuracy_score


@pytest.fixture
def dataset(tmp_path):
    return written(tmp_path / "set")


def written(folder, **settings):
    """Every variant has bytes of its own, the same in every dataset."""
    made = sample_dataset(folder, lengths=(3.0, 5.0), **settings)
    variants = tuple(
        dataclasses.replace(one, row=one.row.model_copy(update={"sha256": digest(one.row.variant_id) * 5}))
        for one in made.variants
    )
    made = dataclasses.replace(made, variants=variants)
    write_dataset(made, b"")
    return made


def other_ids(folder, **settings):
    """The same files in another dataset, under other names."""
    made = written(folder, **settings)
    variants = tuple(
        dataclasses.replace(one, row=one.row.model_copy(update={"variant_id": f"x{one.row.variant_id}"}))
        for one in made.variants
    )
    made = dataclasses.replace(made, variants=variants)
    write_rows(made)
    return made


def write_rows(dataset):
    text = "".join(variant.row.model_dump_json() + "\n" for variant in dataset.variants)
    (dataset.folder / "metadata.jsonl").write_text(text, encoding="utf-8")


def test_figures_and_changes(dataset, offbeat, tmp_path):
    before, after = guess(0.2, 1), guess(0.9, 2)
    first, second = sample_answers(dataset, "m", before), sample_answers(dataset, "m", after, revision="2")
    write_run(tmp_path / "a", dataset, first)
    write_run(tmp_path / "b", dataset, second)
    code, out, _ = offbeat("compare", "a", "b", "--json", "--bootstrap", "500")
    told = json.loads(out)["pairs"][0]
    truth = [variant.row.label for variant in dataset.variants]
    scores = [accuracy_score(truth, [answer.choice for answer in own]) for own in (first, second)]
    accuracy = told["figures"]["accuracy"]
    assert code == 0
    assert (accuracy["first"], accuracy["second"]) == pytest.approx(scores)
    assert accuracy["difference"]["value"] == pytest.approx(scores[1] - scores[0])
    gained = sum(b == t != a for a, b, t in zip(choices(first), choices(second), truth, strict=True))
    lost = sum(a == t != b for a, b, t in zip(choices(first), choices(second), truth, strict=True))
    effects = [change["effect"] for change in told["changes"]]
    assert (effects.count("wrong -> right"), effects.count("right -> wrong")) == (gained, lost)
    assert gained - lost == round((scores[1] - scores[0]) * len(truth))
    assert {part["genre"]: part["n"] for part in told["by_genre"]} == {"cooking": 12, "speech": 12}
    assert told["changes"][0]["after"]["revision"] == "2"


def choices(answers):
    return [answer.choice for answer in answers]


def test_the_text_says_what_a_null_result_means(dataset, offbeat, tmp_path):
    write_run(tmp_path / "a", dataset, sample_answers(dataset, "m", guess(0.3, 1)))
    write_run(tmp_path / "b", dataset, sample_answers(dataset, "m", guess(0.3, 2)))
    code, out, _ = offbeat("compare", "a", "b")
    assert code == 0
    assert "24 answers in common, 4 sources" in out
    assert "No difference was found; a true one of" in out
    assert "sign flips" in out
    assert "(exact)" in out


def test_the_same_run_twice_is_alike(dataset, offbeat, tmp_path):
    write_run(tmp_path / "a", dataset, sample_answers(dataset, "m", guess(0.3)))
    code, out, _ = offbeat("compare", "a", "a")
    assert code == 0
    assert "Alike on every source." in out
    assert "0 answers changed" in out


def test_answers_without_a_partner_are_told(dataset, offbeat, tmp_path):
    write_run(tmp_path / "a", dataset, sample_answers(dataset, "m", lambda row: row.label))
    failing = sample_answers(dataset, "m", lambda row: "error" if row.genre == "speech" else row.label)
    write_run(tmp_path / "b", dataset, [*failing, *sample_answers(dataset, "new", guess(0.5))])
    code, out, _ = offbeat("compare", "a", "b")
    assert code == 1
    assert "without a partner: 12 answers of RUN_A, 0 of RUN_B" in out
    assert "only in RUN_B: new · study" in out


def test_a_question_with_other_options_is_told(dataset, offbeat, tmp_path):
    other = sample_answers(dataset, "m", lambda row: "yes", question="yesno")
    write_run(tmp_path / "a", dataset, [*sample_answers(dataset, "m", guess(0.5)), *other])
    code, out, _ = offbeat("compare", "a", "a")
    assert code == 1
    assert "not compared, as only sync, ahead and behind are scored: m · yesno" in out
    assert json.loads(offbeat("compare", "a", "a", "--json")[1])["unscored"] == ["m · yesno"]
    assert offbeat("compare", "a", "a", "--models", "m · study", "m · study")[0] == 0


def test_a_change_of_the_outcome_alone_is_seen_as_such(dataset, offbeat, tmp_path):
    sure = sample_answers(dataset, "m", lambda row: "behind")
    write_run(tmp_path / "a", dataset, [dataclasses.replace(one, outcome="unsure") for one in sure])
    write_run(tmp_path / "b", dataset, sure)
    assert ": behind (unsure) -> behind (otherwise)" in offbeat("compare", "a", "b")[1]


def test_other_datasets_are_compared_on_the_files_that_are_the_same(dataset, offbeat, tmp_path):
    larger = other_ids(tmp_path / "larger", genres={"cooking": 2, "speech": 1, "sports": 3})
    write_run(tmp_path / "a", dataset, sample_answers(dataset, "m", lambda row: row.label))
    write_run(tmp_path / "b", larger, sample_answers(larger, "m", lambda row: "sync"))
    code, out, _ = offbeat("compare", "a", "b", "--json")
    told = json.loads(out)
    assert code == 1
    assert told["variants"] == {"first": 24, "second": 36, "common": 18}
    assert told["pairs"][0]["n"] == 18
    assert {change["effect"] for change in told["pairs"][0]["changes"]} == {"right -> wrong"}
    assert "18 variants have the same bytes in both, of 24 and 36" in offbeat("compare", "a", "b")[1]


def test_files_that_occur_twice_are_not_matched(dataset, offbeat, tmp_path):
    twins = other_ids(tmp_path / "twins", genres={"cooking": 2})
    shared = twins.variants[0].row.sha256
    variants = tuple(
        dataclasses.replace(one, row=one.row.model_copy(update={"sha256": shared})) for one in twins.variants
    )
    twins = dataclasses.replace(twins, variants=variants)
    write_rows(twins)
    write_run(tmp_path / "a", dataset, sample_answers(dataset, "m", guess(0.5)))
    write_run(tmp_path / "b", twins, sample_answers(twins, "m", guess(0.5)))
    code, _, err = offbeat("compare", "a", "b")
    assert code == 2
    assert "there is nothing to compare" in err


def test_models_of_other_names_can_be_paired(dataset, offbeat, tmp_path):
    write_run(tmp_path / "a", dataset, sample_answers(dataset, "old", guess(0.5)))
    write_run(
        tmp_path / "b", dataset, [*sample_answers(dataset, "new", guess(0.5)), *sample_answers(dataset, "x", guess(0))]
    )
    code, _, err = offbeat("compare", "a", "b")
    assert code == 2
    assert "'old · study' in the first, 'new · study', 'x · study' in the second; name one of each (--models)" in err
    code, out, _ = offbeat("compare", "a", "b", "--models", "old", "new")
    assert code == 0
    assert out.startswith("first: old · study\nsecond: new · study\n")
    code, _, err = offbeat("compare", "a", "b", "--models", "old", "nobody")
    assert (code, "--models 'nobody': no such model" in err) == (2, True)


def test_hostile_names_stay_on_their_line(dataset, offbeat, tmp_path):
    name = "m\x1b[31m\nnew line"
    write_run(tmp_path / "a", dataset, sample_answers(dataset, name, guess(0.5, 1)))
    write_run(tmp_path / "b", dataset, sample_answers(dataset, name, guess(0.5, 2)))
    _, out, _ = offbeat("compare", "a", "b")
    assert "\x1b" not in out
    assert not [line for line in out.splitlines() if line.startswith("new line")]
