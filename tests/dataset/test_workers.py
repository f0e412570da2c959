"""Children crash, hang and overeat; the batch goes on, and nothing stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest
from worker_jobs import behave, say_and_sleep, square, surroundings

from offbeat.dataset.workers import Children, Lost, Threads, Workers


def nothing() -> None:
    pass


def test_results_come_in_the_order_of_the_items() -> None:
    done: list[threading.Thread] = []
    with Children(2) as workers:
        results = workers.map(square, range(20), advance=lambda: done.append(threading.current_thread()))
        assert results == [k * k for k in range(20)]
        assert workers.map(square, [], advance=nothing) == []
    assert done == [threading.current_thread()] * 20
    assert Threads(3).map(square, range(20), advance=nothing) == results


@pytest.mark.parametrize(
    ("how", "reason", "said"),
    [
        ("crash", "crashed", "ended by SIGSEGV"),
        ("exit", "crashed", "exit code 7"),
        ("hang", "timed_out", "not done within 1 s; see --file-timeout"),
        ("spin", "timed_out", "not done within 1 s"),
        ("eat", "out_of_memory", "more memory"),
        ("odd", "failed", "Odd: 1 nobody foresaw it; this is a fault of Offbeat"),
    ],
)
def test_what_goes_wrong_with_one_item_stays_with_it(how: str, reason: str, said: str) -> None:
    with Children(1, timeout_s=1) as workers:
        first, lost, last = workers.map(behave, ["well", how, "well"], advance=nothing)
    assert (first, last) == ("well", "well")
    assert isinstance(lost, Lost)
    assert lost.reason == reason
    assert said in lost.detail


def test_what_a_library_prints_does_not_get_between_the_results() -> None:
    with Children(1) as workers:
        assert workers.map(behave, ["print", "well"], advance=nothing) == ["print", "well"]


@pytest.mark.parametrize("make", [lambda: Children(1), lambda: nullcontext(Threads(1))], ids=["children", "threads"])
def test_an_exception_is_raised_where_the_work_was_asked_for(
    make: Callable[[], AbstractContextManager[Workers]],
) -> None:
    done: list[int] = []
    with make() as workers, pytest.raises(OSError, match=r"No space left on device.*x\.mp4"):
        workers.map(behave, ["well", "raise", *["well"] * 50], advance=lambda: done.append(1))
    assert len(done) < 50, "what had not begun was left"


def test_a_child_knows_no_secrets_and_has_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "sentinel-5f1c")
    monkeypatch.setenv("TMPDIR", "/tmp")
    with Children(1, timeout_s=50) as workers:
        (found,) = workers.map(surroundings, [None], advance=nothing)
    assert isinstance(found, dict)
    assert b"sentinel-5f1c" not in found["at start"]
    assert set(found["environment"]) <= {
        *("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "LD_LIBRARY_PATH", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
    }
    assert found["environment"]["TMPDIR"] == "/tmp"
    assert found["RLIMIT_CORE"] == (0, 0)
    assert found["RLIMIT_NOFILE"][0] == 256
    assert found["RLIMIT_AS"][0] == 4 << 30
    assert 50 <= found["RLIMIT_CPU"][0] <= 100
    assert found["pid"] != os.getpid()


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_stays_behind_a_parent_that_is_killed(sent: signal.Signals, tmp_path: Path) -> None:
    code = (
        f"import sys; sys.path[:] = {sys.path!r}\n"
        "from offbeat.dataset.workers import Children\n"
        "from worker_jobs import say_and_sleep\n"
        f"Children(1).map(say_and_sleep, [{str(tmp_path / 'pid')!r}], advance=lambda: None)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code])
    _wait_until(lambda: (tmp_path / "pid").is_file() and (tmp_path / "pid").read_text() != "")
    child = int((tmp_path / "pid").read_text())
    assert Path(f"/proc/{child}").exists()
    parent.send_signal(sent)
    parent.wait()
    _wait_until(lambda: not Path(f"/proc/{child}").exists())
    assert say_and_sleep.__module__ == "worker_jobs"


def test_leaving_the_block_ends_all_children() -> None:
    with Children(2) as workers:
        pids = {
            found["pid"] for found in workers.map(surroundings, range(2), advance=nothing) if isinstance(found, dict)
        }
        assert all(Path(f"/proc/{pid}").exists() for pid in pids)
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def _wait_until(true: Callable[[], bool]) -> None:
    for _ in range(3000):
        if true():
            return
        time.sleep(0.01)
    pytest.fail("it never came about")
