"""Which clips are uploaded already, and until when: an upload outlives the run that made it.

One SQLite file in the user's cache folder. A row is found by the clip's content and by a scope, made of the address of
the service and a hash of the key, since a file is seen by the key's project only; the key itself is never written. Two
processes may use it at once. Where it cannot be read or written, everything is uploaded again, and that is said once.
"""

from __future__ import annotations

import hashlib
import logging
import os
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from offbeat.models.keys import redacted

_log = logging.getLogger(__name__)

FILE = "gemini-uploads.sqlite"
_TABLE = """
CREATE TABLE IF NOT EXISTS upload (
    scope TEXT NOT NULL, sha256 TEXT NOT NULL, name TEXT NOT NULL, uri TEXT NOT NULL, expires_at REAL NOT NULL,
    PRIMARY KEY (scope, sha256)
)
"""


_TOLD: set[Path | None] = set()
"""Folders of which it has been said that they are of no use; once is enough for thousands of clips."""


def cache_folder() -> Path | None:
    """`$XDG_CACHE_HOME/offbeat`, by default `~/.cache/offbeat` (XDG Base Directory Specification).

    None for a user without a home, as in some containers.
    """
    base = os.environ.get("XDG_CACHE_HOME", "")
    try:
        # the specification: a path that is not absolute is to be ignored
        return (Path(base) if Path(base).is_absolute() else Path.home() / ".cache") / "offbeat"
    except RuntimeError:
        return None


def scope_of(base_url: str, key: str) -> str:
    """By which uploads of another service, or of another key, are kept apart."""
    return hashlib.sha256(f"{base_url}\n{hashlib.sha256(key.encode()).hexdigest()}".encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Upload:
    """A file at the service.

    Attributes:
        name: by which the service is asked about it.
        uri: by which a request refers to it.
        expires_at: when we take it as gone, in seconds since 1970.
    """

    name: str
    uri: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class UploadCache:
    """The uploads of one scope. Its functions touch the disk: not for the event loop."""

    folder: Path | None
    scope: str

    def find(self, sha256: str, *, good_for_s: float) -> Upload | None:
        """The upload of this content, if it is there for at least so long."""
        rows = self._do(
            "SELECT name, uri, expires_at FROM upload WHERE scope = ? AND sha256 = ? AND expires_at > ?",
            (self.scope, sha256, time.time() + good_for_s),
        )
        return Upload(*rows[0]) if rows else None

    def keep(self, sha256: str, upload: Upload) -> None:
        """Remember it, in place of an older one, unless the key is in it; those that have expired are forgotten."""
        self._do("DELETE FROM upload WHERE expires_at < ?", (time.time(),))
        if any(redacted(text) != text for text in (upload.name, upload.uri)):
            return
        self._do(
            "INSERT OR REPLACE INTO upload VALUES (?, ?, ?, ?, ?)",
            (self.scope, sha256, upload.name, upload.uri, upload.expires_at),
        )

    def forget(self, sha256: str, uri: str) -> None:
        """It is gone at the service; one that has taken its place meanwhile stays."""
        self._do("DELETE FROM upload WHERE scope = ? AND sha256 = ? AND uri = ?", (self.scope, sha256, uri))

    def _do(self, statement: str, values: tuple[str | float, ...]) -> list[tuple[str, str, float]]:
        try:
            if self.folder is None:
                raise OSError("you have no home folder; set XDG_CACHE_HOME")
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.folder / FILE, timeout=30)) as connection, connection:
                connection.execute(_TABLE)
                return connection.execute(statement, values).fetchall()
        except (OSError, sqlite3.Error) as error:
            if self.folder not in _TOLD:
                _TOLD.add(self.folder)
                where = (self.folder or Path()) / FILE
                _log.warning("%s cannot be used (%s): clips are uploaded again in every run", where, error)
            return []
