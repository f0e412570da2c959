"""Replies that were recorded elsewhere, by another tool, on another machine, or by a person; ``replay:FILE``.

FILE is CSV with a header line, or JSONL with one object a line, in UTF-8, with these columns:

==============  ========================================================================================
variant_id      which variant; or `file_name`, as in the dataset's metadata.jsonl
text            the raw reply
outcome         optional; or `stop`: `unsure`, `refused`, `truncated`, `error` (no reply); anything read is `ok`
probabilities   optional; an object such as ``{"sync": 0.7, "ahead": 0.2}``, in CSV written as JSON
==============  ========================================================================================

Other columns are left alone. The texts are read by the same rules as a model's that is asked now.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from offbeat.dataset.variant import Variant
from offbeat.errors import ModelError, ModelUnavailable
from offbeat.models.base import Prompt, Reply, Stop

MAX_BYTES = 256 * 1024 * 1024
"""A larger file is refused before it is read: 4,284 replies of 10,000 characters each are 43 MB."""

_STOPS: dict[str, Stop | None] = {
    "": "complete",
    "ok": "complete",
    "complete": "complete",
    "unparsed": "complete",
    "unsure": "unsure",
    "refused": "refused",
    "truncated": "truncated",
    "error": None,
}


@dataclass(frozen=True, slots=True)
class _Recorded:
    line: int
    text: str
    stop: Stop | None
    probabilities: Mapping[str, float] | None


class Replay:
    """Hands over the recorded reply of each variant; ``replay:FILE``.

    Args:
        argument: the file.
        seed: not used.

    Raises:
        ModelUnavailable: the file is missing, too large, or not what it should be; the text names the line.
    """

    looks = False

    def __init__(self, *, argument: str, seed: int = 0) -> None:
        self._path = Path(argument)
        raw = _read(self._path, argument)
        self.name = f"replay:{argument}"
        self.revision = f"1 sha256={hashlib.sha256(raw).hexdigest()}"
        self._replies = _parse(self._path, raw)

    def reply(self, variant: Variant, prompt: Prompt) -> Reply:
        """What was recorded.

        Raises:
            ModelError: nothing was recorded for this variant, or an error was, or options that were not offered.
        """
        row = variant.row
        recorded = self._replies.get(("variant_id", row.variant_id)) or self._replies.get(("file_name", row.file_name))
        if recorded is None:
            raise ModelError(f"{self._path}: no reply recorded for variant {row.variant_id} ({row.file_name})")
        if recorded.stop is None:
            raise ModelError(f"{self._path}, line {recorded.line}: recorded as an error: {recorded.text or 'no text'}")
        unknown = sorted(set(recorded.probabilities or ()) - set(prompt.options))
        if unknown:
            raise ModelError(f"{self._path}, line {recorded.line}: probabilities of {unknown}, not among the options")
        return Reply(text=recorded.text, stop=recorded.stop, probabilities=recorded.probabilities)


def _read(path: Path, argument: str) -> bytes:
    if not argument:
        raise ModelUnavailable("'replay' needs a file: replay:FILE, with FILE a .csv or .jsonl of recorded replies")
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise ModelUnavailable(f"{path}: {size} bytes, expected at most {MAX_BYTES}; split it")
        return path.read_bytes()
    except OSError as error:
        raise ModelUnavailable(f"{path}: the recorded replies cannot be read: {error.strerror}") from error


def _parse(path: Path, raw: bytes) -> dict[tuple[str, str], _Recorded]:
    rows = {".csv": _csv_rows, ".jsonl": _jsonl_rows, ".ndjson": _jsonl_rows}.get(path.suffix.lower())
    if rows is None:
        raise ModelUnavailable(f"{path}: the name ends in {path.suffix!r}, expected .csv or .jsonl")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ModelUnavailable(f"{path}, line {line}: not UTF-8; save it as UTF-8") from error
    replies: dict[tuple[str, str], _Recorded] = {}
    for line, row in rows(path, text):
        where = f"{path}, line {line}"
        key = _key(row, where)
        if key in replies:
            raise ModelUnavailable(f"{where}: {key[0]} {key[1]!r} again, first on line {replies[key].line}; keep one")
        replies[key] = _recorded(row, line, where)
    if not replies:
        raise ModelUnavailable(f"{path}: no replies in it; expected the columns variant_id (or file_name) and text")
    return replies


def _csv_rows(path: Path, text: str) -> Iterator[tuple[int, dict[str, object]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, list[str]())]
        if len(set(header)) != len(header):
            raise ModelUnavailable(f"{path}, line 1: a column is named twice: {', '.join(header)}")
        _check_columns(header, f"{path}, line 1")
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(header):
                raise ModelUnavailable(
                    f"{path}, line {reader.line_num}: {len(cells)} cells, expected {len(header)} as in the header; "
                    "put texts that hold commas in quotes"
                )
            row: dict[str, object] = dict(zip(header, cells, strict=True))
            if "probabilities" in row:
                filled = str(row["probabilities"]).strip()
                row["probabilities"] = _json(filled, f"{path}, line {reader.line_num}") if filled else None
            yield reader.line_num, row
    except csv.Error as error:
        raise ModelUnavailable(f"{path}, line {reader.line_num}: not CSV: {error}") from error


def _jsonl_rows(path: Path, text: str) -> Iterator[tuple[int, dict[str, object]]]:
    for line, content in enumerate(text.split("\n"), start=1):
        if not content.strip():
            continue
        where = f"{path}, line {line}"
        row = _json(content, where)
        if not isinstance(row, dict):
            raise ModelUnavailable(f"{where}: expected an object such as {{...}}, got {content.strip()[:40]!r}")
        typed = cast("dict[str, object]", row)
        _check_columns(list(typed), where)
        yield line, typed


def _json(text: str, where: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelUnavailable(f"{where}: not JSON: {error}") from error


def _check_columns(names: list[str], where: str) -> None:
    missing = [] if {"variant_id", "file_name"} & set(names) else ["variant_id (or file_name)"]
    missing += [] if "text" in names else ["text"]
    if missing:
        raise ModelUnavailable(f"{where}: no {' and no '.join(missing)}; found {', '.join(names) or 'nothing'}")


def _key(row: Mapping[str, object], where: str) -> tuple[str, str]:
    for column in ("variant_id", "file_name"):
        value = row.get(column)
        if isinstance(value, str) and value.strip():
            return column, value.strip()
    raise ModelUnavailable(f"{where}: neither variant_id nor file_name is filled in")


def _recorded(row: Mapping[str, object], line: int, where: str) -> _Recorded:
    given = row.get("stop") or row.get("outcome") or ""
    if not isinstance(given, str) or given.strip() not in _STOPS:
        expected = ", ".join(name for name in _STOPS if name)
        raise ModelUnavailable(f"{where}: outcome {given!r}, expected one of {expected}")
    stop = _STOPS[given.strip()]
    text = row["text"]
    if text is None and stop != "complete":
        text = ""
    if not isinstance(text, str):
        raise ModelUnavailable(f"{where}: the text is {text!r}, expected a string")
    return _Recorded(line=line, text=text, stop=stop, probabilities=_probabilities(row.get("probabilities"), where))


def _probabilities(value: object, where: str) -> Mapping[str, float] | None:
    if value is None:
        return None
    found = cast("dict[str, object]", value) if isinstance(value, dict) else {"": None}
    numbers = {
        option: float(chance)
        for option, chance in found.items()
        if isinstance(chance, int | float) and 0 <= chance <= 1
    }
    if len(numbers) < len(found) or sum(numbers.values()) > 1 + 1e-9:
        raise ModelUnavailable(
            f"{where}: probabilities {value!r}, expected numbers from 0 to 1 with a sum of at most 1"
        )
    return numbers
