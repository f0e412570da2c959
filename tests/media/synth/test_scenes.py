"""What a scene promises: sound and contact at the events, chance from the seed alone, room noise and no clipping."""

import functools
import itertools
from fractions import Fraction

import cv2
import numpy as np
import pytest
from scipy.signal import butter, find_peaks, sosfilt

from offbeat.media.synth import SCENES, Scene, render_scene

NAMES = list(SCENES)
IRREGULAR = [name for name in NAMES if not SCENES[name].ambiguous]
STUDY_GENRES = {"cooking", "instrument", "sports", "asmr", "speech"}


@functools.cache
def scene(name: str, seed: int = 2) -> Scene:
    return render_scene(name, length_s=Fraction(10), width=160, height=90, seed=seed)


def onsets_by_energy(samples: np.ndarray, rate_hz: int) -> np.ndarray:
    """Where 1.5 ms hold at least 9 dB more than the 12 ms before: knows nothing of how the sound was made."""
    sections = butter(2, 600, "highpass", fs=rate_hz, output="sos")
    energy = np.concatenate([[0], np.cumsum(sosfilt(sections, samples.astype(float)) ** 2)])
    after, before = int(0.0015 * rate_hz), int(0.012 * rate_hz)
    at = np.arange(before, samples.size - after)
    coming = (energy[at + after] - energy[at]) / after
    gone = (energy[at] - energy[at - before]) / before
    rise_db = 10 * np.log10((coming + 1e-9) / (gone + 1e-9))
    return at[find_peaks(rise_db, height=9, distance=int(0.05 * rate_hz))[0]] / rate_hz


def seconds(events: tuple[Fraction, ...]) -> np.ndarray:
    return np.array([float(event) for event in events])


def test_the_genres_of_the_study_are_there():
    assert {kind.genre for kind in SCENES.values()} >= STUDY_GENRES
    assert [name for name in NAMES if SCENES[name].ambiguous] == ["metronome"]


@pytest.mark.parametrize("name", NAMES)
def test_each_event_is_heard_when_it_happens(name):
    shown = scene(name)
    heard = onsets_by_energy(shown.sound.mono(), shown.sound.rate_hz)
    events = seconds(shown.events_s)
    errors = np.array([np.abs(heard - event).min() for event in events])
    assert errors.max() < 0.002
    # And little else begins: what sounds is what is seen.
    assert len(heard) <= 1.1 * len(events)


@pytest.mark.parametrize("name", NAMES)
def test_each_event_is_a_contact_that_is_led_up_to(name):
    shown = scene(name)
    for event in seconds(shown.events_s):
        assert shown.gap(event) == pytest.approx(0, abs=1e-6)
    apart = np.array([max(shown.gap(event - back) for back in (0.03, 0.06)) for event in seconds(shown.events_s)])
    if name != "face":  # lips are closed before they part
        assert apart.min() > 0.02
        assert np.median(apart) > 0.2
    after = np.array([max(shown.gap(event + wait) for wait in (0.04, 0.08)) for event in seconds(shown.events_s)])
    assert np.median(after) > 0.2


@pytest.mark.parametrize("name", NAMES)
def test_the_frame_that_contains_an_event_shows_it(name):
    shown = scene(name)
    for event in shown.events_s:
        number = int(event * shown.fps)
        first = next(other for other in shown.events_s if int(other * shown.fps) == number)
        assert shown.shown_s(number) == float(first)
    free = [k for k in range(shown.frame_count) if all(int(event * shown.fps) != k for event in shown.events_s)]
    assert all(shown.shown_s(k) == pytest.approx((k + 0.5) / 30) for k in free)


@pytest.mark.parametrize("name", NAMES)
def test_the_picture_changes_most_around_events(name):
    shown = render_scene(name, length_s=Fraction(4), width=160, height=90, seed=5)
    frames = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(float) for image in shown.frames()]
    change = np.array([np.abs(b - a).mean() for a, b in itertools.pairwise(frames)])
    near = np.zeros(change.size, bool)
    for event in shown.events_s:
        number = int(event * 30)
        near[max(number - 3, 0) : number + 4] = True
    assert change.min() > 0  # never a frozen picture
    if name not in ("tennis", "bounce", "metronome"):  # there, flight is as quick as contact
        assert np.median(change[near]) > 1.2 * np.median(change[~near])


