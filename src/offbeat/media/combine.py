"""Take written variants apart and put them together otherwise: one's picture with another's sound, packet by packet.

Nothing is encoded again where it need not be: what stays is to the last bit what it was. Both streams start at 0, as in
every written variant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from fractions import Fraction
from itertools import repeat
from pathlib import Path
from typing import TypeVar

import av
import numpy as np
from av.audio.stream import AudioStream
from av.packet import Packet
from av.video.stream import VideoStream
from numpy.typing import NDArray

from offbeat.errors import MediaError
from offbeat.media.geometry import PIXEL_FORMAT
from offbeat.media.h264 import mark_entries
from offbeat.media.opening import exact, open_media, picture_stream, readable, sound_stream
from offbeat.media.picture import SIGNED_OFFSETS, Picture, encode_picture
from offbeat.media.read import chosen, grid_of
from offbeat.media.values import Sound, SoundSpan
from offbeat.media.write import (
    AUDIO_HZ,
    MARGIN_AFTER_SAMPLES,
    MARGIN_BEFORE_SAMPLES,
    VariantWriter,
    to_count,
)

StreamT = TypeVar("StreamT", VideoStream, AudioStream)


def still_picture(path: Path, *, frame: int) -> Picture:
    """As many frames as the written variant has, all of them its frame number `frame`.

    Raises:
        MediaError: the file cannot be read, or has no such frame.
    """
    with readable(path), open_media(path) as container:
        stream = picture_stream(container, path)
        grid = grid_of(stream, path)
        shown = next(chosen(container.decode(stream), [frame], path=path)).reformat(format=PIXEL_FORMAT)
    return encode_picture(repeat(shown, grid.count), fps=grid.fps, width=shown.width, height=shown.height)


def write_with_sound(target: Path, path: Path, make: Callable[[int, int], NDArray[np.float32]]) -> None:
    """Write the variant with its own picture packets and another sound, coded as its sound was.

    Args:
        target: where to.
        path: a written variant.
        make: makes the samples, for so many channels and so many samples each: what is heard, and what the encoder
            needs before and after it.

    Raises:
        MediaError: the variant cannot be read, or its sound is not coded as variants have it.
    """
    with open_media(path) as container:
        seen, heard = picture_stream(container, path), sound_stream(container, path)
        grid = grid_of(seen, path)
        _packets(container.demux(seen), seen, path)  # refuses a file that breaks off
        picture = Picture(path.read_bytes(), fps=grid.fps, count=grid.count, width=seen.width, height=seen.height)
        codec, channels = heard.codec_context.name, heard.channels
    if codec not in ("aac", "flac"):
        raise MediaError(f"{path}: its sound is {codec}; expected aac or flac", reason="codec_not_allowed")
    count = MARGIN_BEFORE_SAMPLES + to_count(picture.length_s) + MARGIN_AFTER_SAMPLES
    span = SoundSpan(Sound(make(channels, count), AUDIO_HZ), start_samples=-MARGIN_BEFORE_SAMPLES)
    with closing(VariantWriter(picture)) as writer:
        writer.render(target, span, start_samples=0, codec=codec)


def combine(
    target: Path, *, picture: Path, sound: Path, cut: Callable[[Sequence[int]], Sequence[int]] | None = None
) -> None:
    """Write the picture packets of one file with the sound packets of another.

    Args:
        target: where to.
        picture: a file whose picture is taken.
        sound: a file whose sound is taken.
        cut: is given the samples of each packet of the sound, and says how many of each are to be heard; no more
            packets are taken than it names. All where None.

    Raises:
        MediaError: a file cannot be read, or lacks the stream, or a part of it.
    """
    with open_media(picture) as seen, open_media(sound) as heard:
        seen_stream, heard_stream = picture_stream(seen, picture), sound_stream(heard, sound)
        shown = _packets(seen.demux(seen_stream), seen_stream, picture)
        played = _packets(heard.demux(heard_stream), heard_stream, sound)
        mark_entries(shown, seen_stream.codec_context.extradata or b"")
        if cut is not None:
            wanted = cut([packet.duration or 0 for packet in played])
            played = played[: len(wanted)]
            played[-1].duration = wanted[-1]
        reordered = any(packet.pts != packet.dts for packet in shown)
        options = {"movflags": f"+faststart{SIGNED_OFFSETS if reordered else ''}"}
        with av.open(str(target), "w", format="mp4", options=options) as output:
            picture_out = output.add_stream_from_template(seen_stream)
            sound_out = output.add_stream_from_template(heard_stream)
            for packet in shown:
                packet.stream = picture_out
            for packet in played:
                packet.stream = sound_out
            for packet in sorted([*shown, *played], key=_due_s):
                output.mux(packet)


def _packets(
    demuxed: Iterator[Packet[StreamT]], stream: VideoStream | AudioStream, path: Path
) -> list[Packet[StreamT]]:
    """All packets of a stream, as many as the file says that it has."""
    with readable(path):
        packets = [packet for packet in demuxed if packet.dts is not None]
    if len(packets) < stream.frames:
        what = "picture" if stream.type == "video" else "sound"
        raise MediaError(f"{path}: ends before its {what} does; build it again", reason="damaged")
    return packets


def _due_s(packet: Packet[VideoStream] | Packet[AudioStream]) -> Fraction:
    """When it is decoded; the sort is stable, so that the picture's comes first where two are due at once."""
    return (packet.dts or 0) * exact(packet.time_base)
