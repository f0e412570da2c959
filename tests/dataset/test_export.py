"""A compact dataset written out is, byte by byte, what a build of files would have written."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from builds import build, card_file, killed_at_work, settings

from offbeat.dataset.export import Exported, export_files
from offbeat.dataset.folder import Dataset, open_dataset
from offbeat.errors import DatasetError, SettingsError

SETTINGS = {
    "AAC, a third of a second": {"audio": "aac", "delays_s": ("-1/3", 0, "1/3")},
    "FLAC": {"audio": "flac", "delays_s": (-1, 0)},
    "copied": {"picture": "copy", "clips_per_source": 2, "lengths_s": (1,)},
}


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cards")
    card_file(folder / "speech" / "one.mp4", length_s=8, rate_hz=44_100)
    card_file(folder / "two.mkv", length_s=8, seed=2)
    card_file(folder / "short.mp4", length_s=2, seed=3)
    return folder


@pytest.fixture(scope="module")
def small(cards: Path, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return build(cards, tmp_path_factory.mktemp("small") / "set", settings(layout="compact"))[1]


def contents(folder: Path) -> dict[str, bytes]:
    """All but the records by which a build goes on."""
    paths = {path.relative_to(folder): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {
        name.as_posix(): path.read_bytes()
        for name, path in paths.items()
        if name.parts[0] != ".build" and name.name != ".lock"
    }


def export(dataset: Dataset, out: Path, *, jobs: int = 2) -> Exported:
    return export_files(dataset, out=out, jobs=jobs, advance=lambda: None)


@pytest.mark.parametrize("case", SETTINGS)
def test_the_whole_folder_is_that_of_a_build(case: str, cards: Path, tmp_path: Path) -> None:
    _, files = build(cards, tmp_path / "files", settings(layout="files", **SETTINGS[case]))
    _, compact = build(cards, tmp_path / "compact", settings(layout="compact", **SETTINGS[case]))
    exported = export(compact, tmp_path / "exported")
    assert exported.kept == 0
    assert contents(tmp_path / "exported") == contents(tmp_path / "files")
    assert open_dataset(tmp_path / "exported").variants == tuple(
        type(variant)(row=variant.row, folder=tmp_path / "exported") for variant in files.variants
    )
    if case == "copied":
        assert {variant.row.picture for variant in files.variants} >= {"copied"}


def test_the_layouts_differ_where_they_must_and_nowhere_else(cards: Path, small: Dataset, tmp_path: Path) -> None:
    build(cards, tmp_path / "files", settings())
    files, compact = contents(tmp_path / "files"), contents(small.folder)
    assert {name for name in files if "/" not in name} == {name for name in compact if "/" not in name} - {
        "clips.jsonl"
    }
    for name in ("metadata.jsonl", "sources.jsonl", "curves.jsonl"):
        assert files[name] == compact[name]
    info, other = json.loads(files["dataset.json"]), json.loads(compact["dataset.json"])
    assert (info["settings"].pop("layout"), other["settings"].pop("layout")) == ("files", "compact")
    assert info == other
    page = json.loads(compact["croissant.json"])
    named = [entry.get("includes", entry["@id"]) for entry in page["distribution"]]
    assert named == ["metadata.jsonl", "clips.jsonl", "curves.jsonl", "pictures/*.mp4", "sound/*.mp4"]
    assert b"offbeat export" in compact["README.md"]
    assert b"**Compact layout:**" not in files["README.md"]


def test_what_is_there_is_kept_by_its_content(small: Dataset, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export(small, out, jobs=1)
    before = contents(out)
    first, second, third, *_ = [out / variant.row.file_name for variant in small.variants]
    first.write_bytes(first.read_bytes()[:-1] + b"x")
    second.unlink()
    stamp = third.stat().st_mtime_ns
    (out / "clips" / ".half.mp4.part").write_bytes(b"half")
    assert export(small, out, jobs=3).kept == len(small.variants) - 2
    assert contents(out) == before, "and the number of jobs changes no byte"
    assert third.stat().st_mtime_ns == stamp


def test_a_dataset_of_files_is_placed_anew(cards: Path, tmp_path: Path) -> None:
    _, files = build(cards, tmp_path / "files", settings())
    export(files, tmp_path / "out")
    assert contents(tmp_path / "out") == contents(tmp_path / "files")
    victim = files.variants[0].path
    victim.write_bytes(b"other")
    shutil.rmtree(tmp_path / "out")
    with pytest.raises(DatasetError, match=rf"{files.variants[0].row.file_name}: sha256 .*, expected"):
        export(files, tmp_path / "out")


def test_a_kill_before_anything_is_written_leaves_no_lock_out(small: Dataset, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".dataset.json.part").write_text("{")
    export(small, tmp_path / "out")
    assert not (tmp_path / "out" / ".dataset.json.part").exists()


def test_folders_of_others_are_left_alone(small: Dataset, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(DatasetError, match=r"holds 'thesis\.txt'"):
        export(small, tmp_path)
    with pytest.raises(SettingsError, match="the dataset's own folder"):
        export(small, small.folder)


def test_one_bad_clip_stops_nothing_and_is_named(small: Dataset, tmp_path: Path) -> None:
    spoilt = open_dataset(Path(shutil.copytree(small.folder, tmp_path / "set")))
    first, last = spoilt.clips
    (spoilt.folder / "sound" / f"{first.clip_id}.mp4").write_bytes(b"")
    with pytest.raises(DatasetError, match=r"not finished, 5 variants could not be written \(build the dataset again"):
        export(spoilt, tmp_path / "out")
    there = {path.name for path in (tmp_path / "out" / "clips").iterdir()}
    assert there == {f"{variant_id}.mp4" for variant_id in last.heard_from_samples}
    with pytest.raises(DatasetError, match="was not finished"):
        open_dataset(tmp_path / "out")


def test_other_bytes_than_were_proved_are_not_exported(small: Dataset, tmp_path: Path) -> None:
    """A row whose hash is another, as if the encoder here were another version."""
    folder = Path(shutil.copytree(small.folder, tmp_path / "set"))
    metadata = (folder / "metadata.jsonl").read_text()
    sha256 = small.variants[0].row.sha256
    (folder / "metadata.jsonl").write_text(metadata.replace(sha256, "0" * 64))
    info = json.loads((folder / "dataset.json").read_text())
    (folder / "dataset.json").write_text(json.dumps(info | {"av_version": "1.0"}))
    with pytest.raises(DatasetError, match=rf"made with PyAV 1\.0 .*\n  .*sha256 {sha256}, expected 0000"):
        export(open_dataset(folder), tmp_path / "out")
    assert not (tmp_path / "out" / small.variants[0].row.file_name).exists()


def test_killed_at_any_moment_it_ends_with_the_same_bytes(small: Dataset, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "offbeat", "export", str(small.folder), "--to", "files", "--jobs", "1", "--out"]
    subprocess.run([*command, str(tmp_path / "whole")], check=True, capture_output=True)
    killed = [
        killed_at_work([*command, str(tmp_path / "killed")], tmp_path / "killed", writes=writes, then_s=writes / 1000)
        for writes in (1, 4, 7)
    ]
    assert killed[0]
    subprocess.run([*command, str(tmp_path / "killed")], check=True, capture_output=True)
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")
