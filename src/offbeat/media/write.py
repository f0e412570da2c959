"""Write a variant: the clip's picture packets, and a slice of the source's sound.

AAC with the pre-roll drop. An encoder delays its input by 1024 samples (its priming), and says so in an edit list that
some readers ignore; they hear the sound 21 ms late. Here the encoder is fed real sound from 1024 samples before the
slice, and the first two packets, which carry that, are dropped: what remains starts at the slice, needs no edit list,
and is read at the same place by every reader::

    source samples    ···│ i-1024 ┆ i ─────────────────────── i+n ┆ tail ···   all of it real sound, no zeros
    encoder's packets    │ 0 │ 1  │ 2 │ 3 │ ...          │ last │   packet k: from i + 1024 (k - 2)
    kept                          │ 2 │ 3 │ ...          │ last │   ceil(n / 1024) packets, the last cut

FLAC has no priming: the slice itself is encoded, without loss, since spans are rounded to 16 bits when they are cut.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Literal

import av
import numpy as np
from av.audio.stream import AudioStream
from av.packet import Packet
from av.video.stream import VideoStream
from numpy.typing import NDArray

from offbeat.files import whole_file
from offbeat.media.h264 import mark_entries
from offbeat.media.opening import exact
from offbeat.media.picture import SIGNED_OFFSETS, Picture
from offbeat.media.span import flac_packets, steps_of
from offbeat.media.values import SoundSpan
from offbeat.timing import to_samples

AUDIO_HZ = 48_000
AudioCodec = Literal["aac", "flac"]

AAC_FRAME_SAMPLES = 1024
_DROPPED_PACKETS = 2
_BIT_RATE_PER_CHANNEL = 96_000
MARGIN_BEFORE_SAMPLES = AAC_FRAME_SAMPLES
"""How much more of the source than the slice itself is needed before it ..."""
MARGIN_AFTER_SAMPLES = 2 * AAC_FRAME_SAMPLES
"""... and after it."""


Content = tuple[int | None, int | None, bytes]
"""Of a packet, or of a header: when it is shown and decoded, in ticks, and the bytes."""


def header_of(stream: VideoStream) -> Content:
    """What a decoder is told before the first packet."""
    return None, None, stream.codec_context.extradata or b""


class VariantWriter:
    """Writes variants of one clip; not for several threads at once, since muxing marks the packets.

    Attributes:
        picture: the clip's picture.
    """

    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self._input = av.open(io.BytesIO(picture.mp4), mode="r", options=_opening(picture.mp4))
        self._stream = self._input.streams.video[0]
        self._time_base = exact(self._stream.time_base or Fraction(0))
        self._packets = [packet for packet in self._input.demux(self._stream) if packet.dts is not None]
        mark_entries(self._packets, self._stream.codec_context.extradata or b"")
        self._stamps = [(packet.pts, packet.dts, packet.duration) for packet in self._packets]
        reordered = any(pts != dts for pts, dts, _ in self._stamps)
        self._muxer = {"movflags": f"+faststart{SIGNED_OFFSETS if reordered else ''}"}

    @cached_property
    def picture_packets(self) -> tuple[Content, ...]:
        """The header of the picture's stream, then its packets, in order."""
        stamped = zip(self._stamps, self._packets, strict=True)
        return header_of(self._stream), *((pts, dts, bytes(packet)) for (pts, dts, _), packet in stamped)

    def close(self) -> None:
        """Let go of the picture."""
        self._input.close()

    def write(self, path: Path, span: SoundSpan, *, start_samples: int, codec: AudioCodec) -> None:
        """Write one variant, whole or not at all: to a temporary name first, onto the disk, then renamed.

        Args: as of `render`.
        """
        with whole_file(path) as temporary:
            self.render(temporary, span, start_samples=start_samples, codec=codec)

    def render(self, path: Path, span: SoundSpan, *, start_samples: int, codec: AudioCodec) -> None:
        """Write one variant to a file that nobody else looks at, such as a temporary one.

        Args:
            path: where to; what it holds is overwritten.
            span: source sound at 48 kHz that covers the slice and its margins.
            start_samples: which sample of the source's clock is heard with the first frame.
            codec: `aac` or `flac`.
        """
        count = to_count(self.picture.length_s)
        with av.open(str(path), "w", format="mp4", options=self._muxer) as output:
            picture = output.add_stream_from_template(self._stream)
            channels = span.sound.samples.shape[0]
            sound = output.add_stream(codec, rate=AUDIO_HZ, layout="mono" if channels == 1 else "stereo")
            if codec == "aac":
                sound.bit_rate = _BIT_RATE_PER_CHANNEL * channels
                sound.codec_context.options = _AAC_OPTIONS
                packets = _aac_packets(sound, span, start_samples, count)
            else:
                packets = flac_packets(sound, steps_of(span, start_samples, count))
            for packet, (pts, dts, duration) in zip(self._packets, self._stamps, strict=True):
                packet.pts, packet.dts, packet.duration = pts, dts, duration
                packet.time_base, packet.stream = self._time_base, picture
            for packet in _interleaved(self._packets, packets):
                output.mux(packet)


