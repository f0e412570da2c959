"""A variant as an observer is shown it: its row, and its picture and sound on demand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from offbeat.dataset.schema import VariantRow
from offbeat.media.read import read_frames, read_sound
from offbeat.media.values import Frames, Sound


@dataclass(frozen=True, slots=True)
class Variant:
    """One clip under one condition. Models in process take arrays from it, servers take its bytes.

    Attributes:
        row: what is known of it, its truth included.
        folder: the dataset folder.
    """

    row: VariantRow
    folder: Path

    @property
    def path(self) -> Path:
        """Where its file lies."""
        return self.folder / self.row.file_name

    def frames(self, *, height: int | None = None, grey: bool = False) -> Frames:
        """Its picture; all variants of a clip share it, so keep it by `row.clip_id`.

        Args:
            height: scale to at most this many lines, by area averaging; the default keeps the size.
            grey: luminance alone.
        """
        return read_frames(self.path, height=height, grey=grey)

    def sound(self) -> Sound:
        """Its sound, from the first sample that is heard with the first frame."""
        return read_sound(self.path)

    def mp4_bytes(self) -> bytes:
        """The file as it would be sent to a server."""
        return self.path.read_bytes()
