"""Where answers are kept: one SQLite file, one row per model, variant, question and repeat.

Each answer is committed, and forced onto the disk, before `put` returns: what has been acknowledged survives a kill and
a power cut (write-ahead log, ``synchronous=FULL``). A row's `key` tells what its answer depends on: with the same key a
failure never takes the place of an answer; with another key the new row does, and the answer that it replaces moves to
the table ``superseded``, since it may have been paid for. For local file systems; SQLite's log does not work over NFS.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from offbeat.errors import RunError
from offbeat.evaluation.answer import OUTCOMES, Answer

FILE = "answers.sqlite"
SCHEMA_VERSION = 1

_COLUMNS = tuple(field.name for field in fields(Answer))
_JSON = ("probabilities", "usage", "details")
_IDENTITY = ("model", "variant_id", "question", "repeat")

_SCHEMA = f"""
CREATE TABLE answers (
    model TEXT NOT NULL, revision TEXT NOT NULL, variant_id TEXT NOT NULL, question TEXT NOT NULL,
    repeat INTEGER NOT NULL, key TEXT NOT NULL, prompt TEXT NOT NULL, outcome TEXT NOT NULL, choice TEXT, text TEXT,
    probabilities TEXT, usage TEXT NOT NULL, details TEXT NOT NULL, error TEXT, asked_at TEXT NOT NULL,
    seconds REAL NOT NULL,
    PRIMARY KEY ({", ".join(_IDENTITY)})
);
CREATE TABLE superseded AS SELECT * FROM answers;
CREATE TRIGGER keep_superseded BEFORE UPDATE ON answers WHEN OLD.outcome <> 'error' AND OLD.key <> NEW.key BEGIN
    INSERT INTO superseded SELECT * FROM answers WHERE rowid = OLD.rowid;
