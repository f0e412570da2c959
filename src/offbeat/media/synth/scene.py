"""What a synthesised scene is: events at known times, the sound they make, and the picture that shows them."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from offbeat.media.synth.camera import Action, Backdrop
from offbeat.media.values import Sound


@dataclass(frozen=True, slots=True)
class Staging:
    """A scene before it is filmed.

    Attributes:
        events_s: see `Scene`.
        sound: see `Scene`.
        backdrop: draws what does not move.
        action: draws what moves.
        gap: see `Scene`.
    """

    events_s: tuple[Fraction, ...]
    sound: Sound
    backdrop: Backdrop
    action: Action
    gap: Callable[[float], float]


class Stage(Protocol):
    """Makes up a scene: what happens when, how it sounds and looks."""

    def __call__(self, *, length_s: Fraction, rate_hz: int, rng: np.random.Generator) -> Staging:
        """All chance comes from `rng`."""
        ...


@dataclass(frozen=True, slots=True)
class SceneKind:
    """One kind of scene.

    Attributes:
        description: one line.
        genre: cooking, instrument, sports, asmr, speech or everyday: the study's five, and the rest.
        ambiguous: True where delays of whole periods cannot be told from none, by anyone.
        stage: makes it up.
    """

    description: str
    genre: str
    ambiguous: bool
    stage: Stage


@dataclass(frozen=True, slots=True)
class Scene:
    """A scene, ready to be shown; frames are drawn when they are asked for.

    Frame k is seen from k / fps to (k + 1) / fps, and shows the moment in the middle of that time, as a camera's
    exposure does on average, so that the picture is neither early nor late. Where an event falls into that time, it
    shows the event itself: the contact is always seen, in the frame that contains it.

    Attributes:
        name: its name in `SCENES`.
        events_s: when something strikes, or the lips part: the sound starts there. Each is a whole sample.
        sound: two channels.
        fps: frames a second.
        frame_count: how many frames.
        draw: the picture at a time in seconds, RGB, uint8, (height, width, 3).
        gap: how far at a time what sounds next or last is from contact: 0 at each event, at most 1.
    """

    name: str
    events_s: tuple[Fraction, ...]
    sound: Sound
    fps: Fraction
    frame_count: int
    draw: Callable[[float], NDArray[np.uint8]]
    gap: Callable[[float], float]

    def frame(self, number: int) -> NDArray[np.uint8]:
        """One picture, by its number."""
        return self.draw(self.shown_s(number))

    def frames(self) -> Iterator[NDArray[np.uint8]]:
        """All pictures in turn."""
        return (self.frame(number) for number in range(self.frame_count))

    def shown_s(self, number: int) -> float:
        """The moment that a frame shows: its first event, or the middle of its time."""
        start, stop = number / self.fps, (number + 1) / self.fps
        following = bisect.bisect_left(self.events_s, start)
        if following < len(self.events_s) and self.events_s[following] < stop:
            return float(self.events_s[following])
        return float((start + stop) / 2)
