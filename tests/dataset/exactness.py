"""What every variant must satisfy in the readers of others, whichever way its picture was made."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
from readers import ffmpeg_sound, ffmpeg_times, lag_samples, opencv_frames
from scipy.signal import resample

from offbeat.dataset.folder import Dataset
from offbeat.dataset.variant import Variant
from offbeat.media.read import read_frames
from offbeat.media.synth.testcard import TestCard, read_code

WORST_MS = 0.1
READERS = {"ffmpeg": (), "ffmpeg without edit lists": ("-ignore_editlist", "1")}


def expected_sound(card: TestCard, variant: Variant, count: int) -> np.ndarray:
    """The source's samples over [t - delay, t - delay + L), by SciPy's own resampler where the rates differ."""
    row = variant.row
    truth = card.sound.samples[0].astype(np.float64)
    if card.sound.rate_hz != row.audio_hz:
        truth = resample(truth, len(truth) * row.audio_hz // card.sound.rate_hz)
    first = round((row.clip_start_s - row.audio_delay_ms / 1000) * row.audio_hz)
    return truth[first : first + count]


def check_in_readers_of_others(card: TestCard, dataset: Dataset, fps: Fraction) -> None:
    """Frames by their bar codes, the delay by the card's own samples, starts and lengths equal for all variants."""
    assert [v.row.audio_delay_ms for v in dataset.variants] == [-2000, -500, 0, 500, 2000]
    times = set()
    for variant in dataset.variants:
        row = variant.row
        frames = round(Fraction(2) * fps)
        count = round(frames / fps * 48_000)
        truth = expected_sound(card, variant, count)
        for options in READERS.values():
            heard = ffmpeg_sound(variant.path, *options)
            assert abs(len(heard) - count) <= 1024
            assert abs(lag_samples(heard[:count], truth)) * 1000 / 48_000 <= WORST_MS
        heard = variant.sound().mono()[:count]
        assert abs(lag_samples(heard, truth)) * 1000 / 48_000 <= WORST_MS
        assert row.measured_delay_ms == pytest.approx(row.audio_delay_ms, abs=0.01)
        first = round(row.clip_start_s * fps)
        assert [read_code(image) for image in opencv_frames(variant.path)] == list(range(first, first + frames))
        assert [read_code(image) for image in read_frames(variant.path, grey=True).images] == list(
            range(first, first + frames)
        )
        with av.open(str(variant.path)) as container:
            sound = container.streams.audio[0]
            assert (sound.start_time, sound.duration) == (0, count), "the last packet is cut to length"
        duration_s, start_s = ffmpeg_times(variant.path)
        assert start_s == 0
        assert duration_s == pytest.approx(float(frames / fps), abs=0.011)  # printed to 10 ms
        times.add((duration_s, start_s))
    assert len(times) == 1, "nothing but the sound may tell variants apart"
