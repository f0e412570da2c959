from __future__ import annotations

import itertools
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offbeat.timing import (
    delay_grid,
    exact_seconds,
    label_of,
    overlap_of,
    round_half_up,
    to_milliseconds,
    to_samples,
)


def test_round_half_up_keeps_equal_steps_equal() -> None:
    """Half-sample steps: banker's rounding would give 0, 2, 2, 4, 4."""
    halves = [round_half_up(Fraction(2 * k + 1, 2)) for k in range(-2, 3)]
    assert halves == [-1, 0, 1, 2, 3]
    assert {b - a for a, b in itertools.pairwise(halves)} == {1}


@given(st.fractions(min_value=-1000, max_value=1000), st.integers(min_value=-1000, max_value=1000))
def test_rounding_does_not_depend_on_the_reference_point(value: Fraction, shift: int) -> None:
    assert round_half_up(value + shift) == round_half_up(value) + shift
    assert abs(round_half_up(value) - value) <= Fraction(1, 2)


@pytest.mark.parametrize(
    ("given_value", "expected"),
    [
        ("0.1", Fraction(1, 10)),
        (0.1, Fraction(1, 10)),
        (3, Fraction(3)),
        ("1/3", Fraction(1, 3)),
        ("-2.5", Fraction(-5, 2)),
    ],
)
def test_exact_seconds_takes_decimals_as_they_are_written(given_value: str | float, expected: Fraction) -> None:
    assert exact_seconds(given_value) == expected


@pytest.mark.parametrize("nonsense", ["", "1s", "nan", "inf", float("nan"), float("inf"), "1/0", "--3"])
def test_exact_seconds_refuses_nonsense(nonsense: str | float) -> None:
    with pytest.raises(ValueError, match="time"):
        exact_seconds(nonsense)


def test_the_studys_grid_and_its_labels() -> None:
    grid = delay_grid(Fraction(5), Fraction(1, 2))
    assert len(grid) == 21
    assert grid[0] == -5
    assert grid[-1] == 5
    labels = [label_of(delay) for delay in grid]
    assert (labels.count("ahead"), labels.count("sync"), labels.count("behind")) == (10, 1, 10)
    assert labels[-1] == "behind", "> 0 means that the sound comes later"


def test_the_studys_cells_without_a_shared_moment() -> None:
    """12 of the 84 cells of lengths and delays: 10 at 3 s, 2 at 5 s."""
    grid = delay_grid(Fraction(5), Fraction(1, 2))
    empty = {length: sum(overlap_of(Fraction(length), delay) == 0 for delay in grid) for length in (3, 5, 7, 10)}
    assert empty == {3: 10, 5: 2, 7: 0, 10: 0}


@pytest.mark.parametrize(("largest", "step"), [("1", "0.3"), ("1", "0"), ("1", "-1"), ("-1", "0.5")])
def test_delay_grid_refuses_what_is_no_grid(largest: str, step: str) -> None:
    with pytest.raises(ValueError, match=r"step|negative"):
        delay_grid(Fraction(largest), Fraction(step))


def test_units() -> None:
    assert to_samples(Fraction(1, 3), 48_000) == 16_000
    assert to_samples(Fraction(-1, 2), 44_100) == -22_050
    assert to_milliseconds(Fraction(1, 3)) == 333.333
