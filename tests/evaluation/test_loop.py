"""An interrupt while a coroutine runs in its own thread: it is asked to halt, and what goes wrong then is told."""

import asyncio
import os
import signal
import subprocess
import sys
import threading

import pytest

from offbeat.errors import RunError
from offbeat.evaluation.calls.loop import run_in_loop


@pytest.fixture(autouse=True)
def _signals_as_in_a_terminal():
    """Whoever starts the tests may ignore them, as ``nohup`` and a shell's ``&`` do."""
    usual = {
        signal.SIGINT: signal.default_int_handler,
        signal.SIGTERM: signal.SIG_DFL,
        signal.SIGHUP: signal.SIG_DFL,
    }
    former = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    for number, handler in former.items():
        signal.signal(number, handler)


def _soon(*numbers):
    """Sends these signals to this process, one after the other."""

    def send():
        for number in numbers:
            signal.pthread_kill(threading.main_thread().ident, number)

    threading.Timer(0.05, send).start()


@pytest.mark.parametrize("numbers", [[signal.SIGINT], [signal.SIGTERM], [signal.SIGHUP, signal.SIGHUP]])
def test_it_is_asked_to_halt_and_waited_for(numbers):
    """A terminal that closes tells twice."""
    finished = []

    async def work(halt):
        _soon(*numbers)
        await halt.asked.wait()
        await asyncio.sleep(0.1)
        finished.append(halt.interrupted)

    with pytest.raises(KeyboardInterrupt):
        run_in_loop(work)
    assert finished == [True]
    assert signal.getsignal(signal.SIGTERM) is signal.getsignal(signal.SIGHUP) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_one_that_comes_while_the_thread_is_being_started(monkeypatch):
    start = threading.Thread.start

    def interrupted(thread):
        start(thread)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    finished = []

    async def work(halt):
        await halt.asked.wait()
        finished.append(halt.interrupted)

    with pytest.raises(KeyboardInterrupt):
        run_in_loop(work)
    assert finished == [True]


def test_what_goes_wrong_meanwhile_is_told():
    async def work(halt):
        _soon(signal.SIGINT)
        await halt.asked.wait()
        raise RunError("the disk is full")

    with pytest.raises(RunError, match="disk is full"):
        run_in_loop(work)


def test_a_signal_that_is_ignored_stays_ignored():
    """As after ``nohup``."""

    async def work(halt):
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.sleep(0.05)
        return halt.interrupted

    former = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert run_in_loop(work) is False
    finally:
        signal.signal(signal.SIGHUP, former)


FORKED = """
import multiprocessing, time
from offbeat.evaluation.calls.loop import run_in_loop

async def work(halt):
    context = multiprocessing.get_context("fork")
    ready = context.Event()
    child = context.Process(target=lambda: (ready.set(), time.sleep(60)))
    child.start()
    ready.wait(30)
    child.terminate()
    child.join(30)
    return child.exitcode, halt.interrupted

print(*run_in_loop(work))
"""


def test_a_child_that_a_model_has_forked_ends_as_any_other():
    """By the signal itself: a handler would run only when what the child is about has ended."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKED], capture_output=True, text=True, check=True, timeout=60
    )
    assert (done.stdout, done.stderr) == (f"{-signal.SIGTERM} False\n", "")
