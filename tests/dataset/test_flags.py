"""Flags against what is known of synthesised scenes, made-up material, and FFmpeg's own detector of cuts."""

from __future__ import annotations

import functools
import re
import subprocess
from fractions import Fraction
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from numpy.typing import NDArray

from offbeat.dataset.flags import (
    PERIODIC_AT,
    Heard,
    PictureFlags,
    SoundFlags,
    listen,
    onset_moments,
    picture_flags,
    scene_cuts,
    sound_flags,
)
from offbeat.media.read import read_frames, read_sound
from offbeat.media.synth import render_scene
from offbeat.media.values import Frames, Sound, SoundSpan
from offbeat.signal import measure_motion
from offbeat.signal.onsets import onset_strength

HZ = 48_000
SCENE_S = 16
START_S = 5.5
"""Of the clips that are cut from scenes, with 5 s on either side."""


@functools.cache
def scene_heard(name: str) -> tuple[Heard, tuple[float, ...]]:
    scene = render_scene(name, length_s=Fraction(SCENE_S), width=64, height=36, rate_hz=24_000, seed=0)
    return listen(SoundSpan(scene.sound, 0)), tuple(float(event) for event in scene.events_s)


def at(heard: Heard, delay_s: float, *, length_s: float = 5, start_s: float = START_S) -> SoundFlags:
    start = round(start_s * heard.rate_hz)
    first = start - round(delay_s * heard.rate_hz)
    return sound_flags(heard, start_samples=first, sync_samples=start, count=round(length_s * heard.rate_hz))


def heard_of(samples: NDArray[np.float64]) -> Heard:
    return listen(SoundSpan(Sound(samples.astype(np.float32)[None], HZ), 0))


IRREGULAR = ("bounce", "drums", "typist", "face", "tennis", "chopping")


@pytest.mark.parametrize("name", [*IRREGULAR, "metronome"])
def test_onset_density_is_that_of_the_events(name: str) -> None:
    heard, events = scene_heard(name)
    found = happened = 0.0
    for delay_s in (-5, 0, 5):
        low = START_S - delay_s
        happened += sum(low <= event < low + 5 for event in events)
        found += 5 * at(heard, delay_s).onset_density
    assert found == pytest.approx(happened, rel=0.2)
    assert happened > 10


@pytest.mark.parametrize("name", [*IRREGULAR, "metronome"])
def test_onsets_are_where_the_events_are(name: str) -> None:
    heard, events = scene_heard(name)
    moments_s = heard.onsets / 200
    hit = [np.abs(moments_s - event).min() < 0.03 for event in events if 0.1 < event < SCENE_S - 0.1]
    assert np.mean(hit) > 0.9


def test_steady_noise_and_silence_have_no_onsets() -> None:
    rng = np.random.default_rng(0)
    assert at(heard_of(0.1 * rng.standard_normal(SCENE_S * HZ)), 0).onset_density <= 0.4
    silent = at(heard_of(np.zeros(SCENE_S * HZ)), 0.5)
    assert silent == SoundFlags(silence_share=1.0, onset_density=0.0, periodicity=None, periodic=False)
    assert len(onset_moments(np.zeros(0))) == 0


def test_two_strokes_nearer_than_a_twentieth_of_a_second_are_one_onset() -> None:
    envelope = np.zeros(400)
    envelope[[100, 106, 200, 215]] = [50, 60, 40, 40]
    assert onset_moments(envelope).tolist() == [106, 200, 215]


@pytest.mark.parametrize("delay_s", [0.5, -0.5, 1, -1, 2.5, 5, -5])
def test_whole_periods_of_a_metronome_cannot_be_told(delay_s: float) -> None:
    flags = at(scene_heard("metronome")[0], delay_s)
    assert flags.periodicity == pytest.approx(1, abs=0.02)
    assert flags.periodic


@pytest.mark.parametrize("delay_s", [0.25, -0.25, 0.1, 1.25, -4.75])
def test_half_periods_can(delay_s: float) -> None:
    flags = at(scene_heard("metronome")[0], delay_s)
    assert flags.periodicity is not None
    assert flags.periodicity < 0.1
    assert not flags.periodic


def test_at_no_delay_there_is_nothing_to_mistake() -> None:
    flags = at(scene_heard("metronome")[0], 0)
    assert flags.periodicity is None
    assert not flags.periodic


@pytest.mark.parametrize("length_s", [3, 5])
def test_irregular_scenes_are_not_periodic(length_s: int) -> None:
    values = [
        flags.periodicity
        for name in IRREGULAR
        for delay_s in np.arange(-5, 5.5, 0.5)
        if delay_s and (flags := at(scene_heard(name)[0], delay_s, length_s=length_s)).periodicity is not None
    ]
    assert len(values) == 6 * 20
    assert max(values) < PERIODIC_AT
    assert np.mean(values) < 0.1


