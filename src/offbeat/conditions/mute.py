"""The mute: nothing is heard, and yet there is a sound track, of the same length and kind."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def silence(channels: int, count: int) -> NDArray[np.float32]:
    """Samples that are exactly 0, shape (channels, count)."""
    return np.zeros((channels, count), np.float32)
