"""Sounds made of decaying modes, filtered noise and resonators, and the rooms that they are heard in.

Modal synthesis: what is struck rings in a sum of decaying sinusoids (Cook, Real Sound Synthesis for Interactive
Applications, 2002). Every sound starts at its first sample at once, so that the time of an event is the time at which
it is heard. All lengths are in seconds, all results are float64 of shape (n,) or (2, n).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, oaconvolve, sosfilt

from offbeat.media.values import Sound

Wave = NDArray[np.float64]

TARGET_RMS = 0.06
KNEE = 0.5
CEILING = 0.9


def ringing(rate_hz: int, modes: Sequence[tuple[float, float, float]], *, glide: float = 0.0) -> Wave:
    """A struck body: the sum of its modes, from the first sample on.

    Args:
        rate_hz: samples a second.
        modes: frequency in Hz, time in which it decays by e in seconds, and amplitude of each.
        glide: how much higher every pitch begins, as a share of it; gone within about 30 ms.
    """
    length_s = 7 * max(decay_s for _, decay_s, _ in modes)
    time_s = np.arange(round(length_s * rate_hz)) / rate_hz
    warped_s = time_s + glide * 0.012 * (1 - np.exp(-time_s / 0.012))
    total = np.zeros(time_s.size)
    for frequency_hz, decay_s, gain in modes:
        if frequency_hz < 0.45 * rate_hz:
            total += gain * np.sin(2 * np.pi * frequency_hz * warped_s) * np.exp(-time_s / decay_s)
    return total * _fade(time_s.size)


def noise(rng: np.random.Generator, rate_hz: int, count: int, low_hz: float, high_hz: float) -> Wave:
    """Noise between two frequencies, RMS 1, already under way at its first sample."""
    top_hz = min(high_hz, 0.45 * rate_hz)
    sections = butter(2, (min(low_hz, 0.5 * top_hz), top_hz), "bandpass", fs=rate_hz, output="sos")
    lead = rate_hz // 20
    wave = np.asarray(sosfilt(sections, rng.standard_normal(count + lead)), np.float64)[lead:]
    wave /= max(_rms(wave), 1e-9)
    return wave


def burst(
    rng: np.random.Generator, rate_hz: int, *, low_hz: float, high_hz: float, decay_s: float, gain: float
) -> Wave:
    """Noise that starts at once and decays: a click, a slap, a puff of breath."""
    count = round(7 * decay_s * rate_hz)
    envelope = np.exp(-np.arange(count) / (decay_s * rate_hz))
    return gain * noise(rng, rate_hz, count, low_hz, high_hz) * envelope * _fade(count)


def together(*waves: Wave) -> Wave:
    """The sum of sounds that start at the same time."""
    total = np.zeros(max(wave.size for wave in waves))
    for wave in waves:
        total[: wave.size] += wave
    return total


def place(track: Wave, start: int, wave: Wave, *, gain: float = 1.0, pan: float = 0.0) -> None:
    """Add a sound to a track of two channels, from the sample `start` on; `pan` is -1 on the left, 1 on the right."""
    piece = wave[: max(track.shape[1] - start, 0)]
    track[0, start : start + piece.size] += gain * (1 - 0.6 * max(pan, 0.0)) * piece
    track[1, start : start + piece.size] += gain * (1 + 0.6 * min(pan, 0.0)) * piece


def add_ambience(
    rng: np.random.Generator,
    rate_hz: int,
    track: Wave,
    *,
    low_hz: float,
    high_hz: float,
    level: float,
    hum_hz: float | None = None,
) -> None:
    """Add what is heard in a place when nothing happens there: noise that swells slowly, and perhaps a hum."""
    count = track.shape[1]
    turns: Wave = 2 * np.pi / rate_hz * np.arange(count, dtype=np.float64)
    swell = 0.7 * level * (1 + 0.25 * np.sin(rng.uniform(0.05, 0.2) * turns + rng.uniform(0, 2 * np.pi)))
    shared = noise(rng, rate_hz, count, low_hz, high_hz)
    for channel in track:
        channel += (noise(rng, rate_hz, count, low_hz, high_hz) + shared) * swell
    if hum_hz is not None:
        for multiple, share in ((1, 0.5), (2, 0.3), (3, 0.1)):
            track += level * share * np.sin(hum_hz * multiple * turns + rng.uniform(0, 2 * np.pi))


def add_echo(rng: np.random.Generator, rate_hz: int, track: Wave, *, decay_s: float, level: float) -> None:
    """Add the echo of a room: noise that decays by e in `decay_s`, 4 ms later than what it answers."""
    count = round(6 * decay_s * rate_hz)
    wait = round(0.004 * rate_hz)
    envelope = np.exp(-np.arange(count) / (decay_s * rate_hz))
    for channel in track:
        tail = noise(rng, rate_hz, count, 150, 5000) * envelope
        tail *= level / np.sqrt(float(np.sum(tail**2)))
        channel[wait:] += np.asarray(oaconvolve(channel, tail), np.float64)[: channel.size - wait]


def mastered(track: Wave, rate_hz: int) -> Sound:
    """The finished sound: all scenes about equally loud, peaks bent softly below 0.9, nothing clipped."""
    loud = track.astype(np.float32)
    loud *= np.float32(TARGET_RMS / max(_rms(track), 1e-9))
    for side in (loud > KNEE, loud < -KNEE):
        over = loud[side]
        loud[side] = np.sign(over) * (KNEE + (CEILING - KNEE) * np.tanh((np.abs(over) - KNEE) / (CEILING - KNEE)))
    return Sound(samples=loud, rate_hz=rate_hz)


def _rms(wave: Wave) -> float:
    return float(np.sqrt(np.vdot(wave, wave) / wave.size))


def _fade(count: int) -> Wave:
    """1, but for the last tenth, which goes to 0."""
    tail = max(count // 10, 1)
    fade = np.ones(count)
    fade[-tail:] = np.linspace(1, 0, tail)
    return fade
