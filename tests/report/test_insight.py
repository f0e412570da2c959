"""Simulated observers on the study's grid: each gets the verdict that it deserves."""

import dataclasses

import numpy as np
import pytest
from observers import answers_of, human_like, observers
from report_samples import STUDY_DELAYS_MS, answer, guess, sample_answers, sample_dataset

from offbeat.report.insight import look_into
from offbeat.report.results import compute_results

GENRES = {"cooking": 12, "speech": 12}
FINE_MS = (-400.0, -300, -200, -160, -120, -80, -40, 0, 40, 80, 120, 160, 200, 300, 400)
VERDICTS = {
    "perfect": "sensitive",
    "human-like": "sensitive",
    "always sync, but sensitive": "biased but sensitive",
    "deaf": "deaf",
    "blind to direction": "sensitive to shifts, not to their direction",
    "guessing": "insensitive",
    "large delays only": "sensitive to large delays only",
}


@pytest.fixture(scope="module")
def seen():
    dataset = sample_dataset(genres=GENRES, lengths=(3.0, 10.0), delays_ms=STUDY_DELAYS_MS)
    answers = [one for own in observers(dataset).values() for one in own]
    return look_into(dataset, answers, compute_results(dataset, answers, draws=1000), [])


@pytest.mark.parametrize(("name", "verdict"), VERDICTS.items())
def test_an_observer_gets_its_verdict(seen, name, verdict):
    assert seen[name].why.verdict == verdict


def test_the_bias_of_one_who_knows_can_be_taken_out(seen):
    calibration = seen["always sync, but sensitive"].why.evidence.calibration
    assert calibration.words.value == pytest.approx(1 / 3)
    assert calibration.by_mean.low > 0.7
    assert calibration.elsewhere.low > 0.7
    assert seen["guessing"].why.evidence.calibration.elsewhere.high < 0.45


def test_constant_and_flat_answers_have_no_thresholds(seen):
    for name in ("perfect", "always sync, but sensitive", "deaf", "guessing", "blind to direction"):
        assert seen[name].thresholds.all.reason, name
        assert not seen[name].thresholds.all.figures, name


def test_variants_without_a_common_moment_are_left_out_of_thresholds(seen):
    thresholds = seen["human-like"].thresholds
    assert thresholds.apart == 24 * 10  # of the 3-s clips, those from ±3 s on
    assert thresholds.all.n == 24 * 2 * 21 - 24 * 10
    assert sum(point.n for point in thresholds.points) == thresholds.all.n
    assert thresholds.groups["length"][3.0].n == 24 * 11


def test_a_person_on_a_fine_grid_has_a_persons_limits():
    dataset = sample_dataset(genres=GENRES, lengths=(3.0, 10.0), delays_ms=FINE_MS)
    answers = answers_of(dataset, "human", human_like(np.random.default_rng(5)))
    figures = look_into(dataset, answers, compute_results(dataset, answers, draws=1000), [])[
        "human"
    ].thresholds.all.figures
    assert figures["early_limit_ms"].low < -45 < figures["early_limit_ms"].high
    assert figures["late_limit_ms"].low < 125 < figures["late_limit_ms"].high


def test_a_probe_that_found_it_deaf_makes_it_deaf():
    dataset = sample_dataset(delays_ms=STUDY_DELAYS_MS)
    answers = sample_answers(dataset, "m", guess(0.0, seed=1))
    probe = {"passed": False, "overridden": True, "says": "", "sound": {"verdict": "does not depend"}, "picture": None}
    runs = [{"folder": "run", "settings": {"models": {"m": {"revision": "1", "probe": probe}}}}]
    results = compute_results(dataset, answers, draws=200)
    assert look_into(dataset, answers, results, runs)["m"].why.verdict == "deaf"
    assert look_into(dataset, answers, results, [])["m"].why.verdict == "insensitive"


def test_little_or_odd_material_is_no_fault():
    dataset = sample_dataset(genres={"cooking": 1}, delays_ms=(500.0,))
    row = dataset.variants[0].row
    odd = [
        dataclasses.replace(answer(row, "refuses", "refused"), probabilities={"sync": 1.0}),
        answer(row, "broken", "error"),
        dataclasses.replace(answer(row, "sure", "behind"), probabilities={"sync": 0.0, "ahead": 0.0, "behind": 1.0}),
    ]
    found = look_into(dataset, odd, compute_results(dataset, odd, draws=200), [])
    assert set(found) == {"refuses", "sure"}
    assert found["refuses"].why.with_probabilities == 0
    assert found["sure"].why.verdict == "cannot be told"
    assert found["sure"].why.evidence.calibration is None
    assert found["refuses"].thresholds.points[0].shares == ()
