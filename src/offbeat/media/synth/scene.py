"""What a synthesised scene is: events at known times, the sound they make, and the picture that shows them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from offbeat.media.values import Sound


@dataclass(frozen=True, slots=True)
class Scene:
    """A scene, ready to be shown; frames are drawn when they are asked for.

    Frame k is seen from k / fps to (k + 1) / fps, and shows the moment in the middle of that time, as a camera's
    exposure does on average, so that the picture is neither early nor late. Where an event falls into that time, it
    shows the event itself: the contact is always seen, in the frame that contains it.

    Attributes:
        name: its name in `SCENES`.
        events_s: when something is struck, released or begun: the sound starts there.
        sound: two channels.
        fps: frames a second.
        frame_count: how many frames.
        draw: the picture at a time in seconds, RGB, uint8, (height, width, 3).
    """

    name: str
    events_s: tuple[Fraction, ...]
    sound: Sound
    fps: Fraction
    frame_count: int
    draw: Callable[[float], NDArray[np.uint8]]

    def frame(self, number: int) -> NDArray[np.uint8]:
        """One picture, by its number."""
        return self.draw(self.shown_s(number))

    def frames(self) -> Iterator[NDArray[np.uint8]]:
        """All pictures in turn."""
        return (self.frame(number) for number in range(self.frame_count))

    def shown_s(self, number: int) -> float:
        """The moment that a frame shows: its first event, or the middle of its time."""
        start, stop = number / self.fps, (number + 1) / self.fps
        inside = [event for event in self.events_s if start <= event < stop]
        return float(inside[0] if inside else (start + stop) / 2)
