"""Which frames are shown, and what is heard with them."""

import subprocess
from fractions import Fraction

import imageio_ffmpeg
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offbeat.errors import ModelError
from offbeat.media.values import Sound
from offbeat.models.qwen.controls import order_of
from offbeat.models.qwen.grid import sample
from offbeat.models.qwen.sound import heard


def test_the_makers_frames_are_off_their_stamps_and_ours_are_not():
    """The figures that were measured with `qwen_omni_utils`, 3 s at 25 frames a second."""
    official = sample(75, Fraction(25), fps=Fraction(2), sampler="official")
    assert [float(time) for time in official.times_s] == [0, 0.6, 1.2, 1.76, 2.36, 2.96]
    assert float(official.off_stamp_s) == pytest.approx(0.46)
    grid = sample(75, Fraction(25), fps=Fraction(2), sampler="grid")
    assert [float(time) for time in grid.times_s] == [0, 0.48, 1.0, 1.48, 2.0, 2.48]
    assert grid.stamps_s == official.stamps_s


@given(
    count=st.integers(5, 700),
    clip_fps=st.sampled_from([Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(60)]),
    fps=st.sampled_from([Fraction(1), Fraction(2), Fraction(3), Fraction(4), Fraction(8), Fraction(25, 2)]),
)
def test_a_frame_on_the_grid_is_what_is_shown_at_its_stamp(count, clip_fps, fps):
    shown = sample(count, clip_fps, fps=fps, sampler="grid")
    assert len(shown.indices) % 2 == 0
    for index, stamp in zip(shown.indices, shown.stamps_s, strict=True):
        begins = Fraction(index) / clip_fps
        assert begins <= stamp
        assert stamp < begins + 1 / clip_fps or index == count - 1


def test_more_frames_than_the_model_takes_are_refused_and_never_thinned_out():
    with pytest.raises(ModelError, match="960 frames; expected 2 to 768"):
        sample(3000, Fraction(25), fps=Fraction(8), sampler="grid")


def test_a_disorder_is_the_same_for_all_variants_and_holds_each_frame_once():
    indices = list(range(0, 60, 10))
    shuffled = order_of("shuffled-frames", indices)
    assert sorted(shuffled) == indices != shuffled == order_of("shuffled-frames", indices)
    assert order_of("none", indices) == indices


@pytest.mark.parametrize("rate_hz", [48_000, 44_100])
def test_resampling_moves_nothing_as_ffmpeg_agrees(rate_hz):
    """Clicks whose places are known; FFmpeg's own resampler hears them at the same samples."""
    samples = np.zeros(2 * rate_hz, np.float32)
    clicks_s = [Fraction(1, 4), Fraction(1), Fraction(7, 4)]
    for at in clicks_s:
        samples[int(at * rate_hz)] = 1
    ours = heard(Sound(samples[None], rate_hz), Fraction(2))
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(),
        "-v",
        "error",
        "-f",
        "f32le",
        "-ar",
        str(rate_hz),
        "-ac",
        "1",
        "-i",
        "-",
    ]
    done = subprocess.run(
        [*command, "-f", "f32le", "-ar", "16000", "-"], input=samples.tobytes(), capture_output=True, check=True
    )
    theirs = np.frombuffer(done.stdout, np.float32)
    for at in clicks_s:
        place = int(at * 16_000)
        near = slice(place - 100, place + 100)
        assert np.argmax(np.abs(ours[near])) == np.argmax(np.abs(theirs[near])) == 100
    assert ours.size == 32_000


def test_sound_is_made_as_long_as_the_picture_within_a_tenth_of_a_second():
    rate_hz = 16_000
    short = Sound(np.ones((1, 31_000), np.float32), rate_hz)
    assert heard(short, Fraction(2)).tolist() == [1] * 31_000 + [0] * 1_000
    assert heard(Sound(np.ones((2, 32_999), np.float32), rate_hz), Fraction(2)).shape == (32_000,)
    with pytest.raises(ModelError, match=r"the sound lasts 1\.000 s and the picture 2\.000 s"):
        heard(Sound(np.ones((1, 16_000), np.float32), rate_hz), Fraction(2))
    with pytest.raises(ModelError, match="finite"):
        heard(Sound(np.full((1, 32_000), np.nan, np.float32), rate_hz), Fraction(2))
