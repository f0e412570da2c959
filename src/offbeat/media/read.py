"""Read a written clip as arrays: what a model in process is given.

These readers are for files that Offbeat wrote: constant frame rate, both streams from 0. `offbeat.media.cut` reads
sources.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from offbeat.errors import MediaError
from offbeat.media.opening import exact, open_media, picture_stream, samples_of, sound_stream
from offbeat.media.values import Frames, Sound
from offbeat.timing import round_half_up


def read_frames(path: Path, *, height: int | None = None, grey: bool = False) -> Frames:
    """All frames of a clip.

    Args:
        path: the clip.
        height: scale to at most this many lines, by area averaging; the default keeps the size.
        grey: luminance alone, shape (n, height, width); else RGB, shape (n, height, width, 3).

    Raises:
        MediaError: the file cannot be read, or has no frames.
    """
    images: list[NDArray[np.uint8]] = []
    with open_media(path) as container:
        stream = picture_stream(container, path)
        stream.thread_type = "AUTO"
        lines = stream.height if height is None else min(height, stream.height)
        width = max(1, round_half_up(Fraction(stream.width * lines, stream.height)))
        for frame in container.decode(stream):
            scaled = frame.reformat(width=width, height=lines, format="gray" if grey else "rgb24", interpolation="AREA")
            images.append(np.asarray(scaled.to_ndarray(), dtype=np.uint8))
        rate = stream.average_rate
    if not images or rate is None:
        raise MediaError(f"{path}: no frames; expected a clip", reason="no_picture")
    return Frames(images=np.stack(images), fps=exact(rate))


def read_sound(path: Path) -> Sound:
    """The sound of a clip from time 0, all channels, at its own rate.

    Raises:
        MediaError: the file cannot be read, or has no sound.
    """
    with open_media(path) as container:
        stream = sound_stream(container, path)
        resampler = av.AudioResampler(format="fltp", layout=stream.layout, rate=stream.rate)
        parts = [samples_of(part) for frame in container.decode(stream) for part in resampler.resample(frame)]
        rate_hz = stream.rate
    if not parts:
        raise MediaError(f"{path}: no samples; expected a clip with sound", reason="no_sound")
    return Sound(samples=np.concatenate(parts, axis=1), rate_hz=rate_hz)
