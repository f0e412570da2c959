"""The task of benchmarks/run.py in Inspect AI, run by the Python of an environment that has it.

As many samples as asked for, a model that does nothing, no log of media; CPU and memory of this process as JSON.
"""

import json
import resource
import sys
import tempfile
import time

from inspect_ai import Task, eval  # pyright: ignore[reportMissingImports]
from inspect_ai.dataset import MemoryDataset, Sample  # pyright: ignore[reportMissingImports]
from inspect_ai.model import ModelAPI, ModelOutput, get_model, modelapi  # pyright: ignore[reportMissingImports]
from inspect_ai.scorer import match  # pyright: ignore[reportMissingImports]

SAMPLES = int(sys.argv[1])
PROMPT = "You will watch a 3-second video with audio.\nReply with ONLY ONE word: sync, ahead or behind."


@modelapi(name="noop")
class NoOp(ModelAPI):
    """Says one word."""

    async def generate(self, input, tools, tool_choice, config):
        """The word."""
        return ModelOutput.from_content("noop", "sync")


model = get_model("noop/model")
samples = [Sample(input=PROMPT, target="sync", id=f"v{number}") for number in range(SAMPLES)]
cpu, wall = time.process_time(), time.perf_counter()
with tempfile.TemporaryDirectory() as logs:
    (log,) = eval(
        Task(dataset=MemoryDataset(samples), scorer=match()),
        model=model,
        log_dir=logs,
        log_images=False,
        display="none",
        max_connections=32,
    )
assert log.status == "success", log.error
print(
    json.dumps(
        {
            "cpu_s": time.process_time() - cpu,
            "wall_s": time.perf_counter() - wall,
            "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
    )
)
