"""How often the intervals of thresholds hold the truth: prints the table of docs/method.md (some ten minutes).

Observers are simulated on the study's grid and on a fine one; beside ours stand intervals from the Fisher information
under the assumption that all answers are independent.
"""

from __future__ import annotations

import sys

import numpy as np

from offbeat.analysis import sj3
from offbeat.analysis.sj3_estimates import psychometric
from offbeat.analysis.sj3_simulate import Observer, simulate

FIGURES = ("pss_ms", "window_ms", "jnd_ms")
STUDY = 500.0 * np.arange(-10, 11)
FINE = np.array([-400.0, -300, -200, -160, -120, -80, -40, 0, 40, 80, 120, 160, 200, 300, 400])
CASES = (
    ("study's grid, 51 sources", Observer(-400.0, 700.0, 500.0, 400.0, 0.06), STUDY, 51),
    ("study's grid, 16 sources", Observer(-400.0, 700.0, 500.0, 400.0, 0.06), STUDY, 16),
    ("fine grid, 51 sources", Observer(-45.0, 125.0, 70.0, 50.0, 0.04), FINE, 51),
)
SETS = 1_000
DRAWS = 600
Held = dict[str, tuple[int, int, int]]


def coverage(observer: Observer, delays_ms: sj3.Array, sources: int, *, sets: int = SETS, draws: int = DRAWS) -> Held:
    """Of how many sets: those with an interval, those whose interval held the truth, and the naive ones that did."""
    truth = observer.truth()
    held = {name: [0, 0, 0] for name in FIGURES}
    for number in range(sets):
        rng = np.random.default_rng((7, sources, number))
        counts = simulate(observer, delays_ms, sources=sources, clips=4, rng=rng)
        found = psychometric(counts, delays_ms, draws=draws, seed=number)
        if found.curve is None:
            continue
        errors = naive_errors(counts, delays_ms, np.array([found.curve]))
        for name in FIGURES:
            figure = found.figures[name]
            if figure.value is None or figure.low is None or figure.high is None:
                continue
            held[name][0] += 1
            held[name][1] += figure.low <= truth[name] <= figure.high
            held[name][2] += abs(figure.value - truth[name]) <= 1.96 * errors[name]
    return {name: (total, ours, naive) for name, (total, ours, naive) in held.items()}


def naive_errors(counts: sj3.Array, delays_ms: sj3.Array, parameters: sj3.Array) -> dict[str, float]:
    """Standard errors as though all answers were independent (delta method)."""
    spread = np.linalg.inv(sj3.information(counts.sum(axis=0)[None], delays_ms, parameters)[0])
    noise = float(np.exp(parameters[0, sj3.LOG_EARLY]))
    window = 2 * noise * float(np.exp(parameters[0, sj3.LOG_H]))
    both = spread[1, 1] + spread[2, 2] + 2 * spread[1, 2]
    errors = (np.sqrt(spread[0, 0]), window * np.sqrt(both), sj3.JND_OF_NOISE * noise * np.sqrt(spread[2, 2]))
    return dict(zip(FIGURES, (float(error) for error in errors), strict=True))


def main() -> None:
    """Print the table."""
    print("| observer | PSS | window | JND | as if independent: PSS | window | JND | no interval |")
    print("|---|---|---|---|---|---|---|---|")
    for name, observer, delays_ms, sources in CASES:
        held = coverage(observer, delays_ms, sources)
        ours = [f"{100 * held[figure][1] / held[figure][0]:.1f} %" for figure in FIGURES]
        naive = [f"{100 * held[figure][2] / held[figure][0]:.1f} %" for figure in FIGURES]
        lost = SETS - min(total for total, _, _ in held.values())
        print("|", " | ".join([name, *ours, *naive, f"{lost} of {SETS}"]), "|", flush=True)


if __name__ == "__main__":
    sys.exit(main())
