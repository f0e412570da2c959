"""The page in a real browser, from the file system: charts are drawn, and the console stays empty."""

import dataclasses
import re
import subprocess

import pytest
from chromium import CHROMIUM, QUIET
from report_samples import ATTACK, Parsed, answer, sample_dataset, write_dataset, write_run

from offbeat.report.build import build_report

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]


def dom(address, profile):
    """The document after its scripts ran, and what they wrote to the console."""
    done = subprocess.run(
        [CHROMIUM, *QUIET, "--virtual-time-budget=10000", f"--user-data-dir={profile}", "--dump-dom", address],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


def test_charts_and_variants_are_drawn_without_complaint(run, tmp_path):
    page = build_report([run], out=tmp_path / "out", draws=100)
    html, console = dom(page.as_uri(), tmp_path / "profile")
    assert console == []
    assert re.search(r"always:sync</a></th>\s*<td class=\"lead\">33\.3</td>", html)
    assert len(re.findall(r"data-chart=\"[^\"]+\"[^>]*>\s*<svg", html)) == 4
    assert "1–24 of 24" in html


def test_an_address_shows_its_view(run, tmp_path):
    page = build_report([run], out=tmp_path / "out", draws=100)
    clip = sorted((tmp_path / "out" / "clips").iterdir())[0]
    address = f"{page.as_uri()}#model=always%3Async&label=ahead&right=no&open={clip.stem}"
    html, console = dom(address, tmp_path / "profile")
    assert console == []
    assert "1–8 of 8, filtered from 24 variants" in html
    found = dom(f"{page.as_uri()}#id={clip.stem}&open={clip.stem}", tmp_path / "profile")[0]
    assert re.search(rf"<video[^>]* src=\"clips/{clip.name}\"", found)
    assert "You will watch a" in found


def test_hostile_text_runs_nothing(tmp_path, clip):
    dataset = sample_dataset(tmp_path / "set", genres={ATTACK: 2})
    write_dataset(dataset, clip)
    answers = [
        dataclasses.replace(answer(variant.row, ATTACK, "sync"), text=ATTACK, prompt=ATTACK, details={ATTACK: ATTACK})
        for variant in dataset.variants
    ]
    page = build_report([write_run(tmp_path / "run", dataset, answers)], out=tmp_path / "out", title="mine", draws=100)
    opened = dataset.variants[0].row.variant_id
    html, console = dom(f"{page.as_uri()}#open={opened}&id={opened}", tmp_path / "profile")
    assert console == []
    assert "<title>mine</title>" in html
    parsed = Parsed(html)
    assert parsed.named("img") == []
    assert len(parsed.scripts) == 6
    assert "".join(parsed.words).count(ATTACK) > 10
