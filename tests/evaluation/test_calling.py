"""Patience: what may pass is waited for, what will not is told at once, and every call is paid for once."""

import asyncio
import time
from collections import Counter
from datetime import date

import pytest

from offbeat.errors import ModelError, ModelUnavailable, RateLimited, RequestRejected, TransientError
from offbeat.evaluation.calls import patience
from offbeat.evaluation.calls.calling import Caller
from offbeat.evaluation.calls.limiter import Limiter
from offbeat.evaluation.calls.patience import MOST_RATE_LIMITED, MOST_TRANSIENT
from offbeat.evaluation.database import Database
from offbeat.evaluation.money.prices import Price
from offbeat.evaluation.money.purse import OutOfMoney, Purse, spent_usd
from offbeat.evaluation.question import STUDY, prompt_for
from offbeat.models.base import Reply

PRICE = Price(name="p", input_usd=1.0, output_usd=10.0, since=date(2026, 1, 1), source="a test")
FULL = {"input_tokens": 1000, "output_tokens": 100}
"""$0.002 at that price."""
SYNC = Reply("sync", usage={"input_tokens": 900, "output_tokens": 1})


class Scripted:
    """Says or raises one thing after the other; the last one for ever."""

    name, revision, price_name = "scripted", "1", "p"

    def __init__(self, *script):
        self.script, self.calls, self.at_s = list(script), 0, []

    async def reply(self, variant, prompt):
        self.calls += 1
        self.at_s.append(time.monotonic())
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if step == "hang":
            await asyncio.sleep(60)
        if isinstance(step, BaseException):
            raise step
        return step

    def expected_usage(self, variant, prompt):
        return FULL


@pytest.fixture
def call(make_variant, tmp_path):
    """Ask a model once; what came of it, and what was spent."""

    def ask(model, *, most_usd=None, call_limit_s=600.0, halt_after_s=None, first_wait_s=0.001, price=PRICE):
        variant = make_variant()

        async def main(database):
            halted = asyncio.Event()
            if halt_after_s == 0:
                halted.set()
            elif halt_after_s is not None:
                asyncio.get_running_loop().call_later(halt_after_s, halted.set)
            caller = Caller(
                model,
                limiter=Limiter(most=4, halted=halted, clock=time.monotonic),
                halted=halted,
                purse=Purse(database, most_usd=most_usd),
                price=price,
                call_limit_s=call_limit_s,
                first_wait_s=first_wait_s,
            )
            return await caller.call(variant, prompt_for(STUDY, variant), key="k")

        with Database(tmp_path / "answers.sqlite") as database:
            called = asyncio.run(main(database))
            return called, spent_usd(database)

    return ask


def test_what_may_pass_is_waited_for_and_told(call):
    model = Scripted(TransientError("503"), RateLimited("429"), TransientError("reset"), SYNC)
    called, _ = call(model)
    assert (called.reply.text, called.failure) == ("sync", None)
    assert called.former == ("503", "429", "reset")
    assert model.calls == 4


@pytest.mark.parametrize(("kind", "most"), [(TransientError, MOST_TRANSIENT), (RateLimited, MOST_RATE_LIMITED)])
def test_patience_has_an_end(call, kind, most):
    model = Scripted(kind("not today"))
    called, _ = call(model, first_wait_s=1e-6)
    assert (called.reply, str(called.failure)) == (None, "not today")
    assert model.calls == most


@pytest.mark.parametrize(("wait_s", "times"), [(1.0, 61), (5.0, 13), (30.0, MOST_RATE_LIMITED)])
def test_short_waits_in_a_row_are_no_reason_to_give_up_within_a_minute(monkeypatch, wait_s, times):
    """Of a server that lets some through at the top of each minute, and nobody else until the next."""
    monkeypatch.setattr(patience.random, "uniform", lambda least, most: wait_s)
    asked = patience.Patience(1.0)
    waits = [asked.weigh(RateLimited("429"), answers=7)[1] for _ in range(times)]
    assert waits == [wait_s] * (times - 1) + [None]


