"""The delay: the sound of the clip comes from another moment of its own source, sample by sample, nothing padded."""

from __future__ import annotations

from fractions import Fraction

from offbeat.timing import to_samples

NAME = "delay"


def heard_from(start_samples: int, *, audio_delay_s: Fraction, rate_hz: int) -> int:
    """The source sample that is heard with the first frame: start - delay.

    Args:
        start_samples: the source sample of the moment at which the picture starts.
        audio_delay_s: > 0: the sound comes later, so what is heard is what happened before.
        rate_hz: samples a second.
    """
    return start_samples - to_samples(audio_delay_s, rate_hz)