def test_a_ball_is_lowest_in_the_picture_when_it_sounds():
    """OpenCV finds the lowest bright point of the only ball in view, before, at and after its first bounce."""
    shown = render_scene("bounce", length_s=Fraction(6), width=640, height=360, seed=3)
    still = shown.frame(0).astype(int)
    checked = 0
    for event in shown.events_s:
        number = int(event * 30)
        heights = []
        for k in (number - 3, number, number + 3):
            # The floor begins at 0.855 of the height; below it there are shadows only.
            moved = np.abs(shown.frame(min(max(k, 0), 179)).astype(int) - still).max(axis=2)[:300] > 60
            rows = np.nonzero(moved.sum(axis=1) > 4)[0]
            heights.append(rows.max() if rows.size else -1)
        checked += heights[1] >= max(heights[0], heights[2])
    assert checked >= 0.9 * len(shown.events_s)


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_decides_everything(name):
    make = functools.partial(render_scene, name, length_s=Fraction(3), width=160, height=90)
    one, again, other = make(seed=1), make(seed=1), make(seed=2)
    assert one.events_s == again.events_s
    np.testing.assert_array_equal(one.sound.samples, again.sound.samples)
    for number in (0, 40, 89):
        np.testing.assert_array_equal(one.frame(number), again.frame(number))
    assert one.events_s != other.events_s
    assert not np.array_equal(one.sound.samples, other.sound.samples)


@pytest.mark.parametrize("name", ["typist", "chopping"])
def test_a_frame_does_not_depend_on_those_before_it(name):
    make = functools.partial(render_scene, name, length_s=Fraction(3), width=160, height=90, seed=4)
    np.testing.assert_array_equal(list(make().frames())[50], make().frame(50))


@pytest.mark.parametrize("name", IRREGULAR)
def test_events_have_no_period(name):
    gaps = np.diff(seconds(scene(name).events_s))
    assert gaps.std() / gaps.mean() > 0.2
    assert gaps.min() > 0.05


def test_the_metronome_has_one():
    gaps = np.diff(seconds(scene("metronome").events_s))
    assert gaps.std() / gaps.mean() < 1e-9
    assert gaps.mean() == pytest.approx(0.5)


@pytest.mark.parametrize("name", NAMES)
def test_the_sound_is_neither_clipped_nor_ever_silent(name):
    sound = scene(name).sound
    assert sound.samples.dtype == np.float32
    assert sound.count == 480_000
    assert np.abs(sound.samples).max() < 0.95
    rms = float(np.sqrt(np.mean(sound.samples**2)))
    assert 0.04 < rms < 0.08
    tenths = sound.samples.reshape(2, -1, 4800)
    assert np.sqrt((tenths**2).mean(axis=2)).min() > 2e-4  # -74 dB: five steps of 16 bits


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("fps", "rate_hz", "size"),
    [(Fraction(30000, 1001), 44100, (90, 160)), (Fraction(25), 16000, (320, 180)), (Fraction(60), 48000, (128, 96))],
)
def test_other_rates_and_shapes(name, fps, rate_hz, size):
    shown = render_scene(name, length_s=Fraction(2), fps=fps, rate_hz=rate_hz, width=size[0], height=size[1], seed=1)
    assert shown.frame(0).shape == (size[1], size[0], 3)
    assert shown.frame_count == round(2 * fps)
    assert shown.sound.count == 2 * rate_hz
    assert all((event * rate_hz).denominator == 1 for event in shown.events_s)


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("opera", {}, "there is no scene 'opera'; there are bounce, "),
        ("face", {"length_s": Fraction(1, 2)}, "at least 1 s"),
        ("face", {"fps": Fraction(0)}, "more than 0 frames a second"),
        ("face", {"width": 32}, "32x360 is too small"),
    ],
)
def test_impossible_scenes_are_refused(name, arguments, text):
    with pytest.raises(ValueError, match=text):
        render_scene(name, seed=1, **{"length_s": Fraction(2), **arguments})
