"""Qwen-Omni with a process for each device; here the devices are names that nobody looks at, on a CPU."""

import shlex
import sys

import pytest

from offbeat.models.base import Prompt, Reply
from offbeat.models.registry import make_model

PROMPT = Prompt("Reply with ONLY ONE word:\nsync\nahead\nbehind", ("sync", "ahead", "behind"))


@pytest.mark.slow
def test_two_processes_say_what_one_says_in_process(variants, tmp_path):
    pytest.importorskip("torch", reason='torch is not installed: pip install "offbeat[qwen]"')
    pytest.importorskip("transformers", reason="transformers is not installed")
    from checkpoints import write_qwen25

    spec = f"qwen-omni:{write_qwen25(tmp_path / 'tiny')}"
    options = {"dtype": "float32", "device": "cpu"}
    here = make_model(spec, options=options)
    words = [word for name, value in options.items() for word in ("--option", f"{name}={value}")]
    served = f"worker:{shlex.join([sys.executable, '-m', 'offbeat.models.worker.serve', spec, *words])}"
    there = make_model(served, options={"devices": "0,1", "device_env": "NO_DEVICE"})
    assert there.at_once == 2
    assert here.revision in there.revision
    prompts = [PROMPT] * len(variants)
    for said, expected in zip(there.replies(variants, prompts), here.replies(variants, prompts), strict=True):
        assert isinstance(said, Reply)
        assert said.text == expected.text
        assert said.probabilities == pytest.approx(expected.probabilities, abs=1e-5)
        assert said.usage == expected.usage
