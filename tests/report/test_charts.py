"""Chart specifications, as data: what a bar shows is what was counted."""

import hashlib
import math
import re
from importlib.resources import files
from itertools import pairwise

import altair
import pytest
from report_samples import STUDY_DELAYS_MS, guess, sample_answers, sample_dataset

from offbeat.report.charts import COLOURS, distribution_chart, genre_chart
from offbeat.report.results import compute_results
from offbeat.report.words import delay, link, listed, percent, visible

STATIC = files("offbeat.report") / "static"


@pytest.fixture(scope="module")
def model():
    dataset = sample_dataset(delays_ms=STUDY_DELAYS_MS)
    choose = guess(0.4)
    answers = sample_answers(dataset, "m & co", lambda row: "unparsed" if row.audio_delay_ms == 500 else choose(row))
    return compute_results(dataset, answers, draws=100).models[0]


def test_bars_are_whole_and_in_the_order_of_delays(model):
    bars, strip = (layer["data"]["values"] for layer in distribution_chart(model)["layer"])
    assert [item["delay"] for item in strip] == [delay(ms) for ms in STUDY_DELAYS_MS]
    assert [item["truth"] for item in strip] == ["ahead"] * 10 + ["sync"] + ["behind"] * 10
    for group in model.groups["delay"]:
        parts = [bar for bar in bars if bar["delay"] == delay(group.key)]
        assert sum(part["n"] for part in parts) == group.n
        assert parts[0]["from"] == 0
        assert math.isclose(parts[-1]["to"], 1)
        assert all(a["to"] == b["from"] for a, b in pairwise(parts))


def test_a_bar_leads_to_its_variants(model):
    bars = distribution_chart(model)["layer"][0]["data"]["values"]
    assert [bar["link"] for bar in bars if bar["delay"] == "+0.5"] == ["#model=m+%26+co&delay=500&choice=none"]


def test_dots_carry_their_interval_and_sources(model):
    chart = genre_chart(model)
    dots = chart["layer"][2]["data"]["values"]
    assert [(dot["genre"], dot["sources"]) for dot in dots] == [("cooking", 2), ("speech", 2)]
    assert all(dot["low"] <= dot["value"] <= dot["high"] for dot in dots)


def test_colours_are_the_same_in_the_style_sheet():
    style = (STATIC / "style.css").read_text(encoding="utf-8")
    assert dict(re.findall(r"--(sync|ahead|behind|none): (#\w+)", style)) == COLOURS


def test_scripts_are_those_of_the_licence_file_and_fit_altair():
    rows = re.findall(
        r"\| `(.+?)` \| .+? \| (.+?) \| .+? \| `(\w{64})` \|", (STATIC / "LICENSES.md").read_text("utf-8")
    )
    assert {name for name, _, _ in rows} == {"vega.min.js", "vega-lite.min.js", "vega-embed.min.js"}
    for name, _, digest in rows:
        content = (STATIC / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == digest
        assert len(content) < 1_000_000
        assert b"</script" not in content
        assert b"\r" not in content  # a parser would change it, and its hash
    versions = {name: version for name, version, _ in rows}
    assert versions["vega-lite.min.js"].split(".")[0] == altair.SCHEMA_VERSION.lstrip("v").split(".")[0]
    assert versions["vega.min.js"].split(".")[0] == altair.VEGA_VERSION.split(".")[0]


@pytest.mark.parametrize(
    ("ms", "words"), [(0.0, "0"), (-0.0, "0"), (500.0, "+0.5"), (-5000.0, "−5"), (40.0, "+0.04"), (-12.5, "−0.0125")]
)
def test_delays_in_words(ms, words):
    assert delay(ms) == words


def test_other_words():
    assert percent(None) == "–"
    assert percent(204 / 4284) == "4.8"
    assert link(model="a&b=c", delay=-500.0, genre=None) == "#model=a%26b%3Dc&delay=-500"
    assert listed(["en", "fr", "ja"]) == "en, fr and ja"
    assert visible("a\tb\nc\x07\x7f\x9b\u202e\ud800é") == "a\tb\nc␇␡\ufffd\ufffd\ufffdé"
