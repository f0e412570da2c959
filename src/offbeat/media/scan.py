"""Scan a source: what is really in it, and from when to when.

Headers lie: durations of truncated files, start times, average rates. So every packet of the picture is looked at for
its time stamp, and the whole sound is decoded (cheap) for its coverage and its level. Times are counted from the start
of the container's clock, which is what keeps an offset between the two streams.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import EOFError as NothingMore
from av.error import FFmpegError, InvalidDataError
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream
from numpy.typing import NDArray

from offbeat.errors import MediaError
from offbeat.media.geometry import Geometry, geometry_of
from offbeat.media.opening import exact, open_media, picture_stream, samples_of, sound_stream, start_of
from offbeat.timing import round_half_up

GAP_S = Fraction(1, 2)
"""A longer pause between two frames is a hole in the picture."""
JUMP_S = Fraction(15, 1000)
"""Sound whose stamp is further than this from where counting samples puts it starts a new run. A lost packet is 20 ms
or more; stamps that merely jitter (Matroska rounds to 1 ms, some MP4 writers swing by 10 ms) stay below."""
LEVEL_STEP_S = Fraction(1, 10)
SILENT_DBFS = -60.0
"""Below this a tenth of a second counts as silent."""
KNOWN_RATES = tuple(
    [Fraction(n) for n in (5, 6, 8, 10, 12, 15, 16, 18, 20, 24, 25, 30, 48, 50, 60)]
    + [Fraction(n * 1000, 1001) for n in (15, 24, 30, 48, 60)]
)
MAX_FPS = Fraction(60)


@dataclass(frozen=True, slots=True)
class Span:
    """Half open, in seconds from the start of the container's clock."""

    start_s: Fraction
    stop_s: Fraction


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """What a source really holds.

    Attributes:
        path: the file.
        fps: its rate as a constant one: the guessed rate, snapped to the nearest usual one.
        geometry: how its frames are to be turned, scaled and converted.
        audio_hz: rate of its default sound track.
        channels: of that track.
        frame_times_s: when each frame is shown, increasing, float64 seconds (for drawing windows).
        frame_pts: the same as exact multiples of `time_base`.
        time_base: seconds a tick.
        codec: how the picture is coded, as FFmpeg calls it.
        packet_pts: the stamps of the picture's packets in the order of decoding, in ticks like `frame_pts`.
        packet_is_key: which of them hold key frames.
        picture: runs of frames without a hole.
        sound: runs of decoded samples without a hole.
        levels_dbfs: RMS of each tenth of a second of sound; -inf where there is none.
        first_sound_minus_first_picture_s: the offset between the streams, which is honoured.
    """

    path: Path
    fps: Fraction
    geometry: Geometry
    audio_hz: int
    channels: int
    frame_times_s: NDArray[np.float64]
    frame_pts: NDArray[np.int64]
    time_base: Fraction
    codec: str
    packet_pts: NDArray[np.int64]
    packet_is_key: NDArray[np.bool_]
    picture: tuple[Span, ...]
    sound: tuple[Span, ...]
    levels_dbfs: NDArray[np.float64]

    @property
    def first_sound_minus_first_picture_s(self) -> Fraction:
        """See above."""
        return self.sound[0].start_s - self.picture[0].start_s

    @property
    def length_s(self) -> Fraction:
        """From the first to the last moment that has picture or sound."""
        spans = self.picture + self.sound
        return max(span.stop_s for span in spans) - min(span.start_s for span in spans)

    def frame_time_s(self, index: int) -> Fraction:
        """When frame `index` is shown, exactly."""
        return int(self.frame_pts[index]) * self.time_base


def scan(path: Path) -> Scan:
    """Look at every packet and decode the sound.

    Raises:
        MediaError: `not_found`, `not_media`, `no_picture`, `no_sound`, `silent`, `unreadable`, or a picture that cannot
            be handled (see `geometry_of`).
    """
    geometry = geometry_of(path)
    with open_media(path) as container:
        picture = picture_stream(container, path)
        sound = sound_stream(container, path)
        start_s = start_of(container)
        pts, is_key, covered = _packets(container, picture, sound, start_s)
        if len(pts) < 2 or picture.time_base is None:
            raise MediaError(f"{path}: {len(pts)} frames of picture; expected a moving picture", reason="no_picture")
        if not covered.spans:
            raise MediaError(f"{path}: its sound track holds no sound that decodes", reason="no_sound")
        levels = covered.levels_dbfs()
        if levels.max() < SILENT_DBFS:
            raise MediaError(
                f"{path}: silent, {levels.max():.0f} dBFS at its loudest; expected more than {SILENT_DBFS:.0f}",
                reason="silent",
            )
        time_base = exact(picture.time_base)
        offset = round_half_up(start_s / time_base)
        packet_pts = pts - offset
        pts = np.unique(packet_pts)
        fps = constant_rate(exact(picture.guessed_rate or picture.average_rate or Fraction(25)))
        return Scan(
            path=path,
            fps=fps,
            geometry=geometry,
            audio_hz=sound.rate,
            channels=sound.codec_context.channels,
            frame_times_s=np.asarray(pts * float(time_base), dtype=np.float64),
            frame_pts=pts,
            time_base=time_base,
            codec=picture.codec_context.name,
            packet_pts=packet_pts,
            packet_is_key=is_key,
            picture=_picture_runs(pts, time_base, 1 / fps),
            sound=tuple(covered.spans),
            levels_dbfs=levels,
        )


