"""Awkward sources as people have them, each made from a test card, so that the truth is known in frames and samples.

A case says how its file is made, by the ffmpeg command of imageio-ffmpeg or with PyAV, and what its maker meant: how
much later than on the card the sound is heard, and which of the card's frames are in it. `messy_measure` builds
variants from it and compares; `docs/messy.md` shows the result.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from builds import card_file
from readers import FFMPEG

from offbeat.media.synth.testcard import TestCard

X264 = ("-c:v", "libx264", "-preset", "veryfast", "-crf", "18", "-pix_fmt", "yuv420p")
AAC = ("-c:a", "aac", "-b:a", "192k")
NO_B = ("-bf", "0")
LENGTH_S = 9

Make = Callable[[Path, Path], Path]
"""From a folder to write in, and the card as a lossless Matroska file, to the case's file."""


@dataclass(frozen=True, slots=True)
class Case:
    """An awkward source.

    Attributes:
        name: short, for test ids.
        title: what it is, in words.
        make: writes it.
        reason: with which code it is refused as a whole; None where variants are made from it.
        late_s: how much later than on the card its sound is meant to be heard.
        shown: which of the card's frames are in it; None: all.
        worst_ms: the largest error of a delay that is accepted.
        does: what Offbeat does, in words.
        card: changes of the card: `length_s`, `rate_hz`, `fps`, `size`.
        settings: changes of the build's settings.
    """

    name: str
    title: str
    make: Make
    does: str = ""
    reason: str | None = None
    late_s: Fraction = Fraction(0)
    shown: Callable[[int], bool] | None = None
    worst_ms: float = 0.1
    card: dict[str, object] = field(default_factory=dict[str, object])
    settings: dict[str, object] = field(default_factory=dict[str, object])

    def write(self, folder: Path) -> tuple[Path, TestCard]:
        """Make the file below `folder`, and return it with the card that is in it."""
        work, given = folder / "work", folder / "in"
        given.mkdir(parents=True)
        card = card_file(work / "card.mkv", **({"length_s": LENGTH_S} | self.card))  # type: ignore[arg-type]
        made = self.make(work, work / "card.mkv")
        return made.replace(given / made.name), card


def ffmpeg(*arguments: object) -> None:
    subprocess.run([FFMPEG, "-v", "error", "-y", *map(str, arguments)], check=True, capture_output=True)


def encoded(name: str, *options: object) -> Make:
    """The card, encoded anew with these options."""

    def make(work: Path, card: Path) -> Path:
        ffmpeg("-i", card, *options, work / name)
        return work / name

    return make


def copied(name: str, *options: object, film: tuple[object, ...] = (*X264, *AAC)) -> Make:
    """A film of the card, then packets copied; `FILM` in the options stands for it."""

    def make(work: Path, card: Path) -> Path:
        ffmpeg("-i", card, *film, work / "film.mp4")
        ffmpeg(*(work / "film.mp4" if option == FILM else option for option in options), work / name)
        return work / name

    return make


FILM = "FILM"
COPY = ("-c", "copy")
BOTH = ("-i", FILM, *COPY)
LATE = ("-i", FILM, "-itsoffset", "1.5", "-i", FILM, "-map", "0:v", "-map", "1:a", *COPY)
PICTURE_LATE = ("-itsoffset", "0.7", "-i", FILM, "-i", FILM, "-map", "0:v", "-map", "1:a", *COPY)
SHORT_SOUND = ("-i", FILM, "-t", "6", "-i", FILM, "-map", "0:v", "-map", "1:a", *COPY)


def kept_now_and_then(number: int) -> bool:
    """30 frames/s for 2 s, then irregular: the frames of the variable rate."""
    return number < 60 or number * 7 % 11 > 3


VARIABLE = ("-vf", "select='lt(n,60)+gt(mod(n*7,11),3)'", "-fps_mode", "vfr")


def joined(first: tuple[object, ...], second: tuple[object, ...], *, seconds: int = 6) -> Make:
    """Two transport streams joined as bytes; the second with options of its own."""

    def make(work: Path, card: Path) -> Path:
        film = (*X264, *NO_B, *AAC)
        ffmpeg("-i", card, "-t", seconds, *film, *first, work / "1.ts")
        ffmpeg("-ss", seconds, "-i", card, *film, *second, work / "2.ts")
        (work / "joined.ts").write_bytes((work / "1.ts").read_bytes() + (work / "2.ts").read_bytes())
        return work / "joined.ts"

    return make


