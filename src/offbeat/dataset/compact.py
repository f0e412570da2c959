"""The compact layout: a clip's picture once, its sound once, its variants rendered when they are wanted.

::

    pictures/{clip_id}.mp4    the picture's packets, which all variants share
    sound/{clip_id}.mp4       FLAC: ├─ margin ─┤├─ largest delay ─┤├──── length ────┤├─ largest lead ─┤├─ margin ─┤
    clips.jsonl               for each variant, which sample of it is heard with the first frame

A variant is rendered by the writer that makes the files of the other layout, from the same packets and samples: the
bytes are the same, and so is the SHA-256 in its row.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from offbeat.dataset.schema import ClipRow, KeptPicture, KeptSound, picture_name, sound_name
from offbeat.errors import MediaError
from offbeat.files import sha256_of, write_whole
from offbeat.media.picture import Picture
from offbeat.media.span import KeptSpan, RoundedSpan, rounded, write_span
from offbeat.media.values import SoundSpan
from offbeat.media.write import MARGIN_AFTER_SAMPLES, MARGIN_BEFORE_SAMPLES, VariantWriter, to_count

CLIPS_KEPT = 8
"""Variants are asked for clip by clip, in a few threads; 10 s of 720p with delays of up to 5 s take 13 MB."""


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """What a clip's variants share, in memory.

    Attributes:
        writer: holds the picture; for one thread at a time.
        sound: all of it, decoded as far as variants have needed it; for one thread at a time.
        lock: of both.
    """

    writer: VariantWriter
    sound: KeptSpan
    lock: threading.Lock

    @property
    def span(self) -> RoundedSpan:
        """All of its sound."""
        with self.lock:
            return rounded(self.sound.whole())

    def render(self, path: Path, variant_id: str, clip: ClipRow) -> None:
        """Write a variant of `clip` to a file that nobody else looks at.

        Raises:
            MediaError: `damaged`: the row asks for sound that is not in the span.
        """
        first = clip.heard_from_samples[variant_id]
        count = MARGIN_BEFORE_SAMPLES + to_count(self.writer.picture.length_s) + MARGIN_AFTER_SAMPLES
        with self.lock:
            try:
                span = self.sound.piece(first - MARGIN_BEFORE_SAMPLES, count)
                self.writer.render(path, span, start_samples=first, codec=clip.audio)
            except ValueError as error:
                raise MediaError(
                    f"clips.jsonl, clip {clip.clip_id}: {error}; build the dataset again", reason="damaged"
                ) from error


def keep_picture(folder: Path, clip_id: str, picture: Picture) -> KeptPicture:
    """Write a clip's picture into a dataset folder."""
    path = folder / picture_name(clip_id)
    write_whole(path, picture.mp4)
    return KeptPicture(
        sha256=sha256_of(path), fps=picture.fps, frames=picture.count, width=picture.width, height=picture.height
    )


def keep_sound(folder: Path, clip_id: str, span: SoundSpan) -> KeptSound:
    """Write a clip's rounded sound into a dataset folder."""
    path = folder / sound_name(clip_id)
    write_span(path, span)
    return KeptSound(sha256=sha256_of(path), start_samples=span.start_samples, count_samples=span.sound.count)


def load_material(folder: Path, clip: ClipRow) -> Material:
    """Read what a clip's variants share.

    Raises:
        MediaError: `not_found`, or `damaged` where a file is not what `clips.jsonl` says.
    """
    for name, sha256 in clip.files().items():
        if not (folder / name).is_file():
            raise MediaError(f"{folder / name}: no such file; build the dataset again", reason="not_found")
        if (found := sha256_of(folder / name)) != sha256:
            raise MediaError(
                f"{folder / name}: sha256 {found}, expected {sha256}; build the dataset again", reason="damaged"
            )
    picture, sound = clip.picture, clip.sound
    held = Picture(
        mp4=(folder / picture_name(clip.clip_id)).read_bytes(),
        fps=picture.fps,
        count=picture.frames,
        width=picture.width,
        height=picture.height,
    )
    kept = KeptSpan(folder / sound_name(clip.clip_id), start_samples=sound.start_samples, count=sound.count_samples)
    return Material(writer=VariantWriter(held), sound=kept, lock=threading.Lock())


@lru_cache(maxsize=CLIPS_KEPT)
def material_of(folder: Path, clip: ClipRow) -> Material:
    """The same, kept for the clips used last; may be called from several threads."""
    return load_material(folder, clip)
