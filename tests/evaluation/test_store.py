"""The store: what is acknowledged stays, failures never replace answers, damage is told."""

import sqlite3
import threading
from dataclasses import replace

import pytest

from offbeat.errors import RunError
from offbeat.evaluation.answer import Answer
from offbeat.evaluation.database import FILE, SCHEMA_VERSION, Database
from offbeat.evaluation.store import all_answers, is_empty, kept_outcomes, put_answer, reread_answers

ANSWER = Answer(
    model="m",
    revision="1",
    variant_id="v",
    question="study",
    repeat=0,
    key="k",
    prompt="?",
    system=None,
    options={"sync": "A", "ahead": "B"},
    outcome="ok",
    choice="sync",
    text='s\x00y"n\u2028c\n😀',
    probabilities={"sync": 0.5},
    usage={"tokens": 3, "nested": {"a": [1, None, True]}},
    details={},
    error=None,
    asked_at="2026-01-01T00:00:00.000+00:00",
    seconds=0.1,
)
FAILURE = replace(ANSWER, outcome="error", choice=None, text=None, probabilities=None, usage={}, error="down")


@pytest.fixture
def path(tmp_path):
    return tmp_path / FILE


def test_what_is_put_comes_back_whole(path):
    with Database(path) as store:
        assert is_empty(store)
        put_answer(store, ANSWER)
        put_answer(store, replace(FAILURE, variant_id="w"))
    with Database(path, readonly=True) as store:
        assert all_answers(store) == (ANSWER, replace(FAILURE, variant_id="w"))
        assert not is_empty(store)


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        (ANSWER, FAILURE, ANSWER),
        (FAILURE, ANSWER, ANSWER),
        (FAILURE, replace(FAILURE, error="again"), replace(FAILURE, error="again")),
        (ANSWER, replace(ANSWER, key="k2", choice="ahead"), replace(ANSWER, key="k2", choice="ahead")),
        (ANSWER, replace(FAILURE, key="k2"), ANSWER),
        (replace(ANSWER, outcome="refused"), replace(FAILURE, key="k2"), replace(ANSWER, outcome="refused")),
        (FAILURE, replace(FAILURE, key="k2"), replace(FAILURE, key="k2")),
        (ANSWER, replace(ANSWER, choice="ahead"), replace(ANSWER, choice="ahead")),
    ],
)
def test_which_of_two_stays(path, first, second, kept):
    with Database(path) as store:
        put_answer(store, first)
        put_answer(store, second)
        assert all_answers(store) == (kept,)
        assert kept_outcomes(store, "m", "study") == {("v", 0): (kept.key, kept.outcome)}


def test_an_answer_that_another_key_replaces_is_not_thrown_away(path):
    with Database(path) as store:
        put_answer(store, ANSWER)
        put_answer(store, replace(ANSWER, key="k2", text="ahead"))
        put_answer(store, replace(ANSWER, key="k2", text="behind"))
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT key, text FROM superseded").fetchall()
    connection.close()
    assert rows == [("k", ANSWER.text)]


def test_models_questions_variants_and_repeats_are_apart(path):
    others = [replace(ANSWER, **{field: "x"}) for field in ("model", "question", "variant_id")]
    with Database(path) as store:
        for answer in (ANSWER, *others, replace(ANSWER, repeat=1)):
            put_answer(store, answer)
        assert len(all_answers(store)) == 5
        assert set(kept_outcomes(store, "m", "study")) == {("v", 0), ("x", 0), ("v", 1)}


def test_every_commit_is_synced_to_the_disk(path):
    with Database(path) as store:
        pragmas = [
            store._connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")
        ]
    assert pragmas == ["wal", 2]


def test_from_several_threads(path):
    with Database(path) as store:

        def work(part: int) -> None:
            for number in range(25):
                put_answer(store, replace(ANSWER, variant_id=f"{part}-{number}"))

        threads = [threading.Thread(target=work, args=(part,)) for part in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(all_answers(store)) == 100


def test_reading_while_writing_sees_what_is_acknowledged(path):
    with Database(path) as writer:
        for number in range(3):
            put_answer(writer, replace(ANSWER, variant_id=f"v{number}"))
            with Database(path, readonly=True) as reader:
                assert len(all_answers(reader)) == number + 1


def test_a_reader_cannot_write(path):
    Database(path).close()
    with Database(path, readonly=True) as store, pytest.raises(RunError, match="readonly"):
        put_answer(store, ANSWER)


def test_reread_changes_choice_and_outcome_alone(path):
    with Database(path) as store:
        put_answer(store, ANSWER)
        reread_answers(store, [replace(ANSWER, outcome="unparsed", choice=None, text="other")])
        assert all_answers(store) == (replace(ANSWER, outcome="unparsed", choice=None),)
        reread_answers(store, [replace(ANSWER, key="another")])
        assert all_answers(store)[0].outcome == "unparsed"


def test_another_schema_version(path):
    Database(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    for readonly in (False, True):
        with pytest.raises(RunError, match=r"schema version 3, expected 2; use the Offbeat that made it"):
            Database(path, readonly=readonly)


def test_a_database_of_somebody_else(path):
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE answers (x)")
    connection.close()
    with pytest.raises(RunError, match="schema version 0"):
        Database(path)


def test_one_that_was_killed_before_it_held_a_table(path):
    path.touch()
    with pytest.raises(RunError, match=r"holds nothing yet; run `offbeat run` again"):
        Database(path, readonly=True)
    Database(path).close()
    Database(path, readonly=True).close()


@pytest.mark.parametrize("content", [b"not a database at all, but long enough to be read as one " * 40, b"\x00" * 5000])
def test_not_a_database(path, content):
    path.write_bytes(content)
    with pytest.raises(RunError, match=r"damaged .*move the file away|schema version"):
        Database(path)


def test_damage_in_the_middle(path):
    with Database(path) as store:
        for number in range(300):
            put_answer(store, replace(ANSWER, variant_id=f"v{number}", text="x" * 500))
    raw = bytearray(path.read_bytes())
    for page in range(8192, len(raw), 4096):
        raw[page : page + 64] = b"\xff" * 64
    path.write_bytes(raw)
    with pytest.raises(RunError, match=r"damaged .*\.recover"), Database(path, readonly=True) as store:
        all_answers(store)


@pytest.mark.parametrize(("column", "value"), [("usage", "{"), ("outcome", "fine"), ("details", b"\xff")])
def test_a_row_that_is_no_answer(path, column, value):
    with Database(path) as store:
        put_answer(store, ANSWER)
        store._connection.execute(f"UPDATE answers SET {column} = ?", (value,))
        with pytest.raises(RunError, match="model 'm', variant 'v': not an answer"):
            all_answers(store)


def test_nothing_there(path):
    with pytest.raises(RunError, match="not there"):
        Database(path, readonly=True)
    with pytest.raises(RunError, match="unable to open"):
        Database(path / "deeper")


@pytest.mark.parametrize("harm", ["DROP TABLE answers", "UPDATE answers SET text = CAST(x'ff' AS TEXT)"])
def test_harm_that_sqlite_calls_operational_is_damage_and_not_a_full_disk(path, harm):
    with Database(path) as database:
        put_answer(database, ANSWER)
        with database.reading() as connection:
            connection.execute(harm)
        with pytest.raises(RunError, match=r"damaged .*put a copy of the file back"):
            all_answers(database)
