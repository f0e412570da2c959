"""Scan a source: what is really in it, and from when to when.

Headers lie: durations of truncated files, start times, average rates. So every packet of the picture is looked at for
its time stamp, and the whole sound is decoded (cheap) for its coverage and its level. Times are counted from the start
of the container's clock, which is what keeps an offset between the two streams.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream
from numpy.typing import NDArray

from offbeat.errors import MediaError
from offbeat.media.coverage import Coverage, Span
from offbeat.media.decode import attempted, until_broken
from offbeat.media.geometry import Geometry, geometry_of
from offbeat.media.h264 import Entries
from offbeat.media.limits import LIMITS, Limits
from offbeat.media.opening import (
    check_open,
    edit_shift_s,
    exact,
    open_media,
    picture_stream,
    sound_stream,
    start_of,
)
from offbeat.media.stamps import evened, rate_of, runs_of
from offbeat.timing import round_half_up

SILENT_DBFS = -60.0
"""Below this a tenth of a second counts as silent."""
BACK_S = Fraction(1, 2)
"""Packets come in the order of decoding: one stamped this much before the one before it means that the clock was
set back, and that one time stands for two moments."""


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """What a source really holds.

    Attributes:
        path: the file.
        fps: its rate as a constant one: the guessed rate, snapped to the nearest usual one.
        geometry: how its frames are to be turned, scaled and converted.
        audio_hz: rate of its sound track.
        channels: of that track.
        audio_track: which of the sound tracks is used, counted from 0.
        audio_tracks: how many there are.
        frame_times_s: when each frame is shown, increasing, float64 seconds (for drawing windows).
        frame_units: the same, exactly, in units of `unit_s`.
        unit_s: seconds.
        frame_pts: the stamps of the same frames as they stand in the file, in ticks from the start of the clock.
        time_base: seconds a tick.
        codec: how the picture is coded, as FFmpeg calls it.
        packet_pts: the stamps of the picture's packets in the order of decoding, in ticks like `frame_pts`.
        packet_begins_anew: which of them can be decoded, with all that follow, from the stream's header alone, without
            any packet before: IDR pictures of H.264 up to a change of the parameter sets; false for other codecs.
        picture: runs of frames without a hole or damage.
        sound: runs of decoded samples without a hole.
        levels_dbfs: RMS of each tenth of a second of sound; -inf where there is none.
        first_sound_minus_first_picture_s: the offset between the streams, which is honoured.
    """

    path: Path
    fps: Fraction
    geometry: Geometry
    audio_hz: int
    channels: int
    audio_track: int
    audio_tracks: int
    frame_times_s: NDArray[np.float64]
    frame_units: NDArray[np.int64]
    unit_s: Fraction
    frame_pts: NDArray[np.int64]
    time_base: Fraction
    codec: str
    packet_pts: NDArray[np.int64]
    packet_begins_anew: NDArray[np.bool_]
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
        return int(self.frame_units[index]) * self.unit_s


def scan(path: Path, *, audio_track: int | None = None, limits: Limits = LIMITS) -> Scan:
    """Look at every packet and decode the sound.

    Args:
        path: the file.
        audio_track: which of its sound tracks, counted from 0; the default one where None.
        limits: what is too large.

    Raises:
        MediaError: `not_found`, `not_media`, `no_picture`, `no_sound`, `no_such_track`, `codec_not_allowed`, `silent`,
            `too_large`, `encrypted`, `clock_jump`, `clock_drift`, `no_stamps`, `stream_changed`, `unreadable`, or a
            picture that cannot be handled (see `geometry_of`).
    """
    _check_claims(path, limits)
    geometry = geometry_of(path, limits=limits)
    shift_s = edit_shift_s(path)
    with open_media(path) as container:
        picture = picture_stream(container, path)
        sound = sound_stream(container, path, audio_track)
        limits.check(path, "channels of sound", sound.codec_context.channels, limits.channels)
        limits.check(path, "samples a second", sound.rate, limits.audio_hz)
        start_s = start_of(container)
        stamps, covered = _packets(container, picture, sound, start_s, path, limits)
        if len(stamps.pts) < 2 or picture.time_base is None:
            raise MediaError(
                f"{path}: {len(stamps.pts)} frames of picture; expected a moving picture", reason="no_picture"
            )
        if not covered.spans:
            raise MediaError(f"{path}: its sound track holds no sound that decodes", reason="no_sound")
        levels = covered.levels_dbfs()
        if not len(levels) or levels.max() < SILENT_DBFS:
            loudest = f"{levels.max():.0f} dBFS at its loudest" if len(levels) else "nothing after the clock's start"
            raise MediaError(f"{path}: silent, {loudest}; expected more than {SILENT_DBFS:.0f}", reason="silent")
        time_base = exact(picture.time_base)
        guessed = picture.guessed_rate or picture.average_rate
        packet_pts = np.array(stamps.pts, dtype=np.int64) - round_half_up(start_s / time_base)
        pts, order = np.unique(packet_pts, return_index=True)
        limits.check(path, "frames stamped over seconds", int(pts[-1] - pts[0]) * time_base, limits.clock_s)
        fps = rate_of(None if guessed is None else exact(guessed), pts, time_base)
        units, unit_s = evened(pts + round_half_up(shift_s / time_base), time_base, fps)
        spans = runs_of(units, unit_s, 1 / fps, np.array(stamps.damaged, dtype=bool)[order])
        if not spans:
            raise MediaError(f"{path}: every frame of its picture is damaged", reason="damaged")
        return Scan(
            path=path,
            fps=fps,
            geometry=geometry,
            audio_hz=sound.rate,
            channels=sound.codec_context.channels,
            audio_track=container.streams.audio.index(sound),
            audio_tracks=len(container.streams.audio),
            frame_times_s=np.asarray(units * float(unit_s), dtype=np.float64),
            frame_units=units,
            unit_s=unit_s,
            frame_pts=pts,
            time_base=time_base,
            codec=picture.codec_context.name,
            packet_pts=packet_pts,
            packet_begins_anew=np.array(stamps.begins_anew, dtype=bool),
            picture=spans,
            sound=tuple(covered.spans),
            levels_dbfs=levels,
        )


def _check_claims(path: Path, limits: Limits) -> None:
    """What can be refused before anything is decoded."""
    if path.is_file():
        limits.check(path, "bytes", path.stat().st_size, limits.file_bytes)
    with open_media(path) as container:
        limits.check(path, "streams", len(container.streams), limits.streams)
        limits.check(path, "seconds", Fraction(container.duration or 0, av.time_base), limits.clock_s)
        for stream in container.streams.video:
            if not stream.codec_context:
                continue  # nothing that could be decoded
            limits.check(path, "pixels", stream.width * stream.height, limits.pixels)


@dataclass(slots=True)
class _Stamps:
    """The picture's packets in the order of decoding: their stamps, and whether their frames can be whole."""

    pts: array[int]
    begins_anew: array[int]
    damaged: array[int]
    broken: bool = False

    def add(self, packet: Packet[Stream], entries: Entries | None) -> None:
        if packet.is_keyframe:
            self.broken = False
        self.broken |= packet.is_corrupt  # until the next key frame, all that follows may refer to it
        is_entry = entries is not None and entries.is_next(packet)
        if packet.pts is not None and not packet.is_discard:
            self.pts.append(packet.pts)
            self.begins_anew.append(is_entry)
            self.damaged.append(self.broken)


