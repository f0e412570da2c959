"""The least that a build could cost: each window decoded once, its picture encoded once, each variant's sound once.

Plain PyAV in one process and one thread, with the encoders' settings of the builder: no scan, no proof, no files, no
manifest. The CPU is counted from when all is imported. `benchmarks/build.py` runs this beside `offbeat build`.

    python benchmarks/floor.py SOURCE START_S,… LENGTH_S DELAY_S,… aac|flac
"""

from __future__ import annotations

import io
import sys
import time
from fractions import Fraction

import av
import numpy as np
from av.video.frame import PictureType

from offbeat.media.picture import PRESET, QUALITY_CRF
from offbeat.media.write import _AAC_OPTIONS, _BIT_RATE_PER_CHANNEL, AUDIO_HZ  # pyright: ignore[reportPrivateUsage]

X264 = {"preset": PRESET, "crf": str(QUALITY_CRF), "bf": "0", "x264-params": "open-gop=0:threads=1:lookahead-threads=1"}


def picture(source: str, start_s: float, frames: int) -> int:
    """Decode and encode, frame by frame; the bytes that come out."""
    made, size = 0, 0
    with av.open(source) as container, av.open(io.BytesIO(), "w", format="mp4") as output:
        stream = container.streams.video[0]
        container.seek(round(start_s / stream.time_base), stream=stream)
        encoder = output.add_stream("libx264", rate=stream.guessed_rate)
        encoder.width, encoder.height, encoder.pix_fmt = stream.width, stream.height, "yuv420p"
        encoder.codec_context.thread_type, encoder.codec_context.thread_count = "FRAME", 1
        encoder.codec_context.options = X264
        for frame in container.decode(stream):
            if frame.time < start_s - 0.001:
                continue
            frame.pts, frame.time_base, frame.pict_type = made, 1 / stream.guessed_rate, PictureType.NONE
            size += sum(packet.size for packet in encoder.encode(frame))
            made += 1
            if made == frames:
                break
        return size + sum(packet.size for packet in encoder.encode(None))


def sound(source: str, start_s: float, length_s: float, delays_s: list[float], codec: str) -> int:
    """Decode the span once, encode each variant's slice; the bytes that come out."""
    with av.open(source) as container:
        stream = container.streams.audio[0]
        first_s = start_s - max(delays_s) - 0.1
        container.seek(round(first_s / stream.time_base), stream=stream)
        resampler = av.AudioResampler(format="fltp", layout="stereo", rate=AUDIO_HZ)
        parts, began_s = [], None
        for frame in container.decode(stream):
            began_s = frame.time if began_s is None else began_s
            parts += [part.to_ndarray() for part in resampler.resample(frame)]
            if frame.time > start_s + length_s - min(delays_s) + 0.1:
                break
    samples, size, count = np.concatenate(parts, axis=1), 0, round(length_s * AUDIO_HZ)
    for delay_s in delays_s:
        first = round((start_s - delay_s - began_s) * AUDIO_HZ)
        piece = samples[:, first : first + count]
        encoder = av.CodecContext.create(codec, "w")
        encoder.sample_rate, encoder.layout, encoder.format = AUDIO_HZ, "stereo", "fltp" if codec == "aac" else "s16"
        if codec == "aac":
            encoder.bit_rate, encoder.options = 2 * _BIT_RATE_PER_CHANNEL, _AAC_OPTIONS
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(piece), format="fltp", layout="stereo")
        else:
            whole = np.ascontiguousarray((piece.T * 32767).astype(np.int16)).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(whole, format="s16", layout="stereo")
        frame.sample_rate, frame.time_base, frame.pts = AUDIO_HZ, Fraction(1, AUDIO_HZ), 0
        fifo = av.AudioFifo()
        fifo.write(frame)
        encoder.open()
        for part in [*fifo.read_many(encoder.frame_size or 4096, partial=True), None]:
            size += sum(packet.size for packet in encoder.encode(part))
    return size


def main() -> None:
    source, starts, length, delays, codec = sys.argv[1:]
    delays_s, length_s = [float(part) for part in delays.split(",")], float(length)
    with av.open(source) as container:
        frames = round(length_s * container.streams.video[0].guessed_rate)
    began = time.process_time()
    for start_s in map(float, starts.split(",")):
        picture(source, start_s, frames)
        sound(source, start_s, length_s, delays_s, codec)
    print(time.process_time() - began)


if __name__ == "__main__":
    main()
