"""Servers that let few calls through, in virtual time: minutes of waiting pass in milliseconds of the test."""

import asyncio
import selectors
from types import SimpleNamespace

import pytest

from offbeat.errors import RateLimited
from offbeat.evaluation.calls.calling import Caller
from offbeat.evaluation.calls.limiter import Limiter
from offbeat.models.base import Prompt, Reply

PROMPT = Prompt("?", ("sync",))
CLIP = SimpleNamespace(row=SimpleNamespace(clip_id="c"))
CALLS_AT_ONCE = 32


class Skipping(selectors.DefaultSelector):
    """Waits for nothing: the time that was to pass is added to the clock."""

    skipped_s = 0.0

    def select(self, timeout=None):
        ready = super().select(0)
        if not ready and timeout:
            self.skipped_s += timeout
        return ready


def asked(questions, admits, *, retry_after_s=None):
    """Ask a server that lets a call through if `admits(now_s)`; how many were answered, and how long it took."""
    selector = Skipping()
    loop = asyncio.SelectorEventLoop(selector)
    loop.time = lambda: selector.skipped_s

    async def reply(variant, prompt):
        await asyncio.sleep(0.02)
        if not admits(loop.time()):
            raise RateLimited("429", retry_after_s=retry_after_s)
        await asyncio.sleep(2)
        return Reply("sync")

    async def ask_all():
        halted = asyncio.Event()
        limiter = Limiter(most=CALLS_AT_ONCE, halted=halted, clock=loop.time)
        caller = Caller(SimpleNamespace(name="slow", revision="1", reply=reply), limiter=limiter, halted=halted)
        left = iter(range(questions))

        async def work():
            return [await caller.call(CLIP, PROMPT, key=str(number)) for number in left]

        return [one for part in await asyncio.gather(*(work() for _ in range(CALLS_AT_ONCE))) for one in part]

    try:
        called = loop.run_until_complete(ask_all())
    finally:
        loop.close()
    return sum(one.reply is not None for one in called), selector.skipped_s


def a_minute(calls):
    """Lets so many through in each minute by the clock."""
    minutes = {}

    def admits(now_s):
        minute = int(now_s // 60)
        minutes[minute] = minutes.get(minute, 0) + 1
        return minutes[minute] <= calls

    return admits


@pytest.mark.parametrize("retry_after_s", [None, 1.0])
@pytest.mark.parametrize(("calls", "questions"), [(5, 60), (60, 400)])
def test_a_server_that_lets_few_through_loses_no_question(calls, questions, retry_after_s):
    """Who is let through is chance: a question may meet 429 far more than twelve times while others are answered."""
    answered, took_s = asked(questions, a_minute(calls), retry_after_s=retry_after_s)
    assert answered == questions
    at_best_s = 60 * (questions / calls - 1)
    assert took_s < 1.5 * at_best_s


def test_a_server_that_answers_nobody_is_given_up():
    answered, took_s = asked(40, lambda now_s: False)
    assert answered == 0
    assert took_s < 3600


def test_a_server_that_falls_silent_is_given_up():
    answered, _ = asked(100, lambda now_s: now_s < 3)
    assert 0 < answered < 100
