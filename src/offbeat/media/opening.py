"""Opening media files of strangers: local files only, known containers only, and the streams that are meant.

Without the two white lists FFmpeg follows playlists, ``concat:`` scripts and URLs inside a file that merely calls
itself ``.mp4``; without the ``file:`` prefix a name such as ``12:30.mp4`` is taken for a protocol.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Protocol

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition
from av.video.stream import VideoStream
from numpy.typing import NDArray

from offbeat.errors import MediaError

FORMATS = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "mpegts", "mpeg", "avi", "flv")


class _Rational(Protocol):
    """What PyAV calls a rate or a time base: a Fraction up to version 18, a type of its own from 19."""

    @property
    def numerator(self) -> int: ...

    @property
    def denominator(self) -> int: ...


def exact(rational: _Rational) -> Fraction:
    """PyAV's rationals as `Fraction`, whatever its version."""
    return Fraction(rational.numerator, rational.denominator)


def open_media(path: Path) -> InputContainer:
    """Open a file for reading; use it in a `with` block.

    Raises:
        MediaError: `not_found`, or `not_media` for what is no file of a known container.
    """
    if not path.is_file():
        raise MediaError(f"{path}: no such file", reason="not_found")
    options = {"format_whitelist": ",".join(FORMATS), "protocol_whitelist": "file"}
    try:
        return av.open(f"file:{path}", mode="r", options=options)
    except (FFmpegError, ValueError) as error:
        raise MediaError(
            f"{path}: cannot be opened as a video; expected a whole MP4, MOV, MKV, WebM, MPEG, AVI or FLV file",
            reason="not_media",
        ) from error


def picture_stream(container: InputContainer, path: Path) -> VideoStream:
    """The video that is meant; cover art is none.

    Raises:
        MediaError: `no_picture`.
    """
    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not streams:
        raise MediaError(f"{path}: has no picture; expected a video stream", reason="no_picture")
    best = container.streams.best("video")
    return best if isinstance(best, VideoStream) and best in streams else streams[0]


def sound_stream(container: InputContainer, path: Path) -> AudioStream:
    """The default sound track, which is not always the first.

    Raises:
        MediaError: `no_sound`.
    """
    best = container.streams.best("audio")
    if not isinstance(best, AudioStream):
        raise MediaError(f"{path}: has no sound; expected an audio stream", reason="no_sound")
    return best


def start_of(container: InputContainer) -> Fraction:
    """Where the container's clock starts, in seconds; all times of a source are counted from there."""
    return Fraction(container.start_time or 0, av.time_base)


def samples_of(frame: AudioFrame) -> NDArray[np.float32]:
    """The samples of a frame in planar float, shape (channels, n)."""
    return np.asarray(frame.to_ndarray(), dtype=np.float32)
