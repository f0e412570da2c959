"""Batches at the command line: handed over, left, and collected by the same command, with the right counts."""

import pytest

from fake_dataset import write_dataset

MODEL = '''
import json
from pathlib import Path
from offbeat.models.base import Collected, Reply


class Mine:
    """Keeps its batches in a file; they are done as soon as there is a file of the name `done`."""

    name, revision, looks = "mine", "1", False

    def __init__(self):
        self.file = Path("batches.json")
        self.jobs = json.loads(self.file.read_text()) if self.file.exists() else []

    async def reply(self, variant, prompt):
        return Reply("sync")

    async def submit(self, items, *, note):
        self.jobs.append([item.key for item in items])
        self.file.write_text(json.dumps(self.jobs))
        return str(len(self.jobs) - 1)

    async def collect(self, job, items):
        if not Path("done").exists():
            return Collected("pending", {}, "running")
        return Collected("ended", {key: Reply("sync") for key in self.jobs[int(job)]}, "done")
'''


@pytest.fixture
def run(tmp_path, offbeat):
    write_dataset(tmp_path / "set")
    (tmp_path / "mymodels.py").write_text(MODEL)
    words = ("run", "set", "--model", "mymodels.py:Mine", "--out", "run")
    return lambda *more: offbeat(*words, *more)


def test_each_command_counts_what_it_collects(run, tmp_path):
    code, _, err = run("--batch")
    assert code == 1
    assert "mine: handing over 50 of 50 questions\n" in err
    assert "collecting" not in err
    code, _, err = run("--batch")
    assert code == 1
    assert "collecting" not in err
    assert "mine: 50 without an answer: questions in batches: 50; the same command collects them\n" in err
    (tmp_path / "done").touch()
    code, _, err = run("--batch", "--limit", "20")
    assert code == 0
    assert err.startswith("collecting: 20 of 20")
    code, _, err = run("--batch")
    assert (code, err) == (0, "")


def test_what_is_handed_over_now_is_not_waited_for(run, tmp_path):
    run("--batch", "--limit", "20")
    (tmp_path / "done").touch()
    code, _, err = run("--batch")
    assert code == 1
    assert "mine: handing over 30 of 30 questions\n" in err
    assert "collecting: 20 of 20" in err


def test_nor_is_what_stays_in_a_batch_counted_when_the_others_are_asked_one_by_one(run):
    run("--batch", "--limit", "20")
    code, _, err = run()
    assert code == 1
    assert "asking: 30 of 30" in err
    assert "questions in batches: 20; the same command with --batch collects them" in err


def test_a_command_that_has_all_its_answers_misses_none(run, tmp_path):
    run("--batch", "--question", "letters")
    run("--batch")
    (tmp_path / "done").touch()
    code, _, err = run("--batch")
    assert code == 0
    assert "mine: questions in batches: 50; 0 with other questions than these" in err
