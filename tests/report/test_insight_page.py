"""The sections "Thresholds" and "Why?": what stands there is what was found, and nothing of others runs."""

import json

import numpy as np
import pytest
from observers import answers_of, human_like, observers, silent_knower
from report_samples import ATTACK, Parsed, data_block, sample_answers, sample_dataset, write_dataset, write_run

from offbeat.analysis.human_limits import HUMAN_LIMITS
from offbeat.report.build import build_report
from offbeat.report.charts import COLOURS
from offbeat.report.controls import control_rows, controls_of
from offbeat.report.insight import look_into
from offbeat.report.insight_charts import probabilities_chart, psychometric_chart, thresholds_chart
from offbeat.report.insight_tables import evidence_rows, group_threshold_rows, threshold_row
from offbeat.report.page import SCRIPTS
from offbeat.report.results import compute_results

FINE_MS = (-1500.0, -400.0, -300, -200, -120, -80, -40, 0, 40, 80, 120, 200, 300, 400, 1500.0)
GENRES = {"cooking": 5, "speech": 5}


@pytest.fixture(scope="module")
def seen():
    dataset = sample_dataset(genres=GENRES, lengths=(3.0, 10.0), delays_ms=FINE_MS)
    answers = [
        *answers_of(dataset, "person", human_like(np.random.default_rng(0))),
        *answers_of(dataset, "silent", silent_knower(np.random.default_rng(1))),
    ]
    return look_into(dataset, answers, compute_results(dataset, answers, draws=300), [])


def test_the_row_shows_figures_and_the_reason_where_there_are_none(seen):
    row = threshold_row("person", seen["person"].thresholds.all, "#model=person")
    figures = seen["person"].thresholds.all.figures
    assert row.reason is None
    assert row.cells[0][0] == f"{figures['pss_ms'].value:+,.0f}".replace("-", "−")
    assert row.cells[3] == (
        f"{figures['window_ms'].value:,.0f}",
        f"[{figures['window_ms'].low:,.0f}, {figures['window_ms'].high:,.0f}]",
    )
    nothing = threshold_row("silent", seen["silent"].thresholds.all, "")
    assert nothing.reason == "it always answered sync"
    assert set(nothing.cells) == {("–", "")}
    assert {row.name: row.href for row in group_threshold_rows("a b", seen["person"])} == {
        "cooking": "#model=a+b&genre=cooking",
        "speech": "#model=a+b&genre=speech",
        "3 s": "#model=a+b&length=3",
        "10 s": "#model=a+b&length=10",
    }


def test_the_evidence_names_what_was_looked_at(seen):
    rows = {row.what: row for row in evidence_rows(seen["silent"].why)}
    assert rows["probabilities, delays up to 1 s: behind against ahead, area"].remark.endswith("beyond chance")
    assert "beyond chance" not in rows["words, delays up to 1 s: noticed less false alarms"].remark
    assert rows["… with the best criterion in hindsight"].remark.startswith("uses the truths")
    assert rows["hears, by the probe before the run"].figure == "not looked at"
    assert "points" in rows["sync is answered more often than true by"].figure


def test_charts_show_people_and_tell_answers_apart_without_colour(seen):
    limits = thresholds_chart(seen)
    people = limits["layer"][2]["data"]["values"]
    assert [(one["early"], one["late"]) for one in people] == [
        (limit.early_ms / 1000, limit.late_ms / 1000) for limit in HUMAN_LIMITS
    ]
    assert (people[0]["early"], people[0]["late"]) == (-0.045, 0.125)
    bands, lines, points = psychometric_chart("person", seen["person"])["layer"]
    assert [(one["from"], one["to"]) for one in bands["data"]["values"]] == [(-0.045, 0.125), (-0.09, 0.185)]
    for layer, channel in ((lines, "strokeDash"), (points, "shape")):
        scale = layer["encoding"][channel]["scale"]
        assert len({str(one) for one in scale["range"]}) == 3
        assert layer["encoding"]["color"]["scale"]["range"] == [COLOURS[one] for one in scale["domain"]]
    at_0 = {one["choice"]: one["share"] for one in points["data"]["values"] if one["delay"] == 0}
    assert sum(at_0.values()) == pytest.approx(1, abs=1e-3)
    assert psychometric_chart("silent", seen["silent"]) is None
    assert thresholds_chart({"silent": seen["silent"]}) is None


def test_probabilities_are_drawn_about_their_mean(seen):
    assert probabilities_chart("person", seen["person"].why.points) is None
    values = probabilities_chart("silent", seen["silent"].why.points)["layer"][0]["data"]["values"]
    for label in ("sync", "ahead", "behind"):
        assert sum(one["share"] for one in values if one["choice"] == label) == pytest.approx(0, abs=1e-3)


def test_rows_with_brackets_are_controls_of_the_model_before_them():
    dataset = sample_dataset(delays_ms=FINE_MS)
    names = ("m:a", "m:a[video-only]", "m:a[text-only]", "m:ab[text-only]", "m:a[", "other")
    answers = [one for name in names for one in sample_answers(dataset, name, lambda row: "sync")]
    answers += sample_answers(dataset, "m:a[video-only]", lambda row: "sync", question="words")
    results = compute_results(dataset, answers, draws=100)
    insights = look_into(dataset, answers, results, [])
    first = next(model.name for model in results.models if model.model == "m:a")
    rows = control_rows(first, results, insights)
    assert [(row.name, row.said_sync) for row in rows] == [("text-only", "100.0 %"), ("video-only", "100.0 %")]
    assert control_rows("other", results, insights) == []
    assert controls_of("m:a[text-only]", results) == []


def test_the_page_and_its_figures_for_programs(tmp_path, clip):
    dataset = sample_dataset(tmp_path / "set", genres={ATTACK: 4}, delays_ms=FINE_MS)
    write_dataset(dataset, clip)
    own = observers(dataset)
    answers = [*own["perfect"], *own["always sync, but sensitive"]]
    answers += answers_of(dataset, ATTACK, human_like(np.random.default_rng(2)))
    page = build_report([write_run(tmp_path / "run", dataset, answers)], out=tmp_path / "out", draws=200)
    text = page.read_text(encoding="utf-8")
    parsed = Parsed(text)
    assert parsed.named("img") == []
    assert len(parsed.scripts) == len(SCRIPTS) + 2
    places = [one["data-chart"] for one in parsed.named("div") if "data-chart" in one]
    assert set(places) == set(data_block(text, "charts-data"))
    assert "not identifiable" in text
    models = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))["models"]
    assert models["perfect"]["psychometric"]["not_identifiable"]
    assert "pss_ms" not in models["perfect"]["psychometric"]
    assert models["always sync, but sensitive"]["why"]["verdict"] == "biased but sensitive"
    assert models["always sync, but sensitive"]["why"]["calibration"]["by_mean"]["value"] > 1 / 3
    assert models[ATTACK]["why"]["by_delay"][0]["mean_probabilities"] is None
