"""Estimate the delay between picture and sound without learning: motion against onsets, correlated.

::

    motion     how much each tile of the picture moves          ┐
    onsets     how strongly new sound sets in                   ├─▶ estimate ─▶ confidence
    correlate  Pearson's r at every lag, over the overlap alone ┤
    repeats    a sound that repeats itself leaves the lag open  ┘
"""

from __future__ import annotations

from offbeat.signal.confidence import TOLERANCE_S
from offbeat.signal.estimate import Estimate, estimate_delay
from offbeat.signal.motion import Motion, measure_motion

__all__ = ["TOLERANCE_S", "Estimate", "Motion", "estimate_delay", "measure_motion"]
