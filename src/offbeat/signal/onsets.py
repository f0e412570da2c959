"""How strongly new sound sets in, moment by moment: rectified log-mel spectral flux.

The power spectrum of short windows is summed into bands of equal width on the mel scale, its level compressed by
log(1 + gain x), and the rises of all bands over 10 ms are added up. Falls count nothing. The sound's own loud moments
set the level, so that a quiet recording gives the same curve as a loud one.

Time: with compressed levels, new sound is noticed when it comes through the rising edge of the window, well before it
reaches the middle. A Hann window is half open a quarter of its length before its middle, so each window is placed that
much earlier: it ends a quarter of its length after its moment. A rise from t - 5 ms to t + 5 ms belongs to t. What
remains is less than 2.5 ms, half a step, for a click and for a beep (``tests/signal/test_onsets.py``).

References:
    Bello, Daudet, Abdallah, Duxbury, Davies & Sandler, "A Tutorial on Onset Detection in Music Signals", IEEE
    Transactions on Speech and Audio Processing 13 (2005) 1035 (spectral flux with half-wave rectification). Böck &
    Widmer, "Maximum Filter Vibrato Suppression for Onset Detection", DAFx 2013 (logarithmic filter bank, difference
    over more than one frame; their maximum filter is not used here).
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from offbeat.fourier import fast_length
from offbeat.media.values import Sound

ENVELOPE_HZ = 200
"""Moments a second: 5 ms apart, finer than any frame."""
WINDOW_S = 0.023
"""Shorter than a frame, and long enough to part bands 80 Hz wide."""
RISE_STEPS = 2
"""A rise is taken over so many moments, 10 ms, half a window, so that both ends see different sound."""
BLIND_STEPS = 5
"""So many moments cannot know what came before: those whose earlier window is not yet filled."""
BANDS = 24
LOWEST_HZ = 60.0
HIGHEST_HZ = 8_000.0
"""What most codecs and microphones of web video still carry."""
GAIN = 1_000.0
"""The compression is linear 30 dB below the loud moments and logarithmic above."""
LOUD_QUANTILE = 0.99
_BLOCK = 256
"""So many windows at once stay in the cache."""
SILENT_POWER = 1e-10
"""A clip whose loud moments are weaker than this, -100 dB of full scale, is silent."""


def onset_strength(sound: Sound) -> NDArray[np.float64] | None:
    """Rectified log-mel flux at 0, 1 / `ENVELOPE_HZ`, ... seconds, up to the end of the sound.

    Returns:
        Shape (n,), not negative; None where the sound is silent.

    Raises:
        ValueError: samples that are not finite.
    """
    samples = sound.mono()
    if not np.isfinite(samples).all():
        raise ValueError("the sound has samples that are not finite numbers; decode it again")
    power = mel_power(samples, sound.rate_hz)
    loud = float(np.quantile(power.sum(axis=1), LOUD_QUANTILE)) if len(power) else 0.0
    if loud < SILENT_POWER:
        return None
    level = np.log1p(power * (GAIN / loud))
    flux = np.zeros(len(level))
    half = RISE_STEPS // 2
    if len(level) > RISE_STEPS:
        flux[half:-half] = np.maximum(level[RISE_STEPS:] - level[:-RISE_STEPS], 0).sum(axis=1)
    # The first windows reach back to before the sound: that it begins there is no onset.
    flux[:BLIND_STEPS] = flux[BLIND_STEPS:].mean() if len(flux) > BLIND_STEPS else 0.0
    return flux


def mel_power(samples: NDArray[np.float32], rate_hz: int) -> NDArray[np.float64]:
    """Power in each mel band at 0, 1 / `ENVELOPE_HZ`, ... seconds, shape (moments, bands).

    Each window reaches from three quarters of its length before its moment to one quarter after.

    Amplitudes are those of sines: one of amplitude a has the power a² in all bands together, spread by the window.
    """
    width = max(2, round(WINDOW_S * rate_hz))
    moments = len(samples) * ENVELOPE_HZ // rate_hz
    starts = (np.arange(moments) * rate_hz + ENVELOPE_HZ // 2) // ENVELOPE_HZ
    before = round(width * 3 / 4)
    length = fast_length(width)
    padded = np.concatenate([np.zeros(before, np.float32), samples, np.zeros(length, np.float32)])
    window = np.zeros(length, np.float32)
    window[:width] = np.hanning(width)
    windows = np.lib.stride_tricks.sliding_window_view(padded, length)
    filters = mel_filters(rate_hz, length)
    heard = int(np.flatnonzero(filters.any(axis=0)).max(initial=-1)) + 1  # bins above are in no band
    result = np.empty((moments, BANDS))
    for first in range(0, moments, _BLOCK):
        pieces = windows[starts[first : first + _BLOCK]] * window
        # Without a norm, numpy 2 transforms float32 in double precision, which takes three times as long.
        spectrum = np.fft.rfft(pieces, axis=1, norm="forward")[:, :heard]
        power = (spectrum.real**2 + spectrum.imag**2) * (2 * length / window.sum()) ** 2
        result[first : first + _BLOCK] = power.astype(np.float64) @ filters[:, :heard].T
    return result


def mel_filters(rate_hz: int, length: int) -> NDArray[np.float64]:
    """Triangles of equal width on the mel scale, each rising from its lower to the middle of its upper neighbour.

    Args:
        rate_hz: of the samples.
        length: of the Fourier transform.

    Returns:
        Weights of the bins, shape (`BANDS`, length // 2 + 1), between 0 and 1.
    """
    highest_hz = min(HIGHEST_HZ, rate_hz / 2)
    low_mel, high_mel = _mel(np.array([min(LOWEST_HZ, highest_hz / 2), highest_hz]))
    edges_mel = np.linspace(float(low_mel), float(high_mel), BANDS + 2)
    edges_hz = 700 * (np.power(10.0, edges_mel / 2595) - 1)
    lower, middle, upper = edges_hz[:-2, None], edges_hz[1:-1, None], edges_hz[2:, None]
    bins_hz = np.arange(length // 2 + 1) * rate_hz / length
    return np.clip(np.minimum((bins_hz - lower) / (middle - lower), (upper - bins_hz) / (upper - middle)), 0, None)


def _mel(frequency_hz: NDArray[np.float64]) -> NDArray[np.float64]:
    return 2595 * np.log10(1 + frequency_hz / 700)


def at_frames(envelope: NDArray[np.float64], fps: Fraction, count: int) -> NDArray[np.float64]:
    """Mean onset strength around each frame: over what lies inside the sound of [(k - 1/2) / fps, (k + 1/2) / fps).

    Returns:
        Shape (count,); 0 where the sound has ended.
    """
    summed = np.concatenate([[0.0], np.cumsum(envelope)])
    # Moment i stands for the 5 ms around it: the first i moments reach to i - 1/2 steps.
    edges = (np.arange(count + 1) - 0.5) / float(fps) * ENVELOPE_HZ + 0.5
    edges = np.clip(edges, 0, len(envelope))
    covered = np.diff(edges)
    sums = np.diff(np.interp(edges, np.arange(len(summed)), summed))
    return np.divide(sums, covered, out=np.zeros(count), where=covered > 0)