def with_packets_lost(work: Path, card: Path) -> Path:
    """A broadcast in bad weather: one in 150 transport packets is missing in the third and fourth second."""
    ffmpeg("-i", card, *X264, "-g", "15", *AAC, work / "whole.ts")
    whole = (work / "whole.ts").read_bytes()
    packets = [whole[at : at + 188] for at in range(0, len(whole), 188)]
    lossy = range(len(packets) * 3 // LENGTH_S // 2, len(packets) * 5 // LENGTH_S // 2)
    kept = [packet for number, packet in enumerate(packets) if not (number in lossy and number % 40 == 7)]
    (work / "broken.ts").write_bytes(b"".join(kept))
    return work / "broken.ts"


def cut_off(name: str, share: float, *options: object) -> Make:
    """Only the first part of the bytes."""

    def make(work: Path, card: Path) -> Path:
        ffmpeg("-i", card, *X264, *AAC, *options, work / "whole")
        whole = (work / "whole").read_bytes()
        (work / name).write_bytes(whole[: int(len(whole) * share)])
        return work / name

    return make


def holding(name: str, content: bytes) -> Make:
    def make(work: Path, card: Path) -> Path:
        (work / name).write_bytes(content)
        return work / name

    return make


def two_tracks(work: Path, card: Path) -> Path:
    """The first track is 0.7 s late, the second is right and the default."""
    ffmpeg(
        *("-i", card, "-itsoffset", "0.7", "-i", card, "-map", "0:v", "-map", "1:a", "-map", "0:a", *X264, *AAC),
        *("-disposition:a:0", "0", "-disposition:a:1", "default", work / "tracks.mp4"),
    )
    return work / "tracks.mp4"


def stamped(rate: Fraction) -> Make:
    """PCM whose stamps run `rate` times as fast as its samples: a sound card's clock against the camera's."""

    def make(work: Path, card: Path) -> Path:
        with av.open(str(card)) as given, av.open(str(work / "drift.mkv"), "w") as output:
            streams = {stream.index: output.add_stream_from_template(stream) for stream in given.streams}
            for packet in given.demux():
                if packet.dts is None or packet.pts is None:
                    continue
                if packet.stream.type == "audio":
                    packet.pts = packet.dts = round(packet.pts * rate)
                packet.stream = streams[packet.stream_index]
                output.mux(packet)
        return work / "drift.mkv"

    return make


def two_sizes(work: Path, card: Path) -> Path:
    """A broadcast that changes from one size to another after 1 s."""
    for name, options in (("1.ts", ("-t", "1")), ("2.ts", ("-ss", "1", "-vf", "scale=320:180"))):
        offset = ("-output_ts_offset", "1") if name == "2.ts" else ()
        ffmpeg("-i", card, *options, *X264, *NO_B, *AAC, *offset, work / name)
    (work / "sizes.ts").write_bytes((work / "1.ts").read_bytes() + (work / "2.ts").read_bytes())
    return work / "sizes.ts"


def cover_first(work: Path, card: Path) -> Path:
    ffmpeg("-i", card, *X264, *AAC, work / "film.mp4")
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=300x300:d=1:r=1", "-frames:v", "1", work / "cover.png")
    ffmpeg(
        *("-i", work / "film.mp4", "-i", work / "cover.png", "-map", "1:v", "-map", "0:v", "-map", "0:a", *COPY),
        *("-disposition:v:0", "attached_pic", work / "cover.mp4"),
    )
    return work / "cover.mp4"


def turned(work: Path, card: Path) -> Path:
    """Stored lying on its side, with a flag that says so, as phones do."""
    ffmpeg("-i", card, "-vf", "transpose=clock", *X264, *AAC, work / "flat.mp4")
    ffmpeg("-display_rotation", "90", "-i", work / "flat.mp4", *COPY, work / "turned.mp4")
    return work / "turned.mp4"


def silenced(work: Path, card: Path) -> Path:
    ffmpeg("-i", card, *X264, "-af", "volume=0", *AAC, work / "silent.mp4")
    return work / "silent.mp4"


def noise_bytes(count: int) -> bytes:
    return np.random.default_rng(1).bytes(count)
