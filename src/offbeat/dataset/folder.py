"""Opening a dataset folder: its rows, checked, and its variants."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from offbeat.dataset.schema import FORMAT_VERSION, ClipRow, DatasetInfo, SourceRow, VariantRow
from offbeat.dataset.variant import Variant
from offbeat.errors import DatasetError
from offbeat.files import sha256_of

INFO = "dataset.json"
SOURCES = "sources.jsonl"
METADATA = "metadata.jsonl"
CLIPS = "clips"
CLIP_ROWS = "clips.jsonl"
"""Of the compact layout only."""
CURVES = "curves.jsonl"
CARD = "README.md"
CROISSANT = "croissant.json"
RECORDS = ".build"
"""Of finished clips, by which an interrupted build goes on."""

_NO_FIELDS: set[str] = set()
RowT = TypeVar("RowT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Dataset:
    """A built dataset.

    Attributes:
        folder: where it lies.
        info: how it was made.
        sources: all sources that were offered, the refused ones with their reason.
        variants: in the order of the manifest: clip by clip.
        fingerprint: SHA-256 of the manifest, by which a run knows its dataset again; the layout is not in it.
        clips: in the compact layout, what their variants are rendered from.
    """

    folder: Path
    info: DatasetInfo
    sources: tuple[SourceRow, ...]
    variants: tuple[Variant, ...]
    fingerprint: str
    clips: tuple[ClipRow, ...] = ()


def read_info(folder: Path) -> DatasetInfo:
    """How a dataset was made, finished or not.

    Raises:
        DatasetError: not a dataset, or of another format.
    """
    info_path = folder / INFO
    if not info_path.is_file():
        raise DatasetError(f"{folder}: no {INFO} there; expected a dataset, as `offbeat build VIDEOS --out SET` makes")
    info = _parse(DatasetInfo, info_path.read_text(encoding="utf-8"), f"{info_path}")
    if info.format_version != FORMAT_VERSION:
        raise DatasetError(
            f"{info_path}: format version {info.format_version}, expected {FORMAT_VERSION}; "
            f"build it again, or use Offbeat {info.offbeat_version}"
        )
    return info


def open_dataset(folder: Path) -> Dataset:
    """Read and check a dataset folder; no media is opened.

    Raises:
        DatasetError: not a dataset, not finished, of another format, or a row that is not valid.
    """
    info = read_info(folder)
    if not info.complete:
        raise DatasetError(f"{folder}: the build was not finished; run the same `offbeat build` again, it goes on")
    rows = read_rows(VariantRow, folder / METADATA)
    seen: dict[str, int] = {}
    for number, row in enumerate(rows, start=1):
        if (first := seen.setdefault(row.variant_id, number)) != number:
            raise DatasetError(
                f"{folder / METADATA}, line {number}: variant {row.variant_id} stands in line {first} too"
            )
        name = PurePosixPath(row.file_name)
        if name.is_absolute() or ".." in name.parts:
            raise DatasetError(f"{folder / METADATA}, line {number}: {row.file_name!r} leaves the dataset folder")
    clips = read_clips(folder, info)
    return Dataset(
        folder=folder,
        info=info,
        sources=read_rows(SourceRow, folder / SOURCES),
        variants=_variants(folder, rows, clips, compact=info.layout == "compact"),
        clips=clips,
        fingerprint=sha256_of(folder / METADATA),
    )


def _variants(
    folder: Path, rows: Sequence[VariantRow], clips: Sequence[ClipRow], *, compact: bool
) -> tuple[Variant, ...]:
    """Variants with what they are rendered from.

    Raises:
        DatasetError: a clip or a variant of the compact layout stands in `clips.jsonl` twice, or not at all.
    """
    by_id: dict[str, ClipRow] = {}
    for number, clip in enumerate(clips, start=1):
        if by_id.setdefault(clip.clip_id, clip) is not clip:
            raise DatasetError(f"{folder / CLIP_ROWS}, line {number}: clip {clip.clip_id} stands there twice")
    variants: list[Variant] = []
    for number, row in enumerate(rows, start=1):
        clip = by_id.get(row.clip_id)
        if compact and (clip is None or row.variant_id not in clip.heard_from_samples):
            raise DatasetError(
                f"{folder / METADATA}, line {number}: nothing in {CLIP_ROWS} says how to render variant "
                f"{row.variant_id} of clip {row.clip_id}; build the dataset again"
            )
        variants.append(Variant(row=row, folder=folder, clip=clip))
    return tuple(variants)


def files_of(rows: Iterable[VariantRow], clips: Iterable[ClipRow] = ()) -> dict[str, str]:
    """Every media file of a dataset, relative to the folder, with its SHA-256.

    Args:
        rows: of the variants, each a file of its own ...
        clips: ... unless the layout is compact: the files are then those of the clips.
    """
    kept = {name: sha256 for clip in clips for name, sha256 in clip.files().items()}
    return kept or {row.file_name: row.sha256 for row in rows}


def read_clips(folder: Path, info: DatasetInfo) -> tuple[ClipRow, ...]:
    """The rows of `clips.jsonl` where the layout is compact; else none.

    Raises:
        DatasetError: it is missing, or a row is not valid.
    """
    if info.layout != "compact":
        return ()
    path = folder / CLIP_ROWS
    if not path.is_file():
        raise DatasetError(f"{folder}: the layout is compact, but no {CLIP_ROWS} is there; build the dataset again")
    return read_rows(ClipRow, path)


def read_lines(path: Path) -> Iterator[bytes]:
    """The lines of a `.jsonl` file, one at a time; none where a shard of a small list holds nothing."""
    with path.open("rb") as file:  # as text, U+2028 and others, which JSON leaves as they are, would end a line too
        for line in file:
            yield line.removesuffix(b"\n")


def read_rows(kind: type[RowT], path: Path) -> tuple[RowT, ...]:
    """All rows of a `.jsonl` file.

    Raises:
        DatasetError: one is not valid; it is named by its line.
    """
    rows = (_parse(kind, line, f"{path}, line {number}") for number, line in enumerate(read_lines(path), 1))
    return tuple(map(_slim, rows))


def _slim(row: RowT) -> RowT:
    """The row without what it has in common with others: a third of its size, where there are tens of thousands.

    Pydantic keeps the set of the fields that were given, a large one for each row; nobody here asks for it.
    """
    object.__setattr__(row, "__pydantic_fields_set__", _NO_FIELDS)
    for name, value in vars(row).items():
        if isinstance(value, str):
            vars(row)[name] = sys.intern(value)
    return row


def _parse(kind: type[RowT], text: str | bytes, where: str) -> RowT:
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise DatasetError(f"{where}: {field or 'the row'}: {first['msg']}, got {first['input']!r}") from error
