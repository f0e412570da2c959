"""The test card against readers that are not ours: OpenCV for the codes, another FFmpeg for the samples."""

import subprocess
from fractions import Fraction
from pathlib import Path

import cv2
import imageio_ffmpeg
import numpy as np
import pytest
from scipy.signal import correlate

from offbeat.media.synth.testcard import make_testcard, read_code, write_testcard


def codes_by_opencv(path: Path) -> list[int]:
    capture = cv2.VideoCapture(str(path))
    codes = []
    while True:
        there, image = capture.read()
        if not there:
            return codes
        codes.append(read_code(image))


def samples_by_ffmpeg(path: Path, channels: int = 2) -> np.ndarray:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(path), "-f", "f32le", "-"]
    raw = subprocess.run(command, check=True, capture_output=True).stdout
    return np.frombuffer(raw, dtype="<f4").reshape(-1, channels).T


@pytest.mark.parametrize(
    ("fps", "rate_hz", "size"),
    [(Fraction(30), 48000, (160, 90)), (Fraction(30000, 1001), 44100, (320, 180)), (Fraction(25), 16000, (128, 72))],
)
def test_lossless_file_gives_back_every_frame_and_every_sample(tmp_path, fps, rate_hz, size):
    card = make_testcard(length_s=Fraction(3), fps=fps, rate_hz=rate_hz, width=size[0], height=size[1])
    path = tmp_path / "card.mkv"
    write_testcard(path, card)
    assert codes_by_opencv(path) == list(range(card.frame_count))
    np.testing.assert_array_equal(samples_by_ffmpeg(path), card.sound.samples)


def test_h264_file_keeps_frames_and_the_place_of_the_sound(tmp_path):
    card = make_testcard(length_s=Fraction(3), width=160, height=90)
    path = tmp_path / "card.mp4"
    write_testcard(path, card, codec="h264")
    assert codes_by_opencv(path) == list(range(90))
    heard = samples_by_ffmpeg(path)[0]
    assert abs(heard.size - card.sound.count) < 1024
    lag = int(np.argmax(correlate(heard, card.sound.samples[0]))) - (card.sound.count - 1)
    assert lag == 0


@pytest.mark.parametrize("codec", ["lossless", "h264"])
def test_same_arguments_give_the_same_bytes(tmp_path, codec):
    for name in ("a", "b"):
        card = make_testcard(length_s=Fraction(1), width=160, height=90)
        write_testcard(tmp_path / name, card, codec=codec)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert codec == "lossless" or b" mbtree=0 " in (tmp_path / "a").read_bytes(), "once in fifty times, others with it"


def test_another_seed_gives_another_sound():
    one, two = (make_testcard(length_s=Fraction(1), seed=seed) for seed in (1, 2))
    assert not np.array_equal(one.sound.samples, two.sound.samples)


def test_flash_and_click_fall_on_the_same_moment():
    card = make_testcard(length_s=Fraction(5), width=160, height=90)
    bright = [number for number, image in enumerate(card.frames()) if image[45, 80, 0] > 200]
    assert [Fraction(number, 30) for number in bright] == list(card.events_s)
    assert len(bright) >= 5
    for event in card.events_s:
        start = int(event * 48000)
        # The first quarter of a period of 3 kHz: the click adds up to 0.6 where the noise is at 0.08.
        rise = card.sound.samples[0, start + 1 : start + 8].sum() - card.sound.samples[0, start - 8 : start - 1].sum()
        assert rise > 1


def test_codes_read_grey_and_scaled_pictures():
    card = make_testcard(length_s=Fraction(10), width=320, height=180)
    for number, image in enumerate(card.frames()):
        if number % 37 == 0:
            assert read_code(image[..., 0]) == number
            assert read_code(cv2.resize(image, (640, 360), interpolation=cv2.INTER_AREA)) == number


def test_two_frames_in_one_are_refused():
    card = make_testcard(length_s=Fraction(1), width=160, height=90)
    one, two = list(card.frames())[4:6]
    with pytest.raises(ValueError, match=r"block 0 .* neither dark nor bright"):
        read_code(((one.astype(int) + two) // 2).astype(np.uint8))


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"length_s": Fraction(0)}, "0 frames cannot be numbered"),
        ({"length_s": Fraction(3000)}, "90000 frames cannot be numbered"),
        ({"length_s": Fraction(1), "width": 100}, "100x360 is too small"),
    ],
)
def test_impossible_cards_are_refused(arguments, text):
    with pytest.raises(ValueError, match=text):
        make_testcard(**arguments)


def test_an_odd_size_is_refused_by_name(tmp_path):
    card = make_testcard(length_s=Fraction(1), width=161, height=90)
    with pytest.raises(ValueError, match="161x90 cannot be written"):
        write_testcard(tmp_path / "odd.mkv", card)
