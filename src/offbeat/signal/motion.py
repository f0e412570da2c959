"""How much each part of a picture moves, frame by frame.

Motion is the mean absolute difference between a frame and the one before it, taken over tiles of three sizes: about
square tiles of an eighth and of a quarter of the picture's height, and the whole picture. Small tiles keep one moving
hand apart from a moving background; the whole picture collects what is spread out, as a speaker's head and body.

The difference between frames k - 1 and k belongs to time k / fps, where frame k appears: a flash first seen in frame k
happened then, and a movement between the middles of the two frames' times is centred there. There is no frame before
the first, which is given the motion of the second.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from offbeat.media.values import Frames

HEIGHT = 72
"""Lines that are enough: a tile of the finest level is then 9 x 9 pixels."""
TILE_ROWS = (8, 4, 1)
"""Tiles from top to bottom, for each level; 1 is the whole picture in one tile."""
MOST_COLUMNS = 24
"""A very wide picture has wider tiles rather than more of them."""


@dataclass(frozen=True, slots=True)
class Motion:
    """The motion of a clip; all variants of a clip share it.

    Attributes:
        levels: for each tile size, mean absolute difference in grey values, shape (n, tiles), float32.
        fps: frames a second, exact; row k of a level belongs to k / fps seconds.
    """

    levels: tuple[NDArray[np.float32], ...]
    fps: Fraction

    @property
    def count(self) -> int:
        """The number of frames."""
        return self.levels[0].shape[0]


def measure_motion(frames: Frames) -> Motion:
    """Motion of every tile of every level.

    Args:
        frames: in grey, best about `HEIGHT` lines high: more cost time and add nothing.

    Raises:
        ValueError: the frames are in colour, or there are none.
    """
    if frames.images.ndim != 3:
        raise ValueError(f"expected grey frames of the shape (n, height, width), got {frames.images.shape}")
    if min(frames.images.shape) < 1:
        raise ValueError(f"expected at least one frame of one pixel, got the shape {frames.images.shape}")
    before, after = frames.images[:-1], frames.images[1:]
    # The larger less the smaller: the absolute difference without leaving 8 bits.
    change = np.maximum(before, after) - np.minimum(before, after)
    levels = tuple(_tile_means(change, rows) for rows in TILE_ROWS)
    return Motion(levels=tuple(_first_as_second(level) for level in levels), fps=frames.fps)


def _tile_means(change: NDArray[np.uint8], rows: int) -> NDArray[np.float32]:
    _, height, width = change.shape
    columns = 1 if rows == 1 else min(MOST_COLUMNS, max(1, round(rows * width / height)))
    tops, lefts = _edges(height, rows), _edges(width, columns)
    sums = np.add.reduceat(change, tops[:-1], axis=1, dtype=np.uint32)
    sums = np.add.reduceat(sums, lefts[:-1], axis=2, dtype=np.uint32)
    area = np.outer(np.diff(tops), np.diff(lefts))
    return (sums / area).reshape(len(change), area.size).astype(np.float32)


def _edges(length: int, parts: int) -> NDArray[np.int64]:
    """Where `parts` nearly equal parts of `length` pixels begin, and the end; fewer parts where pixels run out."""
    return np.unique(np.linspace(0, length, min(parts, length) + 1).round().astype(np.int64))


def _first_as_second(level: NDArray[np.float32]) -> NDArray[np.float32]:
    first = level[:1] if len(level) else np.zeros((1, level.shape[1]), np.float32)
    return np.concatenate([first, level])
