"""The file of a run: one SQLite database, opened with care, and its tables.

Every commit is forced onto the disk before it returns: what has been acknowledged survives a kill and a power cut
(write-ahead log, ``synchronous=FULL``). For local file systems; SQLite's log does not work over NFS.

::

    answers      one row per model, variant, question and repeat: what is known
    superseded   answers whose place a newer one has taken: they may have been paid for
    calls        one row per paid call, written before it goes out: what was spent, also by a process that was killed
    batches      jobs that a server works on, with the keys of their questions: to be collected later
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from offbeat.errors import RunError

FILE = "answers.sqlite"
SCHEMA_VERSION = 2

_SCHEMA = f"""
CREATE TABLE answers (
    model TEXT NOT NULL, revision TEXT NOT NULL, variant_id TEXT NOT NULL, question TEXT NOT NULL,
    repeat INTEGER NOT NULL, key TEXT NOT NULL, prompt TEXT NOT NULL, system TEXT, options TEXT NOT NULL,
    outcome TEXT NOT NULL, choice TEXT, text TEXT, probabilities TEXT, usage TEXT NOT NULL, details TEXT NOT NULL,
    error TEXT, asked_at TEXT NOT NULL, seconds REAL NOT NULL,
    PRIMARY KEY (model, variant_id, question, repeat)
);
CREATE TABLE superseded AS SELECT * FROM answers;
CREATE TRIGGER keep_superseded BEFORE UPDATE ON answers WHEN OLD.outcome <> 'error' AND OLD.key <> NEW.key BEGIN
    INSERT INTO superseded SELECT * FROM answers WHERE rowid = OLD.rowid;
END;
CREATE TABLE calls (
    call INTEGER PRIMARY KEY, model TEXT NOT NULL, key TEXT NOT NULL, purpose TEXT NOT NULL, begun_at TEXT NOT NULL,
    reserved_usd REAL NOT NULL, ended TEXT, usage TEXT, cost_usd REAL
);
CREATE TABLE batches (
    job TEXT PRIMARY KEY, model TEXT NOT NULL, keys TEXT NOT NULL, call INTEGER, submitted_at TEXT NOT NULL, ended TEXT
);
PRAGMA user_version = {SCHEMA_VERSION};
"""

MEND = (
    "put a copy of the file back, or save what `sqlite3 answers.sqlite .recover` still reads, "
    "or move the file away to ask again"
)


class Database:
    """The open file; to be closed, or used in a `with` block. Safe from several threads.

    Args:
        path: the file; made if it is not there, unless `readonly`.
        readonly: nothing is changed, and a run that is under way is not disturbed.

    Raises:
        RunError: it cannot be opened, is damaged, or was made by another version.
    """

    def __init__(self, path: Path, *, readonly: bool = False) -> None:
        self.path = path
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
        elif version == 0 and tables == 0:  # as after a kill right at the start
            raise RunError(f"{self.path}: holds nothing yet; run `offbeat run` again")
        if version != SCHEMA_VERSION:
            raise RunError(
                f"{self.path}: answers of schema version {version}, expected {SCHEMA_VERSION}; "
                "use the Offbeat that made it, or another run folder"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; what was committed is on the disk already."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def reading(self) -> Generator[sqlite3.Connection]:
        """The connection, for one thread at a time; each statement is committed by itself.

        Raises:
            RunError: the disk is full or read-only, or the file is damaged; what was committed before is still there.
        """
        with self._lock, self._told():
            yield self._connection

    @contextmanager
    def writing(self) -> Generator[sqlite3.Connection]:
        """The same for several statements that are committed together, or not at all."""
        with self.reading() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    @contextmanager
    def _told(self) -> Generator[None]:
        """What SQLite says, in words that help."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            # SQLite calls a missing table, and Python a text that is not UTF-8, operational too: neither is of the disk
            code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
            if not isinstance(error, sqlite3.OperationalError) or code == sqlite3.SQLITE_ERROR:
                raise RunError(f"{self.path}: damaged ({error}); {MEND}") from error
            raise RunError(
                f"{self.path}: {error}; is the disk full, or the folder read-only? "
                "Answers kept so far are safe: mend that, and run the same command again"
            ) from error


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
