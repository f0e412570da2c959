"""What a reader does with the page: looks, clicks a number, filters, opens a variant, plays its clip, prints."""

import re
from urllib.parse import unquote

import pytest
from browsing import becomes

NARROW = 400


def shown(page):
    return page.locator("#shown").inner_text()


def opens(page, link, number):
    """Click a link, and wait until the list has so many variants; it would not be shown at once."""
    link.click()
    page.wait_for_function(
        """([address, number]) => {
            const shown = document.getElementById("shown").textContent.split(",")[0];
            return location.hash === address && (number ? shown.endsWith(` of ${number}`) : shown === "None");
        }""",
        arg=[link.get_attribute("href"), number],
    )


def test_every_chart_is_drawn_in_both_themes(visit, report):
    grounds = set()
    for theme in ("light", "dark"):
        page = visit(report.as_uri(), theme=theme)
        assert page.locator("[data-chart] svg").count() == page.locator("[data-chart]").count() > 4
        sizes = [chart.bounding_box() for chart in page.locator("[data-chart] svg").all()]
        assert all(size["width"] > 300 and size["height"] > 60 for size in sizes)
        grounds.add(page.evaluate("() => getComputedStyle(document.body).backgroundColor"))
    assert len(grounds) == 2


def test_nothing_sticks_out_of_a_narrow_page(visit, report):
    page = visit(report.as_uri(), width=NARROW)
    assert page.evaluate("() => document.documentElement.scrollWidth") == NARROW
    page.goto(f"{report.as_uri()}#label=ahead")
    page.locator(".opener").first.click()
    page.locator("td.opened video").wait_for()
    assert page.evaluate("() => document.documentElement.scrollWidth") == NARROW


def test_a_number_opens_the_variants_behind_it(visit, report):
    page = visit(report.as_uri())
    cell = page.locator("#confusion table", has_text="half right").locator("tbody tr").nth(1).locator("td a").first
    opens(page, cell, int(cell.inner_text()))
    assert shown(page).endswith(", filtered from 42 variants")
    becomes(page, lambda: "model=half+right" in page.url, True)


def test_a_bar_opens_the_variants_behind_it(visit, report):
    page = visit(report.as_uri())
    page.locator("#distribution figure", has_text="always:sync").locator(
        "svg path[aria-roledescription=bar]"
    ).first.click()
    becomes(page, lambda: shown(page), "1–14 of 14, filtered from 42 variants")
    becomes(page, lambda: "model=always%3Async&delay=-1000&choice=sync" in page.url, True)


def test_the_figures_of_a_pair_open_the_variants_on_which_the_two_differ(visit, report):
    page = visit(report.as_uri())
    page.locator("#pairs summary").click()
    alone = page.locator("#pairs details a[href*='right=yes']")
    pairs = page.locator("#pair-table tbody tr")
    assert alone.count() == 2 * pairs.count() == 6
    for number, pair in enumerate(pairs.all()):
        counted = [alone.nth(2 * number + place) for place in (0, 1)]
        figures = [int(link.inner_text()) for link in counted]
        opens(page, pair.locator("a[href*='unlike=']").first, sum(figures))
        for link, figure in zip(counted, figures, strict=True):
            opens(page, link, figure)
    assert page.input_value("select[name=right]") == "yes"


def test_filters_stay_in_the_address(visit, report):
    page = visit(report.as_uri())
    page.select_option("select[name=genre]", "speech")
    page.select_option("select[name=outcome]", "refused")
    becomes(page, lambda: shown(page), "1–4 of 4, filtered from 42 variants")
    becomes(page, lambda: unquote(page.url).endswith("#genre=speech&outcome=refused"), True)
    again = visit(page.url)
    becomes(again, lambda: shown(again), "1–4 of 4, filtered from 42 variants")
    assert again.input_value("select[name=genre]") == "speech"
    again.click("button[type=reset]")
    becomes(again, lambda: shown(again), "1–25 of 42")


def test_an_address_shows_its_view(visit, report):
    clip = sorted((report.parent / "clips").iterdir())[0]
    page = visit(f"{report.as_uri()}#model=always%3Async&label=ahead&right=no")
    becomes(page, lambda: shown(page), "1–14 of 14, filtered from 42 variants")
    page = visit(f"{report.as_uri()}#id={clip.stem}&open={clip.stem}")
    assert page.locator("td.opened video").get_attribute("src") == f"clips/{clip.name}"
    page.locator("td.opened summary", has_text="The prompt").first.click()
    assert page.locator("td.opened", has_text=re.compile("You will watch a [35]-second video with audio")).is_visible()


def test_a_clip_plays(visit, report):
    page = visit(f"{report.as_uri()}#label=sync")
    page.locator(".opener").first.click()
    video = page.locator("td.opened video")
    if not video.evaluate("(video) => video.canPlayType('video/mp4; codecs=\"avc1.42E01E, mp4a.40.2\"')"):
        pytest.skip("this build of Chromium cannot play H.264 and AAC")
    video.evaluate("(video) => video.play()")
    page.wait_for_function("() => document.querySelector('td.opened video').ended")
    assert video.evaluate("(video) => [video.videoWidth, video.videoHeight, video.error]") == [64, 48, None]


def test_print_has_the_charts_and_no_controls(visit, report):
    page = visit(report.as_uri())
    page.emulate_media(media="print")
    for control in ("nav", ".filters", ".pager"):
        assert page.locator(control).first.is_hidden()
    assert page.locator("#distribution svg").first.is_visible()
    assert page.pdf(format="A4").startswith(b"%PDF-")


def test_the_first_screen_puts_each_figure_where_its_number_says(visit, report):
    page = visit(report.as_uri())
    rows = page.locator("#headline tbody.measured tr")
    assert rows.count() == 3
    for row in rows.all():
        share = float(row.locator("td.lead").inner_text()) / 100
        scale = row.locator("svg.scale").bounding_box()
        ball = row.locator("use.ball").bounding_box()
        assert ball["y"] + ball["height"] < page.viewport_size["height"]
        assert abs(ball["x"] + ball["width"] / 2 - scale["x"] - share * scale["width"]) < 1
    hollow = page.locator("#headline tbody:not(.measured) use")
    assert hollow.count() == page.locator("#headline tbody use.hollow").count() > 10
    key = page.locator("#headline caption .key").bounding_box()
    assert key["y"] + key["height"] < page.locator("#headline tbody").first.bounding_box()["y"]


def test_a_dark_page_prints_dark_on_white(visit, report):
    page = visit(report.as_uri(), theme="dark")
    colours = """() => ["body", "#distribution .role-axis text"].map(
        (place) => { const style = getComputedStyle(document.querySelector(place));
                     return place === "body" ? style.color : style.fill; })"""
    dark = page.evaluate(colours)
    page.emulate_media(media="print", color_scheme="dark")
    printed = page.evaluate(colours)
    assert printed[0] == printed[1] != dark[0] == dark[1]
    assert sum(map(int, re.findall(r"\d+", printed[0]))) < 150
