"""Answers on the disk: one row per model, variant, question and repeat.

Each answer is committed before `put_answer` returns. A row's `key` tells what its answer depends on: an answer with
another key takes the place of the one before, which moves to the table ``superseded``, since it may have been paid for.
A failure is no answer: it never takes the place of one, whatever its key. Under new settings that all fail, what was
known stays in view; by its key it is no answer to what was asked now, which is then missing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from offbeat.errors import RunError
from offbeat.evaluation.answer import OUTCOMES, Answer
from offbeat.evaluation.database import MEND, Database

_COLUMNS = tuple(field.name for field in fields(Answer))
_JSON = ("options", "probabilities", "usage", "details")
_IDENTITY = ("model", "variant_id", "question", "repeat")

_PUT = f"""
INSERT INTO answers ({", ".join(_COLUMNS)}) VALUES ({", ".join("?" for _ in _COLUMNS)})
ON CONFLICT ({", ".join(_IDENTITY)}) DO UPDATE
SET {", ".join(f"{column} = excluded.{column}" for column in _COLUMNS if column not in _IDENTITY)}
WHERE excluded.outcome <> 'error' OR answers.outcome = 'error'
"""


def put_answer(database: Database, answer: Answer) -> None:
    """Keep an answer; when this returns it is on the disk.

    One with outcome ``error`` never replaces one without.

    Raises:
        RunError: it could not be written; everything put before is still there.
    """
    row = _row(answer)
    with database.reading() as connection:
        connection.execute(_PUT, row)


def is_empty(database: Database) -> bool:
    """Whether nothing was ever kept."""
    with database.reading() as connection:
        return connection.execute("SELECT 1 FROM answers LIMIT 1").fetchone() is None


def all_answers(database: Database) -> tuple[Answer, ...]:
    """All of them, by model, question, variant and repeat.

    Raises:
        RunError: the file is damaged.
    """
    query = f"SELECT {', '.join(_COLUMNS)} FROM answers ORDER BY model, question, variant_id, repeat"
    with database.reading() as connection:
        rows = connection.execute(query).fetchall()
    return tuple(_answer(row, database) for row in rows)


def kept_outcomes(database: Database, model: str, question: str) -> dict[tuple[str, int], tuple[str, str]]:
    """For each variant and repeat that was asked: the key and the outcome of what is kept."""
    query = "SELECT variant_id, repeat, key, outcome FROM answers WHERE model = ? AND question = ?"
    with database.reading() as connection:
        rows = connection.execute(query, (model, question)).fetchall()
    return {(variant_id, repeat): (key, outcome) for variant_id, repeat, key, outcome in rows}


def answers_by_revision(database: Database, model: str, question: str) -> dict[tuple[str, int], str]:
    """For each variant and repeat that has an answer, and no mere failure: the revision that gave it."""
    query = "SELECT variant_id, repeat, revision FROM answers WHERE model = ? AND question = ? AND outcome <> 'error'"
    with database.reading() as connection:
        rows = connection.execute(query, (model, question)).fetchall()
    return {(variant_id, repeat): revision for variant_id, repeat, revision in rows}


def reread_answers(database: Database, answers: Iterable[Answer]) -> None:
    """Replace outcome and choice of these answers, all or none; the raw texts stay as they are."""
    rows = [(a.outcome, a.choice, a.model, a.variant_id, a.question, a.repeat, a.key) for a in answers]
    where = " AND ".join(f"{column} = ?" for column in (*_IDENTITY, "key"))
    with database.writing() as connection:
        connection.executemany(f"UPDATE answers SET outcome = ?, choice = ? WHERE {where}", rows)


def _answer(row: tuple[Any, ...], database: Database) -> Answer:
    values = dict(zip(_COLUMNS, row, strict=True))
    try:
        for column in _JSON:
            values[column] = None if values[column] is None else json.loads(values[column])
        if values["outcome"] not in OUTCOMES:
            raise ValueError(f"outcome {values['outcome']!r}")
    except (ValueError, TypeError) as error:
        where = f"model {values['model']!r}, variant {values['variant_id']!r}"
        raise RunError(f"{database.path}, {where}: not an answer ({error}); {MEND}") from error
    return Answer(**values)


def _row(answer: Answer) -> tuple[object, ...]:
    return tuple(_json(getattr(answer, column)) if column in _JSON else getattr(answer, column) for column in _COLUMNS)


def _json(value: Mapping[str, object] | None) -> str | None:
    return None if value is None else json.dumps(dict(value), allow_nan=False)
