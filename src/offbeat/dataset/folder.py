"""Opening a dataset folder: its rows, checked, and its variants."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from offbeat.dataset.schema import FORMAT_VERSION, DatasetInfo, SourceRow, VariantRow
from offbeat.dataset.variant import Variant
from offbeat.errors import DatasetError

INFO = "dataset.json"
SOURCES = "sources.jsonl"
METADATA = "metadata.jsonl"
CLIPS = "clips"
CARD = "README.md"
CROISSANT = "croissant.json"
RECORDS = ".build"
"""Of finished clips, by which an interrupted build goes on."""

RowT = TypeVar("RowT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Dataset:
    """A built dataset.

    Attributes:
        folder: where it lies.
        info: how it was made.
        sources: all sources that were offered, the refused ones with their reason.
        variants: in the order of the manifest: clip by clip.
        fingerprint: SHA-256 of the manifest, by which a run knows its dataset again.
    """

    folder: Path
    info: DatasetInfo
    sources: tuple[SourceRow, ...]
    variants: tuple[Variant, ...]
    fingerprint: str


def read_info(folder: Path) -> DatasetInfo:
    """How a dataset was made, finished or not.

    Raises:
        DatasetError: not a dataset, or of another format.
    """
    info_path = folder / INFO
    if not info_path.is_file():
        raise DatasetError(f"{folder}: no {INFO} there; expected a folder made by `offbeat build --out {folder}`")
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
    metadata = (folder / METADATA).read_bytes()
    rows = _rows(VariantRow, folder / METADATA)
    seen: dict[str, int] = {}
    for number, row in enumerate(rows, start=1):
        if (first := seen.setdefault(row.variant_id, number)) != number:
            raise DatasetError(
                f"{folder / METADATA}, line {number}: variant {row.variant_id} stands in line {first} too"
            )
        name = PurePosixPath(row.file_name)
        if name.is_absolute() or ".." in name.parts:
            raise DatasetError(f"{folder / METADATA}, line {number}: {row.file_name!r} leaves the dataset folder")
    return Dataset(
        folder=folder,
        info=info,
        sources=_rows(SourceRow, folder / SOURCES),
        variants=tuple(Variant(row=row, folder=folder) for row in rows),
        fingerprint=hashlib.sha256(metadata).hexdigest(),
    )


def files_of(rows: Iterable[VariantRow]) -> dict[str, str]:
    """Every media file that rows name, relative to the folder, with its SHA-256."""
    return {row.file_name: row.sha256 for row in rows}


def read_lines(path: Path) -> list[str]:
    """The lines of a `.jsonl` file; none where a shard of a small list holds nothing."""
    # split at line feeds only: splitlines() would also break at U+2028 and others, which JSON leaves as they are
    text = path.read_text(encoding="utf-8")
    return text.removesuffix("\n").split("\n") if text else []


def _rows(kind: type[RowT], path: Path) -> tuple[RowT, ...]:
    return tuple(_parse(kind, line, f"{path}, line {number}") for number, line in enumerate(read_lines(path), 1))


def _parse(kind: type[RowT], text: str, where: str) -> RowT:
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise DatasetError(f"{where}: {field or 'the row'}: {first['msg']}, got {first['input']!r}") from error
