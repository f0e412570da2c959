"""The freeze: one frame of the clip stands still from beginning to end."""

from __future__ import annotations

from fractions import Fraction

EARLY, LATE = Fraction(1, 3), Fraction(2, 3)
"""Where in the clip the frame is taken from: two places well inside, as clips may begin or end in black."""


def frozen_frame(count: int, *, at: Fraction) -> int:
    """Which of `count` frames stands still; `at` from 0, the first, to below 1.

    Raises:
        ValueError: there is no frame, or `at` lies outside.
    """
    if count < 1 or not 0 <= at < 1:
        raise ValueError(f"expected one or more frames, and a place from 0 to below 1; got {count} and {at}")
    return int(count * at)
