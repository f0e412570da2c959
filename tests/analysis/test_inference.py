"""Simulated runs: ours errs as often as it says, the naive test far more often. The tables of docs/method.md."""

import runpy
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "inference.py"


@pytest.fixture(scope="module")
def simulated():
    return runpy.run_path(str(SCRIPT))


@pytest.mark.slow
def test_ours_cries_wolf_as_often_as_it_says(simulated):
    found = simulated["false_positives"](51, 0.18, runs=500)
    for name in ("t on sources", "sign flips", "bootstrap"):
        assert 0.03 < found[name] < 0.075, name
    assert found["McNemar"] > 0.3
    assert found["variants independent"] > 0.09


@pytest.mark.slow
def test_ours_holds_the_truth_as_often_as_it_says(simulated):
    found = simulated["coverage"](51, 0.2, runs=500)
    assert 0.925 < found["bootstrap of sources"] < 0.97
    assert found["variants independent"] < 0.9
