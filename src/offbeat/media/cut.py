"""Cut from a source: its picture on a constant grid, its sound to the sample.

Picture: a frame is shown at grid time t + k / fps if it is the last one stamped at or before t + (k + 1/2) / fps; the
half frame of slack is for containers that round their stamps to 1 ms, where frames would otherwise double or drop.

Sound: samples are placed by counting within a run, and a run by the median of (stamp - count), since single stamps may
be off by a millisecond; a span that is not wholly covered by real samples is refused, never padded.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from statistics import median_low

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from offbeat.errors import MediaError
from offbeat.media.geometry import Geometry, apply_geometry
from offbeat.media.opening import (
    edit_shift_s,
    exact,
    open_media,
    picture_stream,
    samples_of_all,
    sound_stream,
    start_of,
)
from offbeat.media.resample import resample
from offbeat.media.scan import GAP_S, JUMP_S
from offbeat.media.values import Sound
from offbeat.timing import round_half_up, to_samples

_BACK_S = (Fraction(0), Fraction(2), Fraction(15), Fraction(120), None)
"""How much earlier than needed decoding is started, one after the other; None: from the beginning."""
_STAMP_SLACK_S = 0.002
"""Two stamps of one frame differ by less: rounding to 1 ms."""
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
        container.seek(round_half_up(start_s / time_base), stream=stream, backward=True)
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
    try:
        for packet in container.demux(stream):
            try:
                frames = [] if packet.is_corrupt else packet.decode()
            except MemoryError:
                raise
            except FFmpegError:
                frames = []
                yield 0, None
            if packet.is_corrupt:
                yield 0, None
            for frame in frames:
                if frame.pts is None:
                    continue
                pts = frame.pts
                try:
                    parts = None if frame.is_corrupt else resampler.resample(frame)
                except ValueError as error:
                    raise MediaError(
                        f"{path}: its sound changes to {frame.rate} Hz", reason="stream_changed"
                    ) from error
                yield pts, parts
    except MemoryError:
        raise
    except FFmpegError:
        return  # truncated: what came before counts


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


def cut_picture(
    path: Path,
    *,
    geometry: Geometry,
    start_s: Fraction,
    fps: Fraction,
    count: int,
    stamped_s: NDArray[np.float64] | None = None,
) -> Iterator[VideoFrame]:
    """`count` frames, upright and in 4:2:0, on the grid start + k / fps; streamed, never all in memory.

    Args:
        path: the source.
        geometry: what its frames need.
        start_s: when the first one is shown.
        fps: of the grid.
        count: how many.
        stamped_s: when frames are shown according to the scan: each of them within the window must decode.

    Raises:
        MediaError: `picture_gap`, where frames are missing for longer than `GAP_S`; `damaged`, where one does not
            decode, or only in parts; `stream_changed`; `no_stamps`.
    """
    stop_s = start_s + count / fps
    decoded = _decoded(path, start_s, start_s + Fraction(1, 2) / fps, stop_s)
    if stamped_s is not None:
        low, high = np.searchsorted(stamped_s, [float(start_s) - _STAMP_SLACK_S, float(stop_s) - _STAMP_SLACK_S])
        decoded = _all_there(decoded, stamped_s[low:high].tolist(), path)
    yield from _on_grid(apply_geometry(decoded, geometry, path=path), path=path, start_s=start_s, fps=fps, count=count)


def _decoded(
    path: Path, start_s: Fraction, shown_s: Fraction, stop_s: Fraction
) -> Iterator[tuple[Fraction, VideoFrame]]:
    """Frames in the order of their times: the one that is shown at `shown_s`, and all after it until `stop_s`.

    Seeking may land behind what is needed (broadcast streams have no index, broken ones jump, open groups of pictures
    begin with frames that cannot be decoded): then decoding starts further ahead, in the end from the beginning.
    """
    for back_s in _BACK_S:
        frames = _decoded_from(path, None if back_s is None else start_s - back_s)
        first: tuple[Fraction, VideoFrame] | None = None
        following: tuple[Fraction, VideoFrame] | None = None
        for time_s, frame in frames:
            if time_s > shown_s:
                following = (time_s, frame)
                break
            first = (time_s, frame)
        if back_s is not None and (first is None or first[1].is_corrupt):
            frames.close()
            continue
        for time_s, frame in itertools.chain([one for one in (first, following) if one is not None], frames):
            if time_s >= stop_s:
                return
            if frame.is_corrupt:
                raise MediaError(f"{path}: its picture is damaged at {float(time_s):.2f} s", reason="damaged")
            yield time_s, frame
        return


def _decoded_from(path: Path, from_s: Fraction | None) -> Generator[tuple[Fraction, VideoFrame]]:
    """Frames in the order in which they are shown, from a key frame before `from_s`, or from the beginning."""
    shift_s = edit_shift_s(path)
    with open_media(path) as container:
        stream = picture_stream(container, path)
        origin_s = start_of(container) - shift_s
        if stream.time_base is None:
            raise MediaError(f"{path}: the picture has no clock", reason="unreadable")
        time_base = exact(stream.time_base)
        stream.codec_context.thread_count = 1  # work is shared out by clips
        before_s: Fraction | None = None
        try:
            if from_s is not None:
                container.seek(round_half_up((from_s + origin_s) / time_base), stream=stream, backward=True)
            for frame in _frames(container, stream):
                if frame.pts is None:
                    continue
                time_s = frame.pts * time_base - origin_s
                if before_s is not None and time_s <= before_s:
                    if time_s < before_s:
                        raise MediaError(
                            f"{path}: a frame stamped {float(time_s):.3f} s is shown after one stamped "
                            f"{float(before_s):.3f} s; write it anew as MP4 or MKV first",
                            reason="no_stamps",
                        )
                    continue  # twice the same stamp: the first one counts
                before_s = time_s
                yield time_s, frame
        except MemoryError:
            raise
        except FFmpegError:
            return  # truncated or broken: who asks finds out whether all that is needed was there


def _frames(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """All frames that decode; who asks finds out whether those that are needed are among them."""
    for packet in container.demux(stream):
        try:
            yield from packet.decode()
        except MemoryError:
            raise
        except FFmpegError:
            continue


def _all_there(
    frames: Iterable[tuple[Fraction, VideoFrame]], stamped_s: list[float], path: Path
) -> Iterator[tuple[Fraction, VideoFrame]]:
    """Pass frames on; refuse where one that the scan saw does not come."""
    waited = iter(stamped_s)
    wanted_s = next(waited, None)
    for time_s, frame in frames:
        if wanted_s is not None and abs(float(time_s) - wanted_s) < _STAMP_SLACK_S:
            wanted_s = next(waited, None)
        elif wanted_s is not None and float(time_s) > wanted_s:
            break
        yield time_s, frame
    if wanted_s is not None:
        raise MediaError(f"{path}: the frame of {wanted_s:.3f} s does not decode", reason="damaged")


def _on_grid(
    frames: Iterable[tuple[Fraction, VideoFrame]], *, path: Path, start_s: Fraction, fps: Fraction, count: int
) -> Iterator[VideoFrame]:
    """The last frame stamped at or before each grid time plus half a frame."""
    slack_s = Fraction(1, 2) / fps
    made = 0
    shown: tuple[Fraction, VideoFrame] | None = None
    for time_s, frame in frames:
        if shown is None and time_s > start_s + slack_s:
            raise MediaError(
                f"{path}: no picture decodes at {float(start_s):.2f} s, the first is stamped {float(time_s):.2f} s",
                reason="picture_gap",
            )
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
