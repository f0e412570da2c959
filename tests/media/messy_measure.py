"""Build variants from an awkward source, read them with other people's readers, and compare with the card."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from builds import build, settings
from messy import Case
from readers import ffmpeg_sound, lag_samples, opencv_frames
from scipy.signal import resample

from offbeat.dataset.schema import SourceRow
from offbeat.dataset.variant import Variant
from offbeat.errors import DatasetError
from offbeat.media.synth.testcard import TestCard, read_code

HZ = 48_000
SETTINGS: dict[str, object] = {"lengths_s": (2,), "delays_s": (-1, 0, 1), "clips_per_source": 2}


@dataclass(frozen=True, slots=True)
class Measured:
    """What became of a case.

    Attributes:
        reason: with which code the source was refused, or None.
        detail: the text of the refusal.
        worst_ms: the largest error of a delay in any reader, None where nothing was made.
        frames: how many frames were looked at.
        right: how many of them are the ones that should be shown then.
        source: the source's row, where a set was made.
    """

    reason: str | None
    detail: str
    worst_ms: float | None
    frames: int
    right: int
    source: SourceRow | None


def measure(case: Case, folder: Path) -> Measured:
    """Build and compare."""
    _, card = case.write(folder)
    try:
        built, dataset = build(folder / "in", folder / "out", settings(**(SETTINGS | case.settings)))
    except DatasetError as error:
        code = str(error).split("(", 1)[1].split(": ", 1)[1].split(")")[0]
        return Measured(code, str(error), None, 0, 0, None)
    truth = card.sound.samples[0].astype(np.float64)
    if card.sound.rate_hz != HZ:
        truth = resample(truth, len(truth) * HZ // card.sound.rate_hz)
    worst_ms, frames, right = 0.0, 0, 0
    for variant in dataset.variants:
        codes = _codes(opencv_frames(variant.path))
        expected = _expected(case, card, variant, codes[0])
        frames += len(expected)
        right += sum(a == b for a, b in zip(codes, expected, strict=False))
        for options in ((), ("-ignore_editlist", "1")):
            position_s = _found_at(ffmpeg_sound(variant.path, *options), truth) / HZ
            measured_s = float(Fraction(codes[0]) / card.fps - case.late_s) - position_s
            worst_ms = max(worst_ms, abs(measured_s * 1000 - variant.row.audio_delay_ms))
    (source,) = built.sources
    return Measured(None, "", worst_ms, frames, right, source)


def _found_at(heard: np.ndarray, truth: np.ndarray) -> float:
    """Which sample of the card's sound is heard first, over all of it: to a sample, then to an eighth."""
    size = 1 << int(np.ceil(np.log2(len(heard) + len(truth))))
    cross = np.conj(np.fft.rfft(heard, size)) * np.fft.rfft(truth, size)
    place = int(np.argmax(np.fft.irfft(cross, size)[: len(truth)]))
    piece = truth[place : place + len(heard)]
    return place - lag_samples(heard[: len(piece)], piece)


def _codes(images: list[np.ndarray]) -> list[int]:
    codes: list[int] = []
    for image in images:
        try:
            codes.append(read_code(image))
        except ValueError:
            codes.append(-1)
    return codes


def _expected(case: Case, card: TestCard, variant: Variant, first: int) -> list[int]:
    """At each time of the variant's grid, the last frame of the card that is in the file and stamped by then."""
    fps = Fraction(variant.row.fps).limit_denominator(1001)
    shown = [k for k in range(card.frame_count) if case.shown is None or case.shown(k)]
    times = [Fraction(k) / card.fps for k in shown]
    count = round(2 * fps)
    grid = [Fraction(first) / card.fps + (k + Fraction(1, 2)) / fps for k in range(count)]
    return [shown[int(np.searchsorted([float(t) for t in times], float(at), side="right")) - 1] for at in grid]
