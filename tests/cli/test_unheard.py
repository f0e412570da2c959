"""Nobody listens to standard error any more: what is under way goes on, and its result is told.

A result that cannot be told is an error, in one line.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fake_dataset import write_dataset

FULL = Path("/dev/full")
needs_a_full_disk = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")


def _closed_pipe() -> int:
    reading, writing = os.pipe()
    os.close(reading)
    return writing


@pytest.mark.parametrize("unheard", ["closed pipe", pytest.param("full disk", marks=needs_a_full_disk), "closed"])
def test_a_run_ends_well(tmp_path, unheard):
    write_dataset(tmp_path / "set", sources=2, lengths=(3.0,))
    command = [sys.executable, "-m", "offbeat", "run", "set", "--model", "oracle", "--out", "run", "--even-if-deaf"]
    stderr = {"closed pipe": _closed_pipe, "full disk": lambda: os.open(FULL, os.O_WRONLY)}.get(unheard)
    target = stderr() if stderr else None
    done = subprocess.run(
        command,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=target,
        text=True,
        timeout=60,
        preexec_fn=None if stderr else lambda: os.close(2),
    )
    if target is not None:
        os.close(target)
    assert done.returncode == 0
    assert done.stdout.splitlines()[1].split() == ["oracle", *["10", "10", "0", "0", "0", "0", "0", "0"]]


@needs_a_full_disk
@pytest.mark.parametrize("buffered", ["", "1"])
@pytest.mark.parametrize("command", [["questions"], ["--version"]])
def test_standard_output_on_a_full_disk_is_an_error_in_one_line(command, buffered):
    environment = {**os.environ, "PYTHONUNBUFFERED": buffered}
    with FULL.open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "offbeat", *command],
            stdout=full,
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    told = "offbeat: standard output: cannot be written to (No space left on device); is the disk full?\n"
    assert (done.returncode, done.stderr) == (2, told)


def test_nobody_reads_standard_output_any_more():
    closed = _closed_pipe()
    command = [sys.executable, "-m", "offbeat", "questions"]
    done = subprocess.run(command, stdout=closed, stderr=subprocess.PIPE, text=True, timeout=60)
    os.close(closed)
    assert (done.returncode, done.stderr) == (1, "")
