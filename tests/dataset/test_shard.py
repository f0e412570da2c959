"""Which source belongs to which shard."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offbeat.dataset.shard import parse_shard, shard_of, take_part
from offbeat.dataset.sources import Source
from offbeat.errors import SettingsError


def sources(folder: Path, count: int) -> list[Source]:
    made: list[Source] = []
    for number in range(count):
        path = folder / f"{number}.mp4"
        path.write_bytes(b"content %d" % number)
        made.append(Source(path=path, name=path.name, genre="x"))
    return made


def names(listed: list[Source], number: int, of: int) -> list[str]:
    part = take_part(listed, number=number, of=of, jobs=3, advance=lambda: None)
    return sorted(source.name for source in part.sources)


def test_every_source_is_in_one_shard_whatever_the_order(tmp_path: Path) -> None:
    listed = sources(tmp_path, 60)
    parts = [names(listed, number, 8) for number in range(1, 9)]
    assert sorted(name for part in parts for name in part) == sorted(source.name for source in listed)
    assert [names(listed[::-1], number, 8) for number in range(1, 9)] == parts
    assert names(listed[:30], 3, 8) == [name for name in parts[2] if int(name.split(".")[0]) < 30], "another list"


def test_the_split_is_that_of_the_content(tmp_path: Path) -> None:
    """The rule that the documentation states, computed here by hand."""
    for source in sources(tmp_path, 20):
        expected = int(hashlib.sha256(source.path.read_bytes()).hexdigest()[:12], 16) % 3 + 1
        assert [number for number in (1, 2, 3) if names([source], number, 3)] == [expected]
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    (moved / "other name.mp4").write_bytes(b"content 7")
    other = Source(path=moved / "other name.mp4", name="other name.mp4", genre="y")
    same = sources(tmp_path, 8)[7]
    assert [bool(names([other], n, 5)) for n in range(1, 6)] == [bool(names([same], n, 5)) for n in range(1, 6)]


def test_a_file_that_is_not_there_is_in_one_shard_too(tmp_path: Path) -> None:
    gone = Source(path=tmp_path / "gone.mp4", name="gone.mp4", genre="x")
    assert sum(len(names([gone], number, 5)) for number in range(1, 6)) == 1


def test_shards_of_one_list_note_the_same_and_of_another_list_not(tmp_path: Path) -> None:
    listed = sources(tmp_path, 5)

    def noted(of_list: list[Source], number: int) -> tuple[int, str]:
        shard = take_part(of_list, number=number, of=3, jobs=1, advance=lambda: None).shard
        assert shard is not None
        assert (shard.number, shard.of) == (number, 3)
        return shard.sources_listed, shard.list_sha256

    assert noted(listed, 1) == noted(listed[::-1], 2)
    assert noted(listed, 1) != noted(listed[1:], 1)
    assert noted(listed, 1)[1] != noted([*listed[1:], Source(path=listed[0].path, name="0.mp4", genre="z")], 1)[1]


@given(st.binary(min_size=6, max_size=6), st.integers(1, 1000))
def test_numbers_stay_within_the_total(digits: bytes, of: int) -> None:
    assert 1 <= shard_of(digits.hex(), of) <= of


def test_shards_are_about_equal() -> None:
    rng_ids = [hashlib.sha256(os.fsencode(str(number))).hexdigest()[:12] for number in range(8000)]
    counts = [sum(shard_of(one, 8) == number for one in rng_ids) for number in range(1, 9)]
    assert max(abs(count - 1000) for count in counts) < 150  # five standard deviations of a fair split


@pytest.mark.parametrize("text", ["0/3", "4/3", "3", "1/0", "-1/3", "1/3/5", "a/b", "", "1 /3", "1/1000000", "١/٣"])
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="expected i/n"):
        parse_shard(text)


def test_a_shard_is_written_as_number_and_total() -> None:
    assert parse_shard("3/8") == (3, 8)
    assert parse_shard("1/1") == (1, 1)
