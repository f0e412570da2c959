"""The mark beside a name: there where nothing shows that a model hears and sees, and nowhere else."""

import pytest
from report_samples import ATTACK, Parsed, guess, sample_answers, sample_dataset

from offbeat.report.marks import mark_of
from offbeat.report.page import SCRIPTS, render_page
from offbeat.report.paper.write import write_paper
from offbeat.report.published import load_published
from offbeat.report.results import compute_results
from offbeat.report.results_json import results_json

DATASET = sample_dataset()
RESULTS = compute_results(DATASET, sample_answers(DATASET, "deaf", guess(0.5)), draws=50)
PASSED = {"passed": True, "overridden": False, "says": "It hears."}
OVERRIDDEN = {"passed": False, "overridden": True, "says": f"It is deaf. {ATTACK}"}
NOT_NEEDED = {"passed": None, "overridden": False, "says": "It looks at nothing."}
UNKNOWN = object()


def runs(probe, *, revision="1", earlier=UNKNOWN):
    models = {} if probe is UNKNOWN else {"deaf": {"revision": revision, "probe": probe}}
    if earlier is not UNKNOWN:
        models["deaf"]["earlier"] = [{"revision": "1", "probe": earlier}]
    return [{"folder": "run", "settings": {"models": models}}]


def page(told):
    browser = {"models": []}
    return render_page(RESULTS, DATASET, load_published(), browser, {}, title="t", runs=told)


@pytest.mark.parametrize(
    ("told", "label"),
    [
        (runs(PASSED), None),
        (runs(NOT_NEEDED), None),
        (runs(UNKNOWN), None),
        (runs(OVERRIDDEN, revision="2"), None),
        (runs(None), "not probed"),
        (runs(OVERRIDDEN), "probe not passed"),
        (runs(OVERRIDDEN) + runs(PASSED), None),
        (runs(PASSED) + runs(None), None),
        (runs(PASSED, revision="2", earlier=OVERRIDDEN), "probe not passed"),
        (runs(PASSED, earlier=OVERRIDDEN), None),
    ],
)
def test_who_bears_a_mark(told, label):
    mark = mark_of(RESULTS.models[0], told)
    assert (mark and mark.label) == label
    parsed = Parsed(page(told))
    assert [a for a in parsed.named("a") if a.get("class") == "mark"] == (
        [{"class": "mark", "href": "#mark-0"}] if label else []
    )
    assert ("id", "mark-0") in [item for one in parsed.named("li") for item in one.items()] or not label


def test_the_mark_says_why_and_stays_text():
    parsed = Parsed(page(runs(OVERRIDDEN)))
    words = "".join(parsed.words)
    assert "It is deaf." in words
    assert "It was asked all the same." in words
    assert len(parsed.scripts) == len(SCRIPTS) + 2
    assert parsed.named("img") == []


def test_what_a_server_said_ends_before_the_next_sentence():
    failed = {"passed": False, "overridden": True, "says": "It could not be carried out: 400 no GPU"}
    says = mark_of(RESULTS.models[0], runs(failed)).says
    assert says == "It could not be carried out: 400 no GPU. It was asked all the same."


def test_results_json_has_the_outcome():
    told = {
        name: results_json(RESULTS, DATASET, load_published(), runs(probe))["models"]["deaf"]["probe"]
        for name, probe in (("none", None), ("overridden", {**OVERRIDDEN, "said": []}), ("unknown", UNKNOWN))
    }
    assert told == {"none": None, "overridden": OVERRIDDEN, "unknown": None}


def test_the_papers_tables_and_method_bear_the_mark(tmp_path):
    """In every table and format, in its caption, and with the reason in the method; and nowhere for one that passed."""
    texts = {}
    for name, told in (("deaf", runs(OVERRIDDEN)), ("hears", runs(PASSED))):
        (tmp_path / name).mkdir()
        write_paper(tmp_path / name, RESULTS, DATASET, told)
        texts[name] = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / name / "paper").iterdir()}
    tables = {name: text for name, text in texts["deaf"].items() if name.endswith((".md", ".tex", ".csv"))}
    del tables["methods.md"]
    assert len(tables) == 9
    for name, text in tables.items():
        dagger = r"$\dagger$" if name.endswith(".tex") else "†"
        assert f"deaf {dagger}" in text, name
        assert (f"{dagger} Nothing shows that it hears and sees" in text) != name.endswith(".csv"), name
    assert "Probe not passed: It is deaf." in texts["deaf"]["methods.md"]
    assert "It was asked all the same." in texts["deaf"]["methods.md"]
    assert not [name for name, text in texts["hears"].items() if "†" in text or "dagger" in text or "Probe not" in text]
