"""Curves against the events of a synthesised scene, and against rows that are missing or damaged."""

from __future__ import annotations

import base64
import subprocess
from fractions import Fraction
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from builds import build, settings
from numpy.typing import NDArray

from offbeat.dataset.curves import packed, read_curves
from offbeat.dataset.folder import CURVES, Dataset
from offbeat.errors import DatasetError
from offbeat.media.synth import render_scene, write_scene

WIDTH, HEIGHT = 160, 90


def unpacked(text: str) -> NDArray[np.float64]:
    return np.frombuffer(base64.b64decode(text, validate=True), np.uint8) / 255


def test_square_roots_in_steps_of_the_largest() -> None:
    found = unpacked(packed(np.array([0.0, 1.0, 4.0, 16.0])))
    assert found.tolist() == pytest.approx([0, 0.25, 0.5, 1], abs=0.5 / 255)
    assert packed(np.zeros(3)) == "AAAA"
    assert packed(np.zeros(0)) == ""


def grey_by_ffmpeg(path: Path) -> NDArray[np.float64]:
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(),
        "-v",
        "error",
        "-i",
        str(path),
        "-f",
        "rawvideo",
        "-pix_fmt",
        "gray",
        "-",
    ]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    return np.frombuffer(raw, np.uint8).reshape(-1, HEIGHT, WIDTH).astype(np.float64)


@pytest.fixture(scope="module")
def typist(tmp_path_factory: pytest.TempPathFactory) -> tuple[Dataset, tuple[float, ...]]:
    """A set of one scene, and when its keys are struck."""
    folder = tmp_path_factory.mktemp("typist")
    (folder / "in").mkdir()
    scene = render_scene("typist", length_s=Fraction(8), width=WIDTH, height=HEIGHT, seed=0)
    write_scene(folder / "in" / "typist.mp4", scene)
    _, dataset = build(folder / "in", folder / "set", settings(lengths_s=(3,)))
    return dataset, tuple(float(event) for event in scene.events_s)


def test_the_events_of_a_scene_stand_in_its_curves(typist: tuple[Dataset, tuple[float, ...]]) -> None:
    dataset, events_s = typist
    (row,) = read_curves(dataset.folder)
    clip = dataset.variants[0].row
    assert row.clip_id == clip.clip_id
    motion, onsets = unpacked(row.motion), unpacked(row.onsets)
    assert len(motion) == round(clip.clip_length_s * clip.fps)
    assert row.onsets_start_s <= -2, "all the sound that the variants need"
    assert row.onsets_start_s + len(onsets) / row.onsets_hz >= clip.clip_length_s + 2
    after_s = np.array(events_s) - clip.clip_start_s
    places = np.round((after_s - row.onsets_start_s) * row.onsets_hz).astype(int)
    struck = [onsets[place - 1 : place + 2].max() for place in places if 1 <= place < len(onsets) - 1]
    assert len(struck) > 10
    assert min(struck) > 0.4 > np.quantile(onsets, 0.6)
    change = np.abs(np.diff(grey_by_ffmpeg(dataset.variants[0].path), axis=0)).mean(axis=(1, 2))
    assert np.corrcoef(motion[1:], np.sqrt(change))[0, 1] > 0.9


def test_a_set_without_curves_has_none_and_a_damaged_row_is_named(
    typist: tuple[Dataset, tuple[float, ...]], tmp_path: Path
) -> None:
    assert read_curves(tmp_path) == ()
    lines = (typist[0].folder / CURVES).read_text(encoding="utf-8")
    (tmp_path / CURVES).write_text(lines + '{"clip_id": "c"}\n', encoding="utf-8")
    with pytest.raises(DatasetError, match=r"curves\.jsonl, line 2: motion"):
        read_curves(tmp_path)
