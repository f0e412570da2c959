"""Source lists: which videos are offered, and what is known of them.

A list is a folder (its sub-folders are genres, or a `media.jsonl` in it says more), or a `.csv`, `.jsonl` or `.toml`
file with a row for each source: `file` (or `path`), and if known `genre`, `language`, `licence`, `link`, `start`, `end`
(seconds: use only this part) and `note`. Other columns are left alone.
"""

from __future__ import annotations

import csv
import io
import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, field_validator

from offbeat.errors import SourceListError
from offbeat.timing import exact_seconds

VIDEO_SUFFIXES = frozenset(
    {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".mpg", ".mpeg", ".ts", ".mts", ".avi", ".flv", ".3gp"}
)
FOLDER_LIST = "media.jsonl"
NO_GENRE = "unknown"
_MOST_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Source:
    """A video that is offered.

    Attributes:
        path: the file, absolute.
        name: how it is called in tables: its path within the list's folder.
        genre: `unknown` where none is given.
        language: of its speech, if any.
        licence: under which it may be used.
        link: where it comes from.
        note: anything else.
        start_s: use it only from here ...
        end_s: ... to here, counted from the start of its container.
        refusal: reason code and text, where it must not be opened.
    """

    path: Path
    name: str
    genre: str = NO_GENRE
    language: str | None = None
    licence: str | None = None
    link: str | None = None
    note: str | None = None
    start_s: Fraction | None = None
    end_s: Fraction | None = None
    refusal: tuple[str, str] | None = None

    def by_name(self, text: str) -> str:
        """A text about the file with its name in place of its path, which is of no use to others."""
        return text.replace(str(self.path), self.name)


class _ListRow(BaseModel):
    """A row as it stands in a list."""

    model_config = ConfigDict(extra="ignore", str_strip_whitespace=True)

    path: str = Field(validation_alias=AliasChoices("file", "path"), min_length=1)
    genre: str | None = None
    language: str | None = None
    licence: str | None = Field(default=None, validation_alias=AliasChoices("licence", "license"))
    link: str | None = Field(default=None, validation_alias=AliasChoices("link", "url"))
    note: str | None = None
    start: str | float | None = None
    end: str | float | None = None

    @field_validator("*", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if isinstance(value, str) and not value.strip() else value


def read_sources(path: Path) -> tuple[Source, ...]:
    """All sources of a folder or a list, in its order.

    Raises:
        SourceListError: there is no such list, it cannot be read, a row is not valid, or it names none.
    """
    if path.is_dir():
        listed = path / FOLDER_LIST
        sources = tuple(_from_list(listed)) if listed.is_file() else tuple(_from_folder(path))
    elif path.is_file():
        sources = tuple(_from_list(path))
    else:
        raise SourceListError(
            f"{path}: no such file or folder; expected a folder of videos or a .csv, .jsonl or .toml list"
        )
    if not sources:
        raise SourceListError(f"{path}: names no videos; expected files ending in {', '.join(sorted(VIDEO_SUFFIXES))}")
    return sources


def _from_folder(folder: Path) -> Iterator[Source]:
    """Every video below the folder; the first sub-folder on the way is its genre."""
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in VIDEO_SUFFIXES and path.is_file():
            inside = path.relative_to(folder)
            genre = inside.parts[0] if len(inside.parts) > 1 else NO_GENRE
            real = path.resolve()
            refusal = None
            if not real.is_relative_to(folder.resolve()):
                text = f"{inside.as_posix()}: a link that leads out of the folder; put the file itself there"
                refusal = ("leaves_folder", text)
            yield Source(path=real, name=inside.as_posix(), genre=genre, refusal=refusal)


def _from_list(path: Path) -> Iterator[Source]:
    readers = {".csv": _csv_rows, ".jsonl": _jsonl_rows, ".toml": _toml_rows}
    if path.suffix.lower() in VIDEO_SUFFIXES:
        raise SourceListError(f"{path}: a single video; expected a folder of videos, such as {path.parent}, or a list")
    if path.suffix.lower() not in readers:
        raise SourceListError(f"{path}: ends in {path.suffix!r}; expected .csv, .jsonl, .toml or a folder")
    if path.stat().st_size > _MOST_BYTES:
        raise SourceListError(f"{path}: {path.stat().st_size} bytes; expected a list of at most {_MOST_BYTES}")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceListError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from error
    for where, row in readers[path.suffix.lower()](path, text):
        yield _source(path, where, row)


def _csv_rows(path: Path, text: str) -> Iterator[tuple[str, Mapping[str, object]]]:
    reader = csv.DictReader(io.StringIO(text, newline=""))
    if not {"path", "file"} & set(reader.fieldnames or ()):
        raise SourceListError(f"{path}, line 1: columns {reader.fieldnames}; expected one named 'path'")
    for row in reader:
        yield f"line {reader.line_num}", {key: value for key, value in row.items() if isinstance(key, str)}


def _jsonl_rows(path: Path, text: str) -> Iterator[tuple[str, Mapping[str, object]]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise SourceListError(f"{path}, line {number}: not JSON ({error.msg}, column {error.colno})") from error
        if not isinstance(row, dict):
            raise SourceListError(f"{path}, line {number}: expected an object with a 'path', got {line[:60]}")
        yield f"line {number}", cast("dict[str, object]", row)


def _toml_rows(path: Path, text: str) -> Iterator[tuple[str, Mapping[str, object]]]:
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SourceListError(f"{path}: not TOML ({error})") from error
    rows = content.get("source")
    if not isinstance(rows, list):
        raise SourceListError(f"{path}: no [[source]] tables; expected one for each video")
    for number, row in enumerate(cast("list[object]", rows), start=1):
        if not isinstance(row, dict):
            raise SourceListError(f"{path}, source {number}: expected a [[source]] table with a path, got {row!r}")
        yield f"source {number}", cast("dict[str, object]", row)


def _source(list_path: Path, where: str, row: Mapping[str, object]) -> Source:
    """One row, checked; its file must lie inside the folder of the list."""
    try:
        checked = _ListRow.model_validate(row)
        start_s = None if checked.start is None else exact_seconds(checked.start)
        end_s = None if checked.end is None else exact_seconds(checked.end)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise SourceListError(f"{list_path}, {where}: {field}: {first['msg']}, got {first['input']!r}") from error
    except ValueError as error:
        raise SourceListError(f"{list_path}, {where}: {error}") from error
    if end_s is not None and end_s <= (start_s or 0):
        raise SourceListError(
            f"{list_path}, {where}: end {float(end_s):g} s; expected more than the start, {float(start_s or 0):g} s"
        )
    folder = list_path.parent.resolve()
    path = (folder / checked.path).resolve()
    if not path.is_relative_to(folder):
        raise SourceListError(
            f"{list_path}, {where}: {checked.path!r} leads out of {folder}; put the list beside or above its videos"
        )
    return Source(
        path=path,
        name=path.relative_to(folder).as_posix(),
        genre=checked.genre or NO_GENRE,
        language=checked.language,
        licence=checked.licence,
        link=checked.link,
        note=checked.note,
        start_s=start_s,
        end_s=end_s,
    )
