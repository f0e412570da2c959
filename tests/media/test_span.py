"""A span of sound that is kept without loss."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest
from readers import ffmpeg_sound

from offbeat.errors import MediaError
from offbeat.media.span import KeptSpan, rounded, to_16_bits, write_span
from offbeat.media.values import Sound, SoundSpan


def noise(channels: int, count: int, *, level: float = 0.4, seed: int = 0) -> SoundSpan:
    samples = np.random.default_rng(seed).normal(0, level, (channels, count)).astype(np.float32)
    return SoundSpan(sound=Sound(samples=samples, rate_hz=48_000), start_samples=12_345)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("count", [1, 4608, 48_001])
def test_what_is_read_is_what_was_rounded(channels: int, count: int, tmp_path: Path) -> None:
    span = rounded(noise(channels, count))
    write_span(tmp_path / "span.mp4", span)
    back = KeptSpan(tmp_path / "span.mp4", start_samples=12_345, count=count).whole()
    assert (back.start_samples, back.sound.rate_hz) == (12_345, 48_000)
    np.testing.assert_array_equal(back.sound.samples, span.sound.samples)


def test_the_ffmpeg_command_reads_the_same_samples(tmp_path: Path) -> None:
    span = rounded(noise(1, 30_000))
    write_span(tmp_path / "span.mp4", span)
    np.testing.assert_array_equal(ffmpeg_sound(tmp_path / "span.mp4"), span.sound.samples[0])


def test_rounding_agrees_with_a_wave_file(tmp_path: Path) -> None:
    """All 65,536 steps survive; halves go upwards; what is too loud is clipped, not wrapped."""
    with wave.open(str(tmp_path / "all.wav"), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(48_000)
        out.writeframes(np.arange(-32768, 32768, dtype="<i2").tobytes())
    heard = ffmpeg_sound(tmp_path / "all.wav").astype(np.float32)
    np.testing.assert_array_equal(to_16_bits(heard[None]), np.arange(-32768, 32768)[None])
    odd = np.array([[0.5 / 32768, -0.5 / 32768, 1.5, -1.5, 1.0]], dtype=np.float32)
    assert to_16_bits(odd).tolist() == [[1, 0, 32767, -32768, 32767]]


def test_rounding_twice_changes_nothing() -> None:
    once = rounded(noise(2, 10_000, level=0.8))
    np.testing.assert_array_equal(rounded(once).sound.samples, once.sound.samples)
    assert np.abs(once.sound.samples).max() == 1.0, "the test has clipped samples in it"


def test_the_same_span_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_span(tmp_path / name, rounded(noise(2, 20_000)))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_span_of_another_length_is_refused(tmp_path: Path) -> None:
    write_span(tmp_path / "span.mp4", rounded(noise(1, 5000)))
    with pytest.raises(MediaError, match=r"span\.mp4: holds 5000 samples of 16 bits, expected 5001"):
        KeptSpan(tmp_path / "span.mp4", start_samples=0, count=5001)


def test_any_piece_is_the_same_in_any_order(tmp_path: Path) -> None:
    span = rounded(noise(2, 48_001))
    write_span(tmp_path / "span.mp4", span)
    kept = KeptSpan(tmp_path / "span.mp4", start_samples=12_345, count=48_001)
    for first, count in ((40_000, 8001), (4607, 2), (4608, 1), (0, 1), (20_000, 0), (100, 47_000), (0, 48_001)):
        piece = kept.piece(12_345 + first, count)
        assert piece.start_samples == 12_345 + first
        np.testing.assert_array_equal(piece.sound.samples, span.sound.samples[:, first : first + count])
    for first, count in ((-1, 2), (48_000, 2)):
        with pytest.raises(ValueError, match=r"asked for; the span holds 12345 to 60346"):
            kept.piece(12_345 + first, count)


def test_a_piece_that_does_not_decode_is_refused_and_the_others_are_read(tmp_path: Path) -> None:
    span, path = rounded(noise(1, 48_001)), tmp_path / "span.mp4"
    write_span(path, span)
    content = bytearray(path.read_bytes())
    content[len(content) * 3 // 4] ^= 1
    path.write_bytes(content)
    kept = KeptSpan(path, start_samples=0, count=48_001)
    np.testing.assert_array_equal(kept.piece(0, 20_000).sound.samples, span.sound.samples[:, :20_000])
    with pytest.raises(MediaError, match=r"span\.mp4: holds \d+ samples of 16 bits, expected 48001"):
        kept.whole()
