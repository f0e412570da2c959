"""Killed at any moment, a run over the network loses nothing, and the server has seen hardly a call twice."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from child_server_run import CONNECTIONS

from fake_dataset import write_dataset
from offbeat.evaluation.run_folder import open_run
from servers.stand_in_apart import count_at, in_another_process

CHILD = Path(__file__).with_name("child_server_run.py")


def _lines(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


@pytest.mark.parametrize("kills", [3, pytest.param(100, marks=pytest.mark.slow)])
def test_calls_made_are_answers_and_those_in_flight_at_a_kill(tmp_path, kills):
    dataset = write_dataset(tmp_path / "set", sources=5, lengths=(3.0, 5.0), delays=3 * kills + 1)
    out, acknowledged = tmp_path / "run", tmp_path / "acknowledged"
    rng = np.random.default_rng(20261123)
    in_the_midst = in_flight = 0
    with in_another_process("servers.echo_wire:echo", tmp_path, "--slow-s", "0.01") as url:
        command = [sys.executable, str(CHILD), str(dataset.folder), str(out), url, str(acknowledged)]
        for _ in range(kills):
            before = count_at(url)["calls"]
            with subprocess.Popen(command) as child:
                while count_at(url)["calls"] == before and child.poll() is None:
                    time.sleep(0.002)
                time.sleep(rng.uniform(0, 0.08))
                child.kill()
            in_the_midst += child.returncode == -9
            stored = {answer.variant_id: answer.choice for answer in open_run(out).answers}
            assert set(_lines(acknowledged)) <= set(stored), "an acknowledged answer was lost"
            unanswered = count_at(url)["calls"] - len(stored) - in_flight
            assert 0 <= unanswered <= CONNECTIONS, "more was lost than what was in flight"
            in_flight += unanswered
        assert in_the_midst == kills
        subprocess.run(command, check=True)
        truth = {variant.row.variant_id: variant.row.label for variant in dataset.variants}
        assert {answer.variant_id: answer.choice for answer in open_run(out).answers} == truth
        assert count_at(url)["calls"] == len(truth) + in_flight
        assert count_at(url)["failures"] == []
        asked = count_at(url)["calls"]
        subprocess.run(command, check=True)
        assert count_at(url)["calls"] == asked, "a run that is complete asked again"
