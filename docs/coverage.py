"""How often the intervals of thresholds hold the truth: prints the tables of docs/method.md.

``python docs/coverage.py [SETS]``: that many simulated sets of four clips a source for each row (1,000 without it: some
ten minutes of one core; 10,000 over night halve the error of every figure three times over). All fits to the sets of a
row are batches, since single ones spend their time on overhead; the intervals are made by the functions that a report
uses. Beside them stand intervals from the Fisher information, as though all answers were independent.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator

import numpy as np

from offbeat.analysis import sj3
from offbeat.analysis.jackknife import left_out
from offbeat.analysis.sj3_estimates import SIDES, estimates, psychometric
from offbeat.analysis.sj3_identify import unfit
from offbeat.analysis.sj3_simulate import Observer, simulate

STUDY = 500.0 * np.arange(-10, 11)
FINE = 50.0 * np.arange(-10, 11)
SHOWN = ("pss_ms", "early_limit_ms", "late_limit_ms", "window_ms", "jnd_ms", *SIDES)
NAIVE = ("pss_ms", "window_ms", "jnd_ms")
WIDE = {
    "usual": Observer(-400.0, 700.0, 500.0, 400.0, 0.06),
    "no spread over sources": Observer(-400.0, 700.0, 500.0, 0.0, 0.06),
    "window differs too": Observer(-400.0, 700.0, 500.0, 400.0, 0.06, between_half_ms=150.0),
    "no lapses": Observer(-400.0, 700.0, 500.0, 400.0, 0.0),
    "wide": Observer(-1500.0, 1500.0, 800.0, 500.0, 0.06, between_half_ms=400.0),
    "shifted": Observer(300.0, 1700.0, 500.0, 300.0, 0.06, between_half_ms=200.0),
}
HUMAN = {
    "human-like": Observer(-45.0, 125.0, 70.0, 50.0, 0.04),
    "no spread over sources": Observer(-45.0, 125.0, 70.0, 0.0, 0.04),
    "window differs too": Observer(-45.0, 125.0, 70.0, 50.0, 0.04, between_half_ms=25.0),
    "no lapses": Observer(-45.0, 125.0, 70.0, 50.0, 0.0),
    "wide": Observer(-180.0, 240.0, 120.0, 80.0, 0.04, between_half_ms=50.0),
    "shifted": Observer(60.0, 260.0, 80.0, 50.0, 0.04, between_half_ms=30.0),
}
SOURCES = (10, 16, 30, 51)
LAPSES = (0.0, 0.005, 0.01, 0.02, 0.04)
CLIPS = 4
SETS = 1_000
_BATCH = 50


def coverage(observer: Observer, delays_ms: sj3.Array, sources: int, *, sets: int, sides: bool = True) -> Counter[str]:
    """Of so many sets, how often an interval was given, and held the truth (``name held``); of both sides if asked."""
    found: Counter[str] = Counter()
    truth = observer.truth()
    for start in range(0, sets, _BATCH):
        seeds = range(start, min(start + _BATCH, sets))
        rngs = (np.random.default_rng((11, sources, seed)) for seed in seeds)
        tables = [simulate(observer, delays_ms, sources=sources, clips=CLIPS, rng=rng) for rng in rngs]
        for asymmetric in (False, True) if sides else (False,):
            for counts, fitted, refitted in _fits(np.array(tables), delays_ms, asymmetric=asymmetric):
                if unfit(counts, delays_ms) is not None:
                    continue
                figures = estimates(counts, delays_ms, fitted, refitted, asymmetric=asymmetric)
                if isinstance(figures, str):
                    continue
                for name, figure in figures.items():
                    if figure.low is not None and figure.high is not None:
                        found[name] += 1
                        found[f"{name} held"] += figure.low <= truth[name] <= figure.high
                if not asymmetric:
                    for name, error in naive_errors(counts, delays_ms, fitted.parameters).items():
                        value = figures[name].value
                        found[f"{name} naive"] += value is not None and abs(value - truth[name]) <= 1.96 * error
    return found


def _fits(
    tables: sj3.Array, delays_ms: sj3.Array, *, asymmetric: bool
) -> Iterator[tuple[sj3.Array, sj3.Fit, sj3.Array]]:
    """Of each set its counts, its fit, and the parameters without each source."""
    whole = sj3.best_fit(tables.sum(axis=1), delays_ms, asymmetric=asymmetric)
    sets, sources = tables.shape[:2]
    without = np.concatenate([left_out(counts) for counts in tables])
    begin = np.repeat(whole.parameters, sources, axis=0)
    refitted = sj3.fit(without, delays_ms, begin, asymmetric=asymmetric).parameters
    for number in range(sets):
        fitted = sj3.Fit(whole.parameters[number : number + 1], whole.log_likelihood[number : number + 1])
        yield tables[number], fitted, refitted[number * sources : (number + 1) * sources]


def naive_errors(counts: sj3.Array, delays_ms: sj3.Array, parameters: sj3.Array) -> dict[str, float]:
    """Standard errors as though all answers were independent (delta method)."""
    known = sj3.information(counts.sum(axis=0)[None], delays_ms, parameters)[0]
    spread = np.linalg.pinv(known, hermitian=True)  # lapses at 0 tell nothing of their logit
    noise = float(np.exp(parameters[0, sj3.LOG_EARLY]))
    window = 2 * noise * float(np.exp(parameters[0, sj3.LOG_H]))
    both = spread[1, 1] + spread[2, 2] + 2 * spread[1, 2]
    errors = (np.sqrt(spread[0, 0]), window * np.sqrt(both), sj3.JND_OF_NOISE * noise * np.sqrt(spread[2, 2]))
    return dict(zip(NAIVE, (float(error) for error in errors), strict=True))


def lapses_held(rate: float, sources: int, *, sets: int) -> tuple[float, float]:
    """How often the interval of the lapse rate of a human-like observer held it, and its median upper end."""
    observer = Observer(-45.0, 125.0, 70.0, 50.0, rate)
    held, highs = 0, []
    for seed in range(sets):
        rng = np.random.default_rng((12, sources, seed))
        found = psychometric(simulate(observer, FINE, sources=sources, clips=CLIPS, rng=rng), FINE).figures
        figure = found.get("lapse_rate")
        if figure is not None and figure.low is not None and figure.high is not None:
            held += figure.low <= rate <= figure.high
            highs.append(figure.high)
    return held / len(highs), float(np.median(highs))


def main(sets: int) -> None:
    """Print the tables."""
    names = ["PSS", "early", "late", "window", "JND", "JND early", "JND late", "late over early"]
    print(f"{sets} sets for each row")
    print("| observer | sources |", " | ".join(names), "| as if independent: PSS | window | JND | intervals |")
    print("|---|---|" + "---|" * (len(names) + 4))
    for grid, delays_ms, observers in (("study's grid", STUDY, WIDE), ("fine grid", FINE, HUMAN)):
        for number, (name, observer) in enumerate(observers.items()):
            for sources in SOURCES:
                found = coverage(observer, delays_ms, sources, sets=sets, sides=number == 0)
                cells = [_percent(found[f"{figure} held"], found[figure]) for figure in SHOWN]
                cells += [_percent(found[f"{figure} naive"], found["pss_ms"]) for figure in NAIVE]
                cells.append(str(found["pss_ms"]))
                print("|", " | ".join([f"{grid}: {name}", str(sources), *cells]), "|", flush=True)
    print("\n| lapse rate | sources | held | median upper end |\n|---|---|---|---|")
    for rate in LAPSES:
        held, high = lapses_held(rate, 16, sets=sets)
        print(f"| {100 * rate:g} % | 16 | {100 * held:.1f} % | {100 * high:.1f} % |", flush=True)


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else SETS)
