"""Models that are awaited: many at once, each answer kept, clips rendered in turn, stopped where they must be."""

import asyncio
import signal
import subprocess
import sys
import threading
import tracemalloc
from dataclasses import replace
from datetime import date

import pytest

from fake_dataset import write_dataset
from offbeat.errors import ModelError, ModelUnavailable, RateLimited, RequestRejected
from offbeat.evaluation.money.prices import Price
from offbeat.evaluation.run_folder import open_run
from offbeat.evaluation.runner import run_models
from offbeat.evaluation.terms import Terms
from offbeat.models.base import Reply

FAST = {"first_wait_s": 0.001}


class Remote:
    """Awaits, says what `say` returns, and remembers how many were under way at once."""

    looks = False

    def __init__(self, say=lambda row: Reply("sync"), *, seconds=0.002, name="remote"):
        self.name, self.revision, self._say, self._seconds = name, "1", say, seconds
        self.calls = self.busy = self.most_busy = 0
        self.closed = False

    async def reply(self, variant, prompt):
        self.calls += 1
        self.busy += 1
        self.most_busy = max(self.most_busy, self.busy)
        await asyncio.sleep(self._seconds)
        self.busy -= 1
        reply = self._say(variant.row)
        if isinstance(reply, Exception):
            raise reply
        return reply

    async def close(self):
        self.closed = True


def test_many_at_once_and_every_answer_kept(dataset, tmp_path):
    remote = Remote(lambda row: Reply(row.label), seconds=0.1)
    summary = run_models(dataset, [remote], out=tmp_path / "run", terms=Terms(connections=16))
    assert summary.complete
    assert remote.calls == 50
    assert 8 <= remote.most_busy <= 16
    assert remote.closed
    truth = {variant.row.variant_id: variant.row.label for variant in dataset.variants}
    assert {answer.variant_id: answer.choice for answer in open_run(tmp_path / "run").answers} == truth


def test_repeats_are_answers_of_their_own(dataset, tmp_path):
    remote = Remote()
    run_models(dataset, [remote], out=tmp_path / "run", repeats=3)
    assert remote.calls == 150
    answers = open_run(tmp_path / "run").answers
    assert {answer.repeat for answer in answers} == {0, 1, 2}
    assert len({answer.key for answer in answers}) == 150
    again = Remote()
    assert run_models(dataset, [again], out=tmp_path / "run", repeats=4).models[0].kept == 150
    assert again.calls == 50


def test_too_many_requests_slow_it_down_and_lose_nothing(dataset, tmp_path):
    """The server takes four at a time."""

    class Strict(Remote):
        async def reply(self, variant, prompt):
            if self.busy >= 4:
                await asyncio.sleep(0)
                raise RateLimited("429")
            return await super().reply(variant, prompt)

    strict = Strict()
    summary = run_models(dataset, [strict], out=tmp_path / "run", terms=Terms(connections=32, **FAST))
    assert summary.complete
    assert strict.calls == 50
    assert strict.most_busy <= 4


@pytest.mark.parametrize(
    "error", [RequestRejected("400: bad field, request 1f3a9c0d77"), ModelUnavailable("404 model gone")]
)
def test_equal_rejections_stop_the_model(dataset, tmp_path, error):
    """What is in flight at that moment comes to an end; nothing more goes out."""
    numbers = iter(range(1000))

    def say(row):
        return RequestRejected(f"400: bad field, request {next(numbers):010x}") if "400" in str(error) else error

    remote = Remote(say)
    summary = run_models(dataset, [remote], out=tmp_path / "run", terms=Terms(connections=2))
    assert remote.calls <= 3 * 5 + 2
    assert str(error)[:14] in summary.models[0].stopped
    assert not summary.complete


def test_a_model_that_is_stopped_does_not_stop_the_next(dataset, tmp_path):
    gone, fine = Remote(lambda row: ModelUnavailable("gone"), name="gone"), Remote(name="fine")
    summary = run_models(dataset, [gone, fine], out=tmp_path / "run")
    assert summary.models[0].stopped == "gone"
    assert summary.models[1].complete
    assert gone.closed


