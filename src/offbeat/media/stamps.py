"""The times at which frames are shown, from the stamps of their packets.

Containers such as Matroska and Flash round stamps to 1 ms. Where the stamps of a whole source lie on the grid of its
frame rate to within that rounding, the grid is what was meant, and the times are taken from it: exact to a tenth of a
millisecond instead of a whole one. Where they do not (a variable rate), they are taken as they stand.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from offbeat.media.coverage import Span

GAP_S = Fraction(1, 2)
"""A longer pause between two frames is a hole in the picture."""
KNOWN_RATES = tuple(
    [Fraction(n) for n in (5, 6, 8, 10, 12, 15, 16, 18, 20, 24, 25, 30, 48, 50, 60)]
    + [Fraction(n * 1000, 1001) for n in (15, 24, 30, 48, 60)]
)
MAX_FPS = Fraction(60)
_COARSE_S = Fraction(1, 5000)
"""Stamps with ticks shorter than this need no help."""
_PHASE_HZ = 1_000_000
"""A grid starts at a whole microsecond."""


def constant_rate(guessed: Fraction) -> Fraction:
    """The usual rate within 0.1 % of the guessed one, or the guessed one itself; at most 60."""
    nearest = min(KNOWN_RATES, key=lambda rate: abs(rate - guessed))
    rate = nearest if abs(nearest - guessed) <= guessed / 1000 else guessed.limit_denominator(1001)
    return min(rate, MAX_FPS)


def rate_of(guessed: Fraction | None, pts: NDArray[np.int64], time_base: Fraction) -> Fraction:
    """The constant rate for a source: as the container's reader guesses, unless that is no rate of pictures.

    Recorders in browsers write 1000 frames/s where they mean "variable"; the median pause between frames says better.
    """
    if guessed is not None and 0 < guessed <= MAX_FPS:
        return constant_rate(guessed)
    ticks = int(np.median(np.diff(pts)))
    return constant_rate(1 / (ticks * time_base))


def evened(pts: NDArray[np.int64], time_base: Fraction, fps: Fraction) -> tuple[NDArray[np.int64], Fraction]:
    """Stamps and the seconds of their tick, put on the grid of `fps` if they were rounded from it, run by run."""
    if time_base < _COARSE_S:
        return pts, time_base
    unit_s = Fraction(1, math.lcm(fps.numerator, _PHASE_HZ))
    units_a_frame = int(1 / fps / unit_s)
    even: list[NDArray[np.int64]] = []
    for run in _split(pts, time_base):
        numbers = np.rint((run - run[0]) * float(time_base * fps)).astype(np.int64)
        off_s = run * float(time_base) - numbers * float(1 / fps)
        phase_s = Fraction(round(float(np.median(off_s)) * _PHASE_HZ), _PHASE_HZ)
        if np.any(np.diff(numbers) < 1) or float(np.abs(off_s - float(phase_s)).max()) > float(time_base):
            return pts, time_base
        even.append(int(phase_s / unit_s) + numbers * units_a_frame)
    return np.concatenate(even), unit_s


def runs_of(
    pts: NDArray[np.int64], time_base: Fraction, frame_s: Fraction, damaged: NDArray[np.bool_]
) -> tuple[Span, ...]:
    """Spans of picture without a hole and without a damaged frame."""
    breaks = np.diff(pts) > int(GAP_S / time_base)  # of whole numbers: those above are above the fraction too
    breaks |= damaged[1:] != damaged[:-1]
    begins = np.concatenate([[0], np.flatnonzero(breaks) + 1]).tolist()
    spans: list[Span] = []
    for begin, stop in zip(begins, [*begins[1:], len(pts)], strict=True):
        if damaged[begin]:
            continue
        end_s = int(pts[stop - 1]) * time_base + frame_s
        if stop < len(pts) and damaged[stop]:
            end_s = min(end_s, int(pts[stop]) * time_base)
        spans.append(Span(int(pts[begin]) * time_base, end_s))
    return tuple(spans)


def _split(pts: NDArray[np.int64], time_base: Fraction) -> list[NDArray[np.int64]]:
    return np.split(pts, (np.flatnonzero(np.diff(pts) > int(GAP_S / time_base)) + 1).tolist())
