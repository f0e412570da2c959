"""Killed at any moment, a run loses nothing that was acknowledged and asks nothing twice but what was in flight."""

import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from child_run import JOBS

from fake_dataset import write_dataset
from offbeat.evaluation.run_folder import open_run

CHILD = Path(__file__).with_name("child_run.py")


def _lines(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


def _stored(out: Path) -> dict[str, str | None]:
    return {a.variant_id: a.choice for a in open_run(out).answers} if (out / "run.json").exists() else {}


@pytest.mark.parametrize("kills", [8, pytest.param(100, marks=pytest.mark.slow)])
def test_kill(tmp_path, kills):
    # about ten answers between two kills: as many variants as that needs, so that there is always something in flight
    dataset = write_dataset(tmp_path / "set", sources=6, lengths=(3.0, 5.0), delays=3 * kills)
    out, asked, acknowledged = tmp_path / "run", tmp_path / "asked", tmp_path / "acknowledged"
    command = [sys.executable, str(CHILD), str(dataset.folder), str(out), str(asked), str(acknowledged), "0.005"]
    rng = np.random.default_rng(20261123)
    in_the_midst = 0
    for _ in range(kills):
        before = len(_lines(asked))
        with subprocess.Popen(command) as child:
            while len(_lines(asked)) == before and child.poll() is None:
                time.sleep(0.002)
            time.sleep(rng.uniform(0, 0.05))
            child.kill()
        in_the_midst += child.returncode == -9
        told = set(_lines(acknowledged))
        assert told <= set(_stored(out)), "an acknowledged answer was lost"
    assert in_the_midst == kills
    subprocess.run([*command[:-1], "0"], check=True)

    truth = {variant.row.variant_id: variant.row.label for variant in dataset.variants}
    assert _stored(out) == truth
    times = Counter(_lines(asked))
    assert set(times) == set(truth)
    assert sum(times.values()) - len(truth) <= JOBS * kills
    assert Counter(_lines(acknowledged)).most_common(1)[0][1] == 1


def test_what_was_acknowledged_is_never_asked_again(tmp_path):
    dataset = write_dataset(tmp_path / "set", sources=2, lengths=(3.0,), delays=41)
    out, asked, acknowledged = tmp_path / "run", tmp_path / "asked", tmp_path / "acknowledged"
    command = [sys.executable, str(CHILD), str(dataset.folder), str(out), str(asked), str(acknowledged), "0.02"]
    with subprocess.Popen(command) as child:
        while len(_lines(acknowledged)) < 5 and child.poll() is None:
            time.sleep(0.002)
        child.kill()
    told, begun = set(_lines(acknowledged)), len(_lines(asked))
    assert 5 <= len(told) < 82
    subprocess.run([*command[:-1], "0"], check=True)
    assert not told & set(_lines(asked)[begun:])
