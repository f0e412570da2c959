"""Thresholds of three choices: against statsmodels, against derivatives by differences, and where there are none."""

import numpy as np
import pytest
from statsmodels.miscmodels.ordinal_model import OrderedModel

from offbeat.analysis import sj3
from offbeat.analysis.sj3_estimates import FIGURES, SIDES, count_by_source, psychometric
from offbeat.analysis.sj3_simulate import Observer, simulate

STUDY = 500.0 * np.arange(-10, 11)
FINE = np.array([-400.0, -300, -200, -160, -120, -80, -40, 0, 40, 80, 120, 160, 200, 300, 400])
SOME = np.array([[150.0, -0.5, 6.2, 6.6, -2.0], [-700.0, 0.7, 5.5, 5.0, 1.0]])


def answers(observer, delays, *, sources=20, clips=4, seed=0):
    return simulate(observer, delays, sources=sources, clips=clips, rng=np.random.default_rng(seed))


def test_two_criteria_are_those_of_an_ordered_probit():
    """Without lapses the model is an ordered probit: statsmodels finds the same criteria and the same likelihood."""
    exact = sj3.shares(STUDY, np.array([[150.0, np.log(0.6), np.log(600.0), np.log(600.0), -12.0]]))[0]
    counts = np.round(1000 * exact)
    delay = np.repeat(np.repeat(STUDY / 1000, 3), counts.ravel().astype(int))
    answer = np.repeat(np.tile([0, -1, 1], len(STUDY)), counts.ravel().astype(int))
    theirs = OrderedModel(answer, delay[:, None], distr="probit").fit(method="bfgs", disp=False)
    slope, first, log_step = theirs.params
    criteria = first, first + np.exp(log_step)
    ours = sj3.best_fit(counts, STUDY)
    assert ours.log_likelihood[0] == pytest.approx(theirs.llf, abs=0.05)  # we look at no lapse rate below 3e-6
    middle, log_h, log_noise = ours.parameters[0, :3]
    assert sj3.lapse_rate(ours.parameters)[0] < 1e-4
    assert np.exp(log_noise) / 1000 == pytest.approx(1 / slope, rel=1e-3)
    found = [(middle + side * np.exp(log_h + log_noise)) / 1000 for side in (-1, 1)]
    assert found == pytest.approx([criterion / slope for criterion in criteria], abs=1e-3)


@pytest.mark.parametrize("place", range(sj3.PARAMETERS))
def test_derivatives_are_those_of_differences(place):
    step = 1e-5 * np.maximum(1, np.abs(SOME[:, place]))
    up, down = SOME.copy(), SOME.copy()
    up[:, place] += step
    down[:, place] -= step
    differences = (sj3.shares(STUDY, up) - sj3.shares(STUDY, down)) / (2 * step)[:, None, None]
    slopes = sj3._shares_and_slopes(STUDY, SOME)[1][..., place]
    assert np.abs(slopes - differences).max() < 1e-7


def test_shares_are_shares_and_the_asymmetric_model_holds_the_symmetric_one():
    shares = sj3.shares(np.linspace(-9000, 9000, 301), SOME)
    assert shares.sum(axis=-1) == pytest.approx(1.0, abs=1e-9)
    assert (shares >= 0).all()
    counts = answers(Observer(-300.0, 600.0, 500.0), STUDY).sum(axis=0)
    one, two = (sj3.best_fit(counts, STUDY, asymmetric=both).log_likelihood[0] for both in (False, True))
    assert one <= two + 1e-6


@pytest.mark.parametrize("asymmetric", [False, True])
def test_exact_shares_give_their_parameters_back(asymmetric):
    truth = np.array([120.0, np.log(0.8), np.log(500.0), np.log(900.0 if asymmetric else 500.0), -1.5])
    counts = 1e4 * sj3.shares(STUDY, truth[None])[0]
    assert sj3.best_fit(counts, STUDY, asymmetric=asymmetric).parameters[0] == pytest.approx(truth, rel=1e-3)


def test_a_batch_started_at_the_whole_finds_what_many_starts_find():
    counts = answers(Observer(-300.0, 600.0, 500.0, 300.0), STUDY)
    drawn = np.tensordot(np.random.default_rng(0).multinomial(20, [0.05] * 20, size=25).astype(float), counts, axes=1)
    whole = sj3.best_fit(counts.sum(axis=0), STUDY).parameters
    warm = sj3.fit(drawn, STUDY, np.repeat(whole, 25, axis=0)).log_likelihood
    best = [sj3.best_fit(table, STUDY).log_likelihood[0] for table in drawn]
    assert warm == pytest.approx(best, abs=1e-4)


