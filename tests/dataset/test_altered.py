"""Altered variants are what they say, by decoders that are not ours: FFmpeg's own program, and OpenCV."""

import hashlib
import subprocess
from fractions import Fraction
from pathlib import Path

import cv2
import imageio_ffmpeg
import numpy as np
import pytest
from builds import build, card_file, settings

from offbeat.conditions.freeze import frozen_frame
from offbeat.conditions.swap import borrowed
from offbeat.dataset.altered import alter, copied
from offbeat.dataset.variant import Variant
from offbeat.errors import MediaError
from offbeat.media.combine import combine
from offbeat.models.sending import constant_rate_mp4

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()


@pytest.fixture(scope="module", params=["files aac", "compact aac", "files flac"])
def two_clips(request, tmp_path_factory) -> tuple[Variant, Variant]:
    """One clip at 30, one at 29.97 frames a second, so that the second lasts 2 ms longer."""
    layout, audio = request.param.split()
    root = tmp_path_factory.mktemp("altered")
    card_file(root / "videos" / "a.mkv")
    card_file(root / "videos" / "b.mkv", seed=2, fps=Fraction(30000, 1001))
    _, dataset = build(root / "videos", root / "set", settings(layout=layout, audio=audio, delays_s=(0, 0.5)))
    first, second = (v for v in dataset.variants if v.row.audio_delay_ms == 0)
    return (first, second) if first.row.fps == 30 else (second, first)


def packets(path: Path, kind: str) -> list[str]:
    """A hash of each packet, as the file has it."""
    return [columns[5].strip() for columns in listed(path, kind)]


def listed(path: Path, kind: str) -> list[list[str]]:
    """Of each packet: stream, decoding and presentation stamp, duration, size, hash."""
    told = ffmpeg(path, "-map", f"0:{kind}:0", "-c", "copy", "-f", "framemd5", "-").decode()
    return [line.split(",") for line in told.splitlines() if not line.startswith("#")]


def heard(path: Path) -> np.ndarray:
    raw = ffmpeg(path, "-map", "0:a:0", "-f", "f32le", "-ac", "1", "-")
    return np.frombuffer(raw, np.float32)


def seen(path: Path) -> np.ndarray:
    capture = cv2.VideoCapture(str(path))
    frames = []
    while True:
        there, frame = capture.read()
        if not there:
            break
        frames.append(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY).astype(np.float32))
    capture.release()
    return np.stack(frames)


def ffmpeg(path: Path, *arguments: str) -> bytes:
    return subprocess.run([FFMPEG, "-v", "error", "-i", path, *arguments], capture_output=True, check=True).stdout


def file_of(variant: Variant, folder: Path) -> Path:
    path = folder / "plain" / variant.row.file_name
    variant.write_to(path)
    return path


def test_taken_apart_and_put_together_again_it_is_the_same_file(two_clips, tmp_path):
    plain = file_of(two_clips[0], tmp_path)
    combine(tmp_path / "again.mp4", picture=plain, sound=plain)
    assert (tmp_path / "again.mp4").read_bytes() == plain.read_bytes()


def test_a_copy_is_another_file_with_the_same_packets(two_clips, tmp_path):
    plain = file_of(two_clips[0], tmp_path)
    copies = [copied(two_clips[0], tmp_path, nonce=nonce) for nonce in "ab"]
    assert len({path.read_bytes() for path in (plain, *(copy.path for copy in copies))}) == 3
    assert len({two_clips[0].row.variant_id, *(copy.row.variant_id for copy in copies)}) == 3
    for copy in copies:
        assert listed(copy.path, "v") == listed(plain, "v")
        assert listed(copy.path, "a") == listed(plain, "a")
        assert copy.row.sha256 == hashlib.sha256(copy.path.read_bytes()).hexdigest()
        assert copy.row.clip_id == two_clips[0].row.clip_id


def test_copies_stay_two_files_when_they_are_sent_at_another_rate(two_clips, tmp_path):
    sent = []
    for nonce in "ab":
        copy = copied(two_clips[0], tmp_path, nonce=nonce)
        sent.append(tmp_path / f"{nonce}.mp4")
        sent[-1].write_bytes(constant_rate_mp4(copy, fps=Fraction(8)))
    assert sent[0].read_bytes() != sent[1].read_bytes()
    assert listed(sent[0], "v") == listed(sent[1], "v")
    assert listed(sent[0], "a") == listed(sent[1], "a")


