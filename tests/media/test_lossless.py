"""Sound without loss: where else the same samples stand, against trying every place."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offbeat.media.lossless import is_quiet, repeats


@given(
    channels=st.integers(1, 2),
    values=st.lists(st.integers(-1, 1), min_size=4, max_size=60),
    period=st.integers(1, 12),
    cut=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
@settings(max_examples=300)
def test_agrees_with_trying_every_place(
    channels: int, values: list[int], period: int, cut: tuple[float, float]
) -> None:
    """Few values and repeated parts: some places agree for a while, some throughout."""
    flat = np.array([*values, *values[:period] * 4, *values], np.int16)
    span = flat[: len(flat) // channels * channels].reshape(-1, channels)
    first = round(cut[0] * (len(span) - 1))
    count = max(1, round(cut[1] * (len(span) - first)))
    windows = np.lib.stride_tricks.sliding_window_view(span, count, axis=0)
    same = (windows == span[first : first + count].T).all(axis=(1, 2))
    assert repeats(span, first, count) == (same.sum() > 1)


def test_a_difference_in_one_channel_is_one() -> None:
    noise = np.random.default_rng(1).integers(-9000, 9000, (1000, 2)).astype(np.int16)
    span = np.concatenate([noise, noise])
    assert repeats(span, 1000, 1000)
    span[1700, 1] += 1
    assert not repeats(span, 1000, 1000)
    assert repeats(span, 1701, 299)


def test_what_almost_repeats_at_very_many_places_is_told_in_time() -> None:
    """A tone of two samples, each second of it with a click elsewhere: hundreds of thousands of places nearly agree."""
    span = np.tile(np.array([[500], [-500]], np.int16), (200_000, 1))
    span[np.random.default_rng(2).integers(0, len(span), 500)] += 1
    assert not repeats(span, 100_001, 100_000)


@pytest.mark.parametrize(("others", "same"), [(90, False), (110, True)])
def test_a_hundred_places_that_each_differ_elsewhere_are_enough(others: int, same: bool) -> None:
    noise = np.random.default_rng(3).integers(-9000, 9000, (200, 1)).astype(np.int16)
    span = np.tile(noise, (1 + others, 1))
    for k in range(1, 1 + others):
        span[200 * k + k] += 1
    assert repeats(span, 0, 200) == same


@pytest.mark.parametrize(("level", "quiet"), [(0.0, True), (0.3, True), (0.36, False)])
def test_quiet_is_below_100_decibels(level: float, quiet: bool) -> None:
    """`level` is the RMS in steps of 16 bits; -100 dBFS is 0.328 of them."""
    steps = np.zeros((10_000, 2), np.int16)
    steps[: round(level**2 * len(steps))] = 1
    assert is_quiet(steps) == quiet


def test_no_sound_is_quiet() -> None:
    assert is_quiet(np.zeros((0, 2), np.int16))