INTERRUPTED = """
import asyncio, os, signal, sys
from pathlib import Path
from offbeat.dataset.folder import open_dataset
from offbeat.evaluation.runner import run_models
from offbeat.evaluation.terms import Terms
from offbeat.models.base import Reply

class Slow:
    name, revision, looks = "slow", "1", False
    async def reply(self, variant, prompt):
        os.write(1, f"begun {variant.row.variant_id}\\n".encode())
        await asyncio.sleep(0.3)
        return Reply("sync")

signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    run_models(
        open_dataset(Path(sys.argv[1])),
        [Slow()],
        out=Path(sys.argv[2]),
        terms=Terms(connections=3),
        on_note=lambda note: os.write(1, f"note {note}\\n".encode()),
    )
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def test_an_interrupt_finishes_what_is_in_flight(dataset, tmp_path):
    command = [sys.executable, "-c", INTERRUPTED, str(dataset.folder), str(tmp_path / "run")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        lines = [child.stdout.readline() for _ in range(3)]
        child.send_signal(signal.SIGINT)
        lines += child.stdout.readlines()
    begun = {line.split()[1] for line in lines if line.startswith("begun")}
    assert lines[-1] == "interrupted\n"
    assert [line for line in lines if line.startswith("note")] == [
        "note Nothing more goes out; what is in flight is finished. Ctrl-C again does not wait.\n"
    ]
    assert 3 <= len(begun) <= 6
    assert {answer.variant_id for answer in open_run(tmp_path / "run").answers} == begun


def test_from_within_an_event_loop_as_in_a_notebook(dataset, tmp_path):
    async def cell():
        return run_models(dataset, [Remote()], out=tmp_path / "run")

    assert asyncio.run(cell()).complete


class Metered(Remote):
    """Each call may cost a dollar, and costs a cent."""

    price_name = "p"

    def expected_usage(self, variant, prompt):
        return {"input_tokens": 0, "output_tokens": 1_000_000}


def test_money_set_aside_for_calls_in_flight_does_not_end_a_run(dataset, tmp_path):
    """All 50 calls cost half a dollar; with two dollars two can be in flight at a time, and then one."""
    price = Price(name="p", input_usd=1, output_usd=1, since=date(2026, 1, 1), source="a test")
    metered = Metered(lambda row: Reply("sync", usage={"input_tokens": 0, "output_tokens": 10_000}))
    terms = Terms(connections=16, prices={"p": price}, most_usd=2.0)
    summary = run_models(dataset, [metered], out=tmp_path / "run", terms=terms)
    assert summary.complete
    assert metered.most_busy <= 2
    assert summary.spent_usd == pytest.approx(0.5)
    again = Metered(metered._say)
    stopped = run_models(dataset, [again], out=tmp_path / "run", terms=replace(terms, most_usd=1.4), repeats=2)
    assert not stopped.complete
    assert "more than the $1.4 of --max-cost" in stopped.models[0].stopped
    assert 0.4 <= stopped.spent_usd <= 1.4


def test_an_interrupt_ends_the_wait_for_money(dataset, tmp_path):
    """Sixteen are wanted, two at the most are in flight: those that wait go out no more."""

    heard = threading.Event()

    def interrupted(row):
        if row.variant_id == "v000000":
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
            assert heard.wait(30)
        return Reply("sync", usage={"input_tokens": 0, "output_tokens": 10_000})

    price = Price(name="p", input_usd=1, output_usd=1, since=date(2026, 1, 1), source="a test")
    metered, former = Metered(interrupted, seconds=0.1), signal.signal(signal.SIGINT, signal.default_int_handler)
    terms = Terms(connections=16, prices={"p": price}, most_usd=2.0)
    try:
        with pytest.raises(KeyboardInterrupt):
            run_models(dataset, [metered], out=tmp_path / "run", terms=terms, on_note=lambda note: heard.set())
    finally:
        signal.signal(signal.SIGINT, former)
    # the other of the first two may have ended before, and let a third out
    assert metered.calls == len(open_run(tmp_path / "run").answers) < 10


class Heavy:
    """Renders a megabyte when its turn comes, and holds it until it has its answer."""

    name, revision, looks = "heavy", "1", False

    def __init__(self):
        self.busy = self.most_busy = 0

    async def reply(self, variant, prompt):
        self.busy += 1
        self.most_busy = max(self.most_busy, self.busy)
        clip = bytearray(100_000)
        await asyncio.sleep(0.2)
        self.busy -= 1
        return Reply("sync", usage={"bytes": len(clip)})


@pytest.mark.slow
def test_a_thousand_slow_calls_at_once_hold_no_more_with_more_clips(tmp_path):
    """Memory depends on how many are under way, not on how many there are."""
    peaks = []
    for sources in (20, 80):
        dataset = write_dataset(tmp_path / f"set{sources}", sources=sources, lengths=(3.0, 5.0), delays=50)
        heavy = Heavy()
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        summary = run_models(dataset, [heavy], out=tmp_path / f"run{sources}", terms=Terms(connections=1000))
        peaks.append(tracemalloc.get_traced_memory()[1] - before)
        tracemalloc.stop()
        assert summary.complete
        assert heavy.most_busy > 500 or sources == 20
    few, many = peaks
    clips = 100_000 * 1000
    assert many < clips + 60e6  # 8,000 clips of 0.1 MB would be 800 MB
    assert few < clips + 60e6


@pytest.mark.parametrize("usage", [{"input_tokens": float("nan")}, {"input_tokens": object()}, [1, 2]])
def test_what_a_failed_call_used_may_be_nonsense(dataset, tmp_path, usage):
    remote = Remote(lambda row: ModelError(f"no reply about {row.variant_id}", usage=usage))
    (model,) = run_models(dataset, [remote], out=tmp_path / "run").models
    assert "clips in a row: no reply about" in model.stopped
    answers = open_run(tmp_path / "run").answers
    assert model.outcomes["error"] == len(answers) > 0
    assert {len(answer.usage) for answer in answers} == {0}


def test_a_models_own_time_out_is_told_as_such(dataset, tmp_path):
    run_models(dataset, [Remote(lambda row: TimeoutError("of its own"))], out=tmp_path / "run", terms=Terms(**FAST))
    assert {answer.error for answer in open_run(tmp_path / "run").answers} == {"TimeoutError: of its own"}


def test_one_that_cannot_be_closed_does_not_end_the_run(dataset, tmp_path, caplog):
    class Stuck(Remote):
        async def close(self):
            raise RuntimeError("stuck")

    class Plain(Remote):
        def close(self):
            self.closed = True

    plain = Plain(name="plain")
    assert run_models(dataset, [Stuck(), plain], out=tmp_path / "run").complete
    assert plain.closed
    assert "remote could not be closed: RuntimeError: stuck" in caplog.text
