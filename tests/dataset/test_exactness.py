"""The promise that everything rests on: the sound is where the row says, in every reader, to a tenth of a millisecond.

Sources carry their truth in every frame (a bar code) and every sample (noise that resembles itself at no lag); what
other people's readers get out of the variants is compared with it.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from builds import build, card_file, settings
from readers import ffmpeg_sound, ffmpeg_times, lag_samples, opencv_frames
from scipy.signal import resample

from offbeat.dataset.variant import Variant
from offbeat.media.read import read_frames
from offbeat.media.synth.testcard import TestCard, read_code

WORST_MS = 0.1
READERS = {"ffmpeg": (), "ffmpeg without edit lists": ("-ignore_editlist", "1")}
CASES = {
    "48 kHz, lossless": ("card.mkv", 48_000, Fraction(30), "aac"),
    "44.1 kHz, H.264 and AAC": ("card.mp4", 44_100, Fraction(30), "aac"),
    "44.1 kHz, 29.97 frames/s": ("card.mkv", 44_100, Fraction(30000, 1001), "aac"),
    "32 kHz, 25 frames/s": ("card.mp4", 32_000, Fraction(25), "aac"),
    "48 kHz, FLAC": ("card.mp4", 48_000, Fraction(24), "flac"),
}


def expected_sound(card: TestCard, variant: Variant, count: int) -> np.ndarray:
    """The source's samples over [t - delay, t - delay + L), by SciPy's own resampler where the rates differ."""
    row = variant.row
    truth = card.sound.samples[0].astype(np.float64)
    if card.sound.rate_hz != row.audio_hz:
        truth = resample(truth, len(truth) * row.audio_hz // card.sound.rate_hz)
    first = round((row.clip_start_s - row.audio_delay_ms / 1000) * row.audio_hz)
    return truth[first : first + count]


@pytest.mark.parametrize("case", CASES)
def test_delays_and_frames_in_readers_of_others(case: str, tmp_path: Path) -> None:
    name, rate_hz, fps, audio = CASES[case]
    card = card_file(tmp_path / "in" / name, rate_hz=rate_hz, fps=fps, length_s=9)
    _, dataset = build(tmp_path / "in", tmp_path / "out", settings(audio=audio))
    assert [v.row.audio_delay_ms for v in dataset.variants] == [-2000, -500, 0, 500, 2000]
    times = set()
    for variant in dataset.variants:
        row = variant.row
        frames = round(Fraction(2) * fps)
        count = round(frames / fps * 48_000)
        truth = expected_sound(card, variant, count)
        for options in READERS.values():
            heard = ffmpeg_sound(variant.path, *options)
            assert abs(len(heard) - count) <= 1024
            assert abs(lag_samples(heard[:count], truth)) * 1000 / 48_000 <= WORST_MS
        heard = variant.sound().mono()[:count]
        assert abs(lag_samples(heard, truth)) * 1000 / 48_000 <= WORST_MS
        assert row.measured_delay_ms == pytest.approx(row.audio_delay_ms, abs=0.01)
        first = round(row.clip_start_s * fps)
        assert [read_code(image) for image in opencv_frames(variant.path)] == list(range(first, first + frames))
        assert [read_code(image) for image in read_frames(variant.path, grey=True).images] == list(
            range(first, first + frames)
        )
        with av.open(str(variant.path)) as container:
            sound = container.streams.audio[0]
            assert (sound.start_time, sound.duration) == (0, count), "the last packet is cut to length"
        duration_s, start_s = ffmpeg_times(variant.path)
        assert start_s == 0
        assert duration_s == pytest.approx(float(frames / fps), abs=0.011)  # printed to 10 ms
        times.add((duration_s, start_s))
    assert len(times) == 1, "nothing but the sound may tell variants apart"


def test_a_lossless_variant_at_0_holds_the_sources_own_samples(tmp_path: Path) -> None:
    card = card_file(tmp_path / "in" / "card.mkv", length_s=9)
    _, dataset = build(tmp_path / "in", tmp_path / "out", settings(audio="flac", delays_s=(-1, 0, 1)))
    for variant in dataset.variants:
        truth = expected_sound(card, variant, 96_000)
        np.testing.assert_array_equal(variant.sound().samples[0], truth.astype(np.float32))


def test_all_variants_of_a_clip_share_their_picture(tmp_path: Path) -> None:
    card_file(tmp_path / "in" / "card.mp4", length_s=9)
    _, dataset = build(tmp_path / "in", tmp_path / "out", settings())
    pictures = {read_frames(variant.path).images.tobytes() for variant in dataset.variants}
    assert len(pictures) == 1
    assert len({variant.row.sha256 for variant in dataset.variants}) == len(dataset.variants)


def test_real_clips_in_readers_of_others(shared_media: Path, tmp_path: Path) -> None:
    """The delay between two variants of a real clip, found by another decoder in the other decoder's own output."""
    (tmp_path / "in").mkdir()
    for name in ("speech_unk_08_mdn_man.mp4", "sports_12_weightlifting.mp4"):
        (tmp_path / "in" / name).symlink_to(shared_media / name)
    _, dataset = build(tmp_path / "in", tmp_path / "out", settings(delays_s=(-0.5, 0, 0.5)))
    by_clip: dict[str, dict[float, np.ndarray]] = {}
    for variant in dataset.variants:
        by_clip.setdefault(variant.row.clip_id, {})[variant.row.audio_delay_ms] = ffmpeg_sound(variant.path)
    assert len(by_clip) == 2
    for sounds in by_clip.values():
        for delay_ms in (-500.0, 500.0):
            assert lag_samples(sounds[delay_ms], sounds[0.0]) / 48 == pytest.approx(delay_ms, abs=WORST_MS)
