"""Bodies: where a joint lies between two ends."""

from __future__ import annotations

import math

from offbeat.media.synth.canvas import Point


def joint(start: Point, stop: Point, upper: float, lower: float, *, side: int) -> Point:
    """The elbow between a shoulder and a hand, or the knee between a hip and a foot.

    Args:
        start: shoulder or hip.
        stop: hand or foot.
        upper: length of the limb's first part.
        lower: of its second part; a reach that is too far is stretched straight.
        side: 1 or -1: to which side it bends.
    """
    dx, dy = stop[0] - start[0], stop[1] - start[1]
    reach = max(math.hypot(dx, dy), 1e-6)
    along = (reach**2 + upper**2 - lower**2) / (2 * reach)
    out = math.sqrt(max(upper**2 - along**2, 0.0))
    if reach > upper + lower:
        along = reach * upper / (upper + lower)
    return (
        start[0] + dx / reach * along - side * dy / reach * out,
        start[1] + dy / reach * along + side * dx / reach * out,
    )


def between(one: Point, other: Point, share: float) -> Point:
    """The point between two: `one` at a share of 0, `other` at 1."""
    return one[0] + (other[0] - one[0]) * share, one[1] + (other[1] - one[1]) * share