_AAC_OPTIONS = {"aac_coder": "fast", "aac_ms": "0", "aac_is": "0", "aac_pns": "0"}
"""A third of the default's time at the same quality; no intensity stereo or noise substitution, which alter phases."""


def _opening(mp4: bytes) -> dict[str, str]:
    """Options that keep FFmpeg from decoding frames when it opens a picture, to learn what the file says already.

    Not where the file states the shape of its pixels: that is passed on only if the decoder confirms it.
    """
    return {} if b"pasp" in mp4 else {"codec_whitelist": "none"}


def to_count(length_s: Fraction) -> int:
    """Samples at 48 kHz that last as long as the picture, to the nearest."""
    return to_samples(length_s, AUDIO_HZ)


def _interleaved(
    picture: list[Packet[VideoStream]], sound: list[Packet[AudioStream]]
) -> Iterator[Packet[VideoStream] | Packet[AudioStream]]:
    """All packets in the order of decoding, the picture's first where two are due at once."""
    # whole numbers on one clock: sorting fractions would cost more than the muxing itself
    picture_base, sound_base = exact(picture[0].time_base), exact(sound[0].time_base)
    picture_ticks = picture_base.numerator * sound_base.denominator
    sound_ticks = sound_base.numerator * picture_base.denominator
    due = [(packet.dts or 0) * picture_ticks for packet in picture]
    due += [(packet.dts or 0) * sound_ticks for packet in sound]
    packets = [*picture, *sound]
    return (packets[k] for k in sorted(range(len(packets)), key=due.__getitem__))


def _aac_packets(stream: AudioStream, span: SoundSpan, start_samples: int, count: int) -> list[Packet[AudioStream]]:
    kept = -(-count // AAC_FRAME_SAMPLES)
    fed = span.slice(start_samples - AAC_FRAME_SAMPLES, (kept + _DROPPED_PACKETS) * AAC_FRAME_SAMPLES)
    packets = _encode(stream, np.ascontiguousarray(fed))[_DROPPED_PACKETS:][:kept]
    first_pts = packets[0].pts or 0
    for packet in packets:
        packet.pts = (packet.pts or 0) - first_pts
        packet.dts = packet.pts
    packets[-1].duration = count - AAC_FRAME_SAMPLES * (kept - 1)
    return packets


def _encode(stream: AudioStream, samples: NDArray[np.float32]) -> list[Packet[AudioStream]]:
    frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout=stream.layout.name)
    frame.sample_rate, frame.pts, frame.time_base = AUDIO_HZ, 0, Fraction(1, AUDIO_HZ)
    return [*stream.encode(frame), *stream.encode(None)]
