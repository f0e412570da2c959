"""What people have answered, recorded in a file; ``human:FILE``, or one of several people, ``human:FILE:PERSON``.

FILE is CSV with a header line, or JSONL with one object a line, in UTF-8, with these columns:

==============  ========================================================================================
variant_id      which variant; or `file_name`, as in the dataset's metadata.jsonl
answer          the word that the person chose, or said; where it is empty, there is no answer
person          optional; a name or a number: who answered, in every row
seconds         optional; how long the person took
==============  ========================================================================================

Each person is an observer of their own. People differ in where they feel sound and picture to be together, so that the
answers of several, thrown together, make a curve that is flatter than that of any of them. Intervals draw the sources
anew, and so say what the same person would have answered about other videos; how people differ is seen by looking at
several rows. What was not answered is missing, and never guessed.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from dataclasses import astuple, dataclass
from pathlib import Path

from offbeat.dataset.variant import Variant
from offbeat.errors import ModelError, ModelUnavailable
from offbeat.models.base import JsonValue, Prompt, Reply
from offbeat.models.recorded import Key, Row, found_for, read_bytes, rows_of

MOST_PEOPLE = 100
"""Every observer of a report is compared with every other."""
LONGEST_NAME = 80
_ARGUMENT = re.compile(r"(.+?\.(?:csv|jsonl|ndjson))(?::(.*))?", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Answered:
    line: int
    answer: str
    seconds: float | None


class Human:
    """What a person answered about each variant; ``human:FILE``, ``human:FILE:PERSON``.

    Args:
        argument: the file, and whose answers are meant where it holds those of several people.
        seed: not used.

    Raises:
        ModelUnavailable: the file is missing, too large, or not what it should be, and the text names the line; or it
            is not said whose answers are meant.
    """

    looks = False

    def __init__(self, *, argument: str, seed: int = 0) -> None:
        self._path, person = _split(argument)
        people = _read(self._path)
        if person is None and len(people) == 1:
            (person,) = people
        if person not in people:
            known = ", ".join(f"human:{self._path}:{name}" for name in people if name) or "one person, without a name"
            raise ModelUnavailable(f"'human:{argument}': {self._path} has the answers of {known}; ask for one of these")
        self._person = person
        self._answers = people[person]
        self.name = f"human:{argument}"
        told = json.dumps([[*key, *astuple(one)[1:]] for key, one in sorted(self._answers.items())])
        self.revision = f"1 sha256={hashlib.sha256(told.encode()).hexdigest()}"

    @staticmethod
    def several(argument: str) -> list[str]:
        """The arguments that one stands for: where a file has several people and none is named, one for each.

        Raises:
            ModelUnavailable: see the class.
        """
        path, person = _split(argument)
        people = [] if person is not None else list(_read(path))
        return [f"{argument}:{name}" for name in people] if len(people) > 1 else [argument]

    def reply(self, variant: Variant, prompt: Prompt) -> Reply:
        """What was recorded.

        Raises:
            ModelError: there is no answer about this variant, or there are two.
        """
        row = variant.row
        found = [self._answers[key] for key in found_for(row) if key in self._answers]
        if not found:
            raise ModelError(f"{self._path}: no answer recorded for variant {row.variant_id} ({row.file_name})")
        if len(found) > 1:
            lines = " and ".join(str(one.line) for one in found)
            raise ModelError(f"{self._path}, lines {lines}: both are about variant {row.variant_id}; keep one")
        details: dict[str, JsonValue] = {} if not self._person else {"person": self._person}
        if found[0].seconds is not None:
            details["seconds"] = found[0].seconds
        return Reply(text=found[0].answer, details=details)


def _split(argument: str) -> tuple[Path, str | None]:
    if not argument:
        raise ModelUnavailable("'human' needs a file: human:FILE, with FILE a .csv or .jsonl of people's answers")
    found = _ARGUMENT.fullmatch(argument)
    return (Path(argument), None) if found is None else (Path(found[1]), found[2])


def _read(path: Path) -> dict[str, dict[Key, _Answered]]:
    """The answers by person, in the order of appearance; "" stands for the one who has no name."""
    people: dict[str, dict[Key, _Answered]] = {}
    named: bool | None = None
    for row in rows_of(path, read_bytes(path), column="answer"):
        person = _person(row)
        if named is not None and named != (person is not None):
            raise ModelUnavailable(f"{row.where}: a person is named in some rows only; name one in every row, or none")
        named = person is not None
        own = people.setdefault(person or "", {})
        if len(people) > MOST_PEOPLE:
            raise ModelUnavailable(f"{row.where}: more than {MOST_PEOPLE} people; split the file")
        answer = _answer(row)
        if answer is None:
            continue
        if row.key in own:
            whose = "" if person is None else f" by {person}"
            what, which = row.key
            raise ModelUnavailable(
                f"{row.where}: {what} {which!r} again{whose}, first on line {own[row.key].line}; keep one, "
                "or say in a column `person` who answered"
            )
        own[row.key] = _Answered(line=row.line, answer=answer, seconds=_seconds(row))
    if not any(people.values()):
        raise ModelUnavailable(f"{path}: no answers in it; expected the columns variant_id (or file_name) and answer")
    return people


def _person(row: Row) -> str | None:
    """Who answered; None where the file does not say."""
    given = row.cells.get("person")
    if isinstance(given, int) and not isinstance(given, bool):
        given = str(given)
    if given is None or given == "":
        return None
    name = given.strip() if isinstance(given, str) else ""
    if not name or not name.isprintable() or len(name) > LONGEST_NAME:
        raise ModelUnavailable(
            f"{row.where}: the person is {given!r:.100}, expected a name or a whole number of up to {LONGEST_NAME} "
            "characters in one line"
        )
    return name


def _answer(row: Row) -> str | None:
    """The word; None where there is none."""
    given = row.cells["answer"]
    if given is None:
        return None
    if not isinstance(given, str):
        raise ModelUnavailable(f"{row.where}: the answer is {given!r:.100}, expected a word")
    return given.strip() or None


def _seconds(row: Row) -> float | None:
    given = row.cells.get("seconds")
    if given is None or given == "":
        return None
    try:
        seconds = float(given) if isinstance(given, str | int | float) and not isinstance(given, bool) else math.nan
    except (ValueError, OverflowError):
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise ModelUnavailable(f"{row.where}: the seconds are {given!r:.100}, expected a number such as 4.2")
    return seconds
