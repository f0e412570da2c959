"""Figures of made-up answers on the study's grid, kept in golden.json.

To write them anew: ``python tests/report/golden.py``.
"""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from report_samples import STUDY_DELAYS_MS, STUDY_GENRES, guess, sample_answers, sample_dataset

from offbeat.report.published import load_published
from offbeat.report.results import compute_results
from offbeat.report.results_json import results_json
from offbeat.timing import LABELS

KEPT = Path(__file__).with_name("golden.json")
LONG = ("outcomes", "confusion", "baselines", "probe", "finding")


def figures():
    """What results.json says of three models, the long lists cut to those by size of the delay."""
    dataset = sample_dataset(genres=STUDY_GENRES, lengths=(3.0, 10.0), delays_ms=STUDY_DELAYS_MS)
    rng = np.random.default_rng(0)
    answers = []
    for one, variant in zip(sample_answers(dataset, "biased", lambda row: "sync"), dataset.variants, strict=True):
        seen = variant.row.audio_delay_ms / 1000 + rng.normal(0, 2)
        odds = np.exp([2.0, -seen / 2, seen / 2])
        answers.append(replace(one, probabilities=dict(zip(LABELS, (odds / odds.sum()).tolist(), strict=True))))
    unread = guess(0.6, 2)
    answers += sample_answers(dataset, "half", guess(0.5, 1))
    answers += sample_answers(dataset, "half", guess(0.5, 3), repeat=1)
    answers += sample_answers(dataset, "terse", lambda row: "unparsed" if rng.random() < 0.1 else unread(row))
    results = compute_results(dataset, answers, draws=1000)
    told = json.loads(json.dumps(results_json(results, dataset, load_published(), [])))
    for model in told["models"].values():
        for name in [key for key in model if key in LONG or (key.startswith("by_") and key != "by_delay_size")]:
            del model[name]
    return {name: told[name] for name in ("baselines", "comparisons", "models")}


if __name__ == "__main__":
    KEPT.write_text(json.dumps(figures(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
