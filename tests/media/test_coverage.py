"""Sound that is there, how loud it is, and clocks that disagree."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from av.audio.frame import AudioFrame

from offbeat.errors import MediaError
from offbeat.media.coverage import Coverage, Span
from offbeat.media.limits import LIMITS

HZ = 48_000
FRAME = 1024


def taken(stamps: list[Fraction], samples: np.ndarray | None = None) -> Coverage:
    """One frame of AAC's length at each stamp."""
    tick_s = Fraction(1, math.lcm(*(stamp.denominator for stamp in stamps)))
    coverage = Coverage(Path("x.mp4"), HZ, LIMITS, tick_s=tick_s)
    for number, stamp in enumerate(stamps):
        piece = np.full((2, FRAME), 0.1, np.float32) if samples is None else samples[:, number * FRAME :][:, :FRAME]
        coverage.add(int(stamp / tick_s), frame(piece))
    coverage.finish()
    return coverage


def frame(samples: np.ndarray) -> AudioFrame:
    layout = "mono" if len(samples) == 1 else "stereo"
    made = AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout=layout)
    made.sample_rate = HZ
    return made


def even(count: int, *, rate: Fraction = Fraction(1), first: Fraction = Fraction(0)) -> list[Fraction]:
    return [first + k * Fraction(FRAME, HZ) * rate for k in range(count)]


def test_levels_against_a_plain_computation() -> None:
    count = 600
    samples = np.random.default_rng(2).normal(0, 0.1, (2, count * FRAME)).astype(np.float32)
    levels = taken(even(count, first=Fraction(-1, 20)), samples).levels_dbfs()
    heard = samples[:, HZ // 20 :].astype(np.float64)
    whole = heard.shape[1] // 4800 * 4800
    power = np.square(heard[:, :whole]).mean(axis=0).reshape(-1, 4800).mean(axis=1)
    np.testing.assert_allclose(levels[: len(power)], 10 * np.log10(power), atol=1e-6)


def test_a_hole_and_what_did_not_decode_end_a_run() -> None:
    holed = taken([*even(10), *even(10, first=Fraction(1))])
    assert [span.start_s for span in holed.spans] == [0, 1]
    assert holed.levels_dbfs()[5] == -np.inf
    coverage = Coverage(Path("x.mp4"), HZ, LIMITS, tick_s=Fraction(1, HZ), origin_s=Fraction(7, 90_000))
    first, second = even(2)
    coverage.add(0, frame(np.zeros((1, FRAME), np.float32)))
    coverage.break_off()
    coverage.add(FRAME, frame(np.zeros((1, FRAME), np.float32)))
    off = Fraction(7, 90_000)
    assert coverage.spans == [Span(first - off, second - off), Span(second - off, 2 * second - off)]


def test_sound_that_changes_its_kind_is_refused() -> None:
    coverage = Coverage(Path("x.mp4"), HZ, LIMITS, tick_s=Fraction(1, HZ))
    for number in range(130):
        coverage.add(number * FRAME, frame(np.zeros((2 if number < 120 else 1, FRAME), np.float32)))
    with pytest.raises(MediaError, match=r"x\.mp4: its sound changes within a second of 2\.\d\d s") as caught:
        coverage.finish()
    assert caught.value.reason == "stream_changed"


def test_stamps_that_jitter_are_one_run() -> None:
    rng = np.random.default_rng(1)
    swinging = [stamp + Fraction(int(rng.integers(-5, 6)), 1000) for stamp in even(2000)]
    assert len(taken(swinging).spans) == 1
    assert len(taken([Fraction(round(stamp * 1000), 1000) for stamp in even(5000)]).spans) == 1


@pytest.mark.parametrize(("ppm", "refused"), [(20, False), (80, False), (200, True), (1000, True), (-10_000, True)])
def test_clocks_that_disagree(ppm: int, refused: bool) -> None:
    stamps = even(3000, rate=1 + Fraction(ppm, 1_000_000))
    if not refused:
        taken(stamps)
        return
    with pytest.raises(MediaError, match=r"stamps of its sound move [+-][\d.]+ ms against its samples") as caught:
        taken(stamps)
    assert caught.value.reason == "clock_drift"


def test_a_clock_that_jumps_out_of_this_world_is_refused() -> None:
    """Or an array with a place for each tenth of a second until then would be asked for."""
    with pytest.raises(MediaError, match="stamped in seconds"):
        taken([Fraction(0), Fraction(10**15)])
