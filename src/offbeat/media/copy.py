"""Take a window's picture over as it is, without encoding it, where the source allows that.

What it takes: H.264 in 8-bit 4:2:0, upright, square pixels, even sides, progressive; a key frame at the start before
which the decoder need not know anything (an IDR picture); frames that lie on the grid to half a frame; and an end at
which no packet is needed that shows a later frame::

    shown      0  1  2  3  4 │ 5  6            shown      0  1  2  3 │ 4  5  6
    packets    I0 P2 B1 P4 B3│P6 B5            packets    I0 P2 B1 P4│ B3 P6 B5      P4 is needed for B3: not here

The packets get stamps of their own: the k-th frame shown at k / fps, from 0. Where B-frames make the order of decoding
differ from that of showing, composition offsets are written as signed numbers (`ctts` version 1, ISO/IEC 14496-12), so
that the first frame stands at 0 without an edit list, which some readers ignore.

None of this is believed: it is proved on the finished copy (`offbeat.media.copy_proof`), decoded once for that.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction

import av
import numpy as np
from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from offbeat.errors import MediaError
from offbeat.media.copy_proof import CopyDiffersError, proved_frames, taken
from offbeat.media.geometry import PIXEL_FORMAT
from offbeat.media.h264 import mark_entries
from offbeat.media.opening import exact, open_media, picture_stream, start_of
from offbeat.media.picture import SIGNED_OFFSETS, Picture
from offbeat.media.scan import Scan
from offbeat.timing import round_half_up

_BACK_S = (Fraction(0), Fraction(2), None)
"""How much before its stamp the first packet is looked for; None: from the beginning. Without an index, or with a wrong
one, seeking may land behind it."""
_WHY_CONVERTED = {
    "bwdif": "it is interlaced",
    "transpose": "it is rotated",
    "hflip": "it is rotated",
    "scale": "its pixels are not square, its sides are odd, or another size was asked for",
    "format": f"its frames are not {PIXEL_FORMAT} (8-bit 4:2:0)",
}


def copyable_starts(scanned: Scan, frames: int) -> NDArray[np.int64]:
    """Indices of the frames at which `frames` of them can be copied, as far as stamps and headers tell."""
    if _why_never(scanned) is not None:
        return np.zeros(0, dtype=np.int64)
    keys = np.searchsorted(scanned.frame_pts, scanned.packet_pts[scanned.packet_begins_anew])
    return np.array([key for key in np.unique(keys) if _why_not_here(scanned, int(key), frames) is None], np.int64)


def copy_picture(
    scanned: Scan,
    *,
    start_s: Fraction,
    fps: Fraction,
    count: int,
    through: Callable[[Iterator[VideoFrame]], Iterable[VideoFrame]] = iter,
) -> Picture | str:
    """The picture of the window without encoding it, or the reason why it has to be encoded.

    Args:
        scanned: the source.
        start_s: when the first frame is shown, exactly.
        fps: the rate of the result, in frames a second.
        count: how many frames.
        through: what the frames pass through when the copy is decoded, one at a time, such as `with_grey_copies`; not
            asked for frames where the stamps alone forbid copying.
    """
    index = int(np.searchsorted(scanned.frame_times_s, float(start_s) - 1e-6))
    reason = _why_never(scanned) or _why_not_here(scanned, index, count)
    if reason is not None:
        return reason
    try:
        mp4 = _copied(scanned, index, fps=fps, count=count, through=through)
    except CopyDiffersError as error:
        return str(error)
    except (FFmpegError, MediaError, ValueError) as error:
        return f"its packets cannot be read or written apart from their file ({error})"
    geometry = scanned.geometry
    return Picture(mp4=mp4, fps=fps, count=count, width=geometry.width, height=geometry.height, copied=True)


def _copied(
    scanned: Scan,
    index: int,
    *,
    fps: Fraction,
    count: int,
    through: Callable[[Iterator[VideoFrame]], Iterable[VideoFrame]],
) -> bytes:
    """A proved MP4 file of `count` frames from frame `index` on."""
    for back_s in _BACK_S:
        with open_media(scanned.path) as container:
            stream = picture_stream(container, scanned.path)
            if stream.sample_aspect_ratio and exact(stream.sample_aspect_ratio) not in (0, 1):
                raise CopyDiffersError("its pixels are not square")
            start_pts = round_half_up(start_of(container) / scanned.time_base)
            stamps = [start_pts + pts for pts in _packet_stamps(scanned, index, count)]
            first_pts = stamps[0]
            if back_s is not None:
                container.seek(first_pts - round_half_up(back_s / scanned.time_base), stream=stream)
            packets = _packets(container.demux(stream), first_pts, count)
            if [packet.pts for packet in packets] != stamps:
                continue
            if any(packet.is_corrupt for packet in packets):
                raise CopyDiffersError("its packets are damaged")
            source = taken(packets, stream)
            mp4 = _muxed(packets, stream, fps)
        for _ in through(proved_frames(mp4, source, fps=fps)):
            pass
        return mp4
    raise CopyDiffersError("its packets are not found again by their stamps")


def _why_never(scanned: Scan) -> str | None:
    """What stands against copying any window of this source."""
    if scanned.codec != "h264":
        return f"it is coded as {scanned.codec}, not as h264"
    if scanned.geometry.filters:
        first = scanned.geometry.filters[0].partition("=")[0]
        return _WHY_CONVERTED.get(first, f"its frames must pass the filter {first}")
    return None


def _why_not_here(scanned: Scan, index: int, count: int) -> str | None:
    """What stands against copying `count` frames from frame `index` on, judging by the stamps."""
    stamps = scanned.frame_pts[index : index + count]
    if len(stamps) < count:
        return "the source ends before it"
    packets = _packet_stamps(scanned, index, count)
    if not packets:
        return "it does not start at a key frame that begins anew (an IDR picture)"
    if sorted(packets) != stamps.tolist():
        return "a frame at one of its ends needs a packet from beyond it (B-frames, or an open group of pictures)"
    frame_ticks = float(1 / (scanned.fps * scanned.time_base))
    around = scanned.frame_pts[index : index + count + 1] - stamps[0]
    late = around / frame_ticks - np.arange(len(around))
    if np.abs(late[:count]).max() >= 0.5 or (len(late) > count and late[count] <= -0.5):
        return f"its frames do not come at a constant {float(scanned.fps):.5g} a second"
    return None


def _packet_stamps(scanned: Scan, index: int, count: int) -> list[int]:
    """Of `count` packets in the order of decoding, from frame `index` on; none where decoding cannot begin there."""
    (places,) = np.nonzero((scanned.packet_pts == scanned.frame_pts[index]) & scanned.packet_begins_anew)
    return scanned.packet_pts[places[0] : places[0] + count].tolist() if len(places) else []


def _packets(demuxed: Iterator[Packet[VideoStream]], first_pts: int, count: int) -> list[Packet[VideoStream]]:
    """`count` packets from the one with the stamp `first_pts` on."""
    packets: list[Packet[VideoStream]] = []
    for packet in demuxed:
        if packet.pts is not None and (packets or packet.pts == first_pts):
            packets.append(packet)
            if len(packets) == count:
                break
        elif packet.dts is not None and packet.dts > first_pts:
            break  # none is shown before it is decoded
    return packets


def _muxed(packets: Sequence[Packet[VideoStream]], template: VideoStream, fps: Fraction) -> bytes:
    """An MP4 file of these packets, the frame shown first at 0."""
    rank = {pts: k for k, pts in enumerate(sorted(packet.pts or 0 for packet in packets))}
    shown = [rank[packet.pts or 0] for packet in packets]
    ahead = max(k - at for k, at in enumerate(shown))  # so many frames earlier than shown must decoding begin
    buffer = io.BytesIO()
    options = {"movflags": SIGNED_OFFSETS} if ahead else {}
    mark_entries(packets, template.codec_context.extradata or b"")
    with av.open(buffer, "w", format="mp4", options=options) as output:
        stream = output.add_stream_from_template(template)
        stream.time_base = 1 / fps
        for k, (packet, at) in enumerate(zip(packets, shown, strict=True)):
            packet.pts, packet.dts, packet.duration = at, k - ahead, 1
            packet.time_base, packet.stream = 1 / fps, stream
            output.mux(packet)
    return buffer.getvalue()
