"""The page as a parser sees it: hostile text stays text, only scripts that the policy names, nothing is fetched."""

import base64
import dataclasses
import hashlib

import pytest
from report_samples import (
    ATTACK,
    Parsed,
    answer,
    data_block,
    guess,
    sample_answers,
    sample_dataset,
    write_dataset,
    write_run,
)

from offbeat.report.browser import LONGEST_TEXT
from offbeat.report.build import build_report
from offbeat.report.page import SCRIPTS, render_page
from offbeat.report.published import load_published
from offbeat.report.results import compute_results

HOSTILE = f"{ATTACK}\x1b[31m\x00\u202e'\""


@pytest.fixture(scope="module")
def hostile_page(tmp_path_factory, clip):
    """Every text that comes from outside is an attack."""
    folder = tmp_path_factory.mktemp("hostile")
    dataset = sample_dataset(folder / "set", genres={HOSTILE: 2, "speech": 2})
    source = dataset.sources[0].model_copy(
        update={"status": "refused", "path": HOSTILE, "reason": HOSTILE, "detail": HOSTILE, "language": HOSTILE}
    )
    info = dataset.info.model_copy(update={"settings": {HOSTILE: HOSTILE}})
    dataset = dataclasses.replace(dataset, sources=(source, *dataset.sources), info=info)
    write_dataset(dataset, clip)
    row = dataset.variants[0].row
    strange = dataclasses.replace(
        answer(row, HOSTILE, "sync"),
        prompt=HOSTILE,
        text=HOSTILE * 100,
        details={HOSTILE: [HOSTILE]},
        probabilities={"sync": 0.5},
    )
    run = write_run(folder / HOSTILE.replace("/", "").replace("\x00", ""), dataset, [strange])
    page = build_report([run], out=folder / "out", title=HOSTILE, draws=100)
    return page.read_text(encoding="utf-8")


def test_hostile_text_makes_no_element(hostile_page):
    parsed = Parsed(hostile_page)
    assert len(parsed.scripts) == len(SCRIPTS) + 2
    assert parsed.named("img") == []
    assert not [name for _, attributes in parsed.elements for name in attributes if name.startswith("on")]
    assert "<script>document.title" in "".join(parsed.words)  # it is there, as text


def test_control_characters_are_made_visible(hostile_page):
    assert not set("\x00\x1b\u202e") & set(hostile_page)
    assert "␛[31m␀\ufffd" in hostile_page


def test_hostile_data_survives_as_data(hostile_page):
    data = data_block(hostile_page, "browser-data")
    shown = HOSTILE.replace("\x1b", "␛").replace("\x00", "␀").replace("\u202e", "\ufffd")
    assert data["models"] == [shown]
    assert data["prompts"] == [[shown, None]]
    assert data["variants"][0][3] == shown
    text = data["answers"][0][0][3]
    assert text.startswith(shown * 10)
    assert text.endswith(f"({100 * len(HOSTILE):,} characters; the run folder has the whole)")
    assert len(text) < LONGEST_TEXT + 100


def test_long_names_may_break_after_their_punctuation_and_stay_text():
    dataset = sample_dataset()
    results = compute_results(dataset, sample_answers(dataset, f"openai:Qwen/{ATTACK}", guess(0.5)), draws=50)
    page = render_page(results, dataset, load_published(), {"models": []}, {}, title="t", runs=[])
    assert ">openai:<wbr>Qwen/<wbr>&lt;/<wbr>script&gt;" in page
    parsed = Parsed(page)
    assert parsed.named("img") == []
    assert len(parsed.scripts) == len(SCRIPTS) + 2


def test_the_policy_names_the_scripts_of_the_page_and_nothing_else(run, tmp_path):
    parsed = Parsed(build_report([run], out=tmp_path / "out", draws=100).read_text(encoding="utf-8"))
    (policy,) = [a["content"] for a in parsed.named("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    running = [text for attributes, text in parsed.scripts if attributes.get("type") != "application/json"]
    hashes = {f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in running}
    assert len(running) == len(SCRIPTS)
    assert set(rules["script-src"].split()) == hashes
    assert rules["default-src"] == "'none'"
    assert "unsafe-eval" not in policy


def test_nothing_is_fetched_from_elsewhere(run, tmp_path):
    parsed = Parsed(build_report([run], out=tmp_path / "out", draws=100).read_text(encoding="utf-8"))
    sources = [
        a[name] for _, a in parsed.elements for name in ("src", "srcset", "poster", "data", "action") if name in a
    ]
    assert sources == []
    assert [a["href"] for a in parsed.named("link")] == ["data:,"]
    outside = [a["href"] for a in parsed.named("a") if not a["href"].startswith("#")]
    papers = [paper.link for paper in load_published().other]
    assert outside == ["https://openreview.net/forum?id=MNfjdwOan0", *papers, "results.json", "paper/methods.md"]


def test_the_headline_stands_in_the_page_without_scripts(run, tmp_path):
    words = " ".join(
        " ".join(Parsed(build_report([run], out=tmp_path / "out", draws=100).read_text(encoding="utf-8")).words).split()
    )
    assert "always:sync answered sync every time: it cannot be told from a constant." in words
    marks = "always:sync: balanced accuracy 33.3 % [33.3, 33.3], accuracy 33.3 % [33.3, 33.3]"
    assert f"{marks} 33.3 [33.3, 33.3] 33.3 [33.3, 33.3] 4 24 0 0" in words
    assert "2 models were shown 24 variants : 8 clips" in words
    assert "For reference, on these variants" in words
    assert "ahead: dashed" not in words, "no legend where there is no curve"
    assert "Published, other material" in words
    assert "largest error 0.020 ms, measured in 24 decoded files" in words


def test_missing_clips_and_unasked_variants_are_said(tmp_path, clip):
    dataset = sample_dataset(tmp_path / "set")
    write_dataset(dataset, clip)
    gone = dataset.variants[0]
    gone.path.unlink()
    answers = sample_answers(dataset, "m", lambda row: guess(1)(row) if row.audio_delay_ms >= 0 else None)
    run = write_run(tmp_path / "run", dataset, answers)
    page = build_report([run], out=tmp_path / "out", draws=100).read_text(encoding="utf-8")
    words = "".join(Parsed(page).words)
    assert "m was asked about 8 of 12 variants." in words
    assert "1 model was shown 8 of\n12 variants: " in words
    variants = {variant[0]: variant[13] for variant in data_block(page, "browser-data")["variants"]}
    assert variants.pop(gone.row.variant_id) is None
    assert all(path.startswith("clips/") for path in variants.values())
