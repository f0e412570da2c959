"""What has been spent, and whether the next call may go out.

Before a paid call goes out, the most that it can cost is set aside, on the disk::

    spent            set aside for calls in flight      the next call
    |=================|--------------------------------|· · · · · · ·|            | most
                                                                      ^ beyond `most`: it does not go out

When the call ends, what it really cost takes the place of what was set aside. Where nobody can tell what it cost (no
usage in the reply, a time-out, a process that was killed), what was set aside counts as spent. So the sum can only be
too high.

That holds as long as no call costs more than the most that it can. Where a server has counted more all the same, as
when thoughts do not heed the output budget, no later call of that model goes out with less set aside than the dearest
such call has cost: what may cross the bound are the calls that were in flight when the first of them ended.
"""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from offbeat.errors import OffbeatError
from offbeat.evaluation.answer import utc_now
from offbeat.evaluation.database import FILE, Database
from offbeat.models.base import JsonValue


class OutOfMoney(OffbeatError):
    """The next call could cost more than is left.

    Attributes:
        may_pass: there may be enough when the calls that are in flight have ended: they seldom cost all that was set
            aside for them.
    """

    def __init__(self, message: str, *, may_pass: bool) -> None:
        super().__init__(message)
        self.may_pass = may_pass


class Purse:
    """The money of one run folder.

    Args:
        database: where calls are noted; those of former runs count.
        most_usd: the sum that is never crossed; None for no bound.
    """

    def __init__(self, database: Database, *, most_usd: float | None = None) -> None:
        self._database = database
        self._most_usd = most_usd
        self._lock = threading.Lock()
        self._taken_usd = spent_usd(database)
        self._in_flight = 0
        self._in_flight_usd = 0.0
        """Of `_taken_usd`: what will soon be known better; not that of batches, which take hours."""
        self._dearest_usd = _overruns(database)

    @property
    def spent_usd(self) -> float:
        """With what is set aside for calls in flight."""
        return self._taken_usd

    def fits(self, most_usd: float) -> bool:
        """Whether so much can be set aside now."""
        return self._most_usd is None or self._taken_usd + most_usd <= self._most_usd

    def begin(self, *, model: str, key: str, purpose: str, most_usd: float) -> int:
        """Set money aside for a call.

        Args:
            model: who is asked.
            key: of the question.
            purpose: ``answer``, ``probe`` or ``batch``.
            most_usd: the most that the call can cost.

        Returns:
            The number of the call, for `end`.

        Raises:
            OutOfMoney: the call would cross the bound.
            RunError: it could not be noted; the call must not go out.
        """
        with self._lock:
            if purpose != "batch":
                most_usd = max(most_usd, self._dearest_usd.get(model, 0.0))
            if not self.fits(most_usd):
                raise OutOfMoney(
                    f"${self._taken_usd:.4f} are spent or set aside, and the next call may cost ${most_usd:.4f}: "
                    f"more than the ${self._most_usd or 0:g} of --max-cost; raise it to go on",
                    may_pass=self._in_flight > 0 and self.fits(most_usd - self._in_flight_usd),
                )
            self._taken_usd += most_usd
            if purpose != "batch":
                self._in_flight += 1
                self._in_flight_usd += most_usd
        query = "INSERT INTO calls (model, key, purpose, begun_at, reserved_usd) VALUES (?, ?, ?, ?, ?)"
        with self._database.reading() as connection:
            call = connection.execute(query, (model, key, purpose, utc_now(), most_usd)).lastrowid
        assert call is not None
        return call

    def end(self, call: int, *, ended: str, usage: Mapping[str, JsonValue] | None, cost_usd: float | None) -> None:
        """Put what the call really cost in place of what was set aside for it.

        Args:
            call: its number.
            ended: how, in a word.
            usage: tokens, where they are known.
            cost_usd: None where nobody can tell: then what was set aside is spent.
        """
        noted = None if usage is None else json.dumps(dict(usage))
        query = (
            "UPDATE calls SET ended = ?, usage = ?, cost_usd = coalesce(?, reserved_usd) WHERE call = ? "
            "RETURNING reserved_usd, cost_usd, purpose, model"
        )
        with self._database.reading() as connection:
            ((reserved, cost, purpose, model),) = connection.execute(query, (ended, noted, cost_usd, call)).fetchall()
        with self._lock:
            if purpose != "batch":
                self._in_flight -= 1
                self._in_flight_usd -= reserved
                if cost > reserved:
                    self._dearest_usd[model] = max(cost, self._dearest_usd.get(model, 0.0))
            self._taken_usd += cost - reserved


def note_unpriced(database: Database, model: str) -> None:
    """Note that calls of a model go out whose price nobody knows."""
    query = (
        "INSERT INTO calls (model, key, purpose, begun_at, reserved_usd, ended, cost_usd) "
        "SELECT ?, '', 'unpriced', ?, 0, 'the price is not known', 0 "
        "WHERE NOT EXISTS (SELECT 1 FROM calls WHERE model = ? AND purpose = 'unpriced')"
    )
    with database.reading() as connection:
        connection.execute(query, (model, utc_now(), model))


def unpriced(database: Database) -> tuple[str, ...]:
    """The models of which calls went out at an unknown price: they are in no sum."""
    with database.reading() as connection:
        rows = connection.execute("SELECT DISTINCT model FROM calls WHERE purpose = 'unpriced' ORDER BY model")
        return tuple(model for (model,) in rows.fetchall())


@contextmanager
def passing_purse(*, most_usd: float | None) -> Generator[Purse]:
    """A purse that belongs to no run folder, and is forgotten at the end of the block."""
    with (
        tempfile.TemporaryDirectory(prefix="offbeat-purse-") as folder,
        Database(Path(folder) / FILE) as database,
    ):
        yield Purse(database, most_usd=most_usd)


def spent_usd(database: Database) -> float:
    """All that was spent in a run folder; a call that never ended counts with all that was set aside for it."""
    with database.reading() as connection:
        (total,) = connection.execute("SELECT total(coalesce(cost_usd, reserved_usd)) FROM calls").fetchone()
    return total


def spent_by_model(database: Database) -> dict[str, float]:
    """The same by model, the dearest first; without those that have cost nothing."""
    query = (
        "SELECT model, total(coalesce(cost_usd, reserved_usd)) AS spent FROM calls GROUP BY model HAVING spent > 0 "
        "ORDER BY spent DESC, model"
    )
    with database.reading() as connection:
        return dict(connection.execute(query).fetchall())


def _overruns(database: Database) -> dict[str, float]:
    """For each model of which a call has cost more than was set aside for it: the dearest of these."""
    query = "SELECT model, max(cost_usd) FROM calls WHERE cost_usd > reserved_usd AND purpose <> 'batch' GROUP BY model"
    with database.reading() as connection:
        return dict(connection.execute(query).fetchall())