def constant_rate(guessed: Fraction) -> Fraction:
    """The usual rate within 0.1 % of the guessed one, or the guessed one itself; at most 60."""
    nearest = min(KNOWN_RATES, key=lambda rate: abs(rate - guessed))
    rate = nearest if abs(nearest - guessed) <= guessed / 1000 else guessed.limit_denominator(1001)
    return min(rate, MAX_FPS)


class _Covered:
    """Collects where there is sound, and how loud it is."""

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self.spans: list[Span] = []
        self._waiting: list[NDArray[np.float32]] = []
        self._waiting_count = self._waiting_first = 0
        self._blocks: list[NDArray[np.int64]] = []
        self._power: list[NDArray[np.float64]] = []

    def add(self, start_s: Fraction, samples: NDArray[np.float32]) -> None:
        if not self.spans or abs(start_s - self.spans[-1].stop_s) > JUMP_S:
            self.spans.append(Span(start_s, start_s))
            self._measure()
        last = self.spans[-1]
        if not self._waiting:
            self._waiting_first = round_half_up(last.stop_s * self.rate_hz)
        self.spans[-1] = Span(last.start_s, last.stop_s + Fraction(samples.shape[1], self.rate_hz))
        self._waiting.append(samples)
        self._waiting_count += samples.shape[1]
        if self._waiting_count > self.rate_hz:  # a second at a time: numpy's own cost would outweigh that of decoding
            self._measure()

    def _measure(self) -> None:
        if not self._waiting:
            return
        samples = np.concatenate(self._waiting, axis=1)
        power = np.mean(np.square(samples, dtype=np.float64), axis=0)
        places = self._waiting_first + np.arange(samples.shape[1], dtype=np.int64)
        blocks, begins = np.unique(places // int(LEVEL_STEP_S * self.rate_hz), return_index=True)
        self._blocks.append(blocks)
        self._power.append(np.add.reduceat(power, begins))
        self._waiting, self._waiting_count = [], 0

    def levels_dbfs(self) -> NDArray[np.float64]:
        self._measure()
        blocks, power = np.concatenate(self._blocks), np.concatenate(self._power)
        heard = blocks >= 0
        mean = np.bincount(blocks[heard], weights=power[heard]) / int(LEVEL_STEP_S * self.rate_hz)
        with np.errstate(divide="ignore"):
            return 10 * np.log10(mean)


def _packets(
    container: InputContainer, picture: VideoStream, sound: AudioStream, start_s: Fraction
) -> tuple[NDArray[np.int64], NDArray[np.bool_], _Covered]:
    """Time stamps of all picture packets, which of them are key frames, and the coverage of the decoded sound."""
    pts: list[int] = []
    is_key: list[bool] = []
    covered = _Covered(sound.rate)
    resampler = None
    for packet in _demux(container, picture, sound):
        if isinstance(packet.stream, VideoStream):
            if packet.pts is not None and not packet.is_discard:
                pts.append(packet.pts)
                is_key.append(packet.is_keyframe)
            continue
        try:
            frames = packet.decode()
        except FFmpegError:
            continue  # a broken packet leaves a hole in the coverage, and windows keep away from holes
        for frame in frames:
            if not isinstance(frame, av.AudioFrame) or frame.pts is None or frame.time_base is None:
                continue
            resampler = resampler or av.AudioResampler(format="fltp", layout=frame.layout, rate=frame.rate)
            at_s = frame.pts * exact(frame.time_base) - start_s
            for part in resampler.resample(frame):
                covered.add(at_s, samples_of(part))
    return np.array(pts, dtype=np.int64), np.array(is_key, dtype=bool), covered


def _demux(container: InputContainer, *streams: VideoStream | AudioStream) -> Iterator[Packet[Stream]]:
    """All packets until the end, or until the file breaks off."""
    try:
        yield from container.demux(*streams)
    except (InvalidDataError, NothingMore):
        return  # truncated: what came before counts


def _picture_runs(pts: NDArray[np.int64], time_base: Fraction, frame_s: Fraction) -> tuple[Span, ...]:
    holes = np.flatnonzero(np.diff(pts) > GAP_S / time_base) + 1
    return tuple(
        Span(int(run[0]) * time_base, int(run[-1]) * time_base + frame_s) for run in np.split(pts, holes.tolist())
    )
