"""What a worker is shown: the same moments that others find in the file."""

import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.signal import resample_poly

from offbeat.errors import ModelError
from offbeat.models.worker.media import Layout
from offbeat.models.worker.protocol import Hello


def hello(**options):
    return Hello(type="hello", protocol=1, name="n", revision="1", **options)


def brightness_by_opencv(path):
    capture = cv2.VideoCapture(str(path))
    found = []
    while (read := capture.read())[0]:
        found.append(float(read[1].mean()))
    return np.array(found), capture.get(cv2.CAP_PROP_FPS)


@pytest.mark.parametrize("fps", [1, 4, 7.5, 25])
def test_frames_are_those_of_their_times(fps, variants, tmp_path):
    with Layout(hello(media="arrays", fps=fps, height=24), tmp_path) as layout:
        arrays = layout.of(variants[0], 0)["arrays"]
        frames, times_s = np.load(arrays["frames"]), np.load(arrays["times_s"])
    bright, clip_fps = brightness_by_opencv(variants[0].path)
    assert frames.shape == (math.ceil(2 * fps), 24, 32, 3)
    assert frames.dtype == np.uint8
    np.testing.assert_allclose(times_s, np.arange(len(frames)) / fps, rtol=0, atol=1e-12)
    expected = bright[np.floor(times_s * clip_fps + 1e-9).astype(int)]
    np.testing.assert_allclose(frames.mean(axis=(1, 2, 3)), expected, atol=3)
    assert np.ptp(expected) > 200 or fps == 1, "or no frame would be told from another"


def test_sound_is_resampled_in_place(variants, tmp_path):
    for rate_hz, down in [(16_000, 3), (None, 1)]:
        with Layout(hello(media="arrays", sound_hz=rate_hz), tmp_path) as layout:
            arrays = layout.of(variants[2], 0)["arrays"]
            sound = np.load(arrays["sound"])
        own = variants[2].sound().samples
        expected = own if down == 1 else resample_poly(own, 1, down, axis=1)
        assert (sound.dtype, arrays["sound_hz"]) == (np.float32, 48_000 // down)
        np.testing.assert_allclose(sound, expected, atol=1e-6)


def test_the_clips_own_rate_and_one_file_of_frames_for_all(variants, tmp_path):
    with Layout(hello(media="arrays"), tmp_path) as layout:
        told = [layout.of(variant, number)["arrays"] for number, variant in enumerate(variants)]
        assert len({one["frames"] for one in told}) == 1
        assert len({one["sound"] for one in told}) == 3
        assert np.load(told[0]["frames"]).shape == (50, 48, 64, 3)
    assert list(tmp_path.iterdir()) == [], "they go with the block"


def test_a_file_tells_nothing(variants, tmp_path):
    with Layout(hello(), tmp_path) as layout:
        told = layout.of(variants[2], 7)
        assert Path(told["file"]).name == "7.mp4"
        assert Path(told["file"]).read_bytes() == variants[2].path.read_bytes()
    assert not {"label", "audio_delay_ms", "overlap_s", "measured_delay_ms", "genre"} & set(told["clip"])


def test_a_damaged_clip_is_an_error_of_its_own(variants, tmp_path):
    broken = type(variants[0])(row=variants[0].row, folder=tmp_path)
    broken.path.parent.mkdir()
    broken.path.write_bytes(b"nothing")
    with Layout(hello(media="arrays"), tmp_path) as layout, pytest.raises(ModelError, match=r"v0\.mp4"):
        layout.of(broken, 0)
