"""Where a track really has sound, how loud it is, and whether its clock agrees with its samples.

Samples are counted; stamps say where a count starts. Memory does not grow with what decodes, but for one figure per
tenth of a second and per packet.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from offbeat.errors import MediaError
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
    """Collects where there is sound, packet by packet.

    Attributes:
        spans: runs of samples without a hole, in the order in which they came.
    """

    def __init__(self, path: Path, rate_hz: int, limits: Limits) -> None:
        self.spans: list[Span] = []
        self._path = path
        self._rate_hz = rate_hz
        self._limits = limits
        self._step = int(LEVEL_STEP_S * rate_hz)
        self._power = np.zeros(1024)
        self._last_block = -1
        self._samples = 0
        self._waiting: list[NDArray[np.float32]] = []
        self._waiting_count = self._waiting_first = 0
        self._stamps = array("d")
        self._ahead = array("d")
        self._broken = False

    def break_off(self) -> None:
        """What comes next follows on something that did not decode."""
        self._broken = True

    def add(self, start_s: Fraction, samples: NDArray[np.float32]) -> None:
        """Take in what was stamped `start_s`: samples, float, shape (channels, n).

        Raises:
            MediaError: `too_large` or `clock_drift`.
        """
        count = samples.shape[1]
        self._samples += count
        self._limits.check(
            self._path, "seconds of sound", Fraction(self._samples, self._rate_hz), self._limits.length_s
        )
        self._limits.check(self._path, "stamped in seconds", abs(start_s), self._limits.clock_s)
        if self._broken or not self.spans or abs(start_s - self.spans[-1].stop_s) > JUMP_S:
            self._end_run()
            self.spans.append(Span(start_s, start_s))
            self._broken = False
        last = self.spans[-1]
        self._stamps.append(float(start_s))
        self._ahead.append(float(start_s - last.stop_s))
        self.spans[-1] = Span(last.start_s, last.stop_s + Fraction(count, self._rate_hz))
        if not self._waiting:
            self._waiting_first = round_half_up(last.stop_s * self._rate_hz)
        self._waiting.append(samples)
        self._waiting_count += count
        if self._waiting_count > self._rate_hz:  # a second at a time: numpy's own cost would outweigh that of decoding
            self._measure()

    def finish(self) -> None:
        """Look at what was taken in last.

        Raises:
            MediaError: `clock_drift`.
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
        first = self._waiting_first
        power = np.mean(np.square(np.concatenate(self._waiting, axis=1), dtype=np.float64), axis=0)
        self._waiting, self._waiting_count = [], 0
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
