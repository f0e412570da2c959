"""Show that each frame of a copied picture is the source's own, by decoding the copy once and the source not at all.

What a decoder makes of a packet depends on the packet, on the parameter sets, and on what it holds from packets before;
and an IDR picture makes it forget what it held (ITU-T H.264, 8.2.1; 8.2.5.1). Decoding is exact: the standard leaves no
bit to the decoder. So from an IDR picture on, equal packets in equal order under equal parameter sets are equal frames.
That is shown here, packet by packet, on what is read back from the finished copy:

* it starts at an IDR picture;
* the units of each packet are those of the source's packet, byte by byte, in the source's order;
* the parameter sets in its header are those of the source's, and no packet brings others. (That none before the window
  did is seen when the source is scanned: `offbeat.media.h264.Entries`.)
* its stamps are in the order of the source's, the k-th frame shown at k / fps;
* each packet decodes, without error or concealment, to one frame, shown at its packet's stamp, progressive, and of the
  size, format and colours that the source has.

`tests/media/test_copy_proof.py` decodes both, and compares all samples of all frames.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import av
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from offbeat.media.h264 import NEW_HEADER, begins_anew, brings_other_sets, parameter_sets, units_of
from offbeat.media.opening import brings, exact

_FULL_RANGE = 2
"""Samples from 0 to 255 instead of 16 to 235, as FFmpeg numbers it (AVCOL_RANGE_JPEG)."""
_UNSEEN = {"codec_whitelist": "none"}
"""While opening, FFmpeg would decode the first frames by itself, to no end here."""


class CopyDiffersError(ValueError):
    """A copy is not shown to be what it was made of; the text says where and why, as a reason for not copying."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken from a source.

    Attributes:
        header: the stream's own (`extradata`).
        units: of each packet, in the order of decoding.
        places: of each packet, which frame of the window it shows, from 0.
        look: width, height, format, whether in full range, and matrix of its frames.
    """

    header: bytes
    units: tuple[list[bytes], ...]
    places: tuple[int, ...]
    look: tuple[int, int, str | None, bool, int]


def taken(packets: Sequence[Packet[VideoStream]], stream: VideoStream) -> Taken:
    """What these packets hold, to be called before they are put into another file, which alters them.

    Raises:
        ValueError: they are no H.264 packets.
        CopyDiffersError: they cannot be equal in another file.
    """
    if any(brings(packet, NEW_HEADER) for packet in packets):
        raise CopyDiffersError("its parameter sets change")
    header = stream.codec_context.extradata or b""
    ranks = {pts: rank for rank, pts in enumerate(sorted(packet.pts or 0 for packet in packets))}
    return Taken(
        header=header,
        units=tuple(units_of(bytes(packet), header) for packet in packets),
        places=tuple(ranks[packet.pts or 0] for packet in packets),
        look=_look(stream.codec_context, stream.codec_context.pix_fmt),
    )


def proved_frames(mp4: bytes, source: Taken, *, fps: Fraction) -> Iterator[VideoFrame]:
    """The frames of a copy, each shown to be the source's own; decoded one at a time.

    Args:
        mp4: the copy.
        source: what it was made of.
        fps: its rate: frame k is to be shown at k / fps.

    Raises:
        CopyDiffersError: it is not shown; the frames so far count for nothing.
        FFmpegError: a packet does not decode.
    """
    with av.open(io.BytesIO(mp4), mode="r", format="mp4", options=_UNSEEN) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1  # work is shared out by clips
        header = stream.codec_context.extradata or b""
        sets = parameter_sets(source.header)
        if parameter_sets(header) != sets:
            raise CopyDiffersError("its copy has other parameter sets in its header")
        shown = number = 0
        for packet in container.demux(stream):
            if packet.size:  # what comes last is empty, and makes the decoder give what it holds back
                _check_packet(packet, number, header, sets, source, fps)
                number += 1
            for frame in packet.decode():
                _check_frame(frame, shown, source, fps)
                shown += 1
                yield frame
        if number != len(source.units) or shown != number:
            raise CopyDiffersError(f"its copy has {number} packets and {shown} frames, not {len(source.units)}")


def _check_packet(
    packet: Packet[VideoStream], number: int, header: bytes, sets: frozenset[bytes], source: Taken, fps: Fraction
) -> None:
    units = units_of(bytes(packet), header)
    if number == 0 and not begins_anew(units):
        raise CopyDiffersError("its copy does not begin anew (with an IDR picture)")
    if brings_other_sets(units, sets):
        raise CopyDiffersError(f"packet {number} brings other parameter sets than the header's")
    if number >= len(source.units) or units != source.units[number]:
        raise CopyDiffersError(f"packet {number} of its copy is not the source's")
    if _at_s(packet) != source.places[number] / fps:
        raise CopyDiffersError(f"packet {number} of its copy is not shown at its time")


def _check_frame(frame: VideoFrame, place: int, source: Taken, fps: Fraction) -> None:
    if frame.is_corrupt:
        raise CopyDiffersError(f"frame {place} is damaged")
    if frame.interlaced_frame:
        raise CopyDiffersError("it is interlaced")
    if _at_s(frame) != place / fps:
        raise CopyDiffersError(f"frame {place} of its copy is not shown at its time")
    if _look(frame, frame.format.name) != source.look:
        raise CopyDiffersError(f"frame {place} of its copy is {_look(frame, frame.format.name)}, not {source.look}")


def _at_s(one: Packet[VideoStream] | VideoFrame) -> Fraction | None:
    return None if one.pts is None or one.time_base is None else one.pts * exact(one.time_base)


def _look(of: VideoFrame | VideoCodecContext, pixel_format: str | None) -> tuple[int, int, str | None, bool, int]:
    full_range = int(of.color_range) == _FULL_RANGE  # not stated means limited
    return of.width, of.height, pixel_format, full_range, int(of.colorspace)
