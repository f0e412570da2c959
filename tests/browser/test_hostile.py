"""Hostile text in a real browser: it is shown, and runs nothing."""

import dataclasses

from report_samples import ATTACK, answer, sample_dataset, write_dataset, write_run

from offbeat.report.build import build_report
from offbeat.report.page import SCRIPTS


def test_hostile_text_runs_nothing(visit, tmp_path, clip):
    dataset = sample_dataset(tmp_path / "set", genres={ATTACK: 2})
    write_dataset(dataset, clip)
    answers = [
        dataclasses.replace(answer(variant.row, ATTACK, "sync"), text=ATTACK, prompt=ATTACK, details={ATTACK: ATTACK})
        for variant in dataset.variants
    ]
    built = build_report([write_run(tmp_path / "run", dataset, answers)], out=tmp_path / "out", title="mine", draws=100)
    opened = dataset.variants[0].row.variant_id
    page = visit(f"{built.as_uri()}#open={opened}&id={opened}")
    assert page.title() == "mine"
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == len(SCRIPTS) + 2
    assert page.text_content("body").count(ATTACK) > 10