def test_muted_is_silent_and_its_picture_the_same(two_clips, tmp_path):
    plain = file_of(two_clips[0], tmp_path)
    muted = alter(two_clips[0], "muted", tmp_path).path
    assert np.abs(heard(plain)).max() > 0.1
    assert not heard(muted).any()
    assert len(heard(muted)) == len(heard(plain))
    assert packets(muted, "v") == packets(plain, "v")


@pytest.mark.parametrize("turned", [False, True], ids=["longer sound", "shorter sound"])
def test_swapped_has_the_sound_of_the_other_and_its_own_picture(two_clips, tmp_path, turned):
    own, other = reversed(two_clips) if turned else two_clips
    swapped = alter(own, "swapped", tmp_path, other=other).path
    its, others = packets(swapped, "a"), packets(file_of(other, tmp_path), "a")
    assert its == others[: len(its)]
    assert len(others) - len(its) <= 1
    lasts_samples = sum(int(columns[3]) for columns in listed(swapped, "a"))
    assert lasts_samples == 96_000  # the shorter one of 96,000 and 96,096, in either direction
    assert packets(swapped, "v") == packets(file_of(own, tmp_path), "v")


@pytest.mark.parametrize(("alteration", "frame"), [("frozen early", 20), ("frozen late", 40)])
def test_frozen_shows_one_frame_and_keeps_the_sound(two_clips, tmp_path, alteration, frame):
    plain = file_of(two_clips[0], tmp_path)
    frozen = alter(two_clips[0], alteration, tmp_path).path
    moving, still = seen(plain), seen(frozen)
    assert len(still) == len(moving) == 60
    apart = [np.abs(picture - moving[frame]).mean() for picture in still]
    assert max(apart) < 1
    assert max(np.abs(picture - moving[frame]).mean() for picture in moving) > 5
    assert packets(frozen, "a") == packets(plain, "a")


def test_the_row_tells_nothing_by_its_names_and_the_hash_is_that_of_the_file(two_clips, tmp_path):
    own, other = two_clips
    made = [
        alter(own, "muted", tmp_path),
        alter(own, "swapped", tmp_path, other=other),
        alter(own, "frozen early", tmp_path),
        alter(own, "frozen late", tmp_path),
    ]
    assert len({v.row.variant_id for v in [own, *made]}) == 5
    assert [v.row.clip_id == own.row.clip_id for v in made] == [True, True, False, False]
    assert len({v.row.clip_id for v in [own, *made]}) == 3
    for variant in made:
        digest = subprocess.run(["sha256sum", variant.path], capture_output=True, check=True, text=True).stdout
        assert variant.row.sha256 == digest.split()[0]
        assert not any(word in variant.row.file_name for word in ("mute", "swap", "froz", own.row.variant_id))


def test_a_swap_needs_another_clip(two_clips, tmp_path):
    with pytest.raises(ValueError, match="another variant"):
        alter(two_clips[0], "swapped", tmp_path)


@pytest.mark.parametrize("alteration", ["muted", "swapped", "frozen early"])
def test_a_file_that_breaks_off_is_refused_and_not_shortened(two_clips, tmp_path, alteration):
    own, other = two_clips
    if own.clip is not None:
        pytest.skip("what a compact dataset keeps is compared with its hash before it is used")
    path = file_of(own, tmp_path)
    path.rename(tmp_path / "whole.mp4")
    path.write_bytes((tmp_path / "whole.mp4").read_bytes()[: int(0.6 * (tmp_path / "whole.mp4").stat().st_size)])
    broken = Variant(row=own.row, folder=tmp_path / "plain")
    with pytest.raises(MediaError, match=rf"{own.row.file_name}: ends before its (picture|sound) does"):
        alter(broken, alteration, tmp_path, other=other)


def test_no_more_is_borrowed_than_is_heard():
    assert borrowed([1024, 1024, 1024, 500], count=2100) == [1024, 1024, 52]
    assert borrowed([1024, 500], count=2100) == [1024, 500]
    assert borrowed([1024, 1024], count=2048) == [1024, 1024]


def test_the_frozen_frame_lies_inside():
    assert [frozen_frame(60, at=Fraction(k, 3)) for k in range(3)] == [0, 20, 40]
    assert frozen_frame(1, at=Fraction(2, 3)) == 0
    for count, at in ((0, Fraction(0)), (5, Fraction(1)), (5, Fraction(-1, 3))):
        with pytest.raises(ValueError, match="from 0 to below 1"):
            frozen_frame(count, at=at)
