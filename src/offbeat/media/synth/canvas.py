"""A small canvas with soft edges: discs, ellipses, lines, convex polygons and boxes, drawn with numpy alone.

Everything is placed on a stage of 1600 x 900 units, x to the right, y downwards, whatever the size in pixels; a
picture of another shape shows more of the stage's surroundings. A shape is the set of points whose signed distance to
its edge is negative; a pixel's share of the colour falls from 1 to 0 within one pixel across the edge. Only the pixels
around a shape are computed.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

STAGE_WIDTH = 1600
STAGE_HEIGHT = 900

Colour: TypeAlias = tuple[int, int, int]
Point: TypeAlias = tuple[float, float]
Plane: TypeAlias = NDArray[np.floating]


def rgb(text: str) -> Colour:
    """A colour from six hexadecimal digits."""
    return int(text[0:2], 16), int(text[2:4], 16), int(text[4:6], 16)


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """The colour between two: `one` at a share of 0, `other` at 1."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


class Canvas:
    """Pixels, and where the stage lies on them.

    Attributes:
        image: RGB, uint8, (height, width, 3).
    """

    def __init__(self, image: NDArray[np.uint8], *, scale: float, left: float, top: float) -> None:
        """`scale` is in pixels a unit; `left` and `top` are where the stage's corner lies, in pixels."""
        self.image = image
        self._scale = scale
        self._left = left
        self._top = top
        height, width = image.shape[:2]
        self._columns = np.arange(width, dtype=np.float32) + np.float32(0.5)
        self._rows = np.arange(height, dtype=np.float32)[:, None] + np.float32(0.5)

    def disc(self, x: float, y: float, radius: float, colour: Colour, *, alpha: float = 1) -> None:
        """A filled circle around (x, y)."""
        self.ellipse(x, y, radius, radius, colour, alpha=alpha)

    def ellipse(
        self, x: float, y: float, rx: float, ry: float, colour: Colour, *, turn: float = 0, alpha: float = 1
    ) -> None:
        """A filled ellipse with the half axes `rx` and `ry`, turned clockwise by `turn` radians."""
        cx, cy = self._pixel(x, y)
        ax, ay = max(rx * self._scale, 0.3), max(ry * self._scale, 0.3)
        reach_x = math.hypot(ax * math.cos(turn), ay * math.sin(turn))
        reach_y = math.hypot(ax * math.sin(turn), ay * math.cos(turn))
        box = self._box(cx - reach_x, cy - reach_y, cx + reach_x, cy + reach_y)
        if box is None:
            return
        dx, dy = self._columns[box[1]] - np.float32(cx), self._rows[box[0]] - np.float32(cy)
        cosine, sine = np.float32(math.cos(turn)), np.float32(math.sin(turn))
        u = (dx * cosine + dy * sine) / np.float32(ax)
        v = (dy * cosine - dx * sine) / np.float32(ay)
        ring = np.sqrt(u * u + v * v)
        # To first order the distance to the edge is (r - 1) r / |gradient|; for a circle that is exact.
        slope = np.sqrt((u / np.float32(ax)) ** 2 + (v / np.float32(ay)) ** 2)
        tiny = np.float32(1e-3)  # keeps the quotient finite in the centre
        self._fill(box, (ring - 1) * (ring + tiny) / (slope + tiny / np.float32(min(ax, ay))), colour, alpha)

    def line(self, start: Point, stop: Point, width: float, colour: Colour, *, alpha: float = 1) -> None:
        """A thick line with round ends."""
        (x0, y0), (x1, y1) = self._pixel(*start), self._pixel(*stop)
        half = max(width * self._scale / 2, 0.35)
        box = self._box(min(x0, x1) - half, min(y0, y1) - half, max(x0, x1) + half, max(y0, y1) + half)
        if box is None:
            return
        dx, dy = self._columns[box[1]] - np.float32(x0), self._rows[box[0]] - np.float32(y0)
        ex, ey = x1 - x0, y1 - y0
        length = max(ex * ex + ey * ey, 1e-9)
        along = np.clip((dx * np.float32(ex / length)) + dy * np.float32(ey / length), 0, 1)
        distance = np.hypot(dx - along * np.float32(ex), dy - along * np.float32(ey)) - np.float32(half)
        self._fill(box, distance, colour, alpha)

    def path(self, points: Sequence[Point], width: float, colour: Colour) -> None:
        """Thick lines from point to point."""
        for start, stop in itertools.pairwise(points):
            self.line(start, stop, width, colour)

    def polygon(self, points: Sequence[Point], colour: Colour, *, alpha: float = 1) -> None:
        """A filled convex polygon; the corners may go round either way."""
        corners = [self._pixel(*point) for point in points]
        xs, ys = [corner[0] for corner in corners], [corner[1] for corner in corners]
        box = self._box(min(xs), min(ys), max(xs), max(ys))
        if box is None:
            return
        columns, rows = self._columns[box[1]], self._rows[box[0]]
        turns = sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True))
        way = 1 if turns > 0 else -1
        distance: Plane | None = None
        for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
            length = max(math.hypot(x1 - x0, y1 - y0), 1e-6)
            nx, ny = way * (y1 - y0) / length, way * (x0 - x1) / length
            side = columns * np.float32(nx) + rows * np.float32(ny) - np.float32(nx * x0 + ny * y0)
            distance = side if distance is None else np.maximum(distance, side)
        if distance is not None:
            self._fill(box, distance, colour, alpha)

    def box(
        self, x0: float, y0: float, x1: float, y1: float, colour: Colour, *, radius: float = 0, alpha: float = 1
    ) -> None:
        """A filled upright rectangle, its corners rounded by `radius`."""
        (left, top), (right, bottom) = self._pixel(x0, y0), self._pixel(x1, y1)
        box = self._box(left, top, right, bottom)
        if box is None:
            return
        bend = min(radius * self._scale, (right - left) / 2, (bottom - top) / 2)
        dx = np.abs(self._columns[box[1]] - np.float32((left + right) / 2)) - np.float32((right - left) / 2 - bend)
        dy = np.abs(self._rows[box[0]] - np.float32((top + bottom) / 2)) - np.float32((bottom - top) / 2 - bend)
        if bend < 0.5:
            coverage = np.clip(np.float32(0.5) - dx, 0, 1) * np.clip(np.float32(0.5) - dy, 0, 1)
            self._blend(box, coverage, colour, alpha)
            return
        distance = np.hypot(np.maximum(dx, 0), np.maximum(dy, 0)) + np.minimum(np.maximum(dx, dy), 0)
        self._fill(box, distance - np.float32(bend), colour, alpha)

    def gradient(self, y0: float, y1: float, upper: Colour, lower: Colour) -> None:
        """Fill the full width between two heights, from one colour to another."""
        top, bottom = self._pixel(0, y0)[1], self._pixel(0, y1)[1]
        first, last = max(math.floor(top), 0), min(math.ceil(bottom), self.image.shape[0])
        if last <= first:
            return
        share = np.clip((self._rows[first:last] - np.float32(top)) / np.float32(bottom - top), 0, 1)
        fill = np.array(upper, np.float32) + share * (np.array(lower, np.float32) - np.array(upper, np.float32))
        self.image[first:last] = np.rint(fill).astype(np.uint8)[:, None, :]

    def glow(self, x: float, y: float, radius: float, colour: Colour, *, alpha: float) -> None:
        """Light that is strongest at (x, y) and gone at `radius`."""
        cx, cy = self._pixel(x, y)
        reach = radius * self._scale
        box = self._box(cx - reach, cy - reach, cx + reach, cy + reach)
        if box is None:
            return
        dx, dy = self._columns[box[1]] - np.float32(cx), self._rows[box[0]] - np.float32(cy)
        far = np.maximum(1 - (dx * dx + dy * dy) / np.float32(reach * reach), 0)
        self._blend(box, far * far, colour, alpha)

    def _pixel(self, x: float, y: float) -> Point:
        return self._left + x * self._scale, self._top + y * self._scale

    def _box(self, left: float, top: float, right: float, bottom: float) -> tuple[slice, slice] | None:
        """Rows and columns around a shape, or None where it lies outside the picture."""
        height, width = self.image.shape[:2]
        x0, x1 = max(math.floor(left - 1), 0), min(math.ceil(right + 1), width)
        y0, y1 = max(math.floor(top - 1), 0), min(math.ceil(bottom + 1), height)
        return (slice(y0, y1), slice(x0, x1)) if x1 > x0 and y1 > y0 else None

    def _fill(self, box: tuple[slice, slice], distance: Plane, colour: Colour, alpha: float) -> None:
        self._blend(box, np.clip(np.float32(0.5) - distance, 0, 1), colour, alpha)

    def _blend(self, box: tuple[slice, slice], coverage: Plane, colour: Colour, alpha: float) -> None:
        if alpha < 1:
            coverage = coverage * np.float32(alpha)
        for channel in range(3):
            plane = self.image[box[0], box[1], channel]
            plane[...] = plane + coverage * (np.float32(colour[channel]) - plane) + np.float32(0.5)


def canvas_of(width: int, height: int, *, margin: int = 0, shift: Point = (0, 0)) -> Canvas:
    """An empty canvas that shows the whole stage, centred, and moved by `shift` pixels.

    Args:
        width: of the picture, in pixels.
        height: of the picture, in pixels.
        margin: pixels more on every side.
        shift: of the stage to the right and downwards, in pixels.
    """
    image = np.zeros((height + 2 * margin, width + 2 * margin, 3), np.uint8)
    return on_image(image, width, height, margin=margin, shift=shift)


def on_image(image: NDArray[np.uint8], width: int, height: int, *, margin: int = 0, shift: Point = (0, 0)) -> Canvas:
    """The same as `canvas_of`, on pixels that are there already."""
    scale = min(width / STAGE_WIDTH, height / STAGE_HEIGHT)
    return Canvas(
        image,
        scale=scale,
        left=margin + (width - scale * STAGE_WIDTH) / 2 + shift[0],
        top=margin + (height - scale * STAGE_HEIGHT) / 2 + shift[1],
    )
