"""Whatever a model does, an answer comes of it, and never a wrong one."""

import asyncio
import logging
import time

import numpy as np
import pytest

from offbeat.errors import ModelError, ModelUnavailable
from offbeat.evaluation.asking import ask
from offbeat.evaluation.calls.calling import Caller
from offbeat.evaluation.calls.limiter import Limiter
from offbeat.evaluation.database import Database
from offbeat.evaluation.plan import Planned
from offbeat.evaluation.question import STUDY, prompt_for
from offbeat.evaluation.store import all_answers, put_answer
from offbeat.models.base import Reply


class Scripted:
    name, revision = "scripted", "1"

    def __init__(self, reply):
        self._reply = reply

    def reply(self, variant, prompt):
        if isinstance(self._reply, BaseException):
            raise self._reply
        return self._reply


async def ask_once(model, planned):
    halted = asyncio.Event()
    caller = Caller(model, limiter=Limiter(most=1, halted=halted, clock=time.monotonic), halted=halted)
    return await ask(caller, planned, "study")


@pytest.fixture
def asked(make_variant, tmp_path):
    """Asks, keeps and reads back."""
    variant = make_variant()
    planned = Planned(variant, prompt_for(STUDY, variant), 0, "key")

    def ask_and_keep(reply):
        answer, failure = asyncio.run(ask_once(Scripted(reply), planned))
        with Database(tmp_path / "answers.sqlite") as database:
            put_answer(database, answer)
            assert all_answers(database) == (answer,)
        return answer, failure

    return ask_and_keep


@pytest.mark.parametrize(
    ("reply", "outcome", "choice"),
    [
        (Reply("Behind."), "ok", "behind"),
        (Reply("dunno"), "unparsed", None),
        (Reply("sync", stop="refused"), "refused", None),
        (Reply("sync", stop="truncated"), "truncated", None),
        (Reply("sync", stop="unsure"), "unsure", "sync"),
        (Reply("a\ud800b"), "unparsed", None),
        (Reply("x" * 1_000_000), "unparsed", None),
        (Reply("sync", probabilities={"sync": np.float32(0.5)}, usage={"tokens": 3}), "ok", "sync"),
    ],
)
def test_replies(asked, reply, outcome, choice):
    answer, failure = asked(reply)
    assert (answer.outcome, answer.choice, answer.error, failure) == (outcome, choice, None, None)
    assert answer.text is not None
    assert answer.asked_at.endswith("+00:00")


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (ModelError("quota used up"), "quota used up"),
        (ModelUnavailable("model retired"), "model retired"),
    ],
)
def test_a_model_that_says_why(asked, reply, error):
    answer, failure = asked(reply)
    assert (answer.outcome, answer.error, answer.text, failure) == ("error", error, None, reply)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (ZeroDivisionError("oh"), "ZeroDivisionError: oh"),
        (MemoryError(), "MemoryError"),
        (SystemExit(0), "SystemExit: 0"),
        (None, "TypeError: expected a Reply"),
        ("sync", "TypeError: expected a Reply"),
        (Reply(None), "TypeError: expected a Reply"),
        (Reply("sync", stop="done"), "ValueError: stop is 'done'"),
        (Reply("sync", probabilities={"late": 1.0}), "ValueError: probabilities"),
        (Reply("sync", probabilities={"sync": float("nan")}), "ValueError: probabilities"),
        (Reply("sync", probabilities={"sync": 0.8, "ahead": 0.8}), "ValueError: probabilities"),
        (Reply("sync", usage={"x": object()}), "TypeError: usage: Object of type object"),
        (Reply("sync", details={"x": float("inf")}), "ValueError: details: Out of range"),
    ],
)
def test_a_fault_of_the_models_code_is_kept_with_its_traceback(asked, caplog, reply, error):
    answer, failure = asked(reply)
    assert (answer.outcome, answer.choice) == ("error", None)
    assert not isinstance(failure, ModelError)
    assert answer.error.startswith(error)
    assert "Traceback" in answer.details["traceback"]
    assert "Traceback" in caplog.text


def test_a_fault_whose_text_no_file_takes(asked, monkeypatch):
    """Its log is off: parallel test runners send captured logs through a pipe, which takes no half character either."""
    monkeypatch.setattr(logging.getLogger("offbeat.evaluation.asking"), "disabled", True)
    answer, _ = asked(RuntimeError("a\ud800"))
    assert answer.error.startswith("RuntimeError: a")
    answer.error.encode()
    answer.details["traceback"].encode()


def test_the_users_interrupt_is_no_answer(make_variant):
    planned = Planned(make_variant(), prompt_for(STUDY, make_variant()), 0, "key")
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(ask_once(Scripted(KeyboardInterrupt()), planned))
