"""Where a track really has sound, how loud it is, and whether its clock agrees with its samples.

Samples are counted; stamps say where a count starts. Memory does not grow with what decodes, but for one figure per
tenth of a second and per packet. Moments are whole numbers of a unit that divides both a tick of the stamps and a
sample: exact as fractions are, at a tenth of their cost.
"""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from offbeat.errors import MediaError
from offbeat.media.decode import samples_of_all
from offbeat.media.limits import Limits
from offbeat.timing import round_half_up

JUMP_S = Fraction(15, 1000)
"""Sound whose stamp is further than this from where counting samples puts it starts a new run. A lost packet is 20 ms
or more; stamps that merely jitter (Matroska rounds to 1 ms, some MP4 writers swing by 10 ms) stay below."""
LEVEL_STEP_S = Fraction(1, 10)
DRIFT_PPM = 100.0
"""Stamps that run faster or slower than the samples by more: a window of 20 s could be placed 1 ms wrong."""
_DRIFT_SURE_S = 0.0015
"""Less than this between the first and the last third of a run may be jitter."""
_DRIFT_PACKETS = 30


@dataclass(frozen=True, slots=True)
class Span:
    """Half open, in seconds from the start of the container's clock."""

    start_s: Fraction
    stop_s: Fraction


class Coverage:
    """Collects where there is sound, frame by frame.

    Args:
        path: for the texts of errors.
        rate_hz: samples a second.
        limits: what is too large.
        tick_s: of the stamps.
        origin_s: what the stamps say at the start of the container's clock.
    """

    def __init__(
        self, path: Path, rate_hz: int, limits: Limits, *, tick_s: Fraction, origin_s: Fraction = Fraction(0)
    ) -> None:
        self._path = path
        self._rate_hz = rate_hz
        self._limits = limits
        self._units_hz = math.lcm(rate_hz, tick_s.denominator, origin_s.denominator)
        self._tick = int(tick_s * self._units_hz)
        self._sample = self._units_hz // rate_hz
        self._origin = int(origin_s * self._units_hz)
        self._jump = int(JUMP_S * self._units_hz)
        self._runs: list[list[int]] = []
        self._step = int(LEVEL_STEP_S * rate_hz)
        self._power = np.zeros(1024)
        self._last_block = -1
        self._samples = 0
        self._waiting: list[AudioFrame] = []
        self._waiting_count = self._waiting_first = 0
        self._stamps = array("d")
        self._ahead = array("d")
        self._broken = False

    @property
    def spans(self) -> list[Span]:
        """Runs of samples without a hole, in the order in which they came."""
        return [Span(Fraction(start, self._units_hz), Fraction(stop, self._units_hz)) for start, stop in self._runs]

    def break_off(self) -> None:
        """What comes next follows on something that did not decode."""
        self._broken = True

    def add(self, pts: int, frame: AudioFrame) -> None:
        """Take in a frame of planar float that was stamped `pts`.

        Raises:
            MediaError: `too_large`, `clock_drift`, `stream_changed`.
        """
        at = pts * self._tick - self._origin
        if self._broken or not self._runs or abs(at - self._runs[-1][1]) > self._jump:
            self._end_run()
            self._runs.append([at, at])
            self._broken = False
        run = self._runs[-1]
        self._stamps.append(at / self._units_hz)
        self._ahead.append((at - run[1]) / self._units_hz)
        if not self._waiting:
            self._waiting_first = round_half_up(Fraction(run[1], self._sample))
        run[1] += frame.samples * self._sample
        self._samples += frame.samples
        self._waiting.append(frame)
        self._waiting_count += frame.samples
        if self._waiting_count > self._rate_hz:  # a second at a time: numpy's own cost would outweigh that of decoding
            self._measure()

    def finish(self) -> None:
        """Look at what was taken in last.

        Raises:
            MediaError: as of `add`.
        """
        self._end_run()

    def levels_dbfs(self) -> NDArray[np.float64]:
        """RMS of each tenth of a second from 0 on; -inf where there is no sound."""
        with np.errstate(divide="ignore"):
            return 10 * np.log10(self._power[: self._last_block + 1] / self._step)

    def _measure(self) -> None:
        """Add the waiting samples to the levels."""
        if not self._waiting:
            return
        first, furthest = self._waiting_first, max(map(abs, self._runs[-1]))
        length_s = Fraction(self._samples, self._rate_hz)
        self._limits.check(self._path, "seconds of sound", length_s, self._limits.length_s)
        self._limits.check(self._path, "stamped in seconds", furthest / self._units_hz, self._limits.clock_s)
        try:
            samples = samples_of_all(self._waiting)
        except ValueError as error:
            raise MediaError(
                f"{self._path}: its sound changes within a second of {first / self._rate_hz:.2f} s; expected one kind "
                "throughout",
                reason="stream_changed",
            ) from error
        self._waiting, self._waiting_count = [], 0
        if samples is None:
            return
        power = np.mean(np.square(samples, dtype=np.float64), axis=0)
        at, stop = max(0, first), first + len(power)  # nothing counts before the start of the container's clock
        while at < stop:
            block = at // self._step
            end = min(stop, (block + 1) * self._step)
            if block >= len(self._power):
                self._power = np.concatenate([self._power, np.zeros(block + 1)])
            self._power[block] += power[at - first : end - first].sum()
            self._last_block = max(self._last_block, block)
            at = end

    def _end_run(self) -> None:
        self._measure()
        stamps, ahead = np.array(self._stamps), np.array(self._ahead)
        self._stamps, self._ahead = array("d"), array("d")
        third = len(stamps) // 3
        if len(stamps) < _DRIFT_PACKETS:
            return
        drift_s = float(np.median(ahead[-third:]) - np.median(ahead[:third]))
        over_s = float(np.median(stamps[-third:]) - np.median(stamps[:third]))
        if abs(drift_s) > _DRIFT_SURE_S and abs(drift_s) > DRIFT_PPM * 1e-6 * over_s:
            raise MediaError(
                f"{self._path}: the stamps of its sound move {drift_s * 1000:+.1f} ms against its samples within "
                f"{over_s:.1f} s; expected at most {DRIFT_PPM:.0f} in a million. Which of the two clocks is right "
                "cannot be told; write the sound anew with one clock first (ffmpeg -af aresample=async=1000)",
                reason="clock_drift",
            )
