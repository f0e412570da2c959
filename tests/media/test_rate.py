"""A picture at another rate over the same sound, against the ffmpeg command and OpenCV."""

from __future__ import annotations

import subprocess
from fractions import Fraction

import numpy as np
import pytest
from builds import build, card_file, settings
from readers import FFMPEG, ffmpeg_sound, opencv_frames

from offbeat.errors import MediaError
from offbeat.media.rate import frames_at_rate, picture_at_rate, picture_digest, with_sound_of


@pytest.fixture(scope="module")
def variants(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rate")
    card_file(folder / "in" / "card.mp4", fps=Fraction(30000, 1001))
    _, dataset = build(folder / "in", folder / "out", settings(lengths_s=(3,)))
    return dataset.variants


def packets_of(path, kind):
    """Stamps and hashes of all packets of a stream, as the ffmpeg command copies them."""
    command = [FFMPEG, "-v", "error", "-i", str(path), "-map", f"0:{kind}", "-c", "copy", "-f", "framehash", "-"]
    lines = subprocess.run(command, capture_output=True, check=True, text=True).stdout.splitlines()
    return [line.split(",")[1:] for line in lines if not line.startswith("#")]


def stamps_of(path):
    """When each frame is shown, as the ffmpeg command decodes it."""
    command = [FFMPEG, "-v", "error", "-i", str(path), "-an", "-fps_mode", "passthrough", "-f", "framehash", "-"]
    lines = subprocess.run(command, capture_output=True, check=True, text=True).stdout.splitlines()
    (base,) = [line.split()[-1] for line in lines if line.startswith("#tb")]
    return [int(line.split(",")[2]) * Fraction(base) for line in lines if not line.startswith("#")]


@pytest.mark.parametrize(
    ("length_s", "fps", "count"),
    [
        (3, 8, 24),
        (Fraction(3003, 1000), 8, 24),
        (7, 1, 8),
        (10, 2, 20),
        (3, Fraction(25, 2), 38),
        (1, Fraction(1, 2), 2),
    ],
)
def test_an_even_number_near_the_length(length_s, fps, count):
    assert frames_at_rate(Fraction(length_s), Fraction(fps)) == count


@pytest.mark.parametrize("fps", [Fraction(2), Fraction(8), Fraction(25, 2), Fraction(60)])
def test_frames_are_those_shown_at_each_moment(variants, tmp_path, fps):
    path = variants[0].path
    picture = picture_at_rate(path, fps=fps)
    (tmp_path / "rate.mp4").write_bytes(picture.mp4)
    shown, sent = opencv_frames(path), opencv_frames(tmp_path / "rate.mp4")
    assert len(sent) == picture.count
    assert picture.count % 2 == 0
    assert stamps_of(tmp_path / "rate.mp4") == [k / fps for k in range(picture.count)]
    clip_fps = Fraction(30000, 1001)
    small = [frame[::4, ::4].astype(float) for frame in shown]
    for k, frame in enumerate(sent):
        index = min(int(k / fps * clip_fps), len(shown) - 1)
        errors = [np.abs(frame[::4, ::4].astype(float) - other).mean() for other in small]
        assert errors[index] <= min(errors) + 0.5, f"frame {k} is not frame {index} of the clip"


def test_the_sound_is_the_same_packet_by_packet(variants, tmp_path):
    for variant in variants:
        (tmp_path / "sent.mp4").write_bytes(with_sound_of(picture_at_rate(variant.path, fps=Fraction(8)), variant.path))
        assert packets_of(tmp_path / "sent.mp4", "a") == packets_of(variant.path, "a")
        assert len(packets_of(tmp_path / "sent.mp4", "v")) == 24
        np.testing.assert_array_equal(ffmpeg_sound(tmp_path / "sent.mp4"), ffmpeg_sound(variant.path))
        # readers that ignore edit lists hear it at the same place, since there is none
        np.testing.assert_array_equal(
            ffmpeg_sound(tmp_path / "sent.mp4", "-ignore_editlist", "1"), ffmpeg_sound(variant.path)
        )


def test_the_delay_arrives(shared_media, tmp_path):
    """On a real recording: correlating what is heard finds the delay of the row to a sample."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "drums.mp4").write_bytes((shared_media / "instrument_27_drums_long.mp4").read_bytes())
    _, dataset = build(tmp_path / "in", tmp_path / "out", settings(lengths_s=(3,), delays_s=(-0.5, 0, 0.5)))
    heard = {}
    for variant in dataset.variants:
        (tmp_path / "sent.mp4").write_bytes(with_sound_of(picture_at_rate(variant.path, fps=Fraction(8)), variant.path))
        heard[variant.row.audio_delay_ms] = ffmpeg_sound(tmp_path / "sent.mp4")[: 3 * 48_000].astype(float)
    for delay_ms in (-500.0, 500.0):
        spectrum = np.fft.rfft(heard[delay_ms], 1 << 19) * np.conj(np.fft.rfft(heard[0.0], 1 << 19))
        lag = int(np.argmax(np.fft.irfft(spectrum)))
        assert (lag if lag < 1 << 18 else lag - (1 << 19)) == pytest.approx(delay_ms * 48, abs=1)


def test_a_smaller_picture(variants, tmp_path):
    picture = picture_at_rate(variants[0].path, fps=Fraction(2), height=45)
    (tmp_path / "small.mp4").write_bytes(picture.mp4)
    assert opencv_frames(tmp_path / "small.mp4")[0].shape == (picture.height, picture.width, 3) == (44, 80, 3)
    assert picture_at_rate(variants[0].path, fps=Fraction(2), height=900).height == 90


def test_pictures_are_known_by_their_packets(variants):
    digests = {picture_digest(variant.path) for variant in variants}
    clips = {variant.row.clip_id for variant in variants}
    assert len(digests) == len(clips)


def test_what_is_no_clip_is_refused(tmp_path):
    (tmp_path / "text.mp4").write_text("<html>")
    for call in (lambda path: picture_at_rate(path, fps=Fraction(8)), picture_digest):
        with pytest.raises(MediaError) as caught:
            call(tmp_path / "text.mp4")
        assert caught.value.reason == "not_media"
        with pytest.raises(MediaError):
            call(tmp_path / "absent.mp4")


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_clip_that_breaks_off_is_not_held_still(variants, tmp_path, share):
    """Its index stands at its front: it opens, and says that it has all frames."""
    whole = variants[0].path.read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(MediaError) as caught:
        picture_at_rate(tmp_path / "cut.mp4", fps=Fraction(8))
    assert caught.value.reason == "damaged"
    assert "cut.mp4" in str(caught.value)
