"""Nobody listens to standard error any more: what is under way goes on, and its result is told."""

import os
import subprocess
import sys

import pytest

from fake_dataset import write_dataset


def _closed_pipe() -> int:
    reading, writing = os.pipe()
    os.close(reading)
    return writing


@pytest.mark.parametrize("unheard", ["closed pipe", "full disk", "closed"])
def test_a_run_ends_well(tmp_path, unheard):
    write_dataset(tmp_path / "set", sources=2, lengths=(3.0,))
    command = [sys.executable, "-m", "offbeat", "run", "set", "--model", "oracle", "--out", "run", "--even-if-deaf"]
    stderr = {"closed pipe": _closed_pipe, "full disk": lambda: os.open("/dev/full", os.O_WRONLY)}.get(unheard)
    target = stderr() if stderr else None
    done = subprocess.run(
        command,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=target,
        text=True,
        preexec_fn=None if stderr else lambda: os.close(2),
    )
    if target is not None:
        os.close(target)
    assert done.returncode == 0
    assert done.stdout.splitlines()[1].split() == ["oracle", *["10", "10", "0", "0", "0", "0", "0", "0"]]
