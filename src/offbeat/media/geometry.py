"""How a source's frames become upright 4:2:0 frames with square pixels and even sides.

The picture of a variant is H.264 in yuv420p, which wants even sides; models and pages ignore rotation flags and pixel
aspect ratios, so both are carried out here. High dynamic range is refused: the codec library cannot convert it
properly, and a washed-out picture would be a silent change of the material.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import av.filter
from av.container import InputContainer
from av.error import BlockingIOError as NothingYet
from av.error import EOFError as NothingMore
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from offbeat.errors import MediaError
from offbeat.media.limits import LIMITS, Limits
from offbeat.media.opening import check_open, exact, open_media, picture_stream
from offbeat.timing import round_half_up

PIXEL_FORMAT = "yuv420p"
_HDR_TRANSFERS = {16: "PQ (HDR10)", 18: "HLG"}  # ITU-T H.273, transfer characteristics
_TURNS = {0: (), 90: ("transpose=cclock",), 180: ("hflip", "vflip"), 270: ("transpose=clock",)}
_SQUARE_ENOUGH = Fraction(1, 100)


@dataclass(frozen=True, slots=True)
class Geometry:
    """What is done to each frame.

    Attributes:
        width: of the result, even.
        height: of the result, even.
        coded: width and height as decoded.
        filters: FFmpeg filters, in order; empty where frames pass as they are.
    """

    width: int
    height: int
    coded: tuple[int, int]
    filters: tuple[str, ...]


def geometry_of(path: Path, *, limits: Limits = LIMITS) -> Geometry:
    """Decode the first frame and see what it needs.

    Raises:
        MediaError: `no_picture`, `unreadable`, `encrypted`, `too_large`, `no_stamps`, `hdr`, or `odd_rotation`.
    """
    with open_media(path) as container:
        stream = picture_stream(container, path)
        frame = _first_frame(container, stream, path)
        limits.check(path, "pixels", frame.width * frame.height, limits.pixels)
        if container.format.name == "avi" and stream.codec_context.has_b_frames:
            raise MediaError(
                f"{path}: frames in another order than they are shown in, and AVI has no stamps to tell; write it anew "
                "as MP4 or MKV first",
                reason="no_stamps",
            )
        transfer = int(stream.codec_context.color_trc)
        aspect = exact(stream.sample_aspect_ratio) if stream.sample_aspect_ratio else Fraction(1)
    if transfer in _HDR_TRANSFERS:
        raise MediaError(
            f"{path}: high dynamic range, {_HDR_TRANSFERS[transfer]}, which cannot be converted faithfully here; "
            "convert it to standard range first",
            reason="hdr",
        )
    return _plan(path, frame, aspect)


def fitted(geometry: Geometry, height: int | None) -> Geometry:
    """The same with at most `height` lines, and an even width in proportion; never larger than it was."""
    if height is None or height >= geometry.height:
        return geometry
    lines = max(2, height - height % 2)
    width = max(2, 2 * round_half_up(Fraction(geometry.width * lines, 2 * geometry.height)))
    scale = (f"scale={width}:{lines}:flags=bicubic", "setsar=1", f"format={PIXEL_FORMAT}")
    return Geometry(width=width, height=lines, coded=geometry.coded, filters=(*geometry.filters, *scale))


def _first_frame(container: InputContainer, stream: VideoStream, path: Path) -> VideoFrame:
    """The first frame that decodes; a recording may begin in the middle of a group of pictures."""
    failed: FFmpegError | None = None
    try:
        for packet in container.demux(stream):
            check_open(packet, path)
            try:
                frame = next(iter(packet.decode()), None)
            except MemoryError:
                raise
            except FFmpegError as error:
                failed = error
                continue
            if frame is not None:
                return frame
    except MemoryError:
        raise
    except FFmpegError as error:
        failed = error
    if failed is not None:
        raise MediaError(f"{path}: no frame of its picture decodes ({failed})", reason="unreadable") from failed
    raise MediaError(f"{path}: no frame of its picture decodes", reason="no_picture")


def _plan(path: Path, frame: VideoFrame, aspect: Fraction) -> Geometry:
    rotation = int(frame.rotation) % 360
    if rotation not in _TURNS:
        raise MediaError(f"{path}: rotated by {rotation} degrees; expected a multiple of 90", reason="odd_rotation")
    width, height = frame.width, frame.height
    if aspect > 0 and abs(aspect - 1) > _SQUARE_ENOUGH:
        width = round_half_up(width * aspect)
    width, height = width - width % 2, height - height % 2
    filters: list[str] = []
    if frame.interlaced_frame:
        filters.append("bwdif=mode=send_frame:deint=interlaced")
    if (width, height) != (frame.width, frame.height):
        filters += [f"scale={width}:{height}:flags=bicubic", "setsar=1"]
    filters += _TURNS[rotation]
    if frame.format.name != PIXEL_FORMAT or filters:
        filters.append(f"format={PIXEL_FORMAT}")
    if rotation in (90, 270):
        width, height = height, width
    return Geometry(width=width, height=height, coded=(frame.width, frame.height), filters=tuple(filters))


def apply_geometry(
    frames: Iterable[tuple[Fraction, VideoFrame]], geometry: Geometry, *, path: Path
) -> Iterator[tuple[Fraction, VideoFrame]]:
    """Frames with their times, turned, scaled and converted, one in one out.

    Raises:
        MediaError: `stream_changed`, where the size changes within the stream.
    """
    graph = None
    waiting: list[Fraction] = []  # a deinterlacer holds a frame back; times stay in the order of the frames
    for time_s, frame in frames:
        if (frame.width, frame.height) != geometry.coded:
            raise MediaError(
                f"{path}: the picture's size changes at {float(time_s):.2f} s, from {geometry.coded[0]}x"
                f"{geometry.coded[1]} to {frame.width}x{frame.height}; expected one size throughout",
                reason="stream_changed",
            )
        if not geometry.filters:
            yield time_s, frame
            continue
        graph = graph or _graph(frame, geometry.filters)
        waiting.append(time_s)
        graph.push(frame)
        yield from _pulled(graph, waiting)
    if graph is not None:
        graph.push(None)
        yield from _pulled(graph, waiting)


def _graph(frame: VideoFrame, filters: tuple[str, ...]) -> av.filter.Graph:
    graph = av.filter.Graph()
    nodes = [graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 1000))]
    for text in filters:
        name, _, arguments = text.partition("=")
        nodes.append(graph.add(name, arguments or None))
    nodes.append(graph.add("buffersink"))
    for one, next_one in pairwise(nodes):
        one.link_to(next_one)
    graph.configure()
    return graph


def _pulled(graph: av.filter.Graph, waiting: list[Fraction]) -> Iterator[tuple[Fraction, VideoFrame]]:
    while waiting:
        try:
            frame = graph.pull()
        except (NothingYet, NothingMore):
            return
        if isinstance(frame, VideoFrame):
            yield waiting.pop(0), frame
