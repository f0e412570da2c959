"""Cut from a source: its picture on a constant grid, its sound to the sample.

Picture: a frame is shown at grid time t + k / fps if it is the last one stamped at or before t + (k + 1/2) / fps; the
half frame of slack is for containers that round their stamps to 1 ms, where frames would otherwise double or drop.

Sound: samples are placed by counting within a run, and a run by the median of (stamp - count), since single stamps may
be off by a millisecond; a span that is not wholly covered by real samples is refused, never padded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from statistics import median_low

import av
import numpy as np
from av.error import FFmpegError
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from offbeat.errors import MediaError
from offbeat.media.geometry import Geometry, apply_geometry
from offbeat.media.opening import exact, open_media, picture_stream, samples_of, sound_stream, start_of
from offbeat.media.resample import resample
from offbeat.media.scan import GAP_S, JUMP_S
from offbeat.media.values import Sound
from offbeat.timing import round_half_up, to_samples

_PREROLL_S = Fraction(1, 5)
"""Decoding starts this much earlier: the first packets after a seek lack what came before them."""
_FILTER_MARGIN_SAMPLES = 64
"""More than half the length of the resampling filter, at either rate, for rates that divide one another sensibly."""


@dataclass(frozen=True, slots=True)
class SoundSpan:
    """A piece of a source's sound.

    Attributes:
        sound: its samples.
        start_samples: the index of the first of them, counted from the start of the container's clock at the
            rate of `sound`.
    """

    sound: Sound
    start_samples: int

    def slice(self, start_samples: int, count: int) -> NDArray[np.float32]:
        """Samples [start, start + count) of the source's clock, shape (channels, count).

        Raises:
            ValueError: they do not all lie in this span.
        """
        first = start_samples - self.start_samples
        if first < 0 or first + count > self.sound.count:
            raise ValueError(
                f"samples {start_samples} to {start_samples + count} asked for; the span holds {self.start_samples} "
                f"to {self.start_samples + self.sound.count}"
            )
        return self.sound.samples[:, first : first + count]


def cut_sound(path: Path, *, start_samples: int, stop_samples: int, rate_hz: int) -> SoundSpan:
    """The source's own sound over [start, stop), counted in samples at `rate_hz`; mono stays mono, else stereo.

    Raises:
        MediaError: `sound_gap`, where real samples do not cover the span.
    """
    with open_media(path) as container:
        native_hz = sound_stream(container, path).rate
    down, up = Fraction(native_hz, rate_hz).as_integer_ratio()
    # Both clocks tick together every `down` native samples: start there, so that resampling moves nothing.
    block = -(-_FILTER_MARGIN_SAMPLES // down)
    first_block = start_samples // up - block
    last_block = -(-stop_samples // up) + block
    wanted = range(max(0, to_samples(Fraction(start_samples, rate_hz), native_hz)), stop_samples * down // up)
    native = _native(path, range(first_block * down, last_block * down), wanted)
    resampled = native if up == down else resample(native, up=up, down=down)
    first = start_samples - first_block * up
    samples = resampled[:, first : first + stop_samples - start_samples]
    return SoundSpan(sound=Sound(samples=np.ascontiguousarray(samples), rate_hz=rate_hz), start_samples=start_samples)


def _native(path: Path, held: range, wanted: range) -> NDArray[np.float32]:
    """Decode at the source's own rate; samples outside `wanted` may be zeros, those inside must be real."""
    runs: list[_Run] = []
    with open_media(path) as container:
        stream = sound_stream(container, path)
        origin_s, rate_hz = start_of(container), stream.rate
        layout = "mono" if stream.codec_context.channels == 1 else "stereo"
        if stream.time_base is None:
            raise MediaError(f"{path}: the sound has no clock", reason="unreadable")
        start_s = max(Fraction(0), Fraction(held.start, rate_hz) - _PREROLL_S) + origin_s
        container.seek(round_half_up(start_s / exact(stream.time_base)), stream=stream, backward=True)
        resampler = None
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except FFmpegError:
                continue  # leaves a hole, which the check below finds
            for frame in frames:
                if frame.pts is None or frame.time_base is None:
                    continue
                resampler = resampler or av.AudioResampler(format="fltp", layout=layout, rate=rate_hz)
                at_samples = (frame.pts * exact(frame.time_base) - origin_s) * rate_hz
                parts = [samples_of(part) for part in resampler.resample(frame)]
                if not runs or abs(at_samples - runs[-1].next_samples()) > JUMP_S * rate_hz:
                    runs.append(_Run(parts=[], offsets=[], count=0))
                runs[-1].add(at_samples, parts)
            if runs and runs[-1].next_samples() > held.stop + JUMP_S * rate_hz:
                break
        channels = 1 if layout == "mono" else 2
    buffer = np.zeros((channels, len(held)), dtype=np.float32)
    real = np.zeros(len(held), dtype=bool)
    for run in runs:
        first = run.first_samples() - held.start
        samples = np.concatenate(run.parts, axis=1)
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


