"""Replies that were recorded elsewhere, by another tool or on another machine; ``replay:FILE``.

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

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from offbeat.dataset.variant import Variant
from offbeat.errors import ModelError, ModelUnavailable
from offbeat.models.base import Prompt, Reply, Stop
from offbeat.models.recorded import Key, Row, found_for, parsed_json, read_bytes, rows_of

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
        if not argument:
            raise ModelUnavailable("'replay' needs a file: replay:FILE, with FILE a .csv or .jsonl of recorded replies")
        self._path = Path(argument)
        raw = read_bytes(self._path)
        self.name = f"replay:{argument}"
        self.revision = f"1 sha256={hashlib.sha256(raw).hexdigest()}"
        self._replies = _parse(self._path, raw)

    def reply(self, variant: Variant, prompt: Prompt) -> Reply:
        """What was recorded.

        Raises:
            ModelError: nothing was recorded for this variant, or an error was, or options that were not offered.
        """
        row = variant.row
        recorded = next((self._replies[key] for key in found_for(row) if key in self._replies), None)
        if recorded is None:
            raise ModelError(f"{self._path}: no reply recorded for variant {row.variant_id} ({row.file_name})")
        if recorded.stop is None:
            raise ModelError(f"{self._path}, line {recorded.line}: recorded as an error: {recorded.text or 'no text'}")
        unknown = sorted(set(recorded.probabilities or ()) - set(prompt.options))
        if unknown:
            raise ModelError(f"{self._path}, line {recorded.line}: probabilities of {unknown}, not among the options")
        return Reply(text=recorded.text, stop=recorded.stop, probabilities=recorded.probabilities)


def _parse(path: Path, raw: bytes) -> dict[Key, _Recorded]:
    replies: dict[Key, _Recorded] = {}
    for row in rows_of(path, raw, column="text"):
        if row.key in replies:
            what, which = row.key
            first = replies[row.key].line
            raise ModelUnavailable(f"{row.where}: {what} {which!r} again, first on line {first}; keep one")
        replies[row.key] = _recorded(row)
    if not replies:
        raise ModelUnavailable(f"{path}: no replies in it; expected the columns variant_id (or file_name) and text")
    return replies


def _recorded(row: Row) -> _Recorded:
    cells, where = row.cells, row.where
    given = cells.get("stop") or cells.get("outcome") or ""
    if not isinstance(given, str) or given.strip() not in _STOPS:
        expected = ", ".join(name for name in _STOPS if name)
        raise ModelUnavailable(f"{where}: outcome {given!r}, expected one of {expected}")
    stop = _STOPS[given.strip()]
    text = cells["text"]
    if text is None and stop != "complete":
        text = ""
    if not isinstance(text, str):
        raise ModelUnavailable(f"{where}: the text is {text!r}, expected a string")
    chances = _probabilities(cells.get("probabilities"), where)
    return _Recorded(line=row.line, text=text, stop=stop, probabilities=chances)


def _probabilities(value: object, where: str) -> Mapping[str, float] | None:
    if isinstance(value, str):  # as CSV holds it
        value = parsed_json(value, where) if value.strip() else None
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
