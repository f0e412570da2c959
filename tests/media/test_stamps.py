"""Stamps that were rounded get their grid back; others stay as they are."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offbeat.media.coverage import Span
from offbeat.media.stamps import evened, rate_of, runs_of

MS = Fraction(1, 1000)
RATES = [Fraction(30), Fraction(30000, 1001), Fraction(24000, 1001), Fraction(25), Fraction(50)]


@given(
    rate=st.sampled_from(RATES),
    start_us=st.integers(min_value=0, max_value=10_000_000),
    dropped=st.sets(st.integers(min_value=1, max_value=198), max_size=20),
    up=st.booleans(),
)
@settings(max_examples=200)
def test_rounded_stamps_give_back_their_grid(rate: Fraction, start_us: int, dropped: set[int], up: bool) -> None:
    """Whether they were rounded to the nearest or cut off, with frames missing, wherever it starts."""
    true = [Fraction(start_us, 1_000_000) + k / rate for k in range(200) if k not in dropped]
    stamps = np.array([int(t / MS + (Fraction(1, 2) if up else 0)) for t in true])
    units, unit_s = evened(stamps, MS, rate)
    found = [int(unit) * unit_s for unit in units]
    steps = [b - a for a, b in pairwise(found)]
    assert all((step * rate).denominator == 1 for step in steps), "on one grid"
    apart = [abs(float(a - b)) for a, b in zip(found, true, strict=True)]
    assert max(apart) <= (0.0005 if up else 0.001)


def test_a_variable_rate_and_fine_stamps_stay_as_they_are() -> None:
    uneven = np.array([0, 33, 80, 100, 133])
    assert evened(uneven, MS, Fraction(30))[0] is uneven
    fine = np.array([0, 3003, 6006])
    assert evened(fine, Fraction(1, 90_000), Fraction(30000, 1001)) == (fine, Fraction(1, 90_000))


def test_each_side_of_a_jump_has_its_own_grid() -> None:
    stamps = np.array([0, 33, 67, 100, 5017, 5050, 5084])
    units, unit_s = evened(stamps, MS, Fraction(30))
    times = [float(int(unit) * unit_s) for unit in units]
    assert times[:4] == pytest.approx([0, 1 / 30, 2 / 30, 3 / 30], abs=1e-6)
    assert times[4:] == pytest.approx([5.017, 5.017 + 1 / 30, 5.017 + 2 / 30], abs=4e-4)


@pytest.mark.parametrize(
    ("guessed", "step_ms", "expected"), [(1000, 33, 30), (None, 40, 25), (25, 20, 25), (240, 4, 60), (90_000, 66, 15)]
)
def test_a_rate_that_is_none_is_taken_from_the_pauses(guessed: int | None, step_ms: int, expected: int) -> None:
    stamps = np.arange(100) * step_ms
    found = rate_of(None if guessed is None else Fraction(guessed), stamps, MS)
    assert found == pytest.approx(expected, rel=0.02)


def test_runs_end_at_holes_and_at_damage() -> None:
    stamps = np.array([0, 40, 80, 120, 160, 1000, 1040])
    damaged = np.array([False, False, True, True, False, False, False])
    assert runs_of(stamps, MS, Fraction(1, 25), damaged) == (
        Span(Fraction(0), Fraction(80, 1000)),
        Span(Fraction(160, 1000), Fraction(200, 1000)),
        Span(Fraction(1000, 1000), Fraction(1080, 1000)),
    )
    assert runs_of(stamps, MS, Fraction(1, 25), np.ones(7, bool)) == ()
