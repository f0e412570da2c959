"""`--picture copy`: the same promises as for encoded pictures, on sources with many groups of pictures."""

from __future__ import annotations

import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from builds import build, card_file, settings
from exactness import check_in_readers_of_others
from readers import FFMPEG, ffmpeg_frames, ffmpeg_sound, lag_samples

from offbeat.dataset.folder import Dataset
from offbeat.media.synth.testcard import TestCard

X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-sc_threshold", "0", "-pix_fmt", "yuv420p", "-g", "30")
REORDERED = ("-bf", "2", "-b_strategy", "0")
SOURCES = {
    "no B-frames": ("source.mp4", Fraction(30), (*X264, "-bf", "0"), "aac"),
    "B-frames": ("source.mp4", Fraction(30), (*X264, *REORDERED), "aac"),
    "B-frames in Matroska, 29.97 frames/s": ("source.mkv", Fraction(30000, 1001), (*X264, *REORDERED), "flac"),
}


def source_file(folder: Path, name: str, fps: Fraction, options: tuple[str, ...]) -> TestCard:
    card = card_file(folder / "card" / "card.mkv", length_s=9, fps=fps, size=256)
    (folder / "in").mkdir()
    command = [FFMPEG, "-v", "error", "-i", str(folder / "card" / "card.mkv"), *options, "-c:a", "aac"]
    subprocess.run([*command, str(folder / "in" / name)], check=True)
    return card


def pictures(dataset: Dataset) -> set[tuple[str, str | None]]:
    return {(variant.row.picture, variant.row.picture_note) for variant in dataset.variants}


@pytest.mark.parametrize("case", SOURCES)
def test_delays_and_frames_in_readers_of_others(case: str, tmp_path: Path) -> None:
    name, fps, options, audio = SOURCES[case]
    card = source_file(tmp_path, name, fps, options)
    _, dataset = build(tmp_path / "in", tmp_path / "out", settings(audio=audio, picture="copy"))
    assert pictures(dataset) == {("copied", None)}
    check_in_readers_of_others(card, dataset, fps)


def test_variants_of_a_copied_clip_differ_in_their_sound_alone(tmp_path: Path) -> None:
    source_file(tmp_path, *SOURCES["B-frames"][:3])
    _, dataset = build(tmp_path / "in", tmp_path / "out", settings(picture="copy", audio="flac"))
    assert len({ffmpeg_frames(variant.path).tobytes() for variant in dataset.variants}) == 1
    assert len({variant.row.sha256 for variant in dataset.variants}) == 5


def test_what_cannot_be_copied_is_encoded_and_the_row_says_why(tmp_path: Path) -> None:
    ten_bits = tuple("yuv420p10le" if option == "yuv420p" else option for option in X264)
    card = source_file(tmp_path, "source.mp4", Fraction(30), ten_bits)
    _, dataset = build(tmp_path / "in", tmp_path / "out", settings(picture="copy"))
    assert pictures(dataset) == {("encoded", "its frames are not yuv420p (8-bit 4:2:0)")}
    check_in_readers_of_others(card, dataset, Fraction(30))


def test_clips_that_can_be_copied_come_first_and_others_fill_up(tmp_path: Path) -> None:
    source_file(tmp_path, *SOURCES["no B-frames"][:3])
    _, dataset = build(tmp_path / "in", tmp_path / "out", settings(picture="copy", clips_per_source=6))
    made = {variant.row.clip_id: variant.row for variant in dataset.variants}
    copied = [row.clip_start_s for row in made.values() if row.picture == "copied"]
    assert sorted(copied) == [3.0, 4.0], "sound is needed 2 s before and after: of the key frames only these fit"
    assert len(made) == 6
    notes = {row.picture_note for row in made.values() if row.picture == "encoded"}
    assert notes == {"it does not start at a key frame that begins anew (an IDR picture)"}


def test_a_real_clip(shared_media: Path, tmp_path: Path) -> None:
    """Its copied frames against the whole source as another decoder decodes it, and the delay between two variants."""
    name = "objects_12_papercraft_howto.mp4"
    (tmp_path / "in").mkdir()
    shutil.copy(shared_media / name, tmp_path / "in")
    _, dataset = build(tmp_path / "in", tmp_path / "out", settings(picture="copy", delays_s=(-0.5, 0, 0.5)))
    assert pictures(dataset) == {("copied", None)}
    row = dataset.variants[0].row
    cut = ("-ss", str(row.clip_start_s - 0.01), "-t", "2")
    frames = ffmpeg_frames(dataset.variants[0].path)
    np.testing.assert_array_equal(frames, ffmpeg_frames(shared_media / name, *cut)[: len(frames)])
    sounds = {variant.row.audio_delay_ms: ffmpeg_sound(variant.path) for variant in dataset.variants}
    for delay_ms in (-500.0, 500.0):
        assert lag_samples(sounds[delay_ms], sounds[0.0]) / 48 == pytest.approx(delay_ms, abs=0.1)
