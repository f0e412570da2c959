"""A clip's picture at another constant rate, and a clip with another picture over the very same sound.

Servers sample frames by rules of their own, and several stamp them as if they had been sampled otherwise; a picture
that already has the rate that is asked for leaves them nothing to choose. Frame k of the result is what the clip shows
at k / fps: the last of its frames that begins at or before that moment. Models take frames in pairs, so that their
number is made even; where it is odd, the last frame is held for once more::

    clip, 25 a second   0   1   2   3   4   5   6   7   8   9  10 ...
    at 8 a second       0           3           6           9         floor(k / 8 x 25)

The sound is not touched: its packets are taken over as they are.
"""

from __future__ import annotations

import hashlib
from fractions import Fraction
from pathlib import Path

from offbeat.files import scratch_file
from offbeat.media.combine import combine
from offbeat.media.geometry import PIXEL_FORMAT
from offbeat.media.opening import open_media, picture_stream, readable
from offbeat.media.picture import Picture, encode_picture
from offbeat.media.read import chosen, grid_of
from offbeat.timing import round_half_up


def frames_at_rate(length_s: Fraction, fps: Fraction) -> int:
    """How many frames a picture of this length has at this rate: the nearest number, made even; two at least."""
    count = max(2, round_half_up(length_s * fps))
    return count + count % 2


def picture_at_rate(path: Path, *, fps: Fraction, height: int | None = None) -> Picture:
    """The picture of a clip at another rate, encoded anew.

    Args:
        path: the clip: a constant rate, upright, from time 0.
        fps: frames a second of the result.
        height: scale to at most this many lines, by area averaging, both sides even; the default keeps the size.

    Raises:
        MediaError: the file cannot be read, or has no frames, or fewer than it says.
    """
    with readable(path), open_media(path) as container:
        stream = picture_stream(container, path)
        grid = grid_of(stream, path)
        lines = stream.height if height is None else min(height, stream.height)
        width, lines = _even(Fraction(stream.width * lines, stream.height)), _even(Fraction(lines))
        numbers = [grid.shown_at(k / fps) for k in range(frames_at_rate(grid.length_s, fps))]
        shown = chosen(container.decode(stream), numbers, path=path)
        scaled = (frame.reformat(width, lines, PIXEL_FORMAT, interpolation="AREA") for frame in shown)
        return encode_picture(scaled, fps=fps, width=width, height=lines)


def picture_digest(path: Path) -> str:
    """SHA-256 over the packets of a file's picture and when they are shown; nothing is decoded.

    Raises:
        MediaError: the file cannot be read, or has no picture.
    """
    digest = hashlib.sha256()
    with readable(path), open_media(path) as container:
        stream = picture_stream(container, path)
        digest.update(f"{stream.time_base} {stream.average_rate}".encode())
        for packet in container.demux(stream):
            digest.update(f"{packet.pts}".encode())
            digest.update(bytes(packet))
    return digest.hexdigest()


def with_sound_of(picture: Picture, path: Path) -> bytes:
    """An MP4 with this picture and the sound of a file, packet by packet.

    Raises:
        MediaError: the file cannot be read, or has no sound, or less than it says.
    """
    with scratch_file() as seen, scratch_file() as target:
        seen.write_bytes(picture.mp4)
        combine(target, picture=seen, sound=path)
        return target.read_bytes()


def _even(side: Fraction) -> int:
    return max(2, 2 * int(side / 2))
