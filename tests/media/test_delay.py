from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import correlate, resample

from offbeat.errors import MediaError
from offbeat.media.delay import Locator
from offbeat.media.verify import measured_delay_ms

RNG = np.random.default_rng(5)
SPAN = RNG.standard_normal(20_000).astype(np.float32)


@given(first=st.integers(min_value=0, max_value=15_000))
@settings(max_examples=40)
def test_a_piece_is_found_where_it_was_taken(first: int) -> None:
    match = Locator(SPAN).find(SPAN[first : first + 5_000])
    assert match is not None
    assert match.position_samples == pytest.approx(first, abs=0.01)
    assert match.correlation == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("first", [0, 3, 4_001, 15_000])
def test_agrees_with_scipys_correlation_in_noise(first: int) -> None:
    piece = SPAN[first : first + 5_000] + 0.7 * np.random.default_rng(first).standard_normal(5_000).astype(np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(SPAN.astype(np.float64), 5_000)
    norms = np.sqrt(np.square(windows).sum(axis=1)) * np.linalg.norm(piece.astype(np.float64))
    scores = correlate(SPAN.astype(np.float64), piece.astype(np.float64), mode="valid") / norms
    match = Locator(SPAN).find(piece)
    assert match is not None
    assert round(match.position_samples) == int(np.argmax(scores))
    assert match.correlation == pytest.approx(scores.max(), abs=1e-6)


def test_between_two_samples() -> None:
    """A band-limited signal, moved by 0.3 sample with SciPy's Fourier resampling."""
    slow = resample(RNG.standard_normal(1_000), 10_000)
    fine = resample(slow, 100_000)
    moved = fine[3::10][2_000:6_000].astype(np.float32)
    match = Locator(slow.astype(np.float32)).find(moved)
    assert match is not None
    assert match.position_samples == pytest.approx(2_000.3, abs=0.02)


def test_high_sounds_are_found_too() -> None:
    """Hiss above 8 kHz vanishes when four samples are averaged; the search must not depend on the low end alone."""
    hiss = np.diff(np.diff(np.diff(SPAN))).astype(np.float32)
    match = Locator(hiss).find(hiss[7_123:12_123])
    assert match is not None
    assert match.position_samples == pytest.approx(7_123, abs=0.01)


def test_silence_and_pieces_longer_than_the_span_are_not_found() -> None:
    locator = Locator(SPAN)
    assert locator.find(np.zeros(5_000, np.float32)) is None
    assert locator.find(np.ones(30_000, np.float32)) is None


def test_a_wrong_delay_is_an_error_and_not_a_row() -> None:
    locator = Locator(SPAN)
    piece = SPAN[8_000:13_000]
    measured = measured_delay_ms(Path("x.mp4"), piece, locator, sync_position_samples=8_480, audio_delay_ms=10.0)
    assert measured == 10.0
    with pytest.raises(MediaError, match=r"x\.mp4: read back, its sound is delayed by 10\.000 ms; expected 9\.000 ms"):
        measured_delay_ms(Path("x.mp4"), piece, locator, sync_position_samples=8_480, audio_delay_ms=9.0)


def test_a_sound_that_repeats_itself_proves_nothing() -> None:
    period = SPAN[:1_000]
    locator = Locator(np.tile(period, 20))
    piece = np.tile(period, 5)
    assert measured_delay_ms(Path("x"), piece, locator, sync_position_samples=9_000, audio_delay_ms=0.0) is None


def test_noise_that_is_not_of_the_source_proves_nothing() -> None:
    other = np.random.default_rng(9).standard_normal(5_000).astype(np.float32)
    locator = Locator(SPAN)
    assert measured_delay_ms(Path("x"), other, locator, sync_position_samples=9_000, audio_delay_ms=0.0) is None
