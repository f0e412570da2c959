"""Tables that people write in TOML, opened with care: each fault is told with its file and its place."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TypeVar, cast, get_args

from pydantic import BaseModel, ValidationError

from offbeat.errors import SettingsError

MAX_BYTES = 1_000_000
Table = TypeVar("Table", bound=BaseModel)


def text_of(path: Path) -> str:
    """The text of a file.

    Raises:
        SettingsError: it cannot be read, is no text, or is far too large for what a person writes.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SettingsError(f"{path}: {path.stat().st_size} bytes, expected a table, at most {MAX_BYTES}")
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: not UTF-8; save it as UTF-8") from error


def parse_table(text: str, where: str, shape: type[Table]) -> Table:
    """What the text says.

    Args:
        text: TOML.
        where: the file, for the errors.
        shape: what is expected.

    Raises:
        SettingsError: it is no TOML, or of another shape; places in lists count from 1.
    """
    try:
        return shape.model_validate(tomllib.loads(text))
    except ValidationError as error:
        raise SettingsError(f"{where}: {_first_fault(error, shape)}") from error
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{where}: not TOML: {error}") from error


def _first_fault(error: ValidationError, shape: type[BaseModel]) -> str:
    first = error.errors()[0]
    place = ".".join(str(part + 1) if isinstance(part, int) else part for part in first["loc"])
    if first["type"] == "missing":
        return f"{place}: is missing"
    if first["type"] == "extra_forbidden":
        return f"{place}: no such key; expected some of {', '.join(_keys(shape, first['loc']))}"
    return f"{place}: {first['msg'].removeprefix('Value error, ')}, got {first['input']!r:.80}"


def _keys(shape: type[BaseModel], place: tuple[int | str, ...]) -> list[str]:
    """Those that the table at this place may have."""
    for part in place[:-1]:
        if isinstance(part, str):
            inner = shape.model_fields[part].annotation
            shape = cast("type[BaseModel]", (get_args(inner) or (inner,))[0])
    return list(shape.model_fields)
