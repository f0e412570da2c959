"""Small grey copies of frames on their way to an encoder: enough to measure motion, at a tenth of the price."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from offbeat.timing import round_half_up


def with_grey_copies(
    frames: Iterable[VideoFrame], *, height: int, into: list[NDArray[np.uint8]]
) -> Iterator[VideoFrame]:
    """Pass all frames on as they are, and add a copy of each to `into`: luminance alone, by area averaging.

    Args:
        frames: of one size.
        height: scale to at most this many lines.
        into: gets one array of the shape (height, width) a frame.
    """
    scaler = VideoReformatter()  # keeps its filters; a frame's own `reformat` would make them anew each time
    for frame in frames:
        lines = min(height, frame.height)
        width = max(1, round_half_up(Fraction(frame.width * lines, frame.height)))
        small = scaler.reformat(frame, width=width, height=lines, format="gray", interpolation="AREA", threads=1)
        into.append(np.asarray(small.to_ndarray(), dtype=np.uint8))
        yield frame
