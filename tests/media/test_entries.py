"""A reader that jumps to a frame must get that frame: only where decoding can begin may a file say so.

The card flashes. An encoder codes a flash without reference to other frames, but what follows may still refer to what
came before: it is a frame like any other, and no place to begin at.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame
from readers import FFMPEG, ffmpeg_frames

from offbeat.media.combine import combine
from offbeat.media.copy import copy_picture
from offbeat.media.picture import Picture, encode_picture
from offbeat.media.rate import with_sound_of
from offbeat.media.scan import scan
from offbeat.media.synth.testcard import make_testcard, read_code, write_testcard
from offbeat.media.values import Sound, SoundSpan
from offbeat.media.write import VariantWriter

FPS = Fraction(25)
COUNT, WIDTH, HEIGHT = 150, 256, 144
CARD = make_testcard(length_s=COUNT / FPS, fps=FPS, width=WIDTH, height=HEIGHT)
FLASHES = [round(event * FPS) for event in CARD.events_s]


def encoded(folder: Path) -> Picture:
    def frames() -> Iterator[VideoFrame]:
        for image in CARD.frames():
            yield VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv420p")

    return encode_picture(frames(), fps=FPS, width=WIDTH, height=HEIGHT)


def copied(folder: Path) -> Picture:
    write_testcard(folder / "card.mkv", CARD)
    command = [FFMPEG, "-v", "error", "-i", str(folder / "card.mkv"), "-pix_fmt", "yuv420p", "-c:a", "aac"]
    x264 = ("-c:v", "libx264", "-preset", "superfast", "-bf", "0", "-g", "250", "-keyint_min", "50")
    subprocess.run([*command, *x264, str(folder / "card.mp4")], check=True)
    scanned = scan(folder / "card.mp4")
    picture = copy_picture(scanned, start_s=scanned.frame_time_s(0), fps=FPS, count=COUNT)
    assert isinstance(picture, Picture)
    return picture


def marked(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(packet.is_keyframe for packet in container.demux(video=0) if packet.size)


@pytest.mark.parametrize("make", [encoded, copied])
def test_each_jump_ends_where_it_was_meant_to(make, tmp_path: Path) -> None:
    picture = make(tmp_path)
    noise = np.random.default_rng(1).normal(0, 0.1, (1, 8 * 48_000)).astype(np.float32)
    span = SoundSpan(Sound(noise, 48_000), start_samples=-4096)
    writer = VariantWriter(picture)
    writer.write(tmp_path / "variant.mp4", span, start_samples=0, codec="aac")
    writer.close()
    (tmp_path / "picture.mp4").write_bytes(picture.mp4)
    combine(tmp_path / "combined.mp4", picture=tmp_path / "variant.mp4", sound=tmp_path / "variant.mp4")
    (tmp_path / "at-rate.mp4").write_bytes(with_sound_of(picture, tmp_path / "variant.mp4"))
    assert marked(tmp_path / "variant.mp4") > 2, "the card has no flash that is coded without others"
    for flash in FLASHES[2:5]:
        for name in ("variant", "picture", "combined", "at-rate"):
            for frame in (flash, flash + 1):
                jump = ("-ss", f"{float(frame / FPS):.6f}")
                found = ffmpeg_frames(tmp_path / f"{name}.mp4", *jump, "-t", "0.2")[0]
                grey = found[: WIDTH * HEIGHT].reshape(HEIGHT, WIDTH)
                assert read_code(grey) == frame, f"{name}: asked for frame {frame}"
