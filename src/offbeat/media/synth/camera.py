"""The camera that looks at a scene: it sways a little, and the light is never quite steady.

What does not move is drawn once for each quarter of a pixel that the camera may stand at, and kept: copying a picture
costs a twentieth of drawing it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from offbeat.media.synth.canvas import STAGE_HEIGHT, Canvas, canvas_of, on_image

Backdrop: TypeAlias = Callable[[Canvas], None]
"""Draws what does not move."""
Action: TypeAlias = Callable[[Canvas, float], None]
"""Draws what moves, at a time in seconds."""

SWAY_UNITS = 5.0
LIGHT = 0.025
STEPS = 4


def film(
    backdrop: Backdrop, action: Action, *, width: int, height: int, rng: np.random.Generator
) -> Callable[[float], NDArray[np.uint8]]:
    """What the camera sees at a time: RGB, uint8, (height, width, 3), a new array each time."""
    sway_hz = rng.uniform(0.05, 0.22, (2, 2))
    sway_phase = rng.uniform(0, 2 * math.pi, (2, 2))
    light_hz = rng.uniform(0.1, 0.5, 2)
    light_phase = rng.uniform(0, 2 * math.pi, 2)
    reach = SWAY_UNITS * height / STAGE_HEIGHT
    margin = math.ceil(reach) + 1
    kept: dict[tuple[int, int], NDArray[np.uint8]] = {}

    def still(phase: tuple[int, int]) -> NDArray[np.uint8]:
        if phase not in kept:
            shift = (phase[0] / STEPS, phase[1] / STEPS)
            canvas = canvas_of(width, height, margin=margin, shift=shift)
            backdrop(canvas)
            kept[phase] = canvas.image
        return kept[phase]

    def draw(time_s: float) -> NDArray[np.uint8]:
        swing = np.sin(2 * math.pi * sway_hz * time_s + sway_phase).sum(axis=1) / 2
        step_x, step_y = (round(float(part) * reach * STEPS) for part in swing)
        (whole_x, part_x), (whole_y, part_y) = divmod(step_x, STEPS), divmod(step_y, STEPS)
        left, top = margin - whole_x, margin - whole_y
        image = still((part_x, part_y))[top : top + height, left : left + width].copy()
        action(on_image(image, width, height, shift=(step_x / STEPS, step_y / STEPS)), time_s)
        light = 1 - LIGHT + LIGHT * float(np.sin(2 * math.pi * light_hz * time_s + light_phase).mean())
        table = np.rint(np.arange(256) * light).astype(np.uint8).tobytes()
        return np.frombuffer(image.tobytes().translate(table), np.uint8).reshape(image.shape)

    return draw
