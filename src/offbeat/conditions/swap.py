"""The swap: a clip is heard with the sound of another one.

The other's sound is taken in the pieces in which it is coded, so that it is to the last bit what is heard there.
"""

from __future__ import annotations

from collections.abc import Sequence


def borrowed(pieces_samples: Sequence[int], *, count: int) -> list[int]:
    """How much of each piece of another clip's sound is heard in a clip of `count` samples, the last one cut.

    Args:
        pieces_samples: how many samples each piece of the other's sound has, in order.
        count: how many samples the clip has.

    Returns:
        One number for each piece that is heard; they sum to `count`, or to less where the other's sound is shorter.
    """
    heard: list[int] = []
    for piece in pieces_samples:
        left = count - sum(heard)
        if left <= 0:
            break
        heard.append(min(piece, left))
    return heard