def test_a_person_is_measured_on_a_fine_grid():
    person = Observer(-45.0, 125.0, 80.0)
    found = psychometric(answers(person, FINE, sources=51), FINE)
    assert found.reason is None
    assert set(found.figures) == {*FIGURES, *SIDES}
    for name, value in person.truth().items():
        figure = found.figures[name]
        assert figure.low <= value <= figure.high, name
        assert figure.low < figure.value < figure.high
    assert found.figures["late_over_early"].low < 1 < found.figures["late_over_early"].high


def test_two_sides_of_different_width_are_told_apart():
    truth = np.array([[50.0, 0.0, np.log(60.0), np.log(200.0), -3.0]])
    counts = np.random.default_rng(0).multinomial(4, np.repeat(sj3.shares(FINE, truth), 40, axis=0)).astype(float)
    ratio = psychometric(counts, FINE).figures["late_over_early"]
    assert 1.5 < ratio.low < 200 / 60 < ratio.high


def constant(code):
    counts = np.zeros((10, 21, 3))
    counts[..., code] = 4
    return counts


def perfect():
    counts = np.zeros((10, 21, 3))
    counts[:, :10, 1], counts[:, 10, 0], counts[:, 11:, 2] = 4, 4, 4
    return counts


def flat(seed=0):
    return np.random.default_rng(seed).multinomial(4, [0.6, 0.2, 0.2], size=(30, 21)).astype(float)


def guessing(share):
    """Sees sharply, by limits of a second and noise of half a second, and guesses that often all the same."""
    sharp = sj3.shares(STUDY, np.array([[0.0, np.log(2.0), np.log(500.0), np.log(500.0), -12.0]]))[0]
    rng = np.random.default_rng(0)
    return rng.multinomial(4, (1 - share) * sharp + share / 3, size=(30, 21)).astype(float)


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        (guessing(0.7), "guesses every other time"),
        (constant(0), "it always answered sync"),
        (constant(2), "it always answered behind"),
        (perfect() * [0, 1, 1], "it never answered sync"),
        (flat(), "do not follow the delay"),
        (perfect()[:, ::-1], "the wrong way round"),
        (perfect(), "finer grid"),
        (answers(Observer(-6000.0, 400.0, 900.0), STUDY), "outside the delays"),
        (answers(Observer(-1850.0, 1850.0, 60.0, 0.0, 0.1), STUDY, sources=10, clips=2, seed=3), "finer grid"),
        (flat()[:1], "do not follow the delay beyond chance"),
    ],
)
def test_what_cannot_be_identified_has_a_reason_and_no_number(counts, reason):
    found = psychometric(counts, STUDY)
    assert reason in found.reason
    assert dict(found.figures) == {}
    assert found.curve is None


def test_few_delays_or_one_side_are_not_enough():
    counts = answers(Observer(-45.0, 125.0, 80.0), FINE)
    assert "on both sides of 0" in psychometric(counts[:, 7:], FINE[7:]).reason
    assert "2 delays" in psychometric(counts[:, [0, 14]], FINE[[0, 14]]).reason
    assert "0 delays" in psychometric(np.zeros((0, 0, 3)), np.zeros(0)).reason


def test_one_source_has_no_interval():
    found = psychometric(answers(Observer(-300.0, 600.0, 500.0), STUDY, sources=1, clips=30), STUDY)
    assert found.figures["window_ms"].value == pytest.approx(900, abs=250)
    assert found.figures["window_ms"].low is None


def test_answers_are_counted_by_source_and_those_without_a_choice_left_out():
    counts, delays = count_by_source(
        np.array([0, 2, 3, 1]), np.array([0.0, 500.0, -500.0, 0.0]), np.array([7, 7, 7, 9])
    )
    assert delays.tolist() == [0.0, 500.0]
    assert counts.tolist() == [[[1, 0, 0], [0, 0, 1]], [[0, 1, 0], [0, 0, 0]]]
    with pytest.raises(ValueError, match="one length"):
        count_by_source(np.array([0]), np.array([0.0, 1.0]), np.array([0]))
    with pytest.raises(ValueError, match="finite"):
        count_by_source(np.array([0]), np.array([np.nan]), np.array([0]))
