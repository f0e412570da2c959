"""The proof of a variant's delay: written with another delay than was asked for, it must be found out."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from av.video.frame import VideoFrame

from offbeat.errors import MediaError
from offbeat.media.delay import Locator
from offbeat.media.picture import encode_picture
from offbeat.media.span import RoundedSpan, rounded
from offbeat.media.values import Sound, SoundSpan
from offbeat.media.verify import lossless_delay_ms, measured_delay_ms, mono_of, read_back
from offbeat.media.write import AUDIO_HZ, AudioCodec, VariantWriter

FRAMES = 25
COUNT = AUDIO_HZ
SYNC = 2 * AUDIO_HZ
"""Where a delay of 0 would be."""
PERIOD = AUDIO_HZ // 4
Prove = Callable[..., float | None]


def noise(seed: int, count: int = 4 * AUDIO_HZ, *, level: float = 0.1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, level, (2, count))


def span_of(samples: np.ndarray) -> RoundedSpan:
    return rounded(SoundSpan(Sound(samples.astype(np.float32), AUDIO_HZ), 0))


def beat(difference: float) -> RoundedSpan:
    """The same noise again and again, with so much of its own, relative to it, in each place."""
    return span_of(np.tile(noise(1, PERIOD), 16) + noise(2, level=0.1 * difference))


@pytest.fixture(scope="module")
def writer() -> VariantWriter:
    image = np.full((96, 64), 90, np.uint8)  # 64 x 64 in 4:2:0
    frames = (VideoFrame.from_ndarray(image, format="yuv420p") for _ in range(FRAMES))
    return VariantWriter(encode_picture(frames, fps=Fraction(FRAMES), width=64, height=64))


@pytest.fixture
def prove(tmp_path: Path, writer: VariantWriter) -> Prove:
    def proved(
        span: RoundedSpan, codec: AudioCodec, *, late: int = 0, wrong: int = 0, said_ms: float = 0.0
    ) -> float | None:
        """Written `wrong` samples later than what is expected: a sound that is `late` samples late."""
        path = tmp_path / "a.mp4"
        writer.write(path, span, start_samples=SYNC - late - wrong, codec=codec)
        heard = read_back(path, length_s=Fraction(1), picture_packets=writer.picture_packets)
        delays = {"sync_position_samples": SYNC, "audio_delay_ms": late / 48 + said_ms}
        if codec == "flac":
            return lossless_delay_ms(path, heard, span, position_samples=SYNC - late, count=COUNT, **delays)
        return measured_delay_ms(path, mono_of(heard, COUNT), Locator(span.sound.mono()), **delays)

    return proved


@pytest.mark.parametrize("codec", ["aac", "flac"])
@pytest.mark.parametrize("late", [0, 24_000, -24_001])
def test_the_delay_that_was_asked_for_is_proved(prove: Prove, codec: AudioCodec, late: int) -> None:
    assert prove(span_of(noise(3)), codec, late=late) == pytest.approx(late / 48, abs=0.002)


@pytest.mark.parametrize("codec", ["aac", "flac"])
@pytest.mark.parametrize("wrong", [6, -480, 30_000])
def test_another_delay_is_found_out(prove: Prove, codec: AudioCodec, wrong: int) -> None:
    with pytest.raises(
        MediaError, match=rf"its sound is delayed by {wrong / 48:.2f}\d ms; expected 0\.000 ms"
    ) as caught:
        prove(span_of(noise(3)), codec, wrong=wrong)
    assert caught.value.reason == "unproven"


@pytest.mark.parametrize("wrong", [1, -1])
def test_one_sample_is_found_out(prove: Prove, wrong: int) -> None:
    """With AAC it is within the tolerance, and the row says so much."""
    assert prove(span_of(noise(3)), "aac", wrong=wrong) == pytest.approx(wrong / 48, abs=0.002)
    with pytest.raises(MediaError, match="its sound differs from the source's where it should come from"):
        prove(span_of(noise(3)), "flac", wrong=wrong)


@pytest.mark.parametrize(("codec", "difference"), [("aac", 0.15), ("flac", 0.15), ("flac", 0.001)])
def test_a_whole_period_is_found_out(prove: Prove, codec: AudioCodec, difference: float) -> None:
    span = beat(difference)
    assert prove(span, codec) == pytest.approx(0, abs=0.002)
    for wrong in (PERIOD, -2 * PERIOD):
        with pytest.raises(MediaError) as caught:
            prove(span, codec, wrong=wrong)
        assert caught.value.reason == "unproven"


@pytest.mark.parametrize("codec", ["aac", "flac"])
@pytest.mark.parametrize("wrong", [0, PERIOD])
def test_of_what_repeats_itself_nothing_is_claimed(prove: Prove, codec: AudioCodec, wrong: int) -> None:
    assert prove(beat(0), codec, wrong=wrong) is None


@pytest.mark.parametrize("codec", ["aac", "flac"])
def test_of_silence_nothing_is_claimed(prove: Prove, codec: AudioCodec) -> None:
    """Nearly none, so that it does not repeat itself: one sample in twenty is not 0, by the smallest step."""
    samples = np.random.default_rng(6).choice([0, 1 / 32768], (2, 4 * AUDIO_HZ), p=[0.95, 0.05])
    assert prove(span_of(samples), codec) is None


def test_a_place_that_is_not_the_delays_is_found_out(prove: Prove) -> None:
    """Where the place to compare with was reckoned wrongly, equal samples prove nothing."""
    with pytest.raises(MediaError, match=r"its sound is delayed by 500\.000 ms; expected 510\.000 ms"):
        prove(span_of(noise(3)), "flac", late=24_000, said_ms=10.0)


def test_a_single_altered_sample_is_found_out(tmp_path: Path, writer: VariantWriter, prove: Prove) -> None:
    span = span_of(noise(3))
    other = span_of(noise(3))
    other.steps[SYNC + 100, 1] += 1
    writer.write(tmp_path / "b.mp4", other, start_samples=SYNC, codec="flac")
    heard = read_back(tmp_path / "b.mp4", length_s=Fraction(1), picture_packets=writer.picture_packets)
    with pytest.raises(MediaError, match="its sound differs from the source's where it should come from"):
        lossless_delay_ms(
            tmp_path / "b.mp4",
            heard,
            span,
            position_samples=SYNC,
            count=COUNT,
            sync_position_samples=SYNC,
            audio_delay_ms=0.0,
        )


def test_full_rate_decides_between_places_with_the_same_low_end() -> None:
    """A bass line that repeats to the sample, under noise above 6 kHz that does not: the coarse search cannot tell."""
    rng = np.random.default_rng(4)
    bass = np.tile(np.convolve(rng.normal(0, 1, PERIOD), np.ones(64) / 8, "same"), 12)
    high = np.diff(rng.normal(0, 0.35, len(bass) + 3), 3)
    span = (bass + 0.2 * high).astype(np.float32)
    locator = Locator(span)
    for first in (3 * PERIOD + 5, 7 * PERIOD + 5, PERIOD + 5):
        match = locator.find(span[first : first + 2 * PERIOD])
        assert match is not None
        assert match.position_samples == pytest.approx(first, abs=0.1)