@dataclass(slots=True)
class _Run:
    """Samples that follow each other without a jump."""

    parts: list[NDArray[np.float32]]
    offsets: list[Fraction]
    count: int

    def add(self, at_samples: Fraction, parts: list[NDArray[np.float32]]) -> None:
        self.offsets.append(at_samples - self.count)
        for part in parts:
            self.parts.append(part)
            self.count += part.shape[1]

    def first_samples(self) -> int:
        return round_half_up(median_low(self.offsets))

    def next_samples(self) -> Fraction:
        return self.offsets[0] + self.count


def cut_picture(
    path: Path, *, geometry: Geometry, start_s: Fraction, fps: Fraction, count: int
) -> Iterator[VideoFrame]:
    """`count` frames, upright and in 4:2:0, on the grid start + k / fps; streamed, never all in memory.

    Raises:
        MediaError: `picture_gap`, where frames are missing for longer than `GAP_S`; `stream_changed`.
    """
    frames = apply_geometry(_decoded(path, start_s), geometry, path=path)
    yield from _on_grid(frames, path=path, start_s=start_s, fps=fps, count=count)


def _decoded(path: Path, start_s: Fraction) -> Iterator[tuple[Fraction, VideoFrame]]:
    """Frames in the order of their times, from `GAP_S` before `start_s`."""
    with open_media(path) as container:
        stream = picture_stream(container, path)
        origin_s = start_of(container)
        if stream.time_base is None:
            raise MediaError(f"{path}: the picture has no clock", reason="unreadable")
        time_base = exact(stream.time_base)
        container.seek(round_half_up((start_s + origin_s) / time_base), stream=stream, backward=True)
        try:
            for frame in container.decode(stream):
                if frame.pts is None:
                    continue
                time_s = frame.pts * time_base - origin_s
                if time_s >= start_s - GAP_S:
                    yield time_s, frame
        except FFmpegError:
            return  # truncated or broken: the grid finds out whether it had all it needs


def _on_grid(
    frames: Iterable[tuple[Fraction, VideoFrame]], *, path: Path, start_s: Fraction, fps: Fraction, count: int
) -> Iterator[VideoFrame]:
    """The last frame stamped at or before each grid time plus half a frame."""
    slack_s = Fraction(1, 2) / fps
    made = 0
    shown: tuple[Fraction, VideoFrame] | None = None
    for time_s, frame in frames:
        while shown is not None and made < count and time_s > start_s + made / fps + slack_s:
            _check_gap(path, shown[0], start_s + made / fps)
            yield shown[1]
            made += 1
        if made == count:
            return
        shown = (time_s, frame)
    while shown is not None and made < count:
        _check_gap(path, shown[0], start_s + made / fps)
        yield shown[1]
        made += 1
    if made < count:
        raise MediaError(f"{path}: no picture decodes from {float(start_s):.2f} s on", reason="picture_gap")


def _check_gap(path: Path, shown_s: Fraction, grid_s: Fraction) -> None:
    if grid_s - shown_s > GAP_S:
        raise MediaError(
            f"{path}: no picture decodes between {float(shown_s):.2f} and {float(grid_s):.2f} s", reason="picture_gap"
        )
