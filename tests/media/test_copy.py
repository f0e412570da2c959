from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame
from builds import card_file
from readers import FFMPEG, ffmpeg_frames, ffmpeg_times, opencv_frames

from offbeat.media.copy import copy_picture, copyable_starts
from offbeat.media.picture import Picture
from offbeat.media.scan import Scan, scan
from offbeat.media.synth.testcard import read_code

X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-sc_threshold", "0", "-pix_fmt", "yuv420p")
REORDERED = (*X264, "-bf", "3", "-b_strategy", "0", "-g", "30")
FRAMES = 60
TAKEN = {
    "no B-frames": ("mp4", (*X264, "-bf", "0", "-g", "30"), 30, FRAMES),
    "B-frames": ("mp4", REORDERED, 30, FRAMES),
    "B-frames, 29.97 a second": ("mp4", (*REORDERED, "-r", "30000/1001"), 30, FRAMES),
    "Matroska, stamps of 1 ms": ("mkv", REORDERED, 30, FRAMES),
    "Matroska without an index": ("mkv", (*REORDERED, "-live", "1"), 30, FRAMES),
    "transport stream": ("ts", REORDERED, 30, FRAMES),
    "transport stream, groups of three frames": ("ts", (*REORDERED, "-g", "3"), 30, FRAMES),
    "ends within a group": ("mp4", (*REORDERED, "-g", "40"), 40, 57),
}
LEFT = {
    "10 bits": ((*X264[:-1], "yuv420p10le", "-g", "30"), "not yuv420p"),
    "interlaced": ((*X264, "-g", "30", "-flags", "+ildct+ilme", "-x264-params", "tff=1"), "interlaced"),
    "another codec": (("-c:v", "mpeg4", "-g", "30"), "coded as mpeg4, not as h264"),
    "wide pixels": ((*X264, "-g", "30", "-vf", "setsar=4/3"), "not square"),
    "slightly wide pixels": ((*X264, "-g", "30", "-vf", "setsar=r=201/200:max=1000"), "not square"),
    "open groups": (
        (*X264, "-bf", "2", "-b_strategy", "0", "-x264-params", "keyint=30:min-keyint=30:open-gop=1"),
        "begins anew",
    ),
    "variable rate": ((*X264, "-bf", "0", "-g", "30", "-vf", "select='mod(n,7)'", "-fps_mode", "vfr"), "constant"),
}


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("card") / "card.mkv"
    card_file(path, length_s=5, size=256)
    return path


def converted(card: Path, path: Path, options: tuple[str, ...], before: tuple[str, ...] = ()) -> Scan:
    command = [FFMPEG, "-v", "error", *before, "-i", str(card), *options, "-c:a", "aac", str(path)]
    subprocess.run(command, check=True)
    return scan(path)


def copied(scanned: Scan, index: int, frames: int = FRAMES) -> Picture | str:
    return copy_picture(scanned, start_s=scanned.frame_time_s(index), fps=scanned.fps, count=frames)


def codes(path: Path) -> list[int]:
    return [read_code(image) for image in opencv_frames(path)]


@pytest.mark.parametrize("case", TAKEN)
def test_packets_are_taken_over_and_decode_in_other_readers_as_the_source_does(
    case: str, card: Path, tmp_path: Path
) -> None:
    suffix, options, first, frames = TAKEN[case]
    scanned = converted(card, tmp_path / f"source.{suffix}", options)
    starts = copyable_starts(scanned, frames)
    assert first in starts
    picture = copied(scanned, first, frames)
    assert isinstance(picture, Picture), picture
    written = tmp_path / "copied.mp4"
    written.write_bytes(picture.mp4)
    whole = ffmpeg_frames(scanned.path)  # decoded from its very beginning, not from the key frame
    for ignored in ((), ("-ignore_editlist", "1")):
        np.testing.assert_array_equal(ffmpeg_frames(written, *ignored), whole[first : first + frames])
    assert codes(written) == codes(scanned.path)[first : first + frames]
    assert ffmpeg_times(written) == (pytest.approx(frames / float(scanned.fps), abs=0.011), 0)
    with av.open(str(written)) as copy:
        stream = copy.streams.video[0]
        assert (stream.start_time, stream.duration * stream.time_base) == (0, frames / scanned.fps)
    if suffix != "ts":  # there, start codes become lengths
        assert packets(written) == packets(scanned.path)[first : first + frames]


def packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]


@pytest.mark.parametrize("case", LEFT)
def test_what_cannot_be_copied_is_left_with_the_reason(case: str, card: Path, tmp_path: Path) -> None:
    options, reason = LEFT[case]
    scanned = converted(card, tmp_path / "source.mp4", options)
    note = copied(scanned, 30)
    assert isinstance(note, str)
    assert reason in note


def test_a_rotated_picture_is_left(card: Path, tmp_path: Path) -> None:
    converted(card, tmp_path / "upright.mp4", (*X264, "-g", "30"))
    scanned = converted(tmp_path / "upright.mp4", tmp_path / "turned.mp4", ("-c", "copy"), ("-display_rotation", "90"))
    assert copied(scanned, 30) == "it is rotated"
    assert len(copyable_starts(scanned, FRAMES)) == 0


def test_ends_that_need_a_later_packet_are_left(card: Path, tmp_path: Path) -> None:
    """Which ends those are, against x264's own pattern: groups of I or P and three B-frames before it."""
    scanned = converted(card, tmp_path / "source.mp4", (*REORDERED, "-g", "60"))
    order = [int(pts) for pts in scanned.packet_pts]
    ranks = {pts: rank for rank, pts in enumerate(sorted(order))}
    shown = [ranks[pts] for pts in order]
    for frames in range(40, 60):
        whole = sorted(shown[:frames]) == list(range(frames))
        assert (0 in copyable_starts(scanned, frames)) == whole
        assert isinstance(copied(scanned, 0, frames), Picture) == whole
    assert copied(scanned, 1) == "it does not start at a key frame that begins anew (an IDR picture)"
    assert copied(scanned, 120) == "the source ends before it"


def test_a_damaged_packet_is_found_when_the_copy_is_decoded(card: Path, tmp_path: Path) -> None:
    """Its stamps and its length are right: neither the scan nor the comparison of packets can see it."""
    scanned = converted(card, tmp_path / "source.mp4", (*X264, "-bf", "0", "-g", "30"))
    data = packets(scanned.path)[41]
    whole = scanned.path.read_bytes()
    half = len(data) // 2
    scanned.path.write_bytes(whole.replace(data, data[:half] + bytes(len(data) - half)))
    assert isinstance(copied(scan(scanned.path), 60, 30), Picture)
    note = copied(scan(scanned.path), 30)
    assert note == "frame 11 is damaged"


def test_each_frame_of_the_copy_is_passed_on_once(card: Path, tmp_path: Path) -> None:
    scanned = converted(card, tmp_path / "source.mp4", REORDERED)
    shown: list[float] = []

    def through(frames: Iterator[VideoFrame]) -> Iterator[VideoFrame]:
        for frame in frames:
            shown.append(frame.time * 30)
            yield frame

    copy_picture(scanned, start_s=scanned.frame_time_s(30), fps=scanned.fps, count=FRAMES, through=through)
    assert shown == pytest.approx(range(FRAMES))
    copy_picture(scanned, start_s=scanned.frame_time_s(31), fps=scanned.fps, count=FRAMES, through=through)
    assert len(shown) == FRAMES, "nothing is decoded where the stamps forbid copying"


def test_a_packet_with_a_hole_is_found_before_anything_is_decoded(card: Path, tmp_path: Path) -> None:
    """A transport stream that lost one of its 188-byte cells: the reader counts them, and marks the packet."""
    scanned = converted(card, tmp_path / "source.ts", (*X264, "-bf", "0", "-g", "30"))
    whole = scanned.path.read_bytes()
    key = packets(scanned.path)[60]
    place = whole.index(key[len(key) // 2 :][:40]) // 188 * 188
    scanned.path.write_bytes(whole[:place] + whole[place + 188 :])
    assert copied(scanned, 30) == "its packets are damaged"


def test_a_file_that_changed_since_it_was_scanned_is_left(card: Path, tmp_path: Path) -> None:
    scanned = converted(card, tmp_path / "source.mp4", REORDERED)
    converted(card, tmp_path / "other.mp4", (*X264, "-bf", "2", "-b_strategy", "0", "-g", "30"))
    (tmp_path / "other.mp4").rename(scanned.path)
    assert copied(scanned, 30) == "its packets are not found again by their stamps"
