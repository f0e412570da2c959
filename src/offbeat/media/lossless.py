"""Prove a variant whose sound was coded without loss: it is the source's own, to the sample, and stands nowhere else.

Where the samples read back equal those of the span at the place where they should come from, the delay is known
without error. Unless they stand at another place of the span too: such a sound repeats itself, and nobody can tell
from which of its places it was taken. That is found without trying each: all places are kept that agree at one moment,
of these all that agree at a moment at which the first of them did not, and so on, until none is left or one agrees
throughout.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from offbeat.media.span import Steps

_QUIET_STEPS = 1e-5 * 32768
"""RMS below -100 dBFS: there is nothing to tell, as in `offbeat.media.delay`."""
_TRIES = 100
"""A sound with so many places that each agree at so many moments repeats itself, for all that anybody hears."""

_Moments = NDArray[np.signedinteger]


def is_quiet(steps: Steps) -> bool:
    """Whether samples, int16, shape (n, channels), are silence."""
    values = np.ravel(steps).astype(np.float32)
    return not len(values) or float(values @ values) < _QUIET_STEPS**2 * len(values)


def repeats(span: Steps, first: int, count: int) -> bool:
    """Whether samples [first, first + count) of a span stand at another place of it too.

    Args:
        span: int16, shape (n, channels).
        first: where they begin.
        count: how many, in each channel.
    """
    moments = _as_one(span)
    piece = moments[first : first + count]
    at = int(np.argmax(piece != 0))
    places = np.flatnonzero(moments[at : len(moments) - count + 1 + at] == piece[at])
    places = places[places != first]
    for _ in range(_TRIES):
        if not len(places):
            return False
        differs = moments[places[0] : places[0] + count] != piece
        at = int(np.argmax(differs))
        if not differs[at]:
            return True
        places = places[moments[places + at] == piece[at]]
    return True


def _as_one(steps: Steps) -> _Moments:
    """One whole number a moment, of all channels together."""
    return np.ascontiguousarray(steps).view(f"i{2 * steps.shape[1]}")[:, 0]
