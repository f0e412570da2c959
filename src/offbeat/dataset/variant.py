"""A variant as an observer is shown it: its row, and its picture and sound on demand."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from offbeat.dataset.compact import material_of
from offbeat.dataset.schema import ClipRow, VariantRow, picture_name
from offbeat.errors import DatasetError, MediaError
from offbeat.files import place, scratch_file, sha256_of, whole_file
from offbeat.media.rate import picture_digest
from offbeat.media.read import read_grid, read_images, read_sound
from offbeat.media.values import Frames, Grid, Sound


@dataclass(frozen=True, slots=True)
class Variant:
    """One clip under one condition. Models in process take arrays from it, servers take its bytes.

    Both layouts give the same: what is not there as a file is rendered, from the same packets and samples by the same
    writer.

    Attributes:
        row: what is known of it, its truth included.
        folder: the dataset folder.
        clip: in the compact layout, what it is rendered from.
    """

    row: VariantRow
    folder: Path
    clip: ClipRow | None = field(default=None, compare=False, repr=False)

    @property
    def path(self) -> Path:
        """Where its file lies, or in the compact layout would lie; to read it, use `file`."""
        return self.folder / self.row.file_name

    def grid(self) -> Grid:
        """How many frames its picture has, and when each is shown; nothing is decoded.

        Raises:
            MediaError: it cannot be read.
        """
        return read_grid(self._picture)

    def images(
        self, numbers: Sequence[int], *, height: int | None = None, grey: bool = False
    ) -> Iterator[NDArray[np.uint8]]:
        """Some of its frames, decoded one after the other: only one is held at a time.

        Args:
            numbers: which, from 0; `grid` tells what is shown when.
            height: scale to at most this many lines, by area averaging; the default keeps the size.
            grey: luminance alone, shape (height, width); else RGB, shape (height, width, 3).

        Raises:
            MediaError: it cannot be read, or has fewer frames.
        """
        return read_images(self._picture, numbers, height=height, grey=grey)

    def frames(self, *, fps: Fraction | int | None = None, height: int | None = None, grey: bool = False) -> Frames:
        """Its picture, all of it in memory: 1.9 GB for 10 s of 1080p, unless fewer or smaller frames are asked for.

        All variants of a clip share it, so keep it by `row.clip_id`.

        Args:
            fps: frames a second: what is shown at 0, 1 / fps, 2 / fps, ...; the default is all frames.
            height: as of `images`.
            grey: as of `images`.

        Raises:
            MediaError: it cannot be read, or has fewer frames than it says.
        """
        grid = self.grid()
        numbers = range(grid.count) if fps is None else grid.at_rate(Fraction(fps))
        images = self.images(numbers, height=height, grey=grey)
        first = next(images)
        found = np.empty((len(numbers), *first.shape), np.uint8)  # filled one by one: a list would be held twice
        for k, image in enumerate(chain([first], images)):
            found[k] = image
        return Frames(images=found, fps=grid.fps if fps is None else Fraction(fps))

    def picture_digest(self) -> str:
        """SHA-256 over its picture's packets, which tells pictures apart whatever the clip is called.

        Raises:
            MediaError: it cannot be read.
        """
        return picture_digest(self._picture)

    @property
    def _picture(self) -> Path:
        """The file that its picture is in, whatever the layout."""
        return self.path if self.clip is None else self.folder / picture_name(self.clip.clip_id)

    def sound(self) -> Sound:
        """Its sound, from the first sample that is heard with the first frame.

        It is decoded from the variant as it is shipped, also where the compact layout has it without loss: an observer
        must hear the same in either.
        """
        with self.file() as path:
            return read_sound(path)

    def mp4_bytes(self) -> bytes:
        """The file as it would be sent to a server."""
        with self.file() as path:
            return path.read_bytes()

    @contextmanager
    def file(self) -> Generator[Path]:
        """A file with it, for as long as the block lasts.

        Raises:
            MediaError: in the compact layout: what it is rendered from is not there, or is damaged.
        """
        if self.clip is None:
            yield self.path
            return
        with scratch_file() as path:
            material_of(self.folder, self.clip).render(path, self.row.variant_id, self.clip)
            yield path

    def write_to(self, target: Path) -> None:
        """Put it at another place, whole or not at all: linked or copied, in the compact layout rendered.

        What is there already is kept where it is the same.

        Raises:
            MediaError: `not_found`, or as of `file`.
            DatasetError: its file leads out of the dataset folder.
        """
        if self.clip is not None:
            if target.is_file() and sha256_of(target) == self.row.sha256:
                return
            target.parent.mkdir(parents=True, exist_ok=True)
            material = material_of(self.folder, self.clip)
            with whole_file(target) as temporary:
                material.render(temporary, self.row.variant_id, self.clip)
            return
        source = self.path.resolve()
        if not source.is_relative_to(self.folder.resolve()):
            raise DatasetError(f"{self.path}: leads out of the dataset folder, to {source}; put a real file there")
        if not source.is_file():
            raise MediaError(f"{self.path}: no such file; build the dataset again", reason="not_found")
        place(source, target)
