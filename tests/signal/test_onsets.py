"""Onset strength against plain formulae, scipy's spectrogram, and clicks whose time is known."""

from fractions import Fraction

import numpy as np
import pytest
from scipy import signal as reference
from scipy.fft import next_fast_len

from offbeat.media.values import Sound
from offbeat.signal.onsets import (
    BANDS,
    BLIND_STEPS,
    ENVELOPE_HZ,
    GAIN,
    LOUD_QUANTILE,
    WINDOW_S,
    at_frames,
    mel_filters,
    mel_power,
    onset_strength,
)


def sound_of(samples: np.ndarray, rate_hz: int = 48_000) -> Sound:
    return Sound(samples=samples[None].astype(np.float32), rate_hz=rate_hz)


def test_mel_filters_are_the_triangles_of_the_formula():
    filters = mel_filters(48_000, 1104)
    edges_hz = [
        700 * (10 ** (mel / 2595) - 1)
        for mel in np.linspace(2595 * np.log10(1 + 60 / 700), 2595 * np.log10(1 + 8000 / 700), BANDS + 2)
    ]
    bins_hz = np.arange(553) * 48_000 / 1104
    for band in range(BANDS):
        expected = np.interp(bins_hz, edges_hz[band : band + 3], [0, 1, 0], left=0, right=0)
        np.testing.assert_allclose(filters[band], expected, atol=1e-12)


def test_every_band_has_a_bin_at_the_rates_of_the_web():
    for rate_hz in (16_000, 22_050, 32_000, 44_100, 48_000):
        assert (mel_filters(rate_hz, round(WINDOW_S * rate_hz)).max(axis=1) > 0).all()


def test_power_is_that_of_scipy_at_the_same_windows():
    rate_hz = 48_000
    samples = np.random.default_rng(0).standard_normal(rate_hz).astype(np.float32)
    width = round(WINDOW_S * rate_hz)
    window = np.hanning(width)
    # scipy's windows start at multiples of the hop; ours start three quarters of a window before their moment.
    padded = np.concatenate([np.zeros(round(width * 3 / 4)), samples, np.zeros(width)])
    length = next_fast_len(width, real=True)
    kept = {"nperseg": width, "noverlap": width - rate_hz // ENVELOPE_HZ, "nfft": length}
    _, _, spectrum = reference.stft(padded, rate_hz, window, boundary=None, padded=False, **kept)
    power = np.abs(2 * spectrum.T[:ENVELOPE_HZ]) ** 2 @ mel_filters(rate_hz, length).T
    np.testing.assert_allclose(mel_power(samples, rate_hz)[: len(power)], power, rtol=1e-4, atol=1e-8)


def test_flux_is_the_plain_formula():
    samples = np.random.default_rng(1).standard_normal(24_000) * np.linspace(0.1, 1, 24_000)
    power = mel_power(samples.astype(np.float32), 48_000)
    level = np.log1p(GAIN * power / np.quantile(power.sum(axis=1), LOUD_QUANTILE))
    flux = onset_strength(sound_of(samples))
    for i in range(BLIND_STEPS, len(level) - 1):
        assert flux[i] == pytest.approx(sum(max(0.0, rise) for rise in level[i + 1] - level[i - 1]))


@pytest.mark.parametrize("kind", ["click", "beep"])
@pytest.mark.parametrize("rate_hz", [16_000, 44_100, 48_000])
def test_an_onset_is_where_it_is(kind, rate_hz):
    rng = np.random.default_rng(0)
    errors_s = []
    for at in rate_hz // 2 + np.arange(0, rate_hz // 100, 7):
        samples = 1e-4 * rng.standard_normal(rate_hz)
        if kind == "click":
            samples[at] += 1
        else:
            samples[at : at + rate_hz // 5] += 0.5 * np.sin(2 * np.pi * 1000 * np.arange(rate_hz // 5) / rate_hz)
        flux = onset_strength(sound_of(samples, rate_hz))
        near = np.arange(int(at / rate_hz * ENVELOPE_HZ) - 5, int(at / rate_hz * ENVELOPE_HZ) + 7)
        errors_s.append((near * flux[near]).sum() / flux[near].sum() / ENVELOPE_HZ - at / rate_hz)
    assert abs(np.mean(errors_s)) < 0.0025


def test_loudness_does_not_matter():
    samples = np.random.default_rng(2).standard_normal(48_000) * (np.arange(48_000) % 9_000 < 2_000)
    np.testing.assert_allclose(
        onset_strength(sound_of(samples * 0.5)), onset_strength(sound_of(samples * 0.01)), rtol=1e-3, atol=1e-3
    )


def test_a_sound_that_runs_already_has_no_onset_at_its_start():
    tone = np.sin(2 * np.pi * 500 * np.arange(48_000) / 48_000)
    assert onset_strength(sound_of(tone))[:20].max() < 0.5


def test_silence_has_no_onsets():
    assert onset_strength(sound_of(np.zeros(48_000))) is None
    assert onset_strength(sound_of(np.full(48_000, 1e-7))) is None
    assert onset_strength(sound_of(np.zeros(0))) is None


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_samples_must_be_numbers(bad):
    samples = np.ones(4_800)
    samples[77] = bad
    with pytest.raises(ValueError, match="not finite"):
        onset_strength(sound_of(samples))


def test_frames_take_the_mean_of_the_time_around_them():
    envelope = np.arange(400, dtype=float)
    # 25 fps: frame k covers 8 steps around step 8k; the ends of it count half.
    framed = at_frames(envelope, Fraction(25), 49)
    np.testing.assert_allclose(framed[1:], 8 * np.arange(1, 49), rtol=1e-12)
    assert at_frames(envelope, Fraction(25), 60)[55:].max() == 0
