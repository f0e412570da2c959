"""Builds are resumed, repeated, refused and killed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from builds import build, card_file, check_records, contents, killed_at_work, settings

from offbeat.dataset.folder import open_dataset
from offbeat.errors import DatasetError

COMMAND = ("--lengths", "1,2", "--max-delay", "1", "--seed", "3", "--json")


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cards")
    for seed, name in enumerate(("speech/one.mp4", "speech/two.mp4", "cooking/three.mkv"), start=1):
        card_file(folder / name, length_s=7, seed=seed)
    return folder


def test_the_same_bytes_whatever_the_number_of_jobs(cards: Path, tmp_path: Path) -> None:
    build(cards, tmp_path / "one", settings(), jobs=1)
    build(cards, tmp_path / "two", settings(), jobs=3)
    one, two = contents(tmp_path / "one"), contents(tmp_path / "two")
    assert len([name for name in one if name.startswith("clips/")]) == 15
    assert one == two


def test_what_is_there_is_kept_by_its_content(cards: Path, tmp_path: Path) -> None:
    built, dataset = build(cards, tmp_path / "set", settings())
    assert built.kept_clips == 0
    before = contents(tmp_path / "set")
    stamps = {variant.path: variant.path.stat().st_mtime_ns for variant in dataset.variants}
    again, _ = build(cards, tmp_path / "set", settings())
    assert again.kept_clips == 3
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in stamps.items()), "nothing was written again"
    victim = dataset.variants[0].path
    victim.write_bytes(victim.read_bytes()[:-1] + b"x")  # there, of the right size, and wrong
    dataset.variants[-1].path.unlink()
    (tmp_path / "set" / "clips" / ".half.mp4.part").write_bytes(b"half")
    mended, _ = build(cards, tmp_path / "set", settings())
    assert mended.kept_clips == 1
    assert contents(tmp_path / "set") == before


def test_a_compact_clip_is_kept_by_the_content_of_both_its_files(cards: Path, tmp_path: Path) -> None:
    chosen = settings(layout="compact")
    _, dataset = build(cards, tmp_path / "set", chosen)
    before = contents(tmp_path / "set")
    assert sorted(path.name for path in (tmp_path / "set").iterdir() if path.is_dir()) == [
        ".build",
        "pictures",
        "sound",
    ]
    one, two, three = dataset.clips
    picture = tmp_path / "set" / "pictures" / f"{one.clip_id}.mp4"
    picture.write_bytes(picture.read_bytes()[:-1] + b"x")
    (tmp_path / "set" / "sound" / f"{two.clip_id}.mp4").unlink()
    (tmp_path / "set" / "sound" / ".half.mp4.part").write_bytes(b"half")
    stamp = (tmp_path / "set" / "sound" / f"{three.clip_id}.mp4").stat().st_mtime_ns
    mended, _ = build(cards, tmp_path / "set", chosen)
    assert mended.kept_clips == 1
    assert contents(tmp_path / "set") == before
    assert (tmp_path / "set" / "sound" / f"{three.clip_id}.mp4").stat().st_mtime_ns == stamp
    with pytest.raises(DatasetError, match="was made with settings"):
        build(cards, tmp_path / "set", settings())


def test_other_settings_need_another_folder(cards: Path, tmp_path: Path) -> None:
    build(cards, tmp_path / "set", settings())
    told = r"was made with settings \{'seed': 0\}, now it is \{'seed': 1\}; choose another --out"
    with pytest.raises(DatasetError, match=told):
        build(cards, tmp_path / "set", settings(seed=1))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("precious")
    with pytest.raises(DatasetError, match=r"holds 'thesis\.txt'"):
        build(cards, tmp_path / "mine", settings())


def test_sources_that_cannot_serve_stand_in_the_list_with_their_reason(cards: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    card_file(folder / "good.mp4", length_s=8)
    card_file(folder / "short.mp4", length_s=2, seed=4)
    (folder / "again.mp4").write_bytes((folder / "good.mp4").read_bytes())
    (folder / "text.mp4").write_text("hello")
    built, dataset = build(folder, tmp_path / "out", settings(lengths_s=(2, 4)))
    assert {(row.path, row.status, row.reason) for row in built.sources} == {
        ("again.mp4", "used", None),
        ("good.mp4", "refused", "duplicate"),
        ("short.mp4", "refused", "too_short"),
        ("text.mp4", "refused", "not_media"),
    }
    (used,) = [row for row in dataset.sources if row.status == "used"]
    assert list(used.refused_lengths) == ["4"]
    assert {variant.row.clip_length_s for variant in dataset.variants} == {2}


def test_nothing_usable_is_an_error(tmp_path: Path) -> None:
    card_file(tmp_path / "in" / "short.mp4", length_s=2)
    with pytest.raises(DatasetError, match=r"none of the 1 sources can serve \(short\.mp4: too_short\)"):
        build(tmp_path / "in", tmp_path / "out", settings())
    with pytest.raises(DatasetError, match=r"no dataset\.json there; expected a dataset, as"):
        open_dataset(tmp_path / "out")


def test_names_tell_nothing_and_rows_tell_all(cards: Path, tmp_path: Path) -> None:
    _, dataset = build(cards, tmp_path / "set", settings())
    rows = [variant.row for variant in dataset.variants]
    assert {row.genre for row in rows} == {"speech", "cooking"}
    assert len({row.file_name for row in rows}) == len(rows)
    by_name = [row.audio_delay_ms for row in sorted(rows, key=lambda row: row.file_name)]
    assert by_name != sorted(by_name)
    assert all(len(Path(row.file_name).stem) == 12 for row in rows)
    assert {(row.audio_delay_ms, row.label, row.overlap_s) for row in rows} == {
        (-2000.0, "ahead", 0.0),
        (-500.0, "ahead", 1.5),
        (0.0, "sync", 2.0),
        (500.0, "behind", 1.5),
        (2000.0, "behind", 0.0),
    }
    card = (tmp_path / "set" / "README.md").read_text()
    assert "15 of 15 delays" in card
    assert "| speech | 2 | 2 | 10 | – |" in card


@pytest.mark.parametrize("layout", ["files", "compact"])
@pytest.mark.parametrize("kills", [2, pytest.param(40, marks=pytest.mark.slow)])
def test_killed_at_any_moment_it_ends_with_the_same_bytes(kills: int, layout: str, cards: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "offbeat", "build", str(cards), "--layout", layout, *COMMAND]
    subprocess.run([*command, "--out", str(tmp_path / "whole")], check=True, capture_output=True)
    rng = np.random.default_rng(kills)
    killed = 0
    for _ in range(kills):
        killed += killed_at_work(
            [*command, "--out", str(tmp_path / "killed")],
            tmp_path / "killed",
            writes=int(rng.integers(1, 12)),
            then_s=float(rng.uniform(0, 0.05)),
        )
        check_records(tmp_path / "killed")
    assert killed > 0
    subprocess.run([*command, "--out", str(tmp_path / "killed")], check=True, capture_output=True)
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")
