"""The command line in a process of its own, as torch wants it."""

import os
import subprocess
import sys


def offbeat(*words: object, codes: tuple[int, ...] = (0,)) -> tuple[int, str]:
    """How it ended, and what it printed; one thread, since several tests share the machine."""
    done = subprocess.run(
        [sys.executable, "-m", "offbeat", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode in codes, done.stderr[-3000:]
    return done.returncode, done.stdout