class Choosy:
    """Fails at the delays of some clips, as often as is said, and answers to all else."""

    name, revision = "choosy", "1"

    def __init__(self, fails):
        self.fails, self.asked = fails, Counter()

    async def reply(self, variant, prompt):
        row = variant.row
        self.asked[row.clip_id, row.variant_id] += 1
        await asyncio.sleep(0)
        if self.fails(row.clip_id, row.variant_id, self.asked[row.clip_id, row.variant_id]):
            raise TransientError(f"out of memory at {row.variant_id}")
        return SYNC


@pytest.fixture
def call_many(make_variant):
    """Ask a model about 2 clips with 21 delays each, so many at once; what came of each."""

    def ask(model, *, at_once):
        variants = [make_variant(clip_id=clip, variant_id=f"{clip}{n}") for clip in "ab" for n in range(21)]

        async def main():
            halted = asyncio.Event()
            limiter = Limiter(most=64, halted=halted, clock=time.monotonic)
            caller = Caller(model, limiter=limiter, halted=halted, first_wait_s=1e-4)
            places = asyncio.Semaphore(at_once)

            async def one(variant):
                async with places:
                    return await caller.call(variant, prompt_for(STUDY, variant), key="k")

            return await asyncio.gather(*map(one, variants))

        return dict(zip((v.row.variant_id for v in variants), asyncio.run(main()), strict=True))

    return ask


@pytest.mark.parametrize("at_once", [1, 5, 42])
def test_a_clip_that_a_server_cannot_bear_is_not_asked_about_six_times_with_each_delay(call_many, at_once):
    model = Choosy(lambda clip, variant, time: clip == "b")
    called = call_many(model, at_once=at_once)
    assert [one.reply is not None for one in called.values()] == [True] * 21 + [False] * 21
    assert all(str(called[f"b{n}"].failure) == f"out of memory at b{n}" for n in range(21))
    assert sum(model.asked.values()) == 21 + 21 + MOST_TRANSIENT - 1


@pytest.mark.parametrize("at_once", [1, 5, 42])
def test_what_passes_costs_no_answer(call_many, at_once):
    model = Choosy(lambda clip, variant, time: time < 5)
    called = call_many(model, at_once=at_once)
    assert all(one.reply is not None for one in called.values())


@pytest.mark.parametrize("at_once", [1, 5, 42])
def test_one_delay_that_always_fails_takes_no_other_with_it(call_many, at_once):
    model = Choosy(lambda clip, variant, time: variant == "a3" or time < 2)
    called = call_many(model, at_once=at_once)
    assert [name for name, one in called.items() if one.reply is None] == ["a3"]


@pytest.mark.parametrize("kind", [RequestRejected, ModelUnavailable, ModelError, ZeroDivisionError, SystemExit])
def test_what_will_not_pass_is_told_at_once(call, kind):
    model = Scripted(kind("no"))
    called, _ = call(model)
    assert model.calls == 1
    assert isinstance(called.failure, kind)


class InProcess(Scripted):
    def reply(self, variant, prompt):
        raise self.script[0]


@pytest.mark.parametrize(
    "fault",
    [
        asyncio.CancelledError("of its own"),
        BaseExceptionGroup("several", [SystemExit(1), ValueError("x")]),
    ],
    ids=repr,
)
@pytest.mark.parametrize("kind", [Scripted, InProcess])
def test_whatever_a_models_code_raises_is_a_failure(call, kind, fault):
    called, _ = call(kind(fault))
    assert isinstance(called.failure, type(fault))


def test_the_server_says_how_long_to_wait(call):
    model = Scripted(RateLimited("429", retry_after_s=0.2), SYNC)
    call(model)
    assert model.at_s[1] - model.at_s[0] >= 0.199


