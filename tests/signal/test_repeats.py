"""Evidence at equal overlap where, and only where, the sound repeats itself."""

import numpy as np

from offbeat.signal.repeats import like_with_like

LAGS = np.arange(-60, 61)
OVERLAP = 100 - np.abs(LAGS)


def test_every_period_of_a_periodic_sound_is_as_likely():
    heard = (np.arange(100) % 20 == 0).astype(float)
    fits = LAGS % 20 == 0
    evidence = np.where(fits, OVERLAP / 2.0, 0)
    fair = like_with_like(evidence, LAGS, heard, least_overlap=30)
    np.testing.assert_allclose(fair[fits], 50)
    assert not fair[~fits].any()


def test_a_sound_that_never_repeats_is_left_alone():
    rng = np.random.default_rng(0)
    evidence = rng.uniform(0, 10, size=len(LAGS))
    np.testing.assert_array_equal(like_with_like(evidence, LAGS, rng.standard_normal(100), least_overlap=30), evidence)


def test_a_worse_fit_stays_worse():
    heard = np.sin(np.arange(100) * 2 * np.pi / 20)
    evidence = np.where(LAGS == 0, 50.0, np.where(LAGS % 20 == 0, OVERLAP * 0.25, 0))
    fair = like_with_like(evidence, LAGS, heard, least_overlap=30)
    np.testing.assert_allclose(fair[(LAGS % 20 == 0) & (LAGS != 0)], 25)
    assert (fair >= evidence).all()
    assert fair.argmax() == 60
