"""Reading a written variant back, against the ffmpeg command, and variants that are not what they should be."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from av.video.frame import VideoFrame

from offbeat.errors import MediaError
from offbeat.media.picture import Picture, encode_picture
from offbeat.media.values import Sound, SoundSpan
from offbeat.media.verify import mono_of, read_back
from offbeat.media.write import AUDIO_HZ, AudioCodec, VariantWriter

LENGTH_S = Fraction(1)


def picture(grey: int) -> Picture:
    image = np.full((96, 64), grey, np.uint8)  # 64 x 64 in 4:2:0
    frames = (VideoFrame.from_ndarray(image, format="yuv420p") for _ in range(25))
    return encode_picture(frames, fps=Fraction(25), width=64, height=64)


def written(path: Path, codec: AudioCodec = "aac", *, channels: int = 2) -> VariantWriter:
    rng = np.random.default_rng(0)
    samples = np.round(rng.normal(0, 3000, (channels, 2 * AUDIO_HZ))) / 32768
    span = SoundSpan(Sound(samples.astype(np.float32), AUDIO_HZ), 0)
    writer = VariantWriter(picture(90))
    writer.write(path, span, start_samples=20_000, codec=codec)
    return writer


@pytest.mark.parametrize("codec", ["aac", "flac"])
@pytest.mark.parametrize("channels", [1, 2])
def test_the_sound_is_what_ffmpeg_decodes(tmp_path: Path, codec: AudioCodec, channels: int) -> None:
    path = tmp_path / "a.mp4"
    writer = written(path, codec, channels=channels)
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(path), "-f", "f32le", "-"]
    heard = np.frombuffer(subprocess.run(command, check=True, capture_output=True).stdout, np.float32)
    expected = heard.reshape(-1, channels)[:AUDIO_HZ].mean(axis=1)
    samples = mono_of(read_back(path, length_s=LENGTH_S, picture_packets=writer.picture_packets), AUDIO_HZ)
    assert samples.shape == (AUDIO_HZ,)
    assert samples.dtype == np.float32
    np.testing.assert_allclose(samples, expected, atol=1e-4)


def test_another_picture_is_not_the_clips_own(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    packets = written(path).picture_packets
    others = VariantWriter(picture(91)).picture_packets
    (_, _, header), (pts, dts, first), *rest = packets
    again = ((None, None, header), (pts, dts, first), *rest)
    read_back(path, length_s=LENGTH_S, picture_packets=again)
    late, altered = (again[0], (pts + 1, dts, first), *rest), ((None, None, header[:-1]), *again[1:])
    for wrong in (others, packets[:-1], (*packets, (25, 25, b"more")), packets[::-1], late, altered):
        with pytest.raises(MediaError, match=r"a\.mp4: read back, it has 25 packets of picture") as caught:
            read_back(path, length_s=LENGTH_S, picture_packets=wrong)
        assert caught.value.reason == "unproven"


def test_another_length_is_not_proved(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    packets = written(path).picture_packets
    with pytest.raises(MediaError, match=r"its picture lasts 1\.0 s; expected 1\.5 s"):
        read_back(path, length_s=Fraction(3, 2), picture_packets=packets)
