"""As many calls at once as files can be opened: in processes of their own, since a bound can be lowered only once."""

import subprocess
import sys

import pytest

CODE = """
import resource, sys
from offbeat.evaluation.calls.open_files import calls_that_fit
soft, hard, wanted = map(int, sys.argv[1:])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
print(calls_that_fit(wanted), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.parametrize(
    ("bounds", "wanted", "expected"),
    [
        ((200, 600), 32, (32, 200, 600)),  # there is room: nothing is changed
        ((200, 600), 100, (100, 328, 600)),  # there will be
        ((200, 600), 1000, (236, 600, 600)),  # there is none, and no more to be had
        ((100, 100), 32, (1, 100, 100)),
    ],
)
def test_as_many_as_fit(bounds, wanted, expected):
    command = [sys.executable, "-c", CODE, *map(str, (*bounds, wanted))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert tuple(map(int, done.stdout.split())) == expected


RUN = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))
from pathlib import Path
from offbeat.dataset.folder import open_dataset
from offbeat.evaluation.runner import run_models
from offbeat.evaluation.terms import Terms
from offbeat.models.base import Reply
import asyncio, os

class Opens:
    name, revision, looks = "opens", "1", False
    async def reply(self, variant, prompt):
        files = [os.open(os.devnull, os.O_RDONLY) for _ in range(2)]
        await asyncio.sleep(0.05)
        for file in files:
            os.close(file)
        return Reply("sync")

dataset, out = map(Path, sys.argv[1:])
summary = run_models(open_dataset(dataset), [Opens()], out=out, terms=Terms(connections=1000), on_note=print)
print(summary.models[0].outcomes["ok"])
"""


def test_a_run_asks_as_many_at_once_and_says_so(dataset, tmp_path):
    command = [sys.executable, "-c", RUN, str(dataset.folder), str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    note, answered = done.stdout.splitlines()
    assert note.startswith("opens: 36 calls at once, not 1000: ")
    assert answered == "50"
