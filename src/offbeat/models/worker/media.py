"""A clip as a worker wants it: an MP4 file, or arrays as .npy files, in the worker's own folder.

Files are copies, so that nothing that a worker does reaches the dataset. Names tell nothing but the number of the ask.
Arrays are for workers without a reader of media of their own, and true in time::

    frames   uint8 (n, height, width, 3); frame k is what the clip shows at k / fps seconds
    times_s  float64 (n,): k / fps
    sound    float32 (channels, m) in [-1, 1]; sample i is heard at i / sound_hz seconds
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from offbeat.dataset.variant import Variant
from offbeat.errors import MediaError, ModelError
from offbeat.media.resample import resample
from offbeat.media.values import Sound
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
            grid = variant.grid()
            fps = grid.fps if self._hello.fps is None else exact_seconds(self._hello.fps)
            numbers = grid.at_rate(fps)
            images = variant.images(numbers, height=self._hello.height)
            times_s = np.array([float(k / fps) for k in range(len(numbers))])
            self._frames[key] = {
                "frames": self._saved_one_by_one(f"{number}-frames.npy", images, len(numbers)),
                "times_s": self._saved(f"{number}-times.npy", times_s),
                "fps": float(fps),
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

    def _saved_one_by_one(self, name: str, images: Iterator[NDArray[np.uint8]], count: int) -> str:
        """So many images as one array, of which no more than one is held."""
        path = self._path(name)
        first = next(images)
        with path.open("wb") as file:
            header = {"descr": first.dtype.str, "fortran_order": False, "shape": (count, *first.shape)}
            np.lib.format.write_array_header_1_0(file, header)
            for image in chain([first], images):
                file.write(np.ascontiguousarray(image).data)
        return str(path)

    def _path(self, name: str) -> Path:
        path = self._folder / name
        self._made.append(path)
        return path


def at_rate(sound: Sound, rate_hz: int) -> Sound:
    """The same sound at another rate; the first sample stays the same moment."""
    ratio = Fraction(rate_hz, sound.rate_hz)
    if ratio == 1:
        return sound
    return Sound(samples=resample(sound.samples, up=ratio.numerator, down=ratio.denominator), rate_hz=rate_hz)
