"""A clip as a worker wants it: an MP4 file, or arrays as .npy files, in the worker's own folder.

Files are copies, so that nothing that a worker does reaches the dataset. Names tell nothing but the number of the ask.
Arrays are for workers without a reader of media of their own, and true in time::

    frames   uint8 (n, height, width, 3); frame k is what the clip shows at k / fps seconds
    times_s  float64 (n,): k / fps
    sound    float32 (channels, m) in [-1, 1]; sample i is heard at i / sound_hz seconds
"""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import numpy as np

from offbeat.dataset.variant import Variant
from offbeat.errors import MediaError, ModelError
from offbeat.media.resample import resample
from offbeat.media.values import Frames, Sound
from offbeat.models.base import JsonValue
from offbeat.models.worker.protocol import Hello
from offbeat.timing import exact_seconds


class Layout:
    """Lays out variants of one clip, which share their frames; what is laid out goes with the block.

    Args:
        hello: how they are wanted.
        folder: where.
    """

    def __init__(self, hello: Hello, folder: Path) -> None:
        self._hello, self._folder = hello, folder
        self._frames: dict[tuple[Path, str], dict[str, JsonValue]] = {}
        self._made: list[Path] = []

    def __enter__(self) -> Layout:
        return self

    def __exit__(self, *_: object) -> None:
        for path in self._made:
            path.unlink(missing_ok=True)

    def of(self, variant: Variant, number: int) -> dict[str, JsonValue]:
        """The part of an ask that says where the clip is, and what may be known of it.

        Raises:
            ModelError: it cannot be read.
        """
        row = variant.row
        told: dict[str, JsonValue] = {
            "clip": {
                "clip_id": row.clip_id,
                "variant_id": row.variant_id,
                "length_s": row.clip_length_s,
                "fps": row.fps,
                "width": row.width,
                "height": row.height,
                "audio_hz": row.audio_hz,
            }
        }
        try:
            if self._hello.media == "file":
                path = self._path(f"{number}.mp4")
                path.write_bytes(variant.mp4_bytes())
                return {**told, "file": str(path)}
            return {**told, "arrays": {**self._shown(variant, number), **self._heard(variant, number)}}
        except MediaError as error:
            raise ModelError(f"{row.file_name}: {error}") from error

    def _shown(self, variant: Variant, number: int) -> dict[str, JsonValue]:
        key = (variant.folder, variant.row.clip_id)
        if key not in self._frames:
            frames = variant.frames(height=self._hello.height)
            frames = frames if self._hello.fps is None else on_grid(frames, exact_seconds(self._hello.fps))
            times_s = np.array([float(k / frames.fps) for k in range(frames.count)])
            self._frames[key] = {
                "frames": self._saved(f"{number}-frames.npy", frames.images),
                "times_s": self._saved(f"{number}-times.npy", times_s),
                "fps": float(frames.fps),
            }
        return self._frames[key]

    def _heard(self, variant: Variant, number: int) -> dict[str, JsonValue]:
        sound = variant.sound()
        sound = sound if self._hello.sound_hz is None else at_rate(sound, self._hello.sound_hz)
        return {"sound": self._saved(f"{number}-sound.npy", sound.samples), "sound_hz": sound.rate_hz}

    def _saved(self, name: str, array: np.ndarray) -> str:
        path = self._path(name)
        np.save(path, array, allow_pickle=False)
        return str(path)

    def _path(self, name: str) -> Path:
        path = self._folder / name
        self._made.append(path)
        return path


def on_grid(frames: Frames, fps: Fraction) -> Frames:
    """What is shown at 0, 1 / fps, 2 / fps, … up to the start of the last frame.

    At each time it is the last frame that begins at or before it. 3 s at 29.97 frames a second last 3.003 s, which is
    no reason for another one.
    """
    count = math.floor((frames.count - 1) / frames.fps * fps) + 1
    return Frames(images=frames.images[[math.floor(k * frames.fps / fps) for k in range(count)]], fps=fps)


def at_rate(sound: Sound, rate_hz: int) -> Sound:
    """The same sound at another rate; the first sample stays the same moment."""
    ratio = Fraction(rate_hz, sound.rate_hz)
    if ratio == 1:
        return sound
    return Sound(samples=resample(sound.samples, up=ratio.numerator, down=ratio.denominator), rate_hz=rate_hz)
