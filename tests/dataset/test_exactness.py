"""The promise that everything rests on: the sound is where the row says, in every reader, to a tenth of a millisecond.

Sources carry their truth in every frame (a bar code) and every sample (noise that resembles itself at no lag); what
other people's readers get out of the variants is compared with it.
"""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from builds import build, card_file, settings
from exactness import WORST_MS, check_in_readers_of_others, expected_sound
from readers import ffmpeg_sound, lag_samples

from offbeat.media.read import read_frames

CASES = {
    "48 kHz, lossless": ("card.mkv", 48_000, Fraction(30), "aac"),
    "44.1 kHz, H.264 and AAC": ("card.mp4", 44_100, Fraction(30), "aac"),
    "44.1 kHz, 29.97 frames/s": ("card.mkv", 44_100, Fraction(30000, 1001), "aac"),
    "32 kHz, 25 frames/s": ("card.mp4", 32_000, Fraction(25), "aac"),
    "48 kHz, FLAC": ("card.mp4", 48_000, Fraction(24), "flac"),
}


@pytest.mark.parametrize("case", CASES)
def test_delays_and_frames_in_readers_of_others(case: str, tmp_path: Path) -> None:
    name, rate_hz, fps, audio = CASES[case]
    card = card_file(tmp_path / "in" / name, rate_hz=rate_hz, fps=fps, length_s=9)
    _, dataset = build(tmp_path / "in", tmp_path / "out", settings(audio=audio))
    check_in_readers_of_others(card, dataset, fps)


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
        shutil.copy(shared_media / name, tmp_path / "in" / name)
    _, dataset = build(tmp_path / "in", tmp_path / "out", settings(delays_s=(-0.5, 0, 0.5)))
    by_clip: dict[str, dict[float, np.ndarray]] = {}
    for variant in dataset.variants:
        by_clip.setdefault(variant.row.clip_id, {})[variant.row.audio_delay_ms] = ffmpeg_sound(variant.path)
    assert len(by_clip) == 2
    for sounds in by_clip.values():
        for delay_ms in (-500.0, 500.0):
            assert lag_samples(sounds[delay_ms], sounds[0.0]) / 48 == pytest.approx(delay_ms, abs=WORST_MS)
