"""Figures for a paper: standing alone, named safely, and drawn where the extra is there."""

import json
import sys
from types import SimpleNamespace

import pytest
from observers import observers
from report_samples import ATTACK, STUDY_DELAYS_MS, sample_answers, sample_dataset

from offbeat.cli import cli
from offbeat.errors import SettingsError
from offbeat.report.insight import look_into
from offbeat.report.observers import observers as all_observers
from offbeat.report.paper.figures import figure_specs, write_figures
from offbeat.report.published import load_published
from offbeat.report.results import compute_results


@pytest.fixture(scope="module")
def material():
    dataset = sample_dataset(genres={"cooking": 4, "speech": 4}, delays_ms=STUDY_DELAYS_MS)
    own = observers(dataset)
    answers = [*own["large delays only"], *own["always sync, but sensitive"]]
    answers += sample_answers(dataset, f"../../{ATTACK}", lambda row: "sync")
    results = compute_results(dataset, answers, draws=200)
    insights = look_into(dataset, answers, results, [])
    rows = [variant.row for variant in dataset.variants]
    return results, insights, all_observers(results, insights, load_published(), rows)


def test_each_model_has_its_figures_with_legends_and_no_links(material):
    specs = figure_specs(*material)
    assert sum(name.startswith("answers-") for name in specs) == 3
    assert sum(name.startswith("probabilities-") for name in specs) == 1
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") and len(name) < 70 for name in specs)
    for name, spec in specs.items():
        text = json.dumps(spec)
        assert "#model=" not in text
        if name != "limits":
            assert '"legend": {}' in text


def test_all_observers_stand_on_one_axis(material):
    spec = figure_specs(*material)["observers"]
    marks = next(layer for layer in spec["layer"] if layer["mark"]["type"] == "point")
    rows = marks["data"]["values"]
    names = [name for name in marks["encoding"]["y"]["scale"]["domain"] if name.strip()]
    assert len(names) == len(set(names)) == len(material[2])
    assert {row["observer"] for row in rows} == set(names)
    assert {"always:sync (computed)", "limits of people (ITU-R BT.1359-1, taken as exact)"} < set(names)
    figures = {(row["observer"], row["figure"]): row for row in rows}
    assert figures["Gemini 2.0 Flash (study, 10-s clips only)", "accuracy"]["value"] == 0.26
    assert ("Gemini 2.0 Flash (study, 10-s clips only)", "balanced accuracy") not in figures
    assert {row["measured"] for row in rows if "THUD" in row["observer"]} == {False}
    assert all((row["low"] is not None) == (row["measured"] and row["figure"] != "accuracy") for row in rows)


def test_figures_are_written_three_times_and_old_ones_removed(material, tmp_path):
    pytest.importorskip("vl_convert", reason="the extra `figures` is 84 MB, and no part of the tests' environment")
    (tmp_path / "answers-9-old.svg").write_text("old", encoding="utf-8")
    (tmp_path / "mine.svg").write_text("mine", encoding="utf-8")
    specs = figure_specs(*material)
    written = write_figures(tmp_path, specs)
    assert len(written) == 3 * len(specs)
    heads = {"svg": b"<svg", "png": b"\x89PNG", "pdf": b"%PDF"}
    for path in written:
        assert path.read_bytes().startswith(heads[path.suffix[1:]])
    assert b"<script" not in b"".join(path.read_bytes() for path in written if path.suffix == ".svg")
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in written} | {"mine.svg"}


def test_a_missing_extra_is_told_before_the_work_with_the_line_to_type(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(SettingsError, match=r'pip install "offbeat\[figures\]"'):
        cli(["report", str(tmp_path), "--out", str(tmp_path / "out"), "--figures"], standalone_mode=False)
    assert not (tmp_path / "out").exists()


def test_the_command_writes_them_beside_the_tables(run, tmp_path):
    pytest.importorskip("vl_convert", reason="the extra `figures` is 84 MB, and no part of the tests' environment")
    words = ["report", str(run), "--out", str(tmp_path / "out"), "--figures", "--bootstrap", "100"]
    assert cli(words, standalone_mode=False) == 0
    names = {path.name for path in (tmp_path / "out" / "paper" / "figures").iterdir()}
    assert names == {
        f"{name}.{end}"
        for name in ("observers", "answers-1-half-right", "answers-2-always-sync")
        for end in ("svg", "png", "pdf")
    }


def test_drawing_is_a_stage_of_its_own_after_the_page(run, tmp_path, monkeypatch, capsys):
    page = tmp_path / "out" / "index.html"
    told: list[str] = []

    def draw(*_, **__):
        told.append(capsys.readouterr().err)
        return str(page.exists())

    drawn = {f"vegalite_to_{end}": draw for end in ("svg", "png", "pdf")}
    monkeypatch.setitem(sys.modules, "vl_convert", SimpleNamespace(**drawn))
    words = ["report", str(run), "--out", str(tmp_path / "out"), "--figures", "--bootstrap", "100"]
    assert cli(words, standalone_mode=False) == 0
    assert "placing clips: " in told[0]
    assert "drawing figures: 3 of 3" in capsys.readouterr().err
    assert {path.read_text() for path in page.parent.glob("paper/figures/*")} == {"True"}
