"""Keep a span of sound as a file without loss: FLAC of 16 bits in MP4.

MP4 and not bare FLAC, so that the readers of strangers' files need to know no further container. A span is rounded to
16 bits once, right after it is cut; from then on, what is kept, what is rendered from it and what is measured are the
same samples::

    stored = min(max(floor(32768 x + 1/2), -32768), 32767)        sample = stored / 32768, exact in float32
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from pathlib import Path

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.audio.stream import AudioStream
from av.error import FFmpegError
from av.packet import Packet
from numpy.typing import NDArray

from offbeat.errors import MediaError
from offbeat.files import whole_file
from offbeat.media.opening import open_media, sound_stream
from offbeat.media.values import Sound, SoundSpan

_FULL_SCALE = 32768
_COMPRESSION = "8"
"""The strongest that any FLAC decoder must understand; 1 to 5 % smaller than the default on real sound."""


Steps = NDArray[np.int16]
"""Samples as whole numbers, shape (n, channels)."""


@dataclass(frozen=True, slots=True, eq=False)
class RoundedSpan(SoundSpan):
    """A span of which each sample stands at one of the steps of 16 bits.

    Attributes:
        steps: the same samples as whole numbers, those of one moment beside each other.
    """

    steps: Steps


def to_16_bits(samples: NDArray[np.float32]) -> NDArray[np.int16]:
    """The nearest of 65,536 steps, halves upwards, clipped at full scale."""
    return np.clip(np.floor(samples * _FULL_SCALE + 0.5), -_FULL_SCALE, _FULL_SCALE - 1).astype(np.int16)


def rounded(span: SoundSpan) -> RoundedSpan:
    """The same span with each sample at one of the steps of 16 bits."""
    steps = to_16_bits(span.sound.samples)
    samples = steps.astype(np.float32) / np.float32(_FULL_SCALE)
    sound = Sound(samples=samples, rate_hz=span.sound.rate_hz)
    return RoundedSpan(sound=sound, start_samples=span.start_samples, steps=np.ascontiguousarray(steps.T))


def steps_of(span: SoundSpan, start_samples: int, count: int) -> Steps:
    """Samples [start, start + count) of the source's clock as whole numbers; once rounded, without any work.

    Raises:
        ValueError: they do not all lie in this span.
    """
    samples = span.slice(start_samples, count)
    if not isinstance(span, RoundedSpan):
        return np.ascontiguousarray(to_16_bits(samples).T)
    first = start_samples - span.start_samples
    return span.steps[first : first + count]


def flac_packets(stream: AudioStream, steps: Steps) -> list[Packet[AudioStream]]:
    """All packets of a FLAC stream that is to hold these samples."""
    frame = av.AudioFrame.from_ndarray(steps.reshape(1, -1), format="s16", layout=stream.layout.name)
    frame.sample_rate, frame.pts, frame.time_base = stream.rate, 0, Fraction(1, stream.rate)
    return [*stream.encode(frame), *stream.encode(None)]


def write_span(path: Path, span: SoundSpan) -> None:
    """Write a rounded span, whole or not at all."""
    steps, rate_hz = steps_of(span, span.start_samples, span.sound.count), span.sound.rate_hz
    with whole_file(path) as temporary, av.open(str(temporary), "w", format="mp4") as output:
        stream = output.add_stream("flac", rate=rate_hz, layout="mono" if steps.shape[1] == 1 else "stereo")
        stream.codec_context.options = {"compression_level": _COMPRESSION}
        output.mux(flac_packets(stream, steps))


class KeptSpan:
    """What `write_span` wrote, decoded as far as it is asked for; not for several threads at once.

    Packets of FLAC stand for themselves, so a piece costs as much as it is long. What is decoded stays in memory.
    """

    def __init__(self, path: Path, *, start_samples: int, count: int) -> None:
        """Read the file.

        Args:
            path: the file.
            start_samples: the index of its first sample on the source's clock.
            count: how many samples each channel must have.

        Raises:
            MediaError: it cannot be read, or `damaged`: it holds another number of samples.
        """
        self._path, self._start_samples, self._count = path, start_samples, count
        with open_media(path, codec_whitelist="flac") as container:
            stream = sound_stream(container, path)
            self._rate_hz, channels = stream.rate, stream.channels
            packets = [packet for packet in container.demux(stream) if packet.size]
            self._decoder = AudioCodecContext.create("flac", "r")
            self._decoder.extradata = stream.codec_context.extradata
            self._decoder.options = stream.codec_context.options  # checksums are compared
            self._decoder.thread_count = 1  # several would keep frames back
        lengths = [packet.duration or 0 for packet in packets]
        if sum(lengths) != count:
            raise self._damaged(sum(lengths))
        self._samples = np.zeros((channels, count), np.float32)
        self._waiting = list(zip(accumulate(lengths, initial=0), lengths, packets, strict=False))

    def piece(self, start_samples: int, count: int) -> SoundSpan:
        """Samples [start, start + count) of the source's clock.

        Raises:
            ValueError: they do not all lie in what is kept.
            MediaError: `damaged`: it does not decode.
        """
        first = start_samples - self._start_samples
        whole = SoundSpan(Sound(self._samples, self._rate_hz), self._start_samples)
        piece = whole.slice(start_samples, count)
        waiting: list[tuple[int, int, Packet[AudioStream]]] = []
        for place, length, packet in self._waiting:
            if place < first + count and first < place + length:
                self._samples[:, place : place + length] = self._decoded(packet, length)
            else:
                waiting.append((place, length, packet))
        self._waiting = waiting
        return SoundSpan(Sound(piece, self._rate_hz), start_samples)

    def whole(self) -> SoundSpan:
        """All samples."""
        return self.piece(self._start_samples, self._count)

    def _decoded(self, packet: Packet[AudioStream], length: int) -> NDArray[np.float32]:
        """Shape (channels, length)."""
        try:
            frames = self._decoder.decode(packet)
        except FFmpegError as error:
            raise self._damaged(0) from error
        found = sum(frame.samples for frame in frames)
        if found != length or any(frame.format.name != "s16" for frame in frames):
            raise self._damaged(found)
        interleaved = np.concatenate([frame.to_ndarray()[0] for frame in frames])
        return interleaved.reshape(length, -1).T.astype(np.float32) / np.float32(_FULL_SCALE)

    def _damaged(self, found: int) -> MediaError:
        text = f"{self._path}: holds {found} samples of 16 bits, expected {self._count}; build it again"
        return MediaError(text, reason="damaged")
