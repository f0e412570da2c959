"""Cut from a source its sound, to the sample.

Samples are placed by counting within a run, and a run by the median of (stamp - count), since single stamps may be off
by a millisecond; a span that is not wholly covered by real samples is refused, never padded.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from statistics import median_low

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from numpy.typing import NDArray

from offbeat.errors import MediaError
from offbeat.media.coverage import JUMP_S
from offbeat.media.decode import attempted, samples_of_all, until_broken
from offbeat.media.opening import exact, open_media, sound_stream, start_of
from offbeat.media.resample import resample
from offbeat.media.values import Sound, SoundSpan
from offbeat.timing import round_half_up, to_samples

_PREROLL_S = Fraction(1, 5)
"""Decoding starts this much earlier: the first packets after a seek lack what came before them."""
_FILTER_MARGIN_SAMPLES = 64
"""More than half the length of the resampling filter, at either rate, for rates that divide one another sensibly."""


def cut_sound(
    path: Path, *, start_samples: int, stop_samples: int, rate_hz: int, track: int | None = None
) -> SoundSpan:
    """The source's own sound over [start, stop), counted in samples at `rate_hz`; mono stays mono, else stereo.

    Args:
        path: the source.
        start_samples: the first sample wanted.
        stop_samples: the first one no longer wanted.
        rate_hz: of the result.
        track: which of its sound tracks, counted from 0; the default one where None.

    Raises:
        MediaError: `sound_gap`, where real samples do not cover the span; `stream_changed`.
    """
    with open_media(path) as container:
        native_hz = sound_stream(container, path, track).rate
    down, up = Fraction(native_hz, rate_hz).as_integer_ratio()
    # Both clocks tick together every `down` native samples: start there, so that resampling moves nothing.
    block = -(-_FILTER_MARGIN_SAMPLES // down)
    first_block = start_samples // up - block
    last_block = -(-stop_samples // up) + block
    wanted = range(max(0, to_samples(Fraction(start_samples, rate_hz), native_hz)), stop_samples * down // up)
    native = _native(path, range(first_block * down, last_block * down), wanted, track)
    resampled = native if up == down else resample(native, up=up, down=down)
    first = start_samples - first_block * up
    samples = resampled[:, first : first + stop_samples - start_samples]
    return SoundSpan(sound=Sound(samples=np.ascontiguousarray(samples), rate_hz=rate_hz), start_samples=start_samples)


def _native(path: Path, held: range, wanted: range, track: int | None) -> NDArray[np.float32]:
    """Decode at the source's own rate; samples outside `wanted` may be zeros, those inside must be real."""
    runs: list[_Run] = []
    with open_media(path) as container:
        stream = sound_stream(container, path, track)
        origin_s, rate_hz = start_of(container), stream.rate
        layout = "mono" if stream.codec_context.channels == 1 else "stereo"
        if stream.time_base is None:
            raise MediaError(f"{path}: the sound has no clock", reason="unreadable")
        time_base = exact(stream.time_base)
        start_s = max(Fraction(0), Fraction(held.start, rate_hz) - _PREROLL_S) + origin_s
        ticks = round_half_up(start_s / time_base)
        attempted(lambda: container.seek(ticks, stream=stream))  # what comes tells whether it went well
        # Moments are whole numbers of a unit that divides a tick, a sample and the origin: exact, and quick.
        sample = math.lcm((time_base * rate_hz).denominator, (origin_s * rate_hz).denominator)
        tick, origin, jump = (int(one_s * rate_hz * sample) for one_s in (time_base, origin_s, JUMP_S))
        broken = False
        for pts, parts in _decoded_sound(container, stream, layout, path):
            if parts is None:
                broken = True  # leaves a hole, which the check below finds
                continue
            at = pts * tick - origin
            if broken or not runs or abs(at - runs[-1].next()) > jump:
                runs.append(_Run(sample=sample, frames=[], offsets=[], count=0))
                broken = False
            runs[-1].add(at, parts)
            if runs[-1].next() > held.stop * sample + jump:
                break
        channels = 1 if layout == "mono" else 2
    buffer = np.zeros((channels, len(held)), dtype=np.float32)
    real = np.zeros(len(held), dtype=bool)
    for run in runs:
        first = run.first_samples() - held.start
        samples = run.samples(path)
        low, high = max(0, first), min(len(held), first + samples.shape[1])
        if high > low:
            buffer[:, low:high] = samples[:, low - first : high - first]
            real[low:high] = True
    if not real[wanted.start - held.start : wanted.stop - held.start].all():
        raise MediaError(
            f"{path}: its sound does not decode all the way from {wanted.start / rate_hz:.2f} to "
            f"{wanted.stop / rate_hz:.2f} s",
            reason="sound_gap",
        )
    return buffer


def _decoded_sound(
    container: InputContainer, stream: AudioStream, layout: str, path: Path
) -> Iterator[tuple[int, list[AudioFrame] | None]]:
    """Each frame's stamp, and the frame in planar float; None where something does not decode."""
    resampler = av.AudioResampler(format="fltp", layout=layout, rate=stream.rate)
    for packet in until_broken(container.demux(stream)):
        frames = None if packet.is_corrupt else attempted(packet.decode)
        if frames is None:
            yield 0, None
            continue
        for frame in frames:
            if frame.pts is None:
                continue
            pts = frame.pts
            try:
                parts = None if frame.is_corrupt else resampler.resample(frame)
            except ValueError as error:
                raise MediaError(f"{path}: its sound changes to {frame.rate} Hz", reason="stream_changed") from error
            yield pts, parts


@dataclass(slots=True)
class _Run:
    """Sound without a jump; moments in a unit of which a sample has `sample`."""

    sample: int
    frames: list[AudioFrame]
    offsets: list[int]
    count: int

    def add(self, at: int, frames: list[AudioFrame]) -> None:
        self.offsets.append(at - self.count * self.sample)
        self.frames += frames
        self.count += sum(frame.samples for frame in frames)

    def first_samples(self) -> int:
        return round_half_up(Fraction(median_low(self.offsets), self.sample))

    def next(self) -> int:
        return self.offsets[0] + self.count * self.sample

    def samples(self, path: Path) -> NDArray[np.float32]:
        try:
            samples = samples_of_all(self.frames)
        except ValueError as error:
            raise MediaError(f"{path}: its sound changes in the middle", reason="stream_changed") from error
        return np.zeros((1, 0), np.float32) if samples is None else samples
