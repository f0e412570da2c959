"""How often intervals of thresholds hold the truth of simulated observers: a small part of docs/coverage.py."""

import importlib.util
from pathlib import Path

import pytest

from offbeat.analysis.sj3_estimates import SIDES, psychometric
from offbeat.analysis.sj3_simulate import Observer, simulate

SCRIPT = Path(__file__).parents[2] / "docs" / "coverage.py"
SYMMETRIC = ("pss_ms", "early_limit_ms", "late_limit_ms", "window_ms", "jnd_ms")


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("docs_coverage", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def shares_held(found, names, sets):
    assert all(found[name] == sets for name in names), "an interval is missing"
    return {name: found[f"{name} held"] / sets for name in names}


def test_intervals_hold_the_truth_of_a_person_on_a_fine_grid(script):
    """Of 200 sets, 95 % would be 190; fewer than 180, or all of them, come by chance once in 1,000 times."""
    found = script.coverage(script.HUMAN["human-like"], script.FINE, 16, sets=200, sides=False)
    held = shares_held(found, SYMMETRIC, 200)
    assert all(0.90 <= share < 1 for share in held.values()), held
    assert found["pss_ms naive"] / 200 < 0.7  # as if answers were independent


def test_the_batches_of_the_script_are_what_a_report_does(script):
    observer = Observer(-45.0, 125.0, 70.0, 50.0, 0.04)
    rng = script.np.random.default_rng(0)
    counts = simulate(observer, script.FINE, sources=12, clips=4, rng=rng)
    ((_, fitted, refitted),) = script._fits(counts[None], script.FINE, asymmetric=False)
    of_script = script.estimates(counts, script.FINE, fitted, refitted)
    of_report = psychometric(counts, script.FINE).figures
    assert {name: of_script[name] for name in SYMMETRIC} == {name: of_report[name] for name in SYMMETRIC}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("grid", "observer", "sources"), [("STUDY", "WIDE", 16), ("FINE", "HUMAN", 16), ("STUDY", "WIDE", 51)]
)
def test_intervals_hold_the_truth_as_often_as_they_say(script, grid, observer, sources):
    """1,000 sets of the first observer on either grid, both sides too: between 93 and 97 %."""
    first = next(iter(getattr(script, observer).values()))
    found = script.coverage(first, getattr(script, grid), sources, sets=1000)
    held = shares_held(found, (*SYMMETRIC, *SIDES), 1000)
    assert all(0.93 <= share <= 0.97 for share in held.values()), held
