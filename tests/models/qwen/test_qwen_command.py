"""From a real video to a report, by the command line, in a process of its own."""

import json
import shutil

import pytest
from own_process import offbeat

pytest.importorskip("torch", reason="needs torch: make test-qwen")


def test_build_run_and_report(qwen25, shared_media, tmp_path):
    videos = tmp_path / "videos" / "speech"
    videos.mkdir(parents=True)
    shutil.copy(shared_media / "speech_en_08_webcam_artcritic.mp4", videos / "a.mp4")
    built = ("--lengths", "3", "--max-delay", "1", "--step", "1")
    offbeat("build", tmp_path / "videos", "--out", tmp_path / "set", *built)
    deaf, blind = f"qwen-omni:{qwen25}[video-only]", f"qwen-omni:{qwen25}[audio-only]"  # neither is probed
    options = ("--option", "max_pixels=25000", "--option", "max_new_tokens=2", "--option", "height=120")
    _, told = offbeat(
        "run", tmp_path / "set", "--out", tmp_path / "run", "--model", deaf, "--model", blind, *options, "--json"
    )
    models = {model["name"]: model for model in json.loads(told)["models"]}
    assert set(models) == {deaf, blind}
    for model in models.values():
        assert model["outcomes"].get("error", 0) == 0
        assert sum(model["outcomes"].values()) == 3
    offbeat("report", tmp_path / "run", "--out", tmp_path / "report")
    page = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    assert "[video-only]" in page
    assert "[audio-only]" in page
