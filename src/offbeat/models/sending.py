"""What is sent to a server: a variant at a constant rate, rendered just in time, its picture encoded once a clip.

The variants of a clip share their picture, so that the picture at the rate that is sent is kept for the clips that were
asked about last; each variant then costs no more than copying packets. The delay is not touched: the sound's packets
are those of the variant.
"""

from __future__ import annotations

import base64
import io
import threading
import wave
from collections import OrderedDict
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from weakref import WeakValueDictionary

import numpy as np

from offbeat.dataset.variant import Variant
from offbeat.media.picture import Picture
from offbeat.media.rate import frames_at_rate, picture_at_rate, picture_digest, with_sound_of
from offbeat.media.tag import tagged
from offbeat.timing import exact_seconds

CLIPS_KEPT = 16
"""Variants are asked for clip by clip, many at a time; 10 s of 720p at 8 frames a second take about 1 MB."""
_PIECE_BYTES = 3 * (1 << 15)
"""A multiple of 3, so that pieces of base64 join without padding."""

_Key = tuple[str, Fraction, int | None]


class Pictures:
    """Pictures at the rate at which they are sent; may be asked from several threads at once.

    They are known by their packets, not by the clip's name: a control may show another picture under the same name.
    """

    def __init__(self, *, kept: int = CLIPS_KEPT) -> None:
        self._kept = kept
        self._pictures: OrderedDict[_Key, Picture] = OrderedDict()
        self._making = WeakValueDictionary[_Key, threading.Lock]()
        """Held by the threads that want one picture, and forgotten with the last of them."""
        self._lock = threading.Lock()

    def mp4(self, variant: Variant, *, fps: Fraction, height: int | None = None, sound: bool = True) -> bytes:
        """The variant as an MP4 with a constant rate and an even number of frames.

        Args:
            variant: its sound is taken over packet by packet.
            fps: frames a second.
            height: at most this many lines.
            sound: without it, the picture alone.

        Raises:
            MediaError: it cannot be read.
        """
        with variant.file() as path:
            picture = self._of(path, fps=fps, height=height)
            # tagged, as two files of one content and several names must not become one: see offbeat.evaluation.probe
            return tagged(with_sound_of(picture, path), variant.row.variant_id) if sound else picture.mp4

    def _of(self, path: Path, *, fps: Fraction, height: int | None) -> Picture:
        key = (picture_digest(path), fps, height)
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        with making:  # another thread may be at it: then its picture is taken
            with self._lock:
                if key in self._pictures:
                    self._pictures.move_to_end(key)
                    return self._pictures[key]
            picture = picture_at_rate(path, fps=fps, height=height)
            with self._lock:
                self._pictures[key] = picture
                while len(self._pictures) > self._kept:
                    self._pictures.popitem(last=False)
        return picture


_PICTURES = Pictures()


def constant_rate_mp4(variant: Variant, *, fps: Fraction, height: int | None = None, sound: bool = True) -> bytes:
    """As `Pictures.mp4`, with one cache for the process. It blocks: call it with `asyncio.to_thread`."""
    return _PICTURES.mp4(variant, fps=fps, height=height, sound=sound)


def frames_sent(variant: Variant, *, fps: Fraction) -> int:
    """How many frames `constant_rate_mp4` gives, from the row alone."""
    row = variant.row
    clip_fps = Fraction(row.fps).limit_denominator(1001)  # 29.97 as it was meant: 30000/1001
    shown = round(exact_seconds(row.clip_length_s) * clip_fps)
    return frames_at_rate(shown / clip_fps, fps)


def wav_bytes(variant: Variant) -> bytes:
    """The variant's sound as WAV: 16 bits, one channel, its own rate; it blocks.

    Raises:
        MediaError: it cannot be read.
    """
    sound = variant.sound()
    samples = np.clip(np.rint(sound.mono() * 32767), -32768, 32767).astype("<i2")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sound.rate_hz)
        file.writeframes(samples.tobytes())
    return buffer.getvalue()


def base64_pieces(data: bytes) -> Iterator[bytes]:
    """Base64, piece by piece, so that no second copy of the whole is held."""
    view = memoryview(data)
    for start in range(0, len(view), _PIECE_BYTES):
        yield base64.b64encode(view[start : start + _PIECE_BYTES])


def base64_length(data: bytes) -> int:
    """How long `base64_pieces` are together."""
    return 4 * -(-len(data) // 3)