def test_periodicity_is_pearsons_r_of_the_onset_strength() -> None:
    """Against numpy's own, on windows cut by hand."""
    heard, _ = scene_heard("drums")
    one, other = heard.pattern[1100:2100], heard.pattern[1100 - 300 : 2100 - 300]
    expected = np.corrcoef(one, other)[0, 1]
    assert at(heard, 1.5).periodicity == pytest.approx(max(0, expected), abs=1e-4)


def test_silence_is_counted_where_it_is() -> None:
    rng = np.random.default_rng(0)
    samples = 0.1 * rng.standard_normal(SCENE_S * HZ)
    samples[6 * HZ : 8 * HZ] = 0
    samples[8 * HZ : 9 * HZ] *= 0.001  # -80 dB of full scale: not digital silence, and silent
    samples[10 * HZ : 11 * HZ] *= 0.03  # -50: faint, and not silent
    heard = heard_of(samples)
    assert at(heard, 0).silence_share == pytest.approx(3 / 5)  # hears 5.5 to 10.5 s
    assert at(heard, 5).silence_share == 0  # 0.5 to 5.5 s
    assert at(heard, -3).silence_share == pytest.approx(0.5 / 5)  # 8.5 to 13.5 s
    assert at(heard, 0, length_s=0.05, start_s=7).silence_share == 1


def test_silence_of_one_channel_is_not_silence() -> None:
    rng = np.random.default_rng(0)
    samples = np.stack([0.1 * rng.standard_normal(8 * HZ), np.zeros(8 * HZ)]).astype(np.float32)
    assert at(listen(SoundSpan(Sound(samples, HZ), 0)), 0, length_s=2).silence_share == 0


FPS = Fraction(25)
QUIET = Sound(np.zeros((1, 4 * HZ), np.float32), HZ)


def noise_picture(rng: np.random.Generator) -> NDArray[np.uint8]:
    """A picture with coarse structure, 72 x 128."""
    coarse = rng.integers(20, 235, (6, 8))
    return np.kron(coarse, np.ones((12, 16))).astype(np.uint8)


def flags_of(images: NDArray[np.uint8], *, fps: Fraction = FPS) -> PictureFlags:
    return picture_flags(Frames(images, fps), QUIET)


def test_motion_does_not_depend_on_the_frame_rate() -> None:
    """A ramp that slides evenly changes every pixel at the same pace: 60 grey values a second here."""

    def slide(fps: int) -> NDArray[np.uint8]:
        times = np.arange(2 * fps) / fps
        return np.broadcast_to((60 * times[:, None, None]).astype(np.uint8), (2 * fps, 72, 128))

    assert flags_of(slide(20), fps=Fraction(20)).motion == pytest.approx(60 / 255, rel=0.05)
    assert flags_of(slide(60), fps=Fraction(60)).motion == pytest.approx(60 / 255, rel=0.05)


def test_a_still_picture_is_still_and_a_moving_hand_is_not() -> None:
    rng = np.random.default_rng(1)
    still = np.repeat(noise_picture(rng)[None], 50, axis=0)
    still = np.clip(still + rng.integers(-1, 2, still.shape), 0, 255).astype(np.uint8)  # an encoder's breathing
    still[25:] = np.clip(still[25:].astype(int) + 3, 0, 255)  # and a key frame
    assert flags_of(still).still
    assert not flags_of(still).scene_cut
    moving = still.copy()
    for k in range(50):
        moving[k, 30:38, 2 * k : 2 * k + 8] = 250
    assert not flags_of(moving).still
    alone = flags_of(still[:1])
    assert (alone.motion, alone.still, alone.scene_cut, alone.syncability) == (None, True, False, None)


def two_scenes(first: str, second: str) -> tuple[Frames, int]:
    images: list[NDArray[np.uint8]] = []
    for name in (first, second):
        scene = render_scene(name, length_s=Fraction(2), fps=FPS, width=128, height=72, seed=1)
        images += [frame.mean(axis=2).astype(np.uint8) for frame in scene.frames()]
    return Frames(np.stack(images), FPS), 50


@pytest.mark.parametrize(("first", "second"), [("tennis", "drums"), ("drums", "face"), ("chopping", "bounce")])
def test_a_cut_is_found_at_its_frame_and_nowhere_else(first: str, second: str) -> None:
    frames, cut = two_scenes(first, second)
    assert scene_cuts(frames, measure_motion(frames)) == [cut]
    flags = picture_flags(frames, QUIET)
    halves = [flags_of(frames.images[:cut]), flags_of(frames.images[cut:])]
    assert flags.scene_cut
    assert not any(half.scene_cut for half in halves)
    motions = [half.motion for half in halves if half.motion is not None]
    assert flags.motion == pytest.approx(np.mean(motions), rel=0.05), "the cut itself is no motion"


