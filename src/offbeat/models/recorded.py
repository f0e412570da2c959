"""Files of strangers that hold one record a row: CSV with a header line, or JSONL with one object a line, in UTF-8.

Each row is about one variant, by its `variant_id`, or by its `file_name` as in the dataset's metadata.jsonl. A file is
read whole, or refused with the line at which it is not what it should be.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, cast

from offbeat.dataset.schema import VariantRow
from offbeat.errors import ModelUnavailable

MAX_BYTES = 256 * 1024 * 1024
"""A larger file is refused before it is read: 4,284 replies of 10,000 characters each are 43 MB."""

Key: TypeAlias = tuple[str, str]
"""The column by which a row names its variant, and what stands there."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file.

    Attributes:
        line: where it ends.
        where: the file and the line, for messages.
        key: which variant.
        cells: by column: texts in CSV, and whatever JSON can hold in JSONL.
    """

    line: int
    where: str
    key: Key
    cells: Mapping[str, object]


def read_bytes(path: Path) -> bytes:
    """The file.

    Raises:
        ModelUnavailable: it cannot be read, or is too large.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise ModelUnavailable(f"{path}: {size} bytes, expected at most {MAX_BYTES}; split it")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ModelUnavailable(f"{path}: what was recorded cannot be read: {reason}") from error


def rows_of(path: Path, raw: bytes, *, column: str) -> Iterator[Row]:
    """The rows of a file, in their order.

    Args:
        path: by which it is CSV or JSONL.
        raw: what it holds.
        column: that every row must have, besides the one that names the variant.

    Raises:
        ModelUnavailable: it is not what it should be; the text names the line.
    """
    read = {".csv": _csv_rows, ".jsonl": _jsonl_rows, ".ndjson": _jsonl_rows}.get(path.suffix.lower())
    if read is None:
        raise ModelUnavailable(f"{path}: the name ends in {path.suffix!r}, expected .csv or .jsonl")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ModelUnavailable(f"{path}, line {line}: not UTF-8; save it as UTF-8") from error
    for line, cells in read(path, text, column):
        where = f"{path}, line {line}"
        yield Row(line=line, where=where, key=_key(cells, where), cells=cells)


def found_for(row: VariantRow) -> tuple[Key, Key]:
    """The keys under which a record of a variant may stand."""
    return ("variant_id", row.variant_id), ("file_name", row.file_name)


def parsed_json(text: str, where: str) -> object:
    """What a text says as JSON.

    Raises:
        ModelUnavailable: it is none.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelUnavailable(f"{where}: not JSON: {error}") from error


def _csv_rows(path: Path, text: str, column: str) -> Iterator[tuple[int, dict[str, object]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, list[str]())]
        if len(set(header)) != len(header):
            raise ModelUnavailable(f"{path}, line 1: a column is named twice: {', '.join(header)}")
        _check_columns(header, f"{path}, line 1", column)
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(header):
                raise ModelUnavailable(
                    f"{path}, line {reader.line_num}: {len(cells)} cells, expected {len(header)} as in the header; "
                    "put texts that hold commas in quotes"
                )
            yield reader.line_num, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise ModelUnavailable(f"{path}, line {reader.line_num}: not CSV: {error}") from error


def _jsonl_rows(path: Path, text: str, column: str) -> Iterator[tuple[int, dict[str, object]]]:
    for line, content in enumerate(text.split("\n"), start=1):
        if not content.strip():
            continue
        where = f"{path}, line {line}"
        row = parsed_json(content, where)
        if not isinstance(row, dict):
            raise ModelUnavailable(f"{where}: expected an object such as {{...}}, got {content.strip()[:40]!r}")
        typed = cast("dict[str, object]", row)
        _check_columns(list(typed), where, column)
        yield line, typed


def _check_columns(names: list[str], where: str, column: str) -> None:
    missing = [] if {"variant_id", "file_name"} & set(names) else ["variant_id (or file_name)"]
    missing += [] if column in names else [column]
    if missing:
        raise ModelUnavailable(f"{where}: no {' and no '.join(missing)}; found {', '.join(names) or 'nothing'}")


def _key(cells: Mapping[str, object], where: str) -> Key:
    for column in ("variant_id", "file_name"):
        value = cells.get(column)
        if isinstance(value, str) and value.strip():
            return column, value.strip()
    raise ModelUnavailable(f"{where}: neither variant_id nor file_name is filled in")
