"""Opening media files of strangers: local files only, known containers and codecs only, the streams that are meant.

Without the white lists FFmpeg follows playlists, ``concat:`` scripts and URLs inside a file that merely calls itself
``.mp4``, and tries decoders that nobody keeps up; without the ``file:`` prefix a name such as ``12:30.mp4`` is taken
for a protocol.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Literal, Protocol

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from offbeat.errors import MediaError
from offbeat.media.limits import LIMITS

FORMATS = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "mpegts", "mpeg", "avi", "flv")
PICTURE_CODECS = (
    *("h264", "hevc", "vp8", "vp9", "libdav1d", "av1", "mpeg4", "mpeg2video", "mpeg1video", "msmpeg4", "h263", "flv"),
    *("vc1", "mjpeg", "prores", "dnxhd", "ffv1", "rawvideo", "theora"),
)
SOUND_CODECS = (
    *("aac", "aac_latm", "mp3", "mp3float", "mp2", "mp2float", "mp1", "mp1float", "ac3", "eac3", "dca", "opus"),
    *("libopus", "vorbis", "libvorbis", "flac", "alac", "amrnb", "amrwb", "pcm_alaw", "pcm_mulaw", "pcm_u8", "pcm_s8"),
    *("pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_s32be", "pcm_f32le", "pcm_f32be"),
    *("pcm_f64le", "pcm_f64be", "pcm_dvd", "pcm_bluray", "adpcm_ms", "adpcm_ima_wav", "adpcm_ima_qt"),
)
_DETECT = "crccheck+explode"
"""Decoders compare checksums where a codec has them (FLAC, AC-3, MP3), and give up what is not right."""


class _Rational(Protocol):
    """What PyAV calls a rate or a time base: a Fraction up to version 18, a type of its own from 19."""

    @property
    def numerator(self) -> int: ...

    @property
    def denominator(self) -> int: ...


def exact(rational: _Rational) -> Fraction:
    """PyAV's rationals as `Fraction`, whatever its version."""
    return Fraction(rational.numerator, rational.denominator)


def open_media(path: Path, **more: str) -> InputContainer:
    """Open a file for reading; use it in a `with` block.

    Args:
        path: a file.
        more: further options of the container's reader.

    Raises:
        MediaError: `not_found`, or `not_media` for what is no file of a known container.
    """
    if not path.is_file():
        raise MediaError(f"{path}: no such file", reason="not_found")
    options = {
        "format_whitelist": ",".join(FORMATS),
        "codec_whitelist": ",".join(PICTURE_CODECS + SOUND_CODECS),
        "protocol_whitelist": "file",
    }
    try:
        return av.open(f"file:{path}", mode="r", options=options | more)
    except MemoryError:
        raise
    except (FFmpegError, ValueError) as error:
        raise MediaError(
            f"{path}: cannot be opened as a video; expected a whole MP4, MOV, MKV, WebM, MPEG, AVI or FLV file",
            reason="not_media",
        ) from error


@contextmanager
def readable(path: Path) -> Generator[None]:
    """Name the file where something in the block cannot be read; for files that Offbeat wrote.

    Raises:
        MediaError: `damaged`.
    """
    try:
        yield
    except MemoryError:
        raise
    except FFmpegError as error:
        raise MediaError(f"{path}: cannot be read ({error}); build it again", reason="damaged") from error


def picture_stream(container: InputContainer, path: Path) -> VideoStream:
    """The video that is meant; cover art is none.

    Raises:
        MediaError: `no_picture`, `codec_not_allowed`.
    """
    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not streams:
        raise MediaError(f"{path}: has no picture; expected a video stream", reason="no_picture")
    best = container.streams.best("video")
    stream = best if isinstance(best, VideoStream) and best in streams else streams[0]
    _prepare(stream, PICTURE_CODECS, path)
    return stream


def sound_stream(container: InputContainer, path: Path, track: int | None = None) -> AudioStream:
    """The default sound track, which is not always the first, or the one that is asked for.

    Args:
        container: opened.
        path: its file.
        track: which of the sound tracks, counted from 0.

    Raises:
        MediaError: `no_sound`, `no_such_track`, `codec_not_allowed`.
    """
    tracks = container.streams.audio
    if track is not None and tracks and not 0 <= track < len(tracks):
        found = "one sound track, number 0" if len(tracks) == 1 else f"{len(tracks)} sound tracks, numbered from 0"
        raise MediaError(f"{path}: has {found}; asked for was number {track}", reason="no_such_track")
    stream = container.streams.best("audio") if track is None or not tracks else tracks[track]
    if not isinstance(stream, AudioStream):
        raise MediaError(f"{path}: has no sound; expected an audio stream", reason="no_sound")
    _prepare(stream, SOUND_CODECS, path)
    return stream


def _prepare(stream: VideoStream | AudioStream, allowed: tuple[str, ...], path: Path) -> None:
    """Refuse other codecs, and bound what the decoder may take."""
    # a stream without a decoder has no codec context at all
    name = stream.codec_context.name if stream.codec_context else "unknown"
    if name not in allowed:
        raise MediaError(
            f"{path}: its {'picture' if stream.type == 'video' else 'sound'} is coded as {name}, which is not read "
            "here; convert it to H.264 and AAC first",
            reason="codec_not_allowed",
        )
    if not stream.codec_context.is_open:
        is_picture = stream.type == "video"
        stream.codec_context.options = {"max_pixels": str(LIMITS.pixels)} if is_picture else {"err_detect": _DETECT}


def check_open(packet: Packet[Stream] | Packet[VideoStream], path: Path) -> None:
    """Refuse what is encrypted.

    Raises:
        MediaError: `encrypted`.
    """
    if brings(packet, "encryption_info"):
        raise MediaError(f"{path}: encrypted (digital rights management); expected an open file", reason="encrypted")


def brings(packet: Packet[Stream] | Packet[VideoStream], kind: Literal["encryption_info", "new_extradata"]) -> bool:
    """Whether a packet carries side data of this kind."""
    # most carry none at all, which is asked at a tenth of the cost
    return next(iter(packet.iter_sidedata()), None) is not None and packet.has_sidedata(kind)


def start_of(container: InputContainer) -> Fraction:
    """Where the container's clock starts, in seconds; all times of a source are counted from there."""
    return Fraction(container.start_time or 0, av.time_base)


def edit_shift_s(path: Path) -> Fraction:
    """How much later than FFmpeg says the picture of an MP4 is shown.

    Where an edit list starts between two frames, FFmpeg moves the first whole frame, and all after it, to the start of
    the edit: up to one frame early against the sound. The stamps without that treatment tell by how much.
    """
    first: list[int] = []
    time_base = Fraction(1)
    for advanced in ("1", "0"):
        with open_media(path, advanced_editlist=advanced) as container:
            if "mp4" not in container.format.name:
                return Fraction(0)
            stream = picture_stream(container, path)
            time_base = exact(stream.time_base or time_base)
            try:
                packet = next(iter(container.demux(stream)), None)
            except FFmpegError:
                return Fraction(0)
            if packet is None or packet.pts is None:
                return Fraction(0)
            first.append(packet.pts)
    shift_s = (first[1] - first[0]) * time_base
    return shift_s if 0 < shift_s < Fraction(1, 5) else Fraction(0)
