"""One variant in the page: its timeline, its flags, the keys, and the order of the list."""

import dataclasses
from urllib.parse import unquote

import numpy as np
import pytest
from browsing import becomes
from report_samples import sample_answers, sample_dataset, write_dataset, write_run

from offbeat.dataset.curves import packed
from offbeat.dataset.folder import CURVES
from offbeat.dataset.schema import CurvesRow
from offbeat.report.build import build_report

EVENT_S = 1.2
LENGTH_S = 3.0
FPS, ONSETS_HZ, ONSETS_START_S = 25, 50, -1.1


@pytest.fixture(scope="module")
def dataset(tmp_path_factory, clip):
    """Clips of 3 s in each of which one thing moves and sounds, at `EVENT_S`."""
    dataset = sample_dataset(tmp_path_factory.mktemp("view") / "set")
    write_dataset(dataset, clip)
    motion, onsets = np.zeros(round(LENGTH_S * FPS)), np.zeros(260)
    motion[round(EVENT_S * FPS)] = onsets[round((EVENT_S - ONSETS_START_S) * ONSETS_HZ)] = 1
    clips = sorted({variant.row.clip_id for variant in dataset.variants})[1:]  # the first has none
    rows = [
        CurvesRow(
            clip_id=one,
            motion=packed(motion),
            onsets=packed(onsets),
            onsets_hz=ONSETS_HZ,
            onsets_start_s=ONSETS_START_S,
        )
        for one in clips
    ]
    (dataset.folder / CURVES).write_text("".join(row.model_dump_json() + "\n" for row in rows), encoding="utf-8")
    return dataset


@pytest.fixture(scope="module")
def view(dataset):
    """The page of a detector that is 100 ms off, and a model that says one word."""
    answers = [
        dataclasses.replace(one, details={"estimated_delay_ms": row.audio_delay_ms + 100}, usage={"input_tokens": 1234})
        for one, row in zip(
            sample_answers(dataset, "detector", lambda row: row.label), (v.row for v in dataset.variants), strict=True
        )
    ]
    answers += sample_answers(dataset, "sayer", lambda row: "behind")
    run = write_run(dataset.folder.parent / "run", dataset, answers)
    return build_report([run], out=dataset.folder.parent / "out", draws=50)


def of(dataset, delay_ms, *, curves=True):
    clips = sorted({variant.row.clip_id for variant in dataset.variants})
    return next(
        variant.row
        for variant in dataset.variants
        if variant.row.audio_delay_ms == delay_ms and (variant.row.clip_id == clips[0]) != curves
    )


def share(page, selector, attribute="x1"):
    """Where on the time axis a mark stands, in seconds."""
    return float(page.locator(selector).first.get_attribute(attribute).rstrip("%")) / 100 * LENGTH_S


@pytest.mark.parametrize("delay_ms", [-1000.0, 0.0, 1000.0])
def test_arrows_lead_from_what_is_seen_to_what_is_heard(visit, view, dataset, delay_ms):
    row = of(dataset, delay_ms)
    page = visit(f"{view.as_uri()}#open={row.variant_id}&id={row.variant_id}")
    heard_s = EVENT_S + delay_ms / 1000
    assert share(page, ".timeline .seen") == pytest.approx(EVENT_S, abs=0.02)
    assert share(page, ".timeline .heard") == pytest.approx(heard_s, abs=0.02)
    assert share(page, ".timeline line.truth", "x2") == pytest.approx(heard_s, abs=0.02)
    assert share(page, f".timeline line.{row.label}", "x2") == pytest.approx(heard_s + 0.1, abs=0.02)
    peak = page.evaluate(
        "() => { const line = document.querySelector('.timeline .onsets').getAttribute('d').slice(1);"
        " const points = line.split('L').map((pair) => pair.split(' ').map(Number));"
        " return points.reduce((best, point) => (point[1] < best[1] ? point : best))[0]; }"
    )
    assert peak / 1000 * LENGTH_S == pytest.approx(heard_s, abs=0.02)
    words = page.locator(".timeline").get_attribute("aria-label")
    assert f"detector: {row.label}, " in words
    assert "sayer: behind" in words
    assert page.locator(".timeline path.word.behind").count() == 1


def test_a_source_is_shown_and_found_by_the_name_of_its_file(visit, view, dataset):
    path = dataset.sources[-1].path
    page = visit(f"{view.as_uri()}#id={path}")
    page.locator(".opener").first.click()
    assert f"{path}, from " in page.locator("td.opened dl.facts").inner_text()
    mine = sum(variant.row.source_id == dataset.sources[-1].source_id for variant in dataset.variants)
    assert f"1–{mine} of {mine}, filtered" in page.locator(".pager").first.inner_text()


def test_without_curves_it_says_so_and_the_delays_are_still_there(visit, view, dataset):
    row = of(dataset, 1000.0, curves=False)
    page = visit(f"{view.as_uri()}#open={row.variant_id}&id={row.variant_id}")
    assert "No curves of motion and onsets: this set was built before" in page.locator("figcaption.small").inner_text()
    first, last = (share(page, ".timeline line.truth", name) for name in ("x1", "x2"))
    assert last - first == pytest.approx(1, abs=0.01)


