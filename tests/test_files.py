from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from offbeat.errors import DatasetError
from offbeat.files import held_folder, place, scratch_file, sha256_of, whole_file, write_whole


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


HOLD = """
import pathlib, sys, time
from offbeat.errors import DatasetError
from offbeat.files import held_folder

with held_folder(pathlib.Path(sys.argv[1]), error=DatasetError):
    print("held", flush=True)
    time.sleep(60)
"""


def test_one_process_holds_a_folder_and_its_end_lets_go(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        with (
            pytest.raises(DatasetError, match="another offbeat process is at work"),
            held_folder(tmp_path, error=DatasetError),
        ):
            pass
        child.kill()
    with held_folder(tmp_path, error=DatasetError):
        pass


def test_a_scratch_file_is_gone_afterwards_and_several_do_not_meet() -> None:
    with scratch_file() as one, scratch_file() as two:
        one.write_bytes(b"one")
        two.write_bytes(b"two")
        assert (one.read_bytes(), two.read_bytes(), one.is_file()) == (b"one", b"two", True)
        assert sha256_of(one) == hashlib.sha256(b"one").hexdigest()
        name = one.resolve()
    assert not name.exists()


def test_a_scratch_file_where_there_is_no_memory_to_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("offbeat.files._OPEN_FILES", tmp_path / "no proc here")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with scratch_file() as path:
        path.write_bytes(b"x")
        assert path.is_relative_to(tmp_path)
    assert not list(tmp_path.iterdir())


def test_placing_links_or_copies_and_never_halves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = tmp_path / "source", tmp_path / "new" / "target"
    source.write_bytes(b"content")
    place(source, target)
    place(source, target)
    assert target.samefile(source)
    monkeypatch.setattr("os.link", _no_link)
    (tmp_path / "new" / ".copy.part").write_bytes(b"left by a kill")
    place(source, tmp_path / "new" / "copy")
    assert (tmp_path / "new" / "copy").read_bytes() == b"content"
    assert not (tmp_path / "new" / "copy").samefile(source)
    assert sorted(entry.name for entry in (tmp_path / "new").iterdir()) == ["copy", "target"]


def _no_link(*_: object) -> None:
    raise OSError(18, "Invalid cross-device link")
