"""A run in a process of its own, for tests that kill it or starve it.

Usage: child_run.py DATASET OUT ASKED ACKNOWLEDGED SECONDS. Each variant's id is appended to ASKED before it is
answered, and to ACKNOWLEDGED once its answer is on the disk, as `run_models` tells.
"""

import os
import sys
import time
from pathlib import Path

from offbeat.dataset.folder import open_dataset
from offbeat.errors import OffbeatError
from offbeat.evaluation.runner import run_models
from offbeat.evaluation.terms import Terms
from offbeat.models.base import Reply

JOBS = 3


def _appender(path: str):
    """Whole lines, straight to the system: a killed process loses none of them."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    return lambda text: os.write(file, f"{text}\n".encode())


class Slow:
    name, revision, looks = "slow", "1", False

    def __init__(self, asked, seconds: float):
        self._asked, self._seconds = asked, seconds

    def reply(self, variant, prompt):
        self._asked(variant.row.variant_id)
        time.sleep(self._seconds)
        return Reply(variant.row.label)


if __name__ == "__main__":
    dataset, out, asked, acknowledged, seconds = sys.argv[1:]
    tell = _appender(acknowledged)
    try:
        run_models(
            open_dataset(Path(dataset)),
            [Slow(_appender(asked), float(seconds))],
            out=Path(out),
            terms=Terms(jobs=JOBS),
            on_progress=lambda answer: tell(answer.variant_id),
        )
    except OffbeatError as error:
        sys.exit(f"{type(error).__name__}: {error}")