END;
PRAGMA user_version = {SCHEMA_VERSION};
"""

_PUT = f"""
INSERT INTO answers ({", ".join(_COLUMNS)}) VALUES ({", ".join("?" for _ in _COLUMNS)})
ON CONFLICT ({", ".join(_IDENTITY)}) DO UPDATE
SET {", ".join(f"{column} = excluded.{column}" for column in _COLUMNS if column not in _IDENTITY)}
WHERE excluded.outcome <> 'error' OR answers.outcome = 'error' OR excluded.key <> answers.key
"""


class AnswerStore:
    """The answers of one run folder; to be closed, or used in a `with` block. Safe from several threads.

    Args:
        path: the file; made if it is not there, unless `readonly`.
        readonly: nothing is changed, and a run that is under way is not disturbed.

    Raises:
        RunError: it cannot be opened, is damaged, or was made by another version.
    """

    def __init__(self, path: Path, *, readonly: bool = False) -> None:
        self._path = path
        self._lock = threading.Lock()
        if readonly and not path.is_file():
            raise RunError(f"{path}: not there; expected the answers of a run; run `offbeat run` again")
        with self._told():
            self._connection = _connect(path, readonly=readonly)
        try:
            with self._told():
                self._prepare(readonly=readonly)
        except RunError:
            self._connection.close()
            raise

    def _prepare(self, *, readonly: bool) -> None:
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        (tables,) = self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if not readonly:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            if version == 0 and tables == 0:
                self._connection.executescript(f"BEGIN; {_SCHEMA} COMMIT;")
                version = SCHEMA_VERSION
        if version != SCHEMA_VERSION:
            raise RunError(
                f"{self._path}: answers of schema version {version}, expected {SCHEMA_VERSION}; "
                "use the Offbeat that made it, or another run folder"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; what was put is on the disk already."""
        with self._lock:
            self._connection.close()

    def put(self, answer: Answer) -> None:
        """Keep an answer; when this returns it is on the disk.

        An answer with outcome ``error`` never replaces one without that has the same key.

        Raises:
            RunError: it could not be written; everything put before is still there.
        """
        row = _row(answer)
        with self._lock, self._told():
            self._connection.execute(_PUT, row)

    def is_empty(self) -> bool:
        """Whether nothing was ever kept."""
        with self._lock, self._told():
            return self._connection.execute("SELECT 1 FROM answers LIMIT 1").fetchone() is None

    def answers(self) -> tuple[Answer, ...]:
        """All of them, by model, question, variant and repeat.

        Raises:
            RunError: the file is damaged.
        """
        query = f"SELECT {', '.join(_COLUMNS)} FROM answers ORDER BY model, question, variant_id, repeat"
        with self._lock, self._told():
            rows = self._connection.execute(query).fetchall()
        return tuple(self._answer(row) for row in rows)

    def outcomes(self, model: str, question: str, repeat: int) -> dict[str, tuple[str, str]]:
        """For each variant that was asked: the key and the outcome of what is kept."""
        query = "SELECT variant_id, key, outcome FROM answers WHERE model = ? AND question = ? AND repeat = ?"
        with self._lock, self._told():
            rows = self._connection.execute(query, (model, question, repeat)).fetchall()
        return {variant_id: (key, outcome) for variant_id, key, outcome in rows}

    def reread(self, answers: Iterable[Answer]) -> None:
        """Replace outcome and choice of these answers, all or none; the raw texts stay as they are."""
        rows = [(a.outcome, a.choice, a.model, a.variant_id, a.question, a.repeat, a.key) for a in answers]
        where = " AND ".join(f"{column} = ?" for column in (*_IDENTITY, "key"))
        with self._lock, self._told():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._connection.executemany(f"UPDATE answers SET outcome = ?, choice = ? WHERE {where}", rows)
            except sqlite3.Error:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def _answer(self, row: tuple[Any, ...]) -> Answer:
        values = dict(zip(_COLUMNS, row, strict=True))
        try:
            for column in _JSON:
                values[column] = None if values[column] is None else json.loads(values[column])
            if values["outcome"] not in OUTCOMES:
                raise ValueError(f"outcome {values['outcome']!r}")
        except (ValueError, TypeError) as error:
            where = f"model {values['model']!r}, variant {values['variant_id']!r}"
            raise RunError(f"{self._path}, {where}: not an answer ({error}); {_MEND}") from error
        return Answer(**values)

    @contextmanager
    def _told(self) -> Generator[None]:
        """What SQLite says, in words that help."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise RunError(
                f"{self._path}: {error}; is the disk full, or the folder read-only? "
                "Answers kept so far are safe: mend that, and run the same command again"
            ) from error
        except sqlite3.DatabaseError as error:
            raise RunError(f"{self._path}: damaged ({error}); {_MEND}") from error


_MEND = (
    "put a copy of the file back, or save what `sqlite3 answers.sqlite .recover` still reads, "
    "or move the file away to ask again"
)


def _connect(path: Path, *, readonly: bool) -> sqlite3.Connection:
    """Open the file; in a folder that cannot be written to, SQLite needs to be told that nobody else writes."""
    target = path.resolve().as_uri()
    if not readonly:
        return sqlite3.connect(f"{target}?mode=rwc", uri=True, isolation_level=None, check_same_thread=False)
    connection = sqlite3.connect(f"{target}?mode=ro", uri=True, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master")
    except sqlite3.OperationalError:
        connection.close()
        if path.with_name(f"{path.name}-wal").exists():
            raise
        return sqlite3.connect(f"{target}?immutable=1", uri=True, isolation_level=None, check_same_thread=False)
    return connection


def _row(answer: Answer) -> tuple[object, ...]:
    return tuple(_json(getattr(answer, column)) if column in _JSON else getattr(answer, column) for column in _COLUMNS)


def _json(value: Mapping[str, object] | None) -> str | None:
    return None if value is None else json.dumps(dict(value), allow_nan=False)
