"""How often do intervals hold the truth, and tests cry wolf? Ours, beside variants taken as independent.

Simulated answers on the study's grid: every source has 4 variants in sync, 40 ahead, 40 behind. How often a model is
right on a source is drawn for each source, so that sources differ as real ones do; a wrong answer is either of the
others. Two models are equally good over all sources, and differ on single ones by a normal amount of the given standard
deviation: every rejection is a false one. Prints the tables of ``docs/method.md``.
"""

from __future__ import annotations

import sys

import numpy as np
from scipy.special import ndtri

from offbeat.analysis import scores
from offbeat.analysis.intervals import draw_weights, estimate, over_draws, resample
from offbeat.analysis.mcnemar import mcnemar
from offbeat.analysis.paired import paired_test

SIZES = np.array([4, 40, 40])
DRAWS = 2000
Z = float(ndtri(0.975))


def tables_of(right, rng):
    """Tables (S, 3, 4) from counts of right answers (S, 3)."""
    tables = np.zeros((len(right), 3, 4))
    for truth in range(3):
        others = [choice for choice in range(3) if choice != truth]
        tables[:, truth, truth] = right[:, truth]
        first = rng.binomial(SIZES[truth] - right[:, truth], 0.5)
        tables[:, truth, others[0]] = first
        tables[:, truth, others[1]] = SIZES[truth] - right[:, truth] - first
    return tables


def two_models(n_sources, sd, rng):
    """Tables of two models of equal skill, and how many answers the one, and the other, alone has right."""
    common = rng.normal(0.5, 0.15, n_sources)
    apart = rng.normal(0, sd, n_sources) / 2
    skills = np.clip([common - apart, common + apart], 0.02, 0.98)[..., None] * np.ones(3)
    both = rng.binomial(SIZES, skills[0] * skills[1])
    left = SIZES - both
    only_first = rng.binomial(left, skills[0] * (1 - skills[1]) / (1 - skills[0] * skills[1]))
    share = (1 - skills[0]) * skills[1] / (1 - skills[0])
    only_second = rng.binomial(left - only_first, share)
    first, second = tables_of(both + only_first, rng), tables_of(both + only_second, rng)
    return first, second, int(only_first.sum()), int(only_second.sum())


def naive_p_below(first, second, only_first, only_second):
    """Whether a test that takes variants as independent rejects, on balanced accuracy."""
    del only_first, only_second
    recalls = [scores.recall(one.sum(axis=0)) for one in (first, second)]
    trials = first.sum(axis=(0, 2))
    variance = sum((recall * (1 - recall) / trials).sum() / 9 for recall in recalls)
    return abs(recalls[1].mean() - recalls[0].mean()) > Z * np.sqrt(variance)


def false_positives(n_sources, sd, *, runs, seed=0):
    """The share of runs in which each test rejects at 5 %."""
    rng = np.random.default_rng((seed, n_sources, round(1000 * sd)))
    weights = draw_weights(n_sources, draws=DRAWS, rng=rng)
    found = dict.fromkeys(("variants independent", "McNemar", "t on sources", "sign flips", "bootstrap"), 0)
    for number in range(runs):
        first, second, one, other = two_models(n_sources, sd, rng)
        test = paired_test((scores.recall(second) - scores.recall(first)).mean(axis=-1), seed=number)
        drawn = [scores.balanced_accuracy(resample(tables, weights)) for tables in (first, second)]
        interval = over_draws(0.0, drawn[1] - drawn[0], n_sources=n_sources)
        found["variants independent"] += naive_p_below(first, second, one, other)
        found["McNemar"] += mcnemar(one, other) < 0.05
        found["t on sources"] += test.t_p < 0.05
        found["sign flips"] += test.flip_p < 0.05
        found["bootstrap"] += not interval.low <= 0 <= interval.high
    return {name: number / runs for name, number in found.items()}


def coverage(n_sources, sd, *, runs, seed=0):
    """The share of runs in which the interval of one model's balanced accuracy holds the truth, 0.45."""
    rng = np.random.default_rng((seed, n_sources, round(1000 * sd), 1))
    weights = draw_weights(n_sources, draws=DRAWS, rng=rng)
    spread = 0.45 * 0.55 / sd**2 - 1 if sd else np.inf
    naive = ours = 0
    for _ in range(runs):
        skill = rng.beta(0.45 * spread, 0.55 * spread, n_sources) if sd else np.full(n_sources, 0.45)
        tables = tables_of(rng.binomial(SIZES, np.repeat(skill[:, None], 3, axis=1)), rng)
        recall, trials = scores.recall(tables.sum(axis=0)), tables.sum(axis=(0, 2))
        half = Z * np.sqrt((recall * (1 - recall) / trials).sum()) / 3
        naive += abs(recall.mean() - 0.45) <= half
        interval = estimate(tables, scores.balanced_accuracy, resample(tables, weights))
        ours += interval.low <= 0.45 <= interval.high
    return {"variants independent": naive / runs, "bootstrap of sources": ours / runs}


def show(title, cases, simulate, runs):
    rows = [(case, simulate(*case, runs=runs)) for case in cases]
    print(f"\n{title}\n\n| sources | SD over sources | " + " | ".join(rows[0][1]) + " |")
    print("|---|---|" + "---|" * len(rows[0][1]))
    for (n_sources, sd), found in rows:
        print(f"| {n_sources} | {sd:.2f} | " + " | ".join(f"{100 * share:.1f} %" for share in found.values()) + " |")
    naive, *_, ours = rows[-1][1].values()
    print(f"\nlast row, beside independent variants: x{ours / naive:.2f}")


if __name__ == "__main__":
    RUNS = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    show(
        f"False positives at 5 %, two models of equal skill, {RUNS} runs",
        [(51, 0.0), (51, 0.07), (51, 0.12), (51, 0.18), (16, 0.12), (8, 0.12)],
        false_positives,
        RUNS,
    )
    show(
        f"Coverage of the 95 % interval of one model, {RUNS} runs",
        [(51, 0.0), (51, 0.1), (51, 0.2), (16, 0.1), (16, 0.2), (8, 0.2)],
        coverage,
        RUNS,
    )
