"""Written scenes, read back by an FFmpeg and an OpenCV that are not ours."""

import subprocess
from fractions import Fraction

import cv2
import imageio_ffmpeg
import numpy as np
import pytest
from scipy.signal import correlate

from offbeat.errors import MediaError
from offbeat.media.synth import SCENES, render_scene, write_movie, write_scene
from offbeat.media.values import Sound


def samples_by_ffmpeg(path) -> np.ndarray:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(path), "-f", "f32le", "-"]
    raw = subprocess.run(command, check=True, capture_output=True).stdout
    return np.frombuffer(raw, dtype="<f4").reshape(-1, 2).T


def delay_in_samples(heard: np.ndarray, true: np.ndarray) -> float:
    """The peak of the cross-correlation, refined by a parabola."""
    correlation = correlate(heard.astype(float), true.astype(float), method="fft")
    peak = int(np.argmax(correlation))
    low, mid, high = correlation[peak - 1 : peak + 2]
    return peak - (true.size - 1) + 0.5 * (low - high) / (low - 2 * mid + high)


@pytest.mark.parametrize("name", list(SCENES))
def test_sound_and_frames_come_back_in_place(tmp_path, name):
    shown = render_scene(name, length_s=Fraction(4), width=160, height=90, seed=7)
    path = tmp_path / "scene.mp4"
    write_scene(path, shown)
    error_ms = 1000 * delay_in_samples(samples_by_ffmpeg(path)[0], shown.sound.samples[0]) / 48000
    assert abs(error_ms) <= 0.1
    capture = cv2.VideoCapture(str(path))
    images = []
    while (read := capture.read())[0]:
        images.append(cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB))
    assert len(images) == shown.frame_count == 120
    for number in (0, 60, 119):
        assert np.abs(images[number].astype(int) - shown.frame(number)).mean() < 6


@pytest.mark.parametrize(("fps", "rate_hz"), [(Fraction(30000, 1001), 44100), (Fraction(25), 48000)])
def test_other_rates_come_back_in_place(tmp_path, fps, rate_hz):
    shown = render_scene("drums", length_s=Fraction(3), fps=fps, rate_hz=rate_hz, width=160, height=90, seed=7)
    path = tmp_path / "scene.mp4"
    write_scene(path, shown)
    error_s = delay_in_samples(samples_by_ffmpeg(path)[0], shown.sound.samples[0]) / rate_hz
    assert abs(error_s) <= 0.0001
    capture = cv2.VideoCapture(str(path))
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(float(fps), rel=1e-6)


def test_the_same_seed_writes_the_same_bytes(tmp_path):
    for name in ("a.mp4", "b.mp4"):
        write_scene(tmp_path / name, render_scene("bounce", length_s=Fraction(2), width=160, height=90, seed=3))
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_frames_are_drawn_one_at_a_time(tmp_path):
    """No more than one picture is asked for before its turn to be encoded: nothing is gathered in a list."""
    asked: list[int] = []
    sizes: list[int] = []
    path = tmp_path / "long.mkv"

    def pictures():
        for number in range(400):
            asked.append(number)
            if number == 399:
                sizes.append(path.stat().st_size)
            yield np.random.default_rng(number).integers(0, 255, (90, 160, 3), dtype=np.uint8)

    sound = Sound(samples=np.zeros((2, 640_000), np.float32), rate_hz=48000)
    write_movie(path, images=pictures(), fps=Fraction(30), sound=sound, codec="lossless")
    assert len(asked) == 400
    assert sizes[0] > 0.9 * path.stat().st_size


def test_what_cannot_be_written_is_refused(tmp_path):
    picture = np.zeros((90, 160, 3), np.uint8)
    sound = Sound(samples=np.zeros((2, 4800), np.float32), rate_hz=48000)
    with pytest.raises(ValueError, match="there is no picture"):
        write_movie(tmp_path / "a.mp4", images=[], fps=Fraction(30), sound=sound)
    surround = Sound(samples=np.zeros((6, 4800), np.float32), rate_hz=48000)
    with pytest.raises(ValueError, match="one or two channels of sound, got 6"):
        write_movie(tmp_path / "a.mp4", images=[picture], fps=Fraction(30), sound=surround)
    with pytest.raises(MediaError, match="absent does not exist; make it first"):
        write_movie(tmp_path / "absent" / "a.mp4", images=[picture], fps=Fraction(30), sound=sound)
