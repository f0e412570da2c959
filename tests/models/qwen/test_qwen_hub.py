"""A repository of a hub: at one commit, from the cache where need be, and what is told where it cannot be had."""

import json
import os
import subprocess
import sys

import pytest

pytest.importorskip("huggingface_hub", reason="needs huggingface_hub: make test-qwen")

from hub import COMMITS, serving

FETCH = """
import json, sys
from offbeat.errors import ModelUnavailable
from offbeat.models.qwen.checkpoint import find_checkpoint

for line in sys.stdin:
    source, revision, whole = json.loads(line)
    try:
        found = find_checkpoint(source, hub_revision=revision)
        folder = found.whole() if whole else found.folder
        told = [found.revision, sorted(path.name for path in folder.iterdir())]
    except ModelUnavailable as error:
        told = str(error)
    print(json.dumps(told), flush=True)
"""
SMALL = ["config.json", "preprocessor_config.json", "tokenizer.json"]
WHOLE = sorted([*SMALL, "model.safetensors"])
OUT_OF_REACH = "{}: the hub is out of reach ({}), and the cache has not all of it; fetch it on a machine with a network"


def fetched(cache, address, *wanted):
    """What a process of its own finds, as its client reads the environment once: (source, revision, whole) each."""
    done = subprocess.run(
        [sys.executable, "-c", FETCH],
        input="".join(json.dumps(one) + "\n" for one in wanted),
        capture_output=True,
        text=True,
        check=False,
        env={
            **os.environ,
            "HF_HOME": str(cache),
            "HF_ENDPOINT": address,
            "HF_HUB_OFFLINE": "0",
            "HF_HUB_ETAG_TIMEOUT": "1",
            "HF_TOKEN": "",
        },
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    (folder / "config.json").write_text('{"model_type": "qwen2_5_omni"}')
    (folder / "preprocessor_config.json").write_text("{}")
    (folder / "tokenizer.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(bytes(1000))
    (folder / "a_picture.png").write_bytes(bytes(1000))
    with serving(folder) as hub:
        yield hub


@pytest.fixture(scope="module")
def down():
    """An address at which nothing listens."""
    return "http://127.0.0.1:9"


def test_the_commit_is_recorded_and_the_weights_wait(hub, down, tmp_path):
    small, whole, older = fetched(
        tmp_path,
        hub.address,
        ("whole/tiny", None, False),
        ("whole/tiny", None, True),
        ("whole/tiny", "older", True),
    )
    assert small == [COMMITS["main"], SMALL]
    assert whole == [COMMITS["main"], WHOLE]
    assert older == [COMMITS["older"], WHOLE]
    # without a network the cache has the newest that it knows of, and what was asked for by name
    wanted = [("whole/tiny", None, True), ("whole/tiny", "older", True), ("whole/tiny", COMMITS["older"], True)]
    assert fetched(tmp_path, down, *wanted) == [whole, older, older]


def test_a_cache_without_the_weights_is_not_enough(hub, down, tmp_path):
    assert fetched(tmp_path, hub.address, ("whole/tiny", None, False)) == [[COMMITS["main"], SMALL]]
    small, whole = fetched(tmp_path, down, ("whole/tiny", None, False), ("whole/tiny", None, True))
    assert small == [COMMITS["main"], SMALL]
    # newer clients of the hub know what is missing, for older ones we look
    assert "the hub is out of reach" in whole or "no whole checkpoint: *.safetensors missing" in whole


@pytest.mark.parametrize(
    ("source", "revision", "said"),
    [
        ("whole/tiny", "nope", "whole/tiny at nope: the repository has no such commit, branch or tag"),
        ("hidden/tiny", None, "hidden/tiny: the hub has no such repository, or hides it; HF_TOKEN opens private ones"),
        ("missing/tiny", None, "missing/tiny: the hub has no such repository"),
        ("gated/tiny", None, "gated/tiny: its owner has to let you in; agree on its page, and set HF_TOKEN"),
        ("busy/tiny", None, OUT_OF_REACH.format("busy/tiny", "it answers 503")),
        ("silent/tiny", None, OUT_OF_REACH.format("silent/tiny", "timed out")),
        ("cut/tiny", None, "could not be fetched whole (peer closed connection"),
        ("a b/c", None, "a b/c: neither a folder nor the name of a repository"),
    ],
)
def test_what_cannot_be_had_is_told(refusals, source, revision, said):
    assert said in refusals[source, revision]


@pytest.fixture(scope="module")
def refusals(hub, tmp_path_factory):
    """All in one process, as that takes longest to start."""
    wanted = [
        (source, revision, True)
        for source, revision in (
            ("whole/tiny", "nope"),
            *((f"{owner}/tiny", None) for owner in ("hidden", "missing", "gated", "busy", "silent", "cut")),
            ("a b/c", None),
        )
    ]
    told = fetched(tmp_path_factory.mktemp("cache"), hub.address, *wanted)
    return {(source, revision): said for (source, revision, _), said in zip(wanted, told, strict=True)}


def test_a_hub_that_is_down(down, tmp_path):
    (said,) = fetched(tmp_path, down, ("whole/tiny", None, False))
    assert said.startswith(OUT_OF_REACH.format("whole/tiny", "[Errno 111] Connection refused"))


def test_a_file_that_breaks_off_once_is_whole_in_the_end(hub, tmp_path):
    assert fetched(tmp_path, hub.address, ("hiccup/tiny", None, True)) == [[COMMITS["main"], WHOLE]]
    (weights,) = (tmp_path / "hub").rglob("snapshots/*/model.safetensors")
    assert weights.read_bytes() == bytes(1000)


def test_one_of_a_hub_says_what_one_of_a_folder_says(qwen25, clip, prompt, tmp_path, monkeypatch):
    from offbeat.models.qwen import QwenOmni, checkpoint

    with serving(qwen25) as hub:
        ((commit, _),) = fetched(tmp_path, hub.address, ("whole/tiny", None, True))
    (snapshot,) = (tmp_path / "hub").glob("*/snapshots/*")
    monkeypatch.setattr(checkpoint, "from_hub", lambda repo, revision, patterns: snapshot)
    options = {"max_pixels": 20_000, "answer": "probabilities"}
    here, there = (QwenOmni(argument=source, **options) for source in (str(qwen25), "whole/tiny"))
    assert there.revision.endswith(f" weights={commit}")
    assert there.revision.partition("weights=")[0] == here.revision.partition("weights=")[0]
    replies = [one.reply(clip()[0], prompt) for one in (here, there)]
    assert replies[0].details["log_probabilities"] == replies[1].details["log_probabilities"]
