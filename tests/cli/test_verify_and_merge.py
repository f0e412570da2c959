"""`offbeat build --shard`, `offbeat merge` and `offbeat verify`, as they are typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from builds import card_file
from click.testing import CliRunner, Result

from offbeat.cli import cli
from offbeat.cli import verify as verifying
from offbeat.dataset.workers import Children
from offbeat.errors import DatasetError, SettingsError

SHORT = ("--lengths", "1", "--max-delay", "0.5")


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments], standalone_mode=False)


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    for seed in (1, 2, 3):
        card_file(folder / f"{seed}.mkv", length_s=4, seed=seed)
    return folder


@pytest.fixture(scope="module")
def parts(videos: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("parts")
    for number in (1, 2):
        result = invoke("build", videos, "--out", folder / f"{number}", "--shard", f"{number}/2", *SHORT)
        assert result.return_value == 0
        assert f"sharing out, shard {number}/2: 3 of 3" in result.stderr
    return [folder / "1", folder / "2"]


def test_shards_are_built_merged_and_verified(videos: Path, parts: list[Path], tmp_path: Path) -> None:
    merged = invoke("merge", *parts[::-1], "--out", tmp_path / "set")
    assert merged.return_value == 0
    assert "9 variants of 3 clips from 3 of 3 sources, out of 2 shards" in merged.stdout
    assert "merging files: 9 of 9" in merged.stderr
    again = json.loads(invoke("merge", *parts, "--out", tmp_path / "set", "--json").stdout)
    assert (again["variants"], again["kept"], again["shard"], again["complete"]) == (9, 9, None, True)
    plain = invoke("verify", tmp_path / "set")
    assert plain.return_value == 0
    assert "9 files read; 9 delays measured again against other variants, error at most 0.0" in plain.stdout
    assert plain.stdout.endswith("; no difference.\n")
    assert "checking files: 9" in plain.stderr
    assert "measuring clips: 3 of 3" in plain.stderr
    told = json.loads(invoke("verify", tmp_path / "set", "--sources", videos, "--sample", 4, "--json").stdout)
    assert (told["files"], told["measured"], told["untold"], told["differences"]) == (9, 4, 0, [])
    assert 0 <= told["largest_error_ms"] < 0.1


def test_a_difference_is_printed_and_the_exit_code_tells(parts: list[Path], tmp_path: Path) -> None:
    invoke("merge", *parts, "--out", tmp_path / "set")
    (tmp_path / "set" / "clips" / "stray.mp4").write_text("x")
    plain = invoke("verify", tmp_path / "set", "--sample", 0)
    assert plain.return_value == 1
    assert plain.stdout == (
        "clips/stray.mp4: file: found one, expected none: no row names it\n"
        f"{tmp_path / 'set'}: 9 files read; 1 difference.\n"
    )
    told = invoke("verify", tmp_path / "set", "--all", "--json")
    assert told.return_value == 1
    assert json.loads(told.stdout)["differences"] == [
        {"file": "clips/stray.mp4", "field": "file", "found": "one", "expected": "none: no row names it"}
    ]


def test_media_are_decoded_in_children_with_a_time_limit(parts: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    limits: list[tuple[int, float]] = []
    started: list[object] = []

    class Watched(Children):
        def __init__(self, jobs: int, *, timeout_s: float) -> None:
            limits.append((jobs, timeout_s))
            super().__init__(jobs, timeout_s=timeout_s)

        def __exit__(self, *how: Any) -> None:
            started.extend(self._all)
            super().__exit__(*how)

    monkeypatch.setattr(verifying, "Children", Watched)
    folder = next(part for part in parts if (part / "metadata.jsonl").stat().st_size)
    assert invoke("verify", folder, "--jobs", 1, "--file-timeout", 77).return_value == 0
    assert limits == [(1, 77.0)]
    assert len(started) == 1


def test_what_is_missing_or_nonsense_is_said(videos: Path, parts: list[Path], tmp_path: Path) -> None:
    missing = invoke("merge", parts[0], "--out", tmp_path / "set")
    assert isinstance(missing.exception, DatasetError)
    assert "shard 2/2 is missing" in str(missing.exception)
    assert not (tmp_path / "set").exists(), "nothing is begun that cannot be ended"
    nonsense = invoke("build", videos, "--out", tmp_path / "set", "--shard", "3/2")
    assert isinstance(nonsense.exception, SettingsError)
    both = invoke("verify", parts[0], "--all", "--sample", 3)
    assert "cannot go with --sample" in str(both.exception)
    assert isinstance(invoke("verify", tmp_path).exception, DatasetError)


def test_a_shard_that_has_no_source_is_said_to_be_empty(videos: Path, tmp_path: Path) -> None:
    """Of very many shards nearly all are."""
    result = invoke("build", videos, "--out", tmp_path / "part", "--shard", "1/100000", *SHORT, "--json")
    assert result.return_value == 0
    told = json.loads(result.stdout)
    assert (told["variants"], told["complete"], told["shard"]["of"]) == (0, True, 100_000)
    assert invoke("verify", tmp_path / "part").return_value == 0