def test_a_flash_a_lamp_and_a_swing_of_the_camera_are_no_cuts() -> None:
    rng = np.random.default_rng(2)
    still = np.repeat(noise_picture(rng)[None], 50, axis=0)
    flash = still.copy()
    flash[20:22] = 255
    lamp = still.copy()
    lamp[20:] = np.clip(lamp[20:] * 0.6 + 80, 0, 255).astype(np.uint8)
    wide = np.concatenate([noise_picture(rng) for _ in range(8)], axis=1)
    swing = np.stack([wide[:, 16 * min(k, 50) : 16 * min(k, 50) + 128] for k in range(50)])
    for images in (flash, lamp, swing):
        assert measure_motion(Frames(images, FPS)).levels[-1].max() > 18, "a change that is worth a look"
        assert not flags_of(images).scene_cut


def test_a_picture_and_its_own_sound_can_be_told_to_be_in_step() -> None:
    def syncability(name: str, *, late_s: int = 0) -> float:
        scene = render_scene(name, length_s=Fraction(6), fps=FPS, width=128, height=72, seed=3)
        images = np.stack([frame.mean(axis=2).astype(np.uint8) for frame in scene.frames()])
        samples = np.roll(scene.sound.samples, late_s * HZ, axis=1)
        value = picture_flags(Frames(images, FPS), Sound(samples, HZ)).syncability
        assert value is not None
        return value

    assert syncability("drums") > 0.6
    assert syncability("drums", late_s=1) < 0.3
    assert syncability("metronome") < 0.5, "its periods leave the delay open"


def test_without_sound_nothing_can_be_said_of_sync() -> None:
    frames, _ = two_scenes("drums", "face")
    assert picture_flags(frames, QUIET).syncability is None


# --- real clips -------------------------------------------------------------------------------------------------------


def real_heard(path: Path) -> tuple[Heard, float]:
    sound = read_sound(path)
    return listen(SoundSpan(sound, 0)), float(sound.length_s)


def density(folder: Path, name: str) -> float:
    heard, length_s = real_heard(folder / name)
    return len(heard.onsets) / length_s


def test_real_drums_have_more_onsets_than_talk_at_a_webcam(shared_media: Path) -> None:
    drums = [
        density(shared_media, f"instrument_{name}.mp4") for name in ("01_conga_solo", "03_drummer_kit", "15_drums_gt")
    ]
    talk = [density(shared_media, f"speech_en_{name}.mp4") for name in ("11_webcam_man", "14_jwp_intro")]
    assert min(drums) > max(talk)


@pytest.mark.parametrize(
    ("name", "strokes"),
    [("cooking_01_chopping.mp4", 14), ("events_01_pistol.mp4", 8), ("objects_04_anvil.mp4", 4)],
)
def test_real_strokes_are_counted(shared_media: Path, name: str, strokes: int) -> None:
    """14 chops and 4 strokes stand in the list of media; each of the 4 shots has a report and a mechanism."""
    envelope = onset_strength(read_sound(shared_media / name))
    assert envelope is not None
    assert len(onset_moments(envelope)) == pytest.approx(strokes, abs=2)


@pytest.mark.parametrize(
    ("name", "length_s", "delays_s", "others_s"),
    [
        ("test_pattern_01_av1_sync_beep.mp4", 5, (2, -2, 4, -4), (0.5, -0.5, 2.5)),
        ("instrument_27_drums_long.mp4", 5, (1, -1, 2, -2), (0.25, -0.25)),
        ("speech_en_08_webcam_artcritic.mp4", 3, (), (0.5, -0.5, 1, -1, 2, -2, 4, -4)),
    ],
)
def test_real_periods(
    shared_media: Path, name: str, length_s: float, delays_s: tuple[float, ...], others_s: tuple[float, ...]
) -> None:
    heard, lasts_s = real_heard(shared_media / name)
    start_s = lasts_s / 2 - length_s / 2
    assert all(at(heard, delay_s, length_s=length_s, start_s=start_s).periodic for delay_s in delays_s)
    assert not any(at(heard, delay_s, length_s=length_s, start_s=start_s).periodic for delay_s in others_s)


CUTS = (
    "cooking_03_mixing_bowl.mp4",
    "instrument_01_conga_solo.mp4",
    "instrument_15_drums_gt.mp4",
    "sports_01_tennis_vgg.mp4",
    "events_02_rifle_field.mp4",
    "human_sounds_04_cough.mp4",
    "cooking_01_chopping.mp4",
    "sports_04_tennis_atp4.mp4",
    "animals_03_dog_beagle.mp4",
)


SCORES = ("-an", "-vf", "scdet=threshold=0,metadata=print:file=-", "-f", "null", "-")


@pytest.mark.slow
def test_real_cuts_are_those_that_ffmpeg_finds(shared_media: Path) -> None:
    total = 0
    for name in CUTS:
        frames = read_frames(shared_media / name, height=72, grey=True)
        ours = scene_cuts(frames, measure_motion(frames))
        said = subprocess.run(
            [imageio_ffmpeg.get_ffmpeg_exe(), "-i", str(shared_media / name), *SCORES],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        scores = [float(score) for score in re.findall(r"scd\.score=([\d.]+)", said)]
        assert ours == [k for k, score in enumerate(scores) if k and score >= 10], name
        total += len(ours)
    assert total >= 5
