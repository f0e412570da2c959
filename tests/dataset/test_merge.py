"""One dataset out of its shards: the same bytes as one build, whatever the order."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from builds import build, card_file, settings

from offbeat.dataset.build import build_dataset, plan_dataset
from offbeat.dataset.folder import open_dataset
from offbeat.dataset.merge import Merged, merge_shards, open_shards
from offbeat.dataset.offer import scan_sources
from offbeat.dataset.settings import BuildSettings
from offbeat.dataset.shard import take_part
from offbeat.dataset.sources import Source, read_sources
from offbeat.errors import DatasetError

NAMES = ("b.mp4", "a/z.mkv", "a.mp4", "c.mp4", "a/b.mp4")
OF = 4
CHOSEN = settings(lengths_s=(1,), delays_s=(-1, 0, 1))


def nothing() -> None:
    pass


def build_shard(
    listed: Sequence[Source], out: Path, number: int, *, of: int = OF, chosen: BuildSettings = CHOSEN
) -> Path:
    part = take_part(listed, number=number, of=of, jobs=2, advance=nothing)
    planned = plan_dataset(scan_sources(part.sources, jobs=2, advance=nothing), chosen)
    build_dataset(planned, chosen, out=out, jobs=2, advance=nothing, shard=part.shard)
    return out


def merge(folders: Sequence[Path], out: Path) -> Merged:
    return merge_shards(open_shards(folders), out=out, advance=nothing)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five that serve, one twice, one too short, one that is none; and a part of each half of the longest."""
    folder = tmp_path_factory.mktemp("videos")
    for seed, name in enumerate(NAMES, start=1):
        card_file(folder / name, length_s=5 + 4 * (name == "c.mp4"), seed=seed)
    shutil.copy(folder / "b.mp4", folder / "b again.mp4")
    card_file(folder / "short.mp4", length_s=2, seed=9)
    (folder / "text.mp4").write_text("hello")
    rows = [{"path": name} for name in ("text.mp4", "b again.mp4", *NAMES[:3], "short.mp4", NAMES[4])]
    rows += [{"path": "c.mp4", "start": 0, "end": 4.5}, {"path": "c.mp4", "start": 4.5, "licence": "CC BY 4.0"}]
    (folder / "list.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@pytest.fixture(scope="module")
def listed(videos: Path) -> tuple[Source, ...]:
    return read_sources(videos / "list.jsonl")


@pytest.fixture(scope="module")
def whole(videos: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("whole") / "set"
    build(videos / "list.jsonl", out, CHOSEN)
    return contents(out)


@pytest.fixture(scope="module")
def shards(listed: tuple[Source, ...], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Each machine has the list in another order."""
    folder = tmp_path_factory.mktemp("shards")
    orders = (listed, listed[::-1], listed[3:] + listed[:3], listed)
    made = [build_shard(order, folder / f"{number}", number) for number, order in enumerate(orders, start=1)]
    assert len({len(open_dataset(one).sources) for one in made}) > 1, "the shards differ in size"
    return made


def copies(shards: Sequence[Path], folder: Path) -> list[Path]:
    return [Path(shutil.copytree(shard, folder / shard.name)) for shard in shards]


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (2, 0, 3, 1)])
def test_merged_is_what_one_build_makes(
    order: tuple[int, ...], shards: list[Path], whole: dict[str, bytes], tmp_path: Path
) -> None:
    merged = merge([shards[which] for which in order], tmp_path / "set")
    made = contents(tmp_path / "set")
    assert made.keys() == whole.keys()
    assert [name for name in made if made[name] != whole[name]] == []
    variants = sum(name.startswith("clips/") for name in whole)
    assert variants == merged.info.variants == 18
    assert merged.linked + merged.copied == variants
    statuses = [(row.path, row.status) for row in open_dataset(tmp_path / "set").sources]
    assert statuses == [
        ("a.mp4", "used"),
        ("a/b.mp4", "used"),
        ("a/z.mkv", "used"),
        ("b again.mp4", "used"),
        ("b.mp4", "refused"),
        ("c.mp4", "used"),
        ("c.mp4", "used"),
        ("short.mp4", "refused"),
        ("text.mp4", "refused"),
    ]


def test_the_order_of_the_list_changes_no_byte(
    listed: tuple[Source, ...], whole: dict[str, bytes], tmp_path: Path
) -> None:
    planned = plan_dataset(scan_sources(listed[::-1], jobs=2, advance=nothing), CHOSEN)
    build_dataset(planned, CHOSEN, out=tmp_path / "set", jobs=2, advance=nothing)
    assert contents(tmp_path / "set") == whole


def test_a_shard_without_any_source_is_one_and_a_set_without_any_is_none(
    videos: Path, listed: tuple[Source, ...], tmp_path: Path
) -> None:
    (text,) = [source for source in listed if source.name == "text.mp4"]
    made = [build_shard([text], tmp_path / f"{number}", number, of=2) for number in (1, 2)]
    assert sorted(len(open_dataset(one).sources) for one in made) == [0, 1]
    assert all(open_dataset(one).variants == () for one in made)
    with pytest.raises(DatasetError, match="none of the 1 sources of 2 shards could serve"):
        merge(made, tmp_path / "set")


def test_missing_twice_and_unfinished_shards_are_named_all_at_once(shards: list[Path], tmp_path: Path) -> None:
    one, two, three, _ = copies(shards, tmp_path)
    again = Path(shutil.copytree(one, tmp_path / "again"))
    info = json.loads((three / "dataset.json").read_text())
    (three / "dataset.json").write_text(json.dumps(info | {"complete": False}))
    with pytest.raises(DatasetError) as caught:
        open_shards([two, one, again, three, tmp_path / "nowhere"])
    said = str(caught.value)
    assert f"shard 1/4 is there 2 times: {one}, {again}" in said
    assert f"shard 3/4 is not finished ({three})" in said
    assert "shard 4/4 is missing" in said
    assert f"{tmp_path / 'nowhere'}: no dataset.json there" in said
    assert "2/4" not in said


def test_shards_of_different_makes_are_refused(
    shards: list[Path], listed: tuple[Source, ...], videos: Path, tmp_path: Path
) -> None:
    seeded = build_shard(listed, tmp_path / "seeded", 2, chosen=CHOSEN.model_copy(update={"seed": 1}))
    with pytest.raises(DatasetError, match=r"seeded: made with settings .*'seed': 1"):
        open_shards([shards[0], seeded, *shards[2:]])
    of_two = build_shard(listed, tmp_path / "of two", 2, of=2)
    with pytest.raises(DatasetError, match=r"of two: one of 2 shards, but .* one of 4"):
        open_shards([shards[0], of_two])
    relabelled = (replace(listed[0], genre="speech"), *listed[1:])
    other_list = build_shard(relabelled, tmp_path / "other list", 2)
    with pytest.raises(DatasetError, match="other list: made of another list of sources"):
        open_shards([shards[0], other_list, *shards[2:]])
    (older,) = copies(shards[1:2], tmp_path)
    info = json.loads((older / "dataset.json").read_text())
    (older / "dataset.json").write_text(json.dumps(info | {"av_version": "0.1"}))
    with pytest.raises(DatasetError, match=r"made with av_version 0\.1, but"):
        open_shards([shards[0], older, *shards[2:]])
    build(videos, tmp_path / "whole", CHOSEN)
    with pytest.raises(DatasetError, match="a whole dataset; expected a shard"):
        open_shards([tmp_path / "whole"])


def test_sources_that_are_lost_or_strayed_are_noticed(shards: list[Path], tmp_path: Path) -> None:
    mine = copies(shards, tmp_path)
    full = next(shard for shard in mine if len(open_dataset(shard).sources) > 1)
    lines = (full / "sources.jsonl").read_text().splitlines(keepends=True)
    (full / "sources.jsonl").write_text("".join(lines[:-1]))
    with pytest.raises(DatasetError, match="8 sources in all shards, 9 in the list"):
        open_shards(mine)
    other = next(shard for shard in mine if shard != full)
    with (other / "sources.jsonl").open("a") as file:
        file.write(lines[-1])
    with pytest.raises(DatasetError, match=r"belongs to shard \d/4"):
        open_shards(mine)


def test_a_file_that_rotted_is_named_with_its_shard_and_the_merge_goes_on_later(
    shards: list[Path], whole: dict[str, bytes], tmp_path: Path
) -> None:
    mine = copies(shards, tmp_path)
    bad = next(shard for shard in mine if open_dataset(shard).variants)
    number = open_dataset(bad).info.shard
    assert number is not None
    first, second = (variant.path for variant in open_dataset(bad).variants[:2])
    good = (first.read_bytes(), second.read_bytes())
    first.write_bytes(good[0][:-1] + bytes([good[0][-1] ^ 1]))
    second.unlink()
    with pytest.raises(DatasetError) as caught:
        merge(mine, tmp_path / "set")
    assert f"shard {number.number}/4: {first}: sha256 " in str(caught.value)
    assert f"shard {number.number}/4: {second}: not there" in str(caught.value)
    with pytest.raises(DatasetError, match="not finished"):
        open_dataset(tmp_path / "set")
    assert not (tmp_path / "set" / "clips" / first.name).exists(), "what is not proved is not kept"
    first.write_bytes(good[0])
    second.write_bytes(good[1])
    (tmp_path / "set" / "clips" / f".{first.name}.part").write_bytes(b"of a merge that was killed")
    merged = merge(mine, tmp_path / "set")
    assert (merged.linked, merged.kept) == (2, 16)
    assert contents(tmp_path / "set") == whole


def test_where_files_cannot_be_linked_they_are_copied(
    shards: list[Path], whole: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EXDEV, "another device")

    monkeypatch.setattr(os, "link", refuse)
    merged = merge(shards, tmp_path / "set")
    assert (merged.linked, merged.copied) == (0, 18)
    assert contents(tmp_path / "set") == whole


def test_a_merged_set_goes_on_as_if_it_had_been_built_at_once(videos: Path, shards: list[Path], tmp_path: Path) -> None:
    merge(shards, tmp_path / "set")
    again, _ = build(videos / "list.jsonl", tmp_path / "set", CHOSEN)
    assert again.kept_clips == again.info.clips == 6


def test_a_folder_that_holds_something_else_is_left_alone(shards: list[Path], tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("precious")
    with pytest.raises(DatasetError, match=r"holds 'thesis\.txt'"):
        merge(shards, tmp_path / "mine")
    with pytest.raises(DatasetError, match="was made with shard"):
        merge(shards, copies(shards[:1], tmp_path)[0])


def test_compact_shards_make_a_compact_set(listed: tuple[Source, ...], videos: Path, tmp_path: Path) -> None:
    chosen = CHOSEN.model_copy(update={"layout": "compact"})
    build(videos / "list.jsonl", tmp_path / "whole", chosen)
    made = [build_shard(listed, tmp_path / f"{number}", number, of=2, chosen=chosen) for number in (1, 2)]
    merged = merge(made[::-1], tmp_path / "set")
    assert merged.linked == 12, "picture and sound of six clips"
    assert contents(tmp_path / "set") == contents(tmp_path / "whole")


def test_a_video_is_listed_once_and_its_parts_as_often_as_there_are(listed: tuple[Source, ...]) -> None:
    twice = [source for source in listed for _ in range(2) if source.name in ("a.mp4", "c.mp4")]
    offered = scan_sources(twice, jobs=2, advance=nothing)
    assert [(one.source.name, one.source.start_s is None, one.refusal and one.refusal[0]) for one in offered] == [
        ("a.mp4", True, None),
        ("a.mp4", True, "duplicate"),
        ("c.mp4", False, None),
        ("c.mp4", False, "duplicate"),
        ("c.mp4", False, None),
        ("c.mp4", False, "duplicate"),
    ]
