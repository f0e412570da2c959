"""`offbeat export` as a user types it, and what else is done with a compact dataset."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from builds import card_file
from click.testing import CliRunner, Result

from offbeat.cli import cli
from offbeat.dataset.folder import open_dataset
from offbeat.errors import DatasetError
from offbeat.files import sha256_of

SHORT = ("--lengths", "1", "--max-delay", "1")


@pytest.fixture(scope="module")
def compact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    card_file(folder / "in" / "speech" / "one.mp4", length_s=6)
    assert invoke("build", folder / "in", "--out", folder / "set", "--layout", "compact", *SHORT).return_value == 0
    return folder / "set"


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments], standalone_mode=False)


def test_a_dry_run_tells_and_writes_nothing(compact: Path, tmp_path: Path) -> None:
    result = invoke("export", compact, "--to", "files", "--out", tmp_path / "out", "--dry-run")
    assert "out: 5 variants, about 0 MB. Nothing was written (dry run)." in result.stdout
    told = json.loads(
        invoke("export", compact, "--to", "files", "--out", tmp_path / "out", "--dry-run", "--json").stdout
    )
    assert (told["variants"], told["kept_variants"]) == (5, 0)
    assert not (tmp_path / "out").exists()
    invoke("export", compact, "--to", "files", "--out", tmp_path / "out")
    size = sum(path.stat().st_size for path in (tmp_path / "out" / "clips").iterdir())
    assert told["size_bytes"] == pytest.approx(size, rel=0.5)


def test_it_says_what_it_wrote_and_what_was_there(compact: Path, tmp_path: Path) -> None:
    result = invoke("export", compact, "--to", "files", "--out", tmp_path / "out")
    assert result.return_value == 0
    assert "5 variants of 1 clip, each with the bytes that its row says" in result.stdout
    assert "exporting variants: 5 of 5" in result.stderr
    told = json.loads(invoke("export", compact, "--to", "files", "--out", tmp_path / "out", "--json").stdout)
    assert (told["kept_variants"], told["complete"], told["settings"]["layout"]) == (5, True, "files")


def test_other_formats_and_no_dataset(compact: Path, tmp_path: Path) -> None:
    assert "'files'" in str(invoke("export", compact, "--to", "zip", "--out", tmp_path / "out").exception)
    result = invoke("export", tmp_path, "--to", "files", "--out", tmp_path / "out")
    assert isinstance(result.exception, DatasetError)


def test_run_and_report_of_a_compact_dataset(compact: Path, tmp_path: Path) -> None:
    """The page's clips are rendered into its folder; a second time they are kept; a damaged one is told of."""
    assert invoke("run", compact, "--model", "oracle", "--out", tmp_path / "run").return_value == 0
    options = ("--out", tmp_path / "report", "--bootstrap", 100)
    assert invoke("report", tmp_path / "run", *options).return_value == 0
    rows = [variant.row for variant in open_dataset(compact).variants]
    clips = [tmp_path / "report" / row.file_name for row in rows]
    assert [sha256_of(path) for path in clips] == [row.sha256 for row in rows]
    stamps = [path.stat().st_mtime_ns for path in clips]
    assert invoke("report", tmp_path / "run", *options).return_value == 0
    assert [path.stat().st_mtime_ns for path in clips] == stamps
    exported = tmp_path / "exported"
    invoke("export", compact, "--to", "files", "--out", exported)
    moved = invoke("report", tmp_path / "run", "--dataset", exported, "--out", tmp_path / "other", "--bootstrap", 100)
    assert moved.return_value == 0, "a run over one layout is one over the other"
    spoilt = Path(shutil.copytree(compact, tmp_path / "spoilt"))
    next((spoilt / "pictures").iterdir()).write_bytes(b"")
    result = invoke("report", tmp_path / "run", "--dataset", spoilt, "--out", tmp_path / "third", "--bootstrap", 100)
    assert result.return_value == 1
    assert "missing: 5 clips of " in result.stderr