def test_flags_usage_and_prompt_are_told(visit, view, dataset):
    row = of(dataset, 0.0)
    page = visit(f"{view.as_uri()}#open={row.variant_id}&id={row.variant_id}")
    shared = page.locator("table.flags tr", has_text="shared by picture and sound")
    assert shared.inner_text().split("\t")[1:] == ["3", "s"]
    assert shared.locator("abbr").get_attribute("title").startswith("How long picture and their own sound")
    assert "input tokens 1234, took 0.5 s" in page.locator(".replies").inner_text()
    page.locator("summary", has_text="The prompt").click()
    assert "You will watch a 3-second video" in page.locator("td.opened pre.panel").inner_text()


def test_a_click_on_the_timeline_seeks(visit, view, dataset):
    row = of(dataset, 0.0)
    page = visit(f"{view.as_uri()}#open={row.variant_id}&id={row.variant_id}")
    page.wait_for_function("() => document.querySelector('td.opened video').readyState > 0")
    box = page.locator(".timeline").bounding_box()
    page.locator(".timeline").click(position={"x": box["width"] / 12, "y": 30})
    becomes(page, lambda: page.locator(".timeline .playing").get_attribute("visibility"), "visible")
    assert page.evaluate("() => document.querySelector('td.opened video').currentTime > 0.2")


def test_keys_go_through_the_list_play_filter_and_tell(visit, view, dataset):
    page = visit(f"{view.as_uri()}#label=ahead")
    rows = [variant.row.variant_id for variant in dataset.variants if variant.row.label == "ahead"]

    def open_one():
        found = page.locator(".opener[aria-expanded=true]")
        return found.get_attribute("data-id") if found.count() else None

    page.keyboard.press("j")
    becomes(page, open_one, rows[0])
    page.keyboard.press("j")
    page.keyboard.press("ArrowDown")
    becomes(page, open_one, rows[2])
    becomes(page, lambda: f"open={rows[2]}" in page.url, True)
    page.keyboard.press("k")
    becomes(page, open_one, rows[1])
    page.keyboard.press(" ")
    page.wait_for_function("() => document.querySelector('td.opened video').played.length > 0")
    assert open_one() == rows[1], "space plays, and closes nothing"
    page.keyboard.press("Escape")
    becomes(page, open_one, None)
    page.keyboard.press("/")
    page.keyboard.type(rows[0][:8] + "j?")
    assert page.locator("input[name=id]").input_value() == rows[0][:8] + "j?", "keys are letters where one types"
    page.locator("input[name=id]").blur()
    page.keyboard.press("?")
    assert page.locator("dialog#keys").is_visible()
    page.locator("#keys-on").uncheck()
    page.locator("dialog#keys button").click()
    assert not page.locator("dialog#keys").is_visible()
    page.keyboard.press("?")
    assert not page.locator("dialog#keys").is_visible(), "they were turned off"


def test_the_order_stands_in_the_address(visit, view):
    page = visit(view.as_uri())
    page.locator("#variants button.sort", has_text="delay").click()
    page.locator("#variants button.sort", has_text="delay").click()
    becomes(page, lambda: unquote(page.url).endswith("#sort=-delay"), True)
    assert page.locator("#variants th[aria-sort=descending]").inner_text() == "delay ↓"
    delays = page.locator("#variants tbody td:nth-child(4)").all_inner_texts()
    assert delays == ["+1 s"] * 4 + ["0 s"] * 4 + ["−1 s"] * 4
    page.locator("#variants button.sort", has_text="variant").click()
    assert page.locator("#variants th[aria-sort=descending]").count() == 0


FILTERS = dict(
    [
        *[("genre", "speech"), ("language", "en"), ("length", "3"), ("delay", "-1000"), ("size", "1000")],
        *[("label", "ahead"), ("overlap", "some"), ("periodic", "unknown"), ("still", "unknown"), ("cut", "unknown")],
        *[("model", "sayer"), ("choice", "behind"), ("outcome", "ok"), ("right", "no"), ("unlike", "detector")],
    ]
)


def test_every_filter_stands_in_the_address_and_comes_back_from_it(visit, view):
    page = visit(view.as_uri())
    controls = page.locator("#filters select").evaluate_all("(all) => all.map((one) => one.name)")
    assert sorted(controls) == sorted(FILTERS), "a filter of which this test does not know"
    for name, value in FILTERS.items():
        page.select_option(f"select[name={name}]", value)
        becomes(page, lambda part=f"{name}={value}": part in page.url, True)
    count = "1–1 of 1, filtered from 12 variants"
    becomes(page, page.locator("#shown").inner_text, count)
    again = visit(page.url)
    becomes(page, again.locator("#shown").inner_text, count)
    for name, value in FILTERS.items():
        assert again.locator(f"select[name={name}]").input_value() == value
