"""Joining frames of sound."""

from __future__ import annotations

import numpy as np
import pytest
from av.audio.frame import AudioFrame

from offbeat.media.decode import samples_of_all


def frame(samples: np.ndarray, *, rate_hz: int = 48_000) -> AudioFrame:
    whole = samples.dtype == np.int16
    content = samples.T.reshape(1, -1) if whole else samples
    made = AudioFrame.from_ndarray(
        np.ascontiguousarray(content),
        format="s16" if whole else "fltp",
        layout="mono" if len(samples) == 1 else "stereo",
    )
    made.sample_rate, made.pts = rate_hz, 7
    return made


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("kind", [np.float32, np.int16])
def test_frames_of_any_length_come_one_after_the_other(channels: int, kind: type) -> None:
    rng = np.random.default_rng(0)
    pieces = [rng.integers(-30_000, 30_000, (channels, n)).astype(kind) for n in (1024, 1, 7, 4096)]
    joined = samples_of_all(map(frame, pieces))
    expected = np.concatenate(pieces, axis=1).astype(np.float32) / (32768 if kind is np.int16 else 1)
    assert joined is not None
    np.testing.assert_array_equal(joined, expected)


def test_nothing_has_no_samples() -> None:
    assert samples_of_all([]) is None


@pytest.mark.parametrize(
    "other",
    [
        frame(np.zeros((1, 9), np.float32)),
        frame(np.zeros((2, 9), np.int16)),
        frame(np.zeros((2, 9), np.float32), rate_hz=44_100),
    ],
)
def test_frames_of_two_kinds_are_refused(other: AudioFrame) -> None:
    with pytest.raises(ValueError, match=r"channels|match"):
        samples_of_all([frame(np.zeros((2, 9), np.float32)), other])
