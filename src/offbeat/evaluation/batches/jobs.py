"""What a run's database knows of its batches: the jobs that a server is at work on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from offbeat.evaluation.answer import utc_now
from offbeat.evaluation.database import Database


@dataclass(frozen=True, slots=True)
class Job:
    """What a server is at work on.

    Attributes:
        job: the server's name for it.
        model: whose it is.
        keys: of its questions.
        call: under which its money was set aside; None where it is free.
        submitted_at: when.
    """

    job: str
    model: str
    keys: frozenset[str]
    call: int | None
    submitted_at: str


def pending_jobs(database: Database, model: str) -> tuple[Job, ...]:
    """The jobs of a model that have a name and have not been collected, oldest first."""
    query = (
        "SELECT job, model, keys, call, submitted_at FROM batches "
        "WHERE model = ? AND job IS NOT NULL AND ended IS NULL ORDER BY rowid"
    )
    with database.reading() as connection:
        rows = connection.execute(query, (model,)).fetchall()
    return tuple(Job(job, name, frozenset(json.loads(keys)), call, at) for job, name, keys, call, at in rows)


@dataclass(frozen=True, slots=True)
class Unsent:
    """What has no name yet, and can have reached no server: its clips were still being rendered or uploaded.

    Attributes:
        number: for `name_job` and `drop_job`.
        call: under which its money was set aside; None where it is free.
    """

    number: int
    call: int | None


def unsent_jobs(database: Database, model: str) -> tuple[Unsent, ...]:
    """Those of a model; of a process that was killed, if none is at work."""
    query = "SELECT rowid, call FROM batches WHERE model = ? AND job IS NULL"
    with database.reading() as connection:
        return tuple(Unsent(*row) for row in connection.execute(query, (model,)).fetchall())


def begin_job(database: Database, *, model: str, keys: Sequence[str], call: int | None) -> Unsent:
    """Note a job that is about to be handed over; it is pending from its name on."""
    values = (model, json.dumps(list(keys)), call, utc_now())
    with database.reading() as connection:
        cursor = connection.execute(
            "INSERT INTO batches (job, model, keys, call, submitted_at) VALUES (NULL, ?, ?, ?, ?)", values
        )
    assert cursor.lastrowid is not None
    return Unsent(cursor.lastrowid, call)


def name_job(database: Database, number: int, name: str) -> bool:
    """The name by which a server can be asked for it, in place of any that it had before.

    Returns:
        Whether it is one of its own; where another job has it, what it had before stays.
    """
    with database.reading() as connection:
        return connection.execute("UPDATE OR IGNORE batches SET job = ? WHERE rowid = ?", (name, number)).rowcount > 0


def drop_job(database: Database, number: int) -> None:
    """No server has taken it."""
    with database.reading() as connection:
        connection.execute("DELETE FROM batches WHERE rowid = ?", (number,))


def end_job(database: Database, job: str, *, note: str) -> None:
    """It has been collected, or is lost, as the note says."""
    with database.reading() as connection:
        connection.execute("UPDATE batches SET ended = ? WHERE job = ?", (note, job))
