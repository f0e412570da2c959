"""A report in Debian's Chromium, driven by Playwright; every test here is slow, and skips where one of them is missing.

`make test-browser` installs Playwright beside the packages of the tests. Whatever a page logs, throws or asks of the
network fails the test that opened it.
"""

import pytest
from chromium import CHROMIUM
from report_samples import guess, sample_answers, sample_dataset, tiny_mp4, write_dataset, write_run

from offbeat.report.build import build_report


def pytest_collection_modifyitems(items):
    for item in items:
        if "tests/browser/" in item.nodeid:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: make test-browser")
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--disable-gpu", "--mute-audio"])
        yield browser
        browser.close()


@pytest.fixture
def visit(browser):
    """A function that opens an address and waits for its charts."""
    contexts, complaints = [], []

    def open_page(address, *, width=1280, height=800, theme="light", **options):
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("console", lambda message: complaints.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("request", lambda request: complaints.append(request.url) if outside(request.url) else None)
        page.goto(address)
        page.wait_for_function(ALL_DRAWN)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


ALL_DRAWN = "() => [...document.querySelectorAll('[data-chart]')].every((place) => place.querySelector('svg'))"


def outside(address):
    return not address.startswith(("file:", "data:", "blob:", "http://127.0.0.1:"))


@pytest.fixture(scope="session")
def clip(tmp_path_factory):
    return tiny_mp4(tmp_path_factory.mktemp("clip") / "clip.mp4")


@pytest.fixture(scope="session")
def report(tmp_path_factory, clip):
    """The page of three models: one that says sync, one half right, one that fails, cannot be read and is refused."""
    folder = tmp_path_factory.mktemp("report")
    dataset = sample_dataset(folder / "set", genres={"cooking": 3, "speech": 4}, lengths=(3.0, 5.0))
    write_dataset(dataset, clip)
    failing = {0.0: "error", 1000.0: "unparsed", -1000.0: "refused"}
    answers = [
        *sample_answers(dataset, "always:sync", lambda row: "sync"),
        *sample_answers(dataset, "half right", guess(0.5)),
        *sample_answers(
            dataset, "failing", lambda row: failing[row.audio_delay_ms] if row.clip_length_s == 3 else row.label
        ),
    ]
    return build_report([write_run(folder / "run", dataset, answers)], out=folder / "out", draws=100)