def _packets(
    container: InputContainer,
    picture: VideoStream,
    sound: AudioStream,
    start_s: Fraction,
    path: Path,
    limits: Limits,
) -> tuple[_Stamps, Coverage]:
    """Time stamps of all picture packets, and the coverage of the decoded sound."""
    entries = Entries(picture.codec_context.extradata or b"") if picture.codec_context.name == "h264" else None
    stamps = _Stamps(array("q"), array("b"), array("b"))
    if picture.time_base is None or sound.time_base is None:
        raise MediaError(f"{path}: picture or sound has no clock", reason="unreadable")
    picture_s, sound_s = exact(picture.time_base), exact(sound.time_base)
    covered = Coverage(path, sound.rate, limits, tick_s=sound_s, origin_s=start_s)
    back = {picture.index: int(BACK_S / picture_s), sound.index: int(BACK_S / sound_s)}
    latest: dict[int, int] = {}
    unstamped = 0
    resampler = None
    for packet in until_broken(container.demux(picture, sound)):
        _check_packet(packet, latest, back, path)
        if isinstance(packet.stream, VideoStream):
            unstamped += packet.size > 0 and packet.pts is None
            stamps.add(packet, entries)
            limits.check(path, "frames", len(stamps.pts), limits.frames)
            continue
        frames = None if packet.is_corrupt else attempted(packet.decode)
        if frames is None:
            covered.break_off()  # a hole in the coverage, and windows keep away from holes
            continue
        for frame in frames:
            if not isinstance(frame, av.AudioFrame) or frame.pts is None:
                continue
            if frame.is_corrupt:
                covered.break_off()
                continue
            resampler = resampler or av.AudioResampler(format="fltp", layout=frame.layout, rate=sound.rate)
            try:
                parts = resampler.resample(frame)
            except ValueError as error:
                raise MediaError(
                    f"{path}: its sound changes at {float(frame.pts * sound_s - start_s):.2f} s to {frame.rate} Hz, "
                    f"{frame.layout.name}; expected one kind throughout",
                    reason="stream_changed",
                ) from error
            for part in parts:
                covered.add(frame.pts, part)
    covered.finish()
    if unstamped > len(stamps.pts) / 100:
        raise MediaError(
            f"{path}: {unstamped} of its frames carry no time stamp; write it anew as MP4 or MKV first",
            reason="no_stamps",
        )
    return stamps, covered


def _check_packet(packet: Packet[Stream], latest: dict[int, int], back: dict[int, int], path: Path) -> None:
    """Refuse what is encrypted, and a clock that is set back by more than `back` ticks of the stream."""
    check_open(packet, path)
    at = packet.dts
    if at is None:
        return
    before = latest.get(packet.stream_index, at)
    latest[packet.stream_index] = at
    if before - at > back[packet.stream_index]:
        raise MediaError(
            f"{path}: its clock is set back by {float((before - at) * exact(packet.time_base)):.2f} s in the middle, "
            "so that one time stands for two moments; cut it there, or write it anew with one clock",
            reason="clock_jump",
        )
