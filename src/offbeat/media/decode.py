"""From packets to frames, and from frames to samples, where a file may break off or be damaged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.error import FFmpegError
from numpy.typing import NDArray

ItemT = TypeVar("ItemT")


def attempted(call: Callable[[], ItemT]) -> ItemT | None:
    """What a call of the codec library returns; None where damage makes it fail. A lack of memory is no damage."""
    try:
        return call()
    except MemoryError:  # the library's own is one of its errors, too
        raise
    except FFmpegError:
        return None


def until_broken(packets: Iterator[ItemT]) -> Iterator[ItemT]:
    """Packets to the end, or to where the file breaks off: what came before counts."""
    while (packet := attempted(lambda: next(packets, None))) is not None:
        yield packet


def samples_of(frame: AudioFrame) -> NDArray[np.float32]:
    """The samples of a frame in planar float, shape (channels, n)."""
    return np.asarray(frame.to_ndarray(), dtype=np.float32)


def samples_of_all(frames: Iterable[AudioFrame]) -> NDArray[np.float32] | None:
    """The samples of frames of one kind, one after the other, shape (channels, n); None where there are none.

    They become an array when they are together: to make one of each frame costs more than to decode it.

    Raises:
        ValueError: the frames are not all of one rate, format and number of channels.
    """
    whole = joined(frames)
    if whole is None:
        return None
    if whole.format.name == "fltp":
        return samples_of(whole)
    resampler = av.AudioResampler(format="fltp", layout=whole.layout, rate=whole.sample_rate)
    return np.concatenate([samples_of(part) for part in resampler.resample(whole)], axis=1)


def joined(frames: Iterable[AudioFrame]) -> AudioFrame | None:
    """One frame of all samples of frames of one kind, as they were decoded; None where there are none.

    Raises:
        ValueError: the frames are not all of one rate, format and number of channels.
    """
    fifo = av.AudioFifo()
    channels: int | None = None
    for frame in frames:
        channels = channels or frame.layout.nb_channels
        if frame.layout.nb_channels != channels:  # the queue itself looks at rate and format only, and would crash
            raise ValueError(f"a frame of {frame.layout.nb_channels} channels after one of {channels}")
        frame.pts = None  # counted, not stamped
        fifo.write(frame)
    return fifo.read()
