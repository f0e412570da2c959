"""Read a written clip as arrays: what a model in process is given.

These readers are for files that Offbeat wrote: constant frame rate, both streams from 0. `offbeat.media.cut_picture`
and `offbeat.media.cut_sound` read sources.

Frames are decoded one after the other, and only those that are wanted become arrays, one at a time: 10 s of 1080p are
1.9 GB, of which a model that is shown two frames a second needs a fifteenth, and holds what it makes of them only.
Decoding ends with the last one wanted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

import av
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

from offbeat.errors import MediaError
from offbeat.media.decode import samples_of
from offbeat.media.opening import exact, open_media, picture_stream, readable, sound_stream
from offbeat.media.values import Frames, Grid, Sound
from offbeat.timing import round_half_up

ItemT = TypeVar("ItemT")


def read_grid(path: Path) -> Grid:
    """How many frames a clip has, and when they are shown; nothing is decoded.

    Raises:
        MediaError: the file cannot be read, or does not say that it has frames.
    """
    with readable(path), open_media(path) as container:
        return grid_of(picture_stream(container, path), path)


def grid_of(stream: VideoStream, path: Path) -> Grid:
    """The same of a stream that is open."""
    if stream.average_rate is None or not stream.frames:
        raise MediaError(f"{path}: no frames; expected a clip", reason="no_picture")
    return Grid(count=stream.frames, fps=exact(stream.average_rate))


def chosen(frames: Iterable[ItemT], numbers: Sequence[int], *, path: Path) -> Iterator[ItemT]:
    """Of what comes one after the other, that with these numbers, as often and in the order as they are named.

    Each is held from when it comes until it is given for the last time: one at a time where the numbers rise.

    Raises:
        MediaError: `damaged`: fewer come than are wanted.
    """
    left = Counter(numbers)
    held: dict[int, ItemT] = {}
    coming = enumerate(frames)
    for number in numbers:
        while number not in held:
            found = next(coming, None)
            if found is None:
                raise MediaError(
                    f"{path}: ends before its frame {number}, counted from 0; build it again", reason="damaged"
                )
            if found[0] in left:
                held[found[0]] = found[1]
        left[number] -= 1
        yield held[number] if left[number] else held.pop(number)


def read_images(
    path: Path, numbers: Sequence[int] | None = None, *, height: int | None = None, grey: bool = False
) -> Iterator[NDArray[np.uint8]]:
    """Frames of a clip, one at a time.

    Args:
        path: the clip.
        numbers: which, from 0, in any order; see `Grid`. All that there are, by default.
        height: scale to at most this many lines, by area averaging; the default keeps the size.
        grey: luminance alone, shape (height, width); else RGB, shape (height, width, 3).

    Raises:
        MediaError: the file cannot be read, or has fewer frames.
    """
    with readable(path), open_media(path) as container:
        stream = picture_stream(container, path)
        stream.thread_type = "AUTO"
        lines = stream.height if height is None else min(height, stream.height)
        width = max(1, round_half_up(Fraction(stream.width * lines, stream.height)))
        decoded = container.decode(stream)
        for frame in decoded if numbers is None else chosen(decoded, numbers, path=path):
            scaled = frame.reformat(width=width, height=lines, format="gray" if grey else "rgb24", interpolation="AREA")
            yield np.asarray(scaled.to_ndarray(), dtype=np.uint8)


def read_frames(path: Path, *, height: int | None = None, grey: bool = False) -> Frames:
    """All frames of a clip, together.

    Args:
        path: the clip.
        height: as of `read_images`.
        grey: shape (n, height, width); else RGB, shape (n, height, width, 3).

    Raises:
        MediaError: the file cannot be read, or has no frames.
    """
    images = list(read_images(path, height=height, grey=grey))
    with open_media(path) as container:
        rate = picture_stream(container, path).average_rate
    if not images or rate is None:
        raise MediaError(f"{path}: no frames; expected a clip", reason="no_picture")
    return Frames(images=np.stack(images), fps=exact(rate))


def read_sound(path: Path) -> Sound:
    """The sound of a clip from time 0, all channels, at its own rate.

    Raises:
        MediaError: the file cannot be read, or has no sound.
    """
    with readable(path), open_media(path) as container:
        stream = sound_stream(container, path)
        resampler = av.AudioResampler(format="fltp", layout=stream.layout, rate=stream.rate)
        parts = [samples_of(part) for frame in container.decode(stream) for part in resampler.resample(frame)]
        rate_hz = stream.rate
    if not parts:
        raise MediaError(f"{path}: no samples; expected a clip with sound", reason="no_sound")
    return Sound(samples=np.concatenate(parts, axis=1), rate_hz=rate_hz)