def test_a_server_that_wants_hours_is_not_waited_for(call):
    model = Scripted(RateLimited("daily quota", retry_after_s=7200), SYNC)
    called, _ = call(model)
    assert isinstance(called.failure, ModelUnavailable)
    assert "wait 120 minutes; the same command goes on later: daily quota" in str(called.failure)


def test_waits_grow_and_differ():
    """Full jitter: from nothing to 1, 2, 4, ... 60 s."""

    def wait_s(attempts, error=None):
        asked = patience.Patience(1.0)
        for _ in range(attempts - 1):
            asked.weigh(RateLimited("429"), answers=0)
        return asked.weigh(error or RateLimited("429"), answers=0)[1]

    for attempts, longest in [(1, 1), (2, 2), (4, 8), (6, 32), (7, 60), (11, 60)]:
        waits = [wait_s(attempts) for _ in range(400)]
        assert 0 <= min(waits) < 0.05 * longest
        assert 0.95 * longest < max(waits) <= longest
    assert min(wait_s(1, RateLimited("429", retry_after_s=30.0)) for _ in range(50)) == 30.0


def test_a_call_that_hangs_is_given_up(call):
    model = Scripted("hang", SYNC)
    called, spent = call(model, call_limit_s=0.05)
    assert called.former == ("no reply within 0.05 s; --timeout sets how long",)
    # nobody knows what the first call cost: all that was set aside for it counts
    assert spent == pytest.approx(0.002 + (900 * 1 + 1 * 10) / 1e6)


def test_a_halt_ends_the_waiting_and_keeps_the_reason(call):
    called, _ = call(Scripted(TransientError("503")), halt_after_s=0.05, first_wait_s=1000)
    assert str(called.failure) == "503"


def test_a_halt_before_the_call_asks_nothing(call):
    model = Scripted(SYNC)
    called, _ = call(model, halt_after_s=0)
    assert (called.reply, called.failure, model.calls) == (None, None, 0)


@pytest.mark.parametrize(
    ("step", "spent"),
    [
        (SYNC, 0.00091),
        (Reply("sync"), 0.002),  # no usage: the whole of it
        (ModelError("no"), 0.0),
        (ModelError("zero audio tokens", usage={"input_tokens": 500, "output_tokens": 0}), 0.0005),
        (ModelError("cut in the middle", usage=None), 0.002),
        (ZeroDivisionError("a fault in the adapter, after the call"), 0.002),
    ],
)
def test_each_call_is_paid_for(call, step, spent):
    assert call(Scripted(step))[1] == pytest.approx(spent)


def test_retries_are_paid_for_too(call):
    lost = TransientError("half a body", usage=None)
    assert call(Scripted(lost, lost, SYNC))[1] == pytest.approx(0.002 + 0.002 + 0.00091)


def test_no_call_goes_out_that_could_cross_the_bound(call):
    model = Scripted(TransientError("half a body", usage=None))
    with pytest.raises(
        OutOfMoney, match=r"\$0.0040 are spent or set aside, .* may cost \$0.0020: more than the \$0.005"
    ):
        call(model, most_usd=0.005)
    assert model.calls == 2


def test_where_a_call_is_free_nothing_is_noted(call):
    assert call(Scripted(SYNC), price=None, most_usd=0.0)[1] == 0


def test_a_key_never_gets_into_what_is_kept(call, monkeypatch):
    monkeypatch.setenv("SOME_API_KEY", "sentinel-4711-key")
    leaky = Reply("sync sentinel-4711-key", details={"echo": ["Bearer sentinel-4711-key"]})
    called, _ = call(Scripted(TransientError("401 for sentinel-4711-key"), leaky))
    assert "sentinel" not in repr(called)
    assert called.reply.text == "sync [SOME_API_KEY]"


def test_a_model_that_runs_out_of_something_is_not_waited_for_forever(call):
    class Exhausted:
        name, revision = "exhausted", "1"

        def reply(self, variant, prompt):
            return next(iter([]))

    called, _ = call(Exhausted())
    assert isinstance(called.failure, StopIteration)
