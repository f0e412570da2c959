"""How often the intervals of scores hold the truth with few sources: prints a table of docs/method.md.

``python docs/coverage_scores.py [SETS]``: 1,000 sets of answers for each row without it, some minutes of one core. A
model gives option probabilities to four clips a source at the delays of the study's grid, and draws its word from them.
Log-odds of "sync" fall by a slope with the size of the delay, those of "behind" over "ahead" rise with the delay. Both
slopes, how readily "sync" is said, and which way it leans are drawn anew for each source. The truth is the figure over
10,000 sources.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from offbeat.analysis import detection, scores
from offbeat.analysis.auroc import area
from offbeat.analysis.groups import Coded
from offbeat.analysis.intervals import Estimate, draw_weights, estimate, resample
from offbeat.analysis.why_slopes import SLOPES, slopes

DELAYS_S = np.tile(0.5 * np.arange(-10, 11), 4)
CODES = np.select([DELAYS_S < 0, DELAYS_S > 0], [1, 2], 0)
FIGURES = {
    "balanced accuracy": scores.balanced_accuracy,
    "noticed": scores.noticed,
    "false alarms": scores.false_alarms,
    "d′": detection.detection_d_prime,
    "d′ of the direction": detection.direction_d_prime,
}
AREAS = ("ROC area", "ROC area of the direction")
SOURCES = (5, 8, 10, 16, 51)
SETS = 1_000
DRAWS = 2_000
SURE_SOURCES = 10_000
BEHIND = 2

Table = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Model:
    """Means over sources; each source has its own, with these standard deviations.

    Attributes:
        sync: log-odds of "sync" at no delay, mean and standard deviation.
        lean: log-odds of "behind" over "ahead" at no delay.
        by_size: how fast the former fall, per second.
        by_delay: how fast the latter rise, per second.
    """

    sync: tuple[float, float]
    lean: tuple[float, float]
    by_size: tuple[float, float]
    by_delay: tuple[float, float]


MODELS = {
    "sensitive": Model((1.0, 0.8), (0.0, 0.6), (0.5, 0.3), (0.5, 0.3)),
    "mostly sync": Model((2.0, 0.8), (0.3, 0.6), (0.15, 0.15), (0.2, 0.2)),
    "guesser": Model((-0.7, 0.0), (0.0, 0.0), (0.0, 0.0), (0.0, 0.0)),
}


def answers(model: Model, sources: int, rng: np.random.Generator) -> tuple[Coded, Table]:
    """Codes of truth, word and source, and probabilities, of all sources."""
    sync, lean, by_size, by_delay = (
        rng.normal(mean, spread, (sources, 1))
        for mean, spread in (model.sync, model.lean, model.by_size, model.by_delay)
    )
    noise = rng.normal(0, 0.3, (2, sources, DELAYS_S.size))
    odds = np.exp(sync - by_size * np.abs(DELAYS_S) + noise[0])
    behind = 1 / (1 + np.exp(-(lean + by_delay * DELAYS_S + noise[1])))
    together = odds / (1 + odds)
    table = np.stack([together, (1 - together) * (1 - behind), (1 - together) * behind], axis=-1).reshape(-1, 3)
    word = (rng.random(len(table))[:, None] > table.cumsum(axis=1)[:, :2]).sum(axis=1)
    coded = Coded(truth=np.tile(CODES, sources), choice=word, source=np.repeat(np.arange(sources), DELAYS_S.size))
    return coded, table


def figures(coded: Coded, table: Table, weights: NDArray[np.uint16]) -> dict[str, Estimate]:
    """All figures with their intervals."""
    tables = coded.tables()
    drawn = resample(tables, weights)
    found = {name: estimate(tables, score, drawn) for name, score in FIGURES.items()}
    shifted = coded.truth > 0
    behind_rather = (table[:, 2] - table[:, 1])[shifted]
    found[AREAS[0]] = area(1 - table[:, 0], shifted, coded.source)
    found[AREAS[1]] = area(behind_rather, coded.truth[shifted] == BEHIND, coded.source[shifted])
    delay_ms = np.tile(1000 * DELAYS_S, len(tables))
    return found | slopes(table, delay_ms, coded.source, draws=len(weights))


def truths(model: Model) -> dict[str, float | None]:
    """The figures of many sources: the mean over sets of 500."""
    rng = np.random.default_rng(1)
    once = np.ones((1, 500), dtype=np.uint16)
    parts = [figures(*answers(model, 500, rng), once) for _ in range(SURE_SOURCES // 500)]
    return {name: float(np.mean([part[name].value for part in parts])) for name in parts[0]}


def coverage(model: Model, truth: dict[str, float | None], sources: int, *, sets: int) -> Counter[str]:
    """Of so many sets, how often the interval of each figure held the truth."""
    rng = np.random.default_rng((13, sources))
    weights = draw_weights(sources, draws=DRAWS, rng=rng)
    held: Counter[str] = Counter()
    for _ in range(sets):
        for name, figure in figures(*answers(model, sources, rng), weights).items():
            held[name] += figure.low is not None and figure.low <= truth[name] <= figure.high
    return held


def main(sets: int) -> None:
    """Print the table."""
    names = (*FIGURES, *AREAS, *SLOPES)
    print(f"{sets} sets for each row\n\n| model | sources |", " | ".join(names), "|")
    print("|---|---|" + "---|" * len(names), flush=True)
    for title, model in MODELS.items():
        truth = truths(model)
        for sources in SOURCES:
            held = coverage(model, truth, sources, sets=sets)
            cells = [f"{100 * held[name] / sets:.1f} %" for name in names]
            print("|", " | ".join([title, str(sources), *cells]), "|", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else SETS)
