from __future__ import annotations

import hashlib
import multiprocessing
import time
from pathlib import Path

import pytest

from offbeat.errors import DatasetError
from offbeat.files import held_folder, sha256_of, whole_file, write_whole


def test_a_reader_sees_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    write_whole(path, "old")
    with path.open() as reader:
        write_whole(path, "new and longer")
        assert reader.read() == "old", "the file in place was replaced, not rewritten"
    assert path.read_text() == "new and longer"
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.json"]


def test_a_failure_leaves_what_was_there_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    write_whole(path, "old")

    def interrupted() -> None:
        with whole_file(path) as temporary:
            temporary.write_text("hal")
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        interrupted()
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.json"]


def test_sha256_of_more_than_one_block(tmp_path: Path) -> None:
    content = bytes(range(256)) * 10_000
    (tmp_path / "x").write_bytes(content)
    assert sha256_of(tmp_path / "x") == hashlib.sha256(content).hexdigest()


def test_one_process_holds_a_folder_and_its_end_lets_go(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    held = context.Event()
    child = context.Process(target=_hold, args=(tmp_path, held))
    child.start()
    assert held.wait(30)
    with (
        pytest.raises(DatasetError, match="another offbeat process is at work"),
        held_folder(tmp_path, error=DatasetError),
    ):
        pass
    child.kill()
    child.join()
    with held_folder(tmp_path, error=DatasetError):
        pass


def _hold(folder: Path, held) -> None:
    with held_folder(folder, error=DatasetError):
        held.set()
        time.sleep(60)
