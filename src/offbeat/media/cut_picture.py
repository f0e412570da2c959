"""Cut from a source its picture, on a constant grid.

A frame is shown at grid time t + k / fps if it is the last one stamped at or before t + (k + 1/2) / fps; the half frame
of slack is for containers that round their stamps to 1 ms, where frames would otherwise double or drop.
"""

from __future__ import annotations

import itertools
from collections.abc import Generator, Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from offbeat.errors import MediaError
from offbeat.media.decode import attempted, until_broken
from offbeat.media.geometry import Geometry, apply_geometry
from offbeat.media.opening import edit_shift_s, exact, open_media, picture_stream, start_of
from offbeat.media.stamps import GAP_S
from offbeat.timing import round_half_up

_BACK_S = (Fraction(0), Fraction(2), Fraction(15), Fraction(120), None)
"""How much earlier than needed decoding is started, one after the other; None: from the beginning."""
_STAMP_SLACK_S = 0.002
"""Two stamps of one frame differ by less: rounding to 1 ms."""


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
        if from_s is not None:
            ticks = round_half_up((from_s + origin_s) / time_base)
            attempted(lambda: container.seek(ticks, stream=stream))  # some FLV files refuse; then what comes tells
        for packet in until_broken(container.demux(stream)):
            for frame in attempted(packet.decode) or ():  # who asks finds out whether all that is needed was there
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
