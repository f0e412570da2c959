"""What asking itself costs: 10,000 answers of a model that does nothing, every one committed to disk before the next.

The other way is the least that could be done: the same replies appended to a JSONL file, flushed and synced one by one.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from fake_dataset import write_dataset
from offbeat.evaluation.runner import run_models
from offbeat.models.registry import make_model

ANSWERS = 10_000


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        dataset = write_dataset(folder / "set", sources=ANSWERS // 20, lengths=(3.0,), delays=20)
        cpu, wall = time.process_time(), time.perf_counter()
        run_models(dataset, [make_model("always:sync")], out=folder / "run")
        ours = time.process_time() - cpu
        print(f"offbeat: {ours / ANSWERS * 1e3:.3f} ms CPU an answer, {time.perf_counter() - wall:.1f} s wall in all")
        cpu, wall = time.process_time(), time.perf_counter()
        with (folder / "least.jsonl").open("w") as file:
            for variant in dataset.variants:
                file.write(json.dumps({"variant_id": variant.row.variant_id, "text": "sync"}) + "\n")
                file.flush()
                os.fsync(file.fileno())
        least = time.process_time() - cpu
        took = time.perf_counter() - wall
        print(f"JSONL, synced: {least / ANSWERS * 1e3:.3f} ms CPU an answer, {took:.1f} s wall: {ours / least:.1f}x")
    print(f"peak memory of both: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
