"""Time: the sign convention, exact arithmetic, and the one place where time is rounded.

Conventions
-----------
``audio_delay`` > 0: the sound comes *later* than the picture, label ``behind``; < 0: *earlier*, ``ahead``;
0: ``sync``. Times are exact (`fractions.Fraction` seconds) or integer samples; floats appear at the edges only,
and every name carries its unit (``_s``, ``_ms``, ``_samples``, ``_hz``). Intervals are half open, [start, stop).

For a picture over [t, t + L) the sound is the source's own over [t - audio_delay, t - audio_delay + L)::

    source    ──────────────t━━━━━━━━━━━━━t+L──────────▶   picture, always this span
    delay +d  ────────t-d━━━━━━━━━━━t-d+L──────────────▶   sound: what happened d before: late
    delay -d  ────────────────────t+d━━━━━━━━━━t+d+L───▶   sound: what happens d after: early
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Literal

Label = Literal["sync", "ahead", "behind"]
LABELS: tuple[Label, Label, Label] = ("sync", "ahead", "behind")
"""The three answers, in the order of the study's prompt."""


def exact_seconds(value: str | int | float | Fraction) -> Fraction:
    """A time in seconds as an exact fraction; a float means the decimal that it prints as, so 0.1 is 1/10.

    Raises:
        ValueError: not a number, or not finite.
    """
    if isinstance(value, Fraction):
        return value
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"a time must be finite, got {value}")
    try:
        return Fraction(str(value))
    except (ValueError, ZeroDivisionError) as error:
        raise ValueError(f"not a time in seconds: {value!r}") from error


def round_half_up(value: Fraction) -> int:
    """The nearest integer, halves always upwards: floor(value + 1/2).

    Python's `round` rounds halves to even, so that equal steps in time become unequal steps in samples
    (``test_round_half_up_keeps_equal_steps_equal``).
    """
    return math.floor(value + Fraction(1, 2))


def to_samples(time_s: Fraction, rate_hz: int) -> int:
    """The index of the sample nearest to `time_s` at `rate_hz` samples a second."""
    return round_half_up(time_s * rate_hz)


def to_milliseconds(time_s: Fraction) -> float:
    """Milliseconds, to the nearest microsecond, for tables and files."""
    return round_half_up(time_s * 1_000_000) / 1000


def label_of(audio_delay_s: Fraction | float) -> Label:
    """The true answer for a delay: 0 ``sync``, < 0 ``ahead``, > 0 ``behind``."""
    if audio_delay_s == 0:
        return "sync"
    return "ahead" if audio_delay_s < 0 else "behind"


def overlap_of(length_s: Fraction, audio_delay_s: Fraction) -> Fraction:
    """Seconds of the clip that have both their picture and their own sound in it: max(0, length - |delay|).

    Where it is 0 the two share no moment, and no observer can tell the direction from the clip.
    """
    return max(Fraction(0), length_s - abs(audio_delay_s))


def delay_grid(max_delay_s: Fraction, step_s: Fraction) -> tuple[Fraction, ...]:
    """All delays from -max to +max in steps, 0 among them: the study's 21 for 5 s in steps of 0.5 s.

    Raises:
        ValueError: a step that is not positive, or a negative range, or one that is no whole number of steps.
    """
    if step_s <= 0:
        raise ValueError(f"the step must be positive, got {float(step_s)} s")
    if max_delay_s < 0:
        raise ValueError(f"the largest delay must not be negative, got {float(max_delay_s)} s")
    steps = max_delay_s / step_s
    if steps.denominator != 1:
        raise ValueError(f"{float(max_delay_s)} s is no whole number of steps of {float(step_s)} s")
    return tuple(k * step_s for k in range(-steps.numerator, steps.numerator + 1))
