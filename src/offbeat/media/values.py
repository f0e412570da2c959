"""The two things that media are made of here: sound, and frames with their times."""

from __future__ import annotations

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
