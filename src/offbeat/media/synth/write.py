"""Streams pictures and sound into one file, picture by picture, with nothing moved and nothing left to chance.

``h264``: MP4 with H.264 and AAC-LC, as phones and web sites make it. AAC begins with 1024 samples of priming; the
edit list of the MP4 tells players to skip them, so that the sound is heard where it was synthesised. There are no
B-frames, so that the picture needs no edit list. ``lossless``: Matroska with FFV1 and 16-bit PCM.

One thread and no random identifiers: the same input gives the same bytes on one machine.
"""

# pyright: reportUnknownMemberType=false
# PyAV's stubs leave the type parameter of Packet open.

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
import numpy as np
from numpy.typing import NDArray

from offbeat.errors import MediaError
from offbeat.media.synth.scene import Scene
from offbeat.media.values import Sound

Codec = Literal["h264", "lossless"]
AUDIO_FRAME_SAMPLES = 1024


@dataclass(frozen=True, slots=True)
class _Format:
    container: str
    container_options: dict[str, str]
    video: Literal["libx264", "ffv1"]
    video_options: dict[str, str]
    audio: Literal["aac", "pcm_s16le"]
    sample_format: str


_FORMATS: dict[Codec, _Format] = {
    "h264": _Format(
        container="mp4",
        container_options={"movflags": "+faststart"},
        video="libx264",
        # mbtree: its AVX-512 form gives small pictures other bytes now and then (13 of 600 times at 160x90, x264 165)
        video_options={"preset": "veryfast", "crf": "18", "bf": "0", "x264-params": "mbtree=0"},
        audio="aac",
        sample_format="fltp",
    ),
    "lossless": _Format(
        container="matroska",
        container_options={"fflags": "+bitexact"},  # or the segment gets a random identifier
        video="ffv1",
        video_options={},
        audio="pcm_s16le",
        sample_format="s16",
    ),
}


def write_scene(path: Path, scene: Scene) -> None:
    """Write a scene as an MP4 with H.264 and AAC; frames are drawn as they are encoded.

    Raises:
        OSError: the file cannot be written.
    """
    write_movie(path, images=scene.frames(), fps=scene.fps, sound=scene.sound)


def write_movie(
    path: Path, *, images: Iterable[NDArray[np.uint8]], fps: Fraction, sound: Sound, codec: Codec = "h264"
) -> None:
    """Write pictures and sound that both begin at 0.

    Args:
        path: where; an existing file is replaced.
        images: RGB, uint8, (height, width, 3), all of one size, even in both directions; taken one at a time.
        fps: frames a second.
        sound: one or two channels.
        codec: see the module.

    Raises:
        ValueError: no image, an odd size, or more than two channels.
        MediaError: the folder does not exist (`no_folder`).
        OSError: the file cannot be written.
    """
    pictures = iter(images)
    first = next(pictures, None)
    if first is None:
        raise ValueError("there is no picture to write; expected at least one")
    height, width = first.shape[:2]
    if height % 2 or width % 2:
        raise ValueError(f"a picture of {width}x{height} cannot be written: both sides must be even")
    channels = sound.samples.shape[0]
    if channels not in (1, 2):
        raise ValueError(f"expected one or two channels of sound, got {channels}")
    if not path.parent.is_dir():
        raise MediaError(f"{path}: the folder {path.parent} does not exist; make it first", reason="no_folder")
    form = _FORMATS[codec]
    with av.open(f"file:{path}", "w", format=form.container, options=form.container_options) as output:
        video = output.add_stream(form.video, rate=fps, options=form.video_options)
        audio = output.add_stream(form.audio, rate=sound.rate_hz, layout="mono" if channels == 1 else "stereo")
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        video.thread_count = 1
        video.thread_type = "FRAME"
        if codec == "h264":
            audio.bit_rate = 192_000
        chunks = _audio_frames(sound, form.sample_format)
        waiting = next(chunks, None)
        for number, image in enumerate(itertools.chain([first], pictures)):
            while waiting is not None and Fraction(waiting.pts or 0, sound.rate_hz) <= number / fps:
                output.mux(audio.encode(waiting))
                waiting = next(chunks, None)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = number, 1 / fps
            output.mux(video.encode(frame))
        output.mux(video.encode(None))
        for chunk in itertools.chain([] if waiting is None else [waiting], chunks):
            output.mux(audio.encode(chunk))
        output.mux(audio.encode(None))


def _audio_frames(sound: Sound, sample_format: str) -> Iterator[av.AudioFrame]:
    layout = "mono" if sound.samples.shape[0] == 1 else "stereo"
    for start in range(0, sound.count, AUDIO_FRAME_SAMPLES):
        piece = sound.samples[:, start : start + AUDIO_FRAME_SAMPLES]
        if sample_format == "s16":
            whole = np.clip(np.rint(piece * np.float32(32768)), -32768, 32767).astype(np.int16)
            array = np.ascontiguousarray(whole.T.reshape(1, -1))  # packed: left, right, left, ...
        else:
            array = np.ascontiguousarray(piece)
        frame = av.AudioFrame.from_ndarray(array, format=sample_format, layout=layout)
        frame.sample_rate = sound.rate_hz
        frame.pts, frame.time_base = start, Fraction(1, sound.rate_hz)
        yield frame
