"""The estimate on made clips whose delay is known, and on material from which nothing can be told."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signal_events import at_frames_of, ball, flashes, hits, irregular_times

from offbeat.media.values import Frames, Sound
from offbeat.signal import estimate_delay, measure_motion
from offbeat.signal.estimate import MAX_DELAY_S, MIN_OVERLAP_S

RATES = [Fraction(15), Fraction(24_000, 1001), Fraction(25), Fraction(30), Fraction(60)]
DELAYS_S = [-5.0, -2.73, -0.5, -0.11, 0.0, 0.013, 0.2, 1.5, 3.333, 5.0]


@pytest.mark.parametrize("fps", RATES, ids=str)
def test_flashes_and_hits_are_placed_within_half_a_frame(fps):
    times_s = at_frames_of(irregular_times(), fps)
    motion = measure_motion(flashes(times_s, fps=fps, length_s=10))
    errors_s = []
    for delay_s in DELAYS_S:
        found = estimate_delay(motion, hits(times_s, delay_s=delay_s, length_s=10))
        errors_s.append(found.delay_s - delay_s)
        assert not found.cannot_tell, delay_s
    assert np.abs(errors_s).max() < 0.5 / fps
    assert abs(np.mean(errors_s)) < 0.25 / fps


@pytest.mark.parametrize("delay_s", [-1.0, -0.3, 0.0, 0.4, 2.5])
def test_a_ball_that_is_hit(delay_s):
    times_s = irregular_times(seed=3)
    frames = ball(times_s, fps=Fraction(25), length_s=7)
    found = estimate_delay(frames, hits(times_s, delay_s=delay_s, length_s=7))
    assert found.delay_s == pytest.approx(delay_s, abs=1.5 / 25)  # a movement has no single moment, as a flash has


@pytest.mark.parametrize(("delay_s", "label"), [(-0.5, "ahead"), (0.0, "sync"), (0.5, "behind")])
def test_sound_that_comes_later_is_behind(delay_s, label):
    times_s = irregular_times(seed=4)
    found = estimate_delay(flashes(times_s, fps=Fraction(25), length_s=7), hits(times_s, delay_s=delay_s, length_s=7))
    assert found.label == label
    assert found.chances[label] == pytest.approx(found.confidence + (1 - found.confidence) / 3)
    assert sum(found.chances.values()) == pytest.approx(1)


def test_one_moving_hand_is_not_drowned_by_a_moving_background():
    times_s = at_frames_of(irregular_times(seed=5), Fraction(25))
    images = flashes(times_s, fps=Fraction(25), length_s=10).images.copy()
    rng = np.random.default_rng(5)
    restless = np.abs(np.cumsum(rng.standard_normal(len(images)))) * 20 % 100
    images[:, :, 72:] = (restless[:, None, None] * rng.uniform(0.5, 1, size=(72, 56))).astype(np.uint8)
    found = estimate_delay(Frames(images, Fraction(25)), hits(times_s, delay_s=0.8, length_s=10))
    assert found.delay_s == pytest.approx(0.8, abs=0.02)


def test_scene_cuts_do_not_lead_astray():
    times_s = at_frames_of(irregular_times(seed=6), Fraction(25))
    images = flashes(times_s, fps=Fraction(25), length_s=10).images.copy()
    for cut in (40, 111, 190):  # nothing is heard at a cut
        images[cut:] = 255 - images[cut:]
    found = estimate_delay(Frames(images, Fraction(25)), hits(times_s, delay_s=-0.6, length_s=10))
    assert found.delay_s == pytest.approx(-0.6, abs=0.02)


def test_one_cut_and_one_bang_are_not_taken_for_cause_and_effect():
    times_s = at_frames_of(irregular_times(seed=6), Fraction(25))
    images = flashes(times_s, fps=Fraction(25), length_s=6).images.copy()
    images[50:] = 255 - images[50:]
    sound = hits(times_s, delay_s=0.4, length_s=6)
    bang = hits(np.array([4.33]), delay_s=0, length_s=6)
    both = Sound(sound.samples * np.float32(0.05) + bang.samples * 3, sound.rate_hz)
    found = estimate_delay(Frames(images, Fraction(25)), both)
    assert found.delay_s == pytest.approx(0.4, abs=0.02)


def test_without_relation_the_evidence_is_about_nothing():
    rng = np.random.default_rng(9)
    frames = Frames(rng.integers(0, 256, size=(250, 36, 64)).astype(np.uint8), Fraction(25))
    sound = Sound((0.1 * rng.standard_normal((1, 160_000))).astype(np.float32), 16_000)
    evidence = estimate_delay(frames, sound).evidence
    assert evidence.min() >= 0
    assert np.median(evidence) < 0.5


def test_equal_gaps_leave_the_delay_open():
    times_s = np.arange(-6, 20, 0.5)
    for delay_s in (0.0, 0.5, -1.0):
        found = estimate_delay(
            flashes(times_s, fps=Fraction(25), length_s=10), hits(times_s, delay_s=delay_s, length_s=10)
        )
        assert found.reason == "unclear"
        assert found.confidence < 0.35
        assert (
            abs(round((found.delay_s - delay_s) / 0.5) * 0.5 - (found.delay_s - delay_s)) < 0.04
        )  # a whole period off


def test_noise_against_noise_is_mostly_unclear():
    confident = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        frames = Frames(rng.integers(0, 256, size=(125, 36, 64)).astype(np.uint8), Fraction(25))
        sound = Sound((0.1 * rng.standard_normal((1, 5 * 16_000))).astype(np.float32), 16_000)
        confident += not estimate_delay(frames, sound).cannot_tell
    assert confident <= 2


def test_sound_of_another_clip_is_mostly_unclear():
    confident = 0
    for seed in range(12):
        seen, heard = irregular_times(seed=seed), irregular_times(seed=100 + seed)
        found = estimate_delay(flashes(seen, fps=Fraction(25), length_s=5), hits(heard, delay_s=0, length_s=5))
        confident += not found.cannot_tell
    assert confident <= 3


@pytest.mark.parametrize(
    ("frames", "samples", "reason"),
    [
        (np.full((125, 36, 64), 90), np.random.default_rng(0).standard_normal(80_000), "still"),
        (np.random.default_rng(0).integers(0, 255, (125, 36, 64)), np.zeros(80_000), "silent"),
        (np.random.default_rng(0).integers(0, 255, (2, 36, 64)), np.ones(1_280), "too_short"),
        (np.random.default_rng(0).integers(0, 255, (20, 36, 64)), np.ones(12_800), "too_short"),
        (np.random.default_rng(0).integers(0, 255, (125, 36, 64)), np.ones(0), "too_short"),
    ],
)
def test_where_nothing_can_be_told_it_says_why(frames, samples, reason):
    found = estimate_delay(
        Frames(frames.astype(np.uint8), Fraction(25)), Sound(samples[None].astype(np.float32), 16_000)
    )
    assert (found.reason, found.delay_s, found.confidence) == (reason, None, 0)
    assert set(found.chances.values()) == {1 / 3}
    assert found.cannot_tell
    assert found.lags_s.size == found.evidence.size == 0


def test_sound_that_is_no_number_is_an_error():
    samples = np.ones((1, 80_000), np.float32)
    samples[0, 5] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        estimate_delay(Frames(np.zeros((125, 36, 64), np.uint8), Fraction(25)), Sound(samples, 16_000))


def test_the_curve_spans_what_was_asked_for_and_is_possible():
    times_s = irregular_times(seed=7)
    motion = measure_motion(flashes(times_s, fps=Fraction(25), length_s=10))
    sound = hits(times_s, delay_s=0.3, length_s=10)
    assert np.abs(estimate_delay(motion, sound).lags_s).max() == pytest.approx(MAX_DELAY_S, abs=0.04)
    narrow = estimate_delay(motion, sound, max_delay_s=1)
    assert np.abs(narrow.lags_s).max() == 1
    assert narrow.lags_s[narrow.evidence.argmax()] == pytest.approx(narrow.delay_s, abs=0.02)
    short = estimate_delay(replace(motion, levels=tuple(level[:75] for level in motion.levels)), sound)
    assert np.abs(short.lags_s).max() == pytest.approx(3 - MIN_OVERLAP_S, abs=0.04)


@settings(max_examples=15)
@given(st.floats(0.01, 1), st.integers(0, 60), st.sampled_from([1, 2]))
def test_level_brightness_and_channels_do_not_matter(gain, brighter, channels):
    times_s = irregular_times(seed=8)
    frames = flashes(times_s, fps=Fraction(25), length_s=5)
    sound = hits(times_s, delay_s=0.4, length_s=5, rate_hz=16_000)
    other = Sound(np.repeat(sound.samples * np.float32(gain), channels, axis=0), sound.rate_hz)
    found = estimate_delay(Frames(frames.images + np.uint8(brighter), frames.fps), other)
    expected = estimate_delay(frames, sound)
    assert found.delay_s == pytest.approx(expected.delay_s, abs=1e-3)
    assert found.confidence == pytest.approx(expected.confidence, abs=1e-3)
