"""What media are made of here: sound, and frames with their times."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Sound:
    """Samples and their rate; sample i is heard at i / rate_hz seconds.

    Attributes:
        samples: float32 in [-1, 1], shape (channels, n).
        rate_hz: samples a second.
    """

    samples: NDArray[np.float32]
    rate_hz: int

    def __post_init__(self) -> None:
        if self.samples.ndim != 2:
            raise ValueError(f"samples must have the shape (channels, n), got {self.samples.shape}")
        if self.rate_hz <= 0:
            raise ValueError(f"the rate must be positive, got {self.rate_hz} Hz")

    @property
    def count(self) -> int:
        """The number of samples in each channel."""
        return self.samples.shape[1]

    @property
    def length_s(self) -> Fraction:
        """How long it lasts, exactly."""
        return Fraction(self.count, self.rate_hz)

    def mono(self) -> NDArray[np.float32]:
        """The mean of the channels, shape (n,)."""
        return self.samples.mean(axis=0, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class SoundSpan:
    """A piece of a source's sound.

    Attributes:
        sound: its samples.
        start_samples: the index of the first of them, counted from the start of the container's clock at the
            rate of `sound`.
    """

    sound: Sound
    start_samples: int

    def slice(self, start_samples: int, count: int) -> NDArray[np.float32]:
        """Samples [start, start + count) of the source's clock, shape (channels, count).

        Raises:
            ValueError: they do not all lie in this span.
        """
        first = start_samples - self.start_samples
        if first < 0 or first + count > self.sound.count:
            raise ValueError(
                f"samples {start_samples} to {start_samples + count} asked for; the span holds {self.start_samples} "
                f"to {self.start_samples + self.sound.count}"
            )
        return self.sound.samples[:, first : first + count]


@dataclass(frozen=True, slots=True)
class Grid:
    """When a clip's frames are shown; frame k from k / fps seconds until the next one.

    Attributes:
        count: the number of frames.
        fps: frames a second, exact.
    """

    count: int
    fps: Fraction

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError(f"expected at least one frame, got {self.count}")
        if self.fps <= 0:
            raise ValueError(f"the frame rate must be positive, got {self.fps}")

    @property
    def length_s(self) -> Fraction:
        """How long the frames last together, exactly."""
        return self.count / self.fps

    def shown_at(self, time_s: Fraction) -> int:
        """The number of the frame that is shown then: the last one that begins at or before that time.

        From the end on it is the last frame.

        Raises:
            ValueError: before the first frame.
        """
        if time_s < 0:
            raise ValueError(f"nothing is shown before 0 s, asked for was {float(time_s):g} s")
        return min(self.count - 1, math.floor(time_s * self.fps))

    def at_rate(self, fps: Fraction) -> tuple[int, ...]:
        """The frames that are shown at 0, 1 / fps, 2 / fps, ... up to the start of the last one.

        3 s at 29.97 frames a second last 3.003 s, which is no reason for another one.
        """
        if fps <= 0:
            raise ValueError(f"the frame rate must be positive, got {fps}")
        count = math.floor(Fraction(self.count - 1) / self.fps * fps) + 1
        return tuple(self.shown_at(k / fps) for k in range(count))


@dataclass(frozen=True, slots=True)
class Frames:
    """Pictures on a constant grid; frame k is shown from k / fps seconds.

    Attributes:
        images: uint8, shape (n, height, width) in grey or (n, height, width, 3) in RGB.
        fps: frames a second, exact.
    """

    images: NDArray[np.uint8]
    fps: Fraction

    def __post_init__(self) -> None:
        if self.images.ndim not in (3, 4):
            raise ValueError(f"images must be (n, h, w) or (n, h, w, 3), got {self.images.shape}")
        if self.fps <= 0:
            raise ValueError(f"the frame rate must be positive, got {self.fps}")

    @property
    def count(self) -> int:
        """The number of frames."""
        return self.images.shape[0]
