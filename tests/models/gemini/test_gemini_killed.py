"""Killed while it asks or uploads, a run loses no answer, and shows hardly a clip twice."""

import hashlib
import os
import subprocess
import sys
import time

import numpy as np
import pytest
from builds import build, card_file, settings

from offbeat.evaluation.run_folder import open_run
from offbeat.timing import LABELS
from servers.gemini_wire import KEY, MODEL, GeminiWire
from servers.stand_in import StandIn

KILLS = 12
CONNECTIONS = 8


def _said(data):
    """A choice that tells by which bytes it was made."""
    return LABELS[hashlib.sha256(data).digest()[0] % len(LABELS)]


class Telling(GeminiWire):
    def _reply(self, data, *others):
        self.text = _said(data)
        return super()._reply(data, *others)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gemini-killed") / "videos"
    for seed in range(2):
        card_file(folder / f"{seed}.mkv", seed=seed, length_s=8, size=128)
    delays_s = [delay / 20 for delay in range(-24, 25)]
    return build(folder, folder.parent / "set", settings(lengths_s=(2,), delays_s=delays_s))[1]


@pytest.mark.slow
@pytest.mark.parametrize(("options", "latest"), [([], 16), (["--option", "inline_limit_mb=0"], 40)])
def test_killed_again_and_again(dataset, tmp_path, options, latest):
    """Each time after so many requests at the latest."""
    rng = np.random.default_rng(20261123)
    bytes_of = {variant.row.variant_id: variant.mp4_bytes() for variant in dataset.variants}
    wire, out = Telling(), tmp_path / "run"
    environment = {**os.environ, "GEMINI_API_KEY": KEY, "XDG_CACHE_HOME": str(tmp_path / "cache")}

    def stored():
        return {answer.variant_id: answer.choice for answer in open_run(out).answers if answer.outcome == "ok"}

    with StandIn(wire, slow_s=0.02) as server:
        command = [sys.executable, "-m", "offbeat", "run", str(dataset.folder), "--out", str(out), *options]
        command += ["--model", f"gemini:{MODEL}", "--option", f"base_url={server.url}", "--even-if-deaf"]
        command += ["--probe-clips", "1", "--connections", str(CONNECTIONS)]
        known, in_the_midst = {}, 0
        for kill in range(KILLS):
            # the probe begins its clip anew when it is killed: the first kill comes after it
            until = len(server.requests) + (latest * 3 if kill == 0 else int(rng.integers(1, latest)))
            with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as child:
                while len(server.requests) < until and child.poll() is None:
                    time.sleep(0.002)
                child.kill()
            assert child.returncode == -9, "it had ended before"
            now = stored()
            assert known.items() <= now.items(), "an answer was lost"
            in_the_midst += len(now) > len(known)
            known = now
        assert in_the_midst >= KILLS // 2, "the kills came while nothing was answered"
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert stored() == {variant_id: _said(data) for variant_id, data in bytes_of.items()}
        shown = sum(data in set(bytes_of.values()) for data in wire.clips)
        assert len(bytes_of) <= shown <= len(bytes_of) + KILLS * CONNECTIONS
        asked = len(server.requests)
        subprocess.run(command, env=environment, capture_output=True, check=True)
        assert len(server.requests) == asked, "a run that is complete asked again"
    assert server.failures == wire.leaks == []
