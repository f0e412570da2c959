"""What asking itself costs: 10,000 answers of a model that does nothing, every one on the disk before it counts.

Beside it, in the same run: the least that could be done (the same replies appended to a JSONL file, synced one by one),
and, with ``--inspect PYTHON`` (the Python of an environment with inspect_ai), 1,000 samples of an equal task in Inspect
AI. `make bench-inspect` sets such an environment up. Each is measured in a process of its own.

Usage: python benchmarks/run.py [--answers 10000] [--inspect PYTHON]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
INSPECT_SAMPLES = 1_000


def main() -> None:
    parser = argparse.ArgumentParser(description="CPU and memory of asking.")
    parser.add_argument("--answers", type=int, default=10_000)
    parser.add_argument("--inspect", metavar="PYTHON", help="of an environment with inspect_ai")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.part:
        print(json.dumps(PARTS[given.part](given.folder, given.answers)))
        return
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder:
        own = [sys.executable, __file__, "--folder", folder, "--answers", str(given.answers), "--part"]
        _measured([*own, "dataset"])
        parts = {"offbeat, in process": "direct", "offbeat, awaited": "awaited", "JSONL, synced": "least"}
        found = {name: (_measured([*own, part]), given.answers) for name, part in parts.items()}
    if given.inspect:
        command = [given.inspect, str(HERE / "inspect_task.py"), str(INSPECT_SAMPLES)]
        found["Inspect AI"] = (_measured(command), INSPECT_SAMPLES)
    ours = found["offbeat, awaited"][0]["cpu_s"] / given.answers
    print(f"{'':22}{'answers':>8}{'ms CPU each':>13}{'wall s':>8}{'peak MiB':>10}{'CPU, of ours':>14}")
    for name, (cost, answers) in found.items():
        each = cost["cpu_s"] / answers
        row = f"{answers:8}{each * 1e3:13.2f}{cost['wall_s']:8.1f}{cost['peak_mib']:10.0f}{each / ours:13.1f}x"
        print(f"{name:22}{row}")


def _measured(command: list[str]) -> dict[str, float]:
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def _dataset(folder: Path, answers: int) -> dict[str, float]:
    sys.path.insert(0, str(HERE.parent / "tests"))
    from fake_dataset import write_dataset

    write_dataset(folder / "set", sources=answers // 20, lengths=(3.0,), delays=20)
    return {}


def _cost(do: Callable[[], object]) -> dict[str, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    do()
    return {
        "cpu_s": time.process_time() - cpu,
        "wall_s": time.perf_counter() - wall,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _direct(folder: Path, answers: int) -> dict[str, float]:
    from offbeat.models.registry import make_model

    return _asked(folder, make_model("always:sync"))


def _awaited(folder: Path, answers: int) -> dict[str, float]:
    from offbeat.models.base import Reply

    class NoOp:
        name, revision, looks = "no-op", "1", False

        async def reply(self, variant: object, prompt: object) -> Reply:
            return Reply("sync")

    return _asked(folder, NoOp())


def _asked(folder: Path, model: Any) -> dict[str, float]:
    from offbeat.dataset.folder import open_dataset
    from offbeat.evaluation.runner import run_models

    dataset = open_dataset(folder / "set")
    return _cost(lambda: run_models(dataset, [model], out=folder / model.name.replace(":", "-")))


def _least(folder: Path, answers: int) -> dict[str, float]:
    def write() -> None:
        with (folder / "least.jsonl").open("w") as file:
            for number in range(answers):
                file.write(json.dumps({"variant_id": f"v{number:06d}", "text": "sync"}) + "\n")
                file.flush()
                os.fsync(file.fileno())

    return _cost(write)


PARTS = {"dataset": _dataset, "direct": _direct, "awaited": _awaited, "least": _least}

if __name__ == "__main__":
    main()
