"""Babble by the source-filter model: pulses of the glottis and puffs of air through the resonances of a mouth.

Each syllable begins with parting lips: a burst of noise (p, and weaker b), then a vowel whose formants glide from
those of closed lips to their own. It ends with lips that close, and is silent until the next one.

References:
    G. Fant, Acoustic Theory of Speech Production, 1960 (source and filter).
    A. E. Rosenberg, Effect of glottal pulse shape on the quality of natural vowels, JASA 49, 1971 (the pulse).
    D. H. Klatt, Software for a cascade/parallel formant synthesizer, JASA 67, 1980 (the resonator).
    G. E. Peterson and H. L. Barney, Control methods used in a study of the vowels, JASA 24, 1952 (formants).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from scipy.signal import lfilter

from offbeat.media.synth.sound import Wave, burst, noise
from offbeat.media.synth.timeline import ease
from offbeat.timing import to_samples

CLOSED_HZ = (280.0, 900.0, 2300.0)
BANDWIDTHS_HZ = (80.0, 110.0, 170.0)
BLOCK_S = 0.004


@dataclass(frozen=True, slots=True)
class Vowel:
    """Formants in Hz, and how far the mouth is open and how wide it is, both from 0 to 1."""

    formants_hz: tuple[float, float, float]
    opening: float
    width: float


VOWELS = (
    Vowel((730, 1090, 2440), 1.0, 0.6),  # father
    Vowel((530, 1840, 2480), 0.65, 0.85),  # bed
    Vowel((270, 2290, 3010), 0.4, 1.0),  # beat
    Vowel((570, 840, 2410), 0.8, 0.25),  # bought
    Vowel((300, 870, 2240), 0.42, 0.0),  # boot
)


@dataclass(frozen=True, slots=True)
class Syllable:
    """From parting lips to closed ones.

    Attributes:
        start_s: when the lips part; a whole sample.
        stop_s: when they are closed again.
        vowel: what is between.
        breathy: True for p, whose voice starts 30 ms after its burst; False for b.
        stress: loudness and height of the voice, around 1.
    """

    start_s: Fraction
    stop_s: float
    vowel: Vowel
    breathy: bool
    stress: float

    def open_at(self, time_s: float) -> float:
        """How far the lips are apart at a time, from 0 to 1."""
        rise = ease((time_s - float(self.start_s)) / 0.075)
        fall = ease((self.stop_s - time_s) / 0.085)
        return self.vowel.opening * rise * fall


@dataclass(frozen=True, slots=True)
class Voice:
    """A speaker: the mean height of the voice, and how much shorter the mouth is than a man's."""

    pitch_hz: float
    formant_scale: float


def speak(
    syllables: list[Syllable], voice: Voice, *, length_s: Fraction, rate_hz: int, rng: np.random.Generator
) -> Wave:
    """The sound of the syllables, shape (n,)."""
    count = to_samples(length_s, rate_hz)
    total = np.zeros(count)
    for syllable in syllables:
        start = to_samples(syllable.start_s, rate_hz)
        wave = _syllable(syllable, voice, rate_hz, rng)[: count - start]
        total[start : start + wave.size] += wave
    return total


def _syllable(syllable: Syllable, voice: Voice, rate_hz: int, rng: np.random.Generator) -> Wave:
    length_s = syllable.stop_s - float(syllable.start_s)
    count = round(length_s * rate_hz)
    time_s = np.arange(count) / rate_hz
    onset_s = 0.03 if syllable.breathy else 0.004
    voiced = np.clip((time_s - onset_s) / 0.012, 0, 1) * np.clip((length_s - time_s) / 0.05, 0, 1)
    pitch = voice.pitch_hz * syllable.stress * (1.06 - 0.25 * time_s / max(length_s, 0.2))
    source = _glottis(pitch * (1 + 0.01 * rng.standard_normal()), rate_hz) * voiced
    source += 0.03 * noise(rng, rate_hz, count, 500, 6000) * voiced
    if syllable.breathy:
        source += 0.12 * noise(rng, rate_hz, count, 500, 6000) * np.exp(-time_s / 0.025)
    wave = syllable.stress * _mouth(source, syllable.vowel, voice, rate_hz)
    puff = burst(rng, rate_hz, low_hz=500, high_hz=5000, decay_s=0.006, gain=0.55 if syllable.breathy else 0.4)
    wave[: puff.size] += puff[:count]
    return wave


def _glottis(pitch_hz: Wave, rate_hz: int) -> Wave:
    """The change of the air flow through the vocal folds: Rosenberg's pulse, derived."""
    phase = np.cumsum(pitch_hz / rate_hz) % 1
    opening, closing = 0.4, 0.16
    rising = 0.5 * (1 - np.cos(np.pi * phase / opening))
    falling = np.cos(0.5 * np.pi * (phase - opening) / closing)
    flow = np.where(phase < opening, rising, np.where(phase < opening + closing, falling, 0.0))
    change = np.diff(flow, prepend=flow[:1])
    return change / max(float(np.abs(change).max()), 1e-9)


def _mouth(source: Wave, vowel: Vowel, voice: Voice, rate_hz: int) -> Wave:
    """Three resonators in a row; their frequencies glide from closed lips to the vowel within 60 ms."""
    block = max(round(BLOCK_S * rate_hz), 1)
    wave = np.empty_like(source)
    states = [np.zeros(2) for _ in CLOSED_HZ]
    for start in range(0, source.size, block):
        share = ease(start / rate_hz / 0.06)
        piece = source[start : start + block]
        for k, (closed_hz, open_hz, bandwidth_hz) in enumerate(
            zip(CLOSED_HZ, vowel.formants_hz, BANDWIDTHS_HZ, strict=True)
        ):
            centre_hz = voice.formant_scale * (closed_hz + (open_hz - closed_hz) * share)
            radius = math.exp(-math.pi * bandwidth_hz / rate_hz)
            b = 2 * radius * math.cos(2 * math.pi * min(centre_hz, 0.45 * rate_hz) / rate_hz)
            c = -radius * radius
            filtered, states[k] = lfilter([1 - b - c], [1, -b, -c], piece, zi=states[k])
            piece = np.asarray(filtered, np.float64)
        wave[start : start + block] = piece
    return wave / max(float(np.abs(wave).max()), 1e-9)
