"""Opening a dataset folder that somebody else may have touched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fake_dataset import write_dataset
from offbeat.dataset.folder import open_dataset
from offbeat.errors import DatasetError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_dataset(tmp_path / "set")
    return tmp_path / "set"


def edit(path: Path, line: int, **changes: object) -> None:
    lines = path.read_text(encoding="utf-8").split("\n")
    lines[line - 1] = json.dumps(json.loads(lines[line - 1]) | changes, ensure_ascii=False)
    path.write_text("\n".join(lines), encoding="utf-8")


def test_a_folder_opens_and_its_fingerprint_tells_it_from_others(folder: Path) -> None:
    before = open_dataset(folder)
    assert len(before.variants) == before.info.variants
    edit(folder / "metadata.jsonl", 1, genre="other")
    assert open_dataset(folder).fingerprint != before.fingerprint


def test_line_separators_inside_a_text_break_no_line(folder: Path) -> None:
    odd = "a\u2028b\u0085c"
    edit(folder / "metadata.jsonl", 2, genre=odd)
    assert open_dataset(folder).variants[1].row.genre == odd


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"file_name": "../../etc/passwd"}, r"metadata\.jsonl, line 2: '../../etc/passwd' leaves"),
        ({"file_name": "/etc/passwd"}, r"line 2: '/etc/passwd' leaves"),
        ({"label": "late"}, r"line 2: label: .* got 'late'"),
        ({"surprise": 1}, r"line 2: surprise"),
        ({"fps": "fast"}, r"line 2: fps"),
    ],
)
def test_a_bad_row_is_named(changes: dict[str, object], said: str, folder: Path) -> None:
    edit(folder / "metadata.jsonl", 2, **changes)
    with pytest.raises(DatasetError, match=said):
        open_dataset(folder)


def test_a_row_that_is_no_text_is_named(folder: Path) -> None:
    lines = (folder / "metadata.jsonl").read_bytes().split(b"\n")
    lines[1] = lines[1][:20] + b"\xff" + lines[1][20:]
    (folder / "metadata.jsonl").write_bytes(b"\n".join(lines))
    with pytest.raises(DatasetError, match=r"metadata\.jsonl, line 2: the row: .* invalid unicode"):
        open_dataset(folder)


def test_a_variant_that_stands_there_twice(folder: Path) -> None:
    first = json.loads((folder / "metadata.jsonl").read_text().split("\n")[0])
    edit(folder / "metadata.jsonl", 3, variant_id=first["variant_id"])
    with pytest.raises(DatasetError, match=r"line 3: variant .* stands in line 1 too"):
        open_dataset(folder)


def test_what_is_no_dataset_of_this_version(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no dataset\.json there; expected a dataset, as `offbeat build"):
        open_dataset(tmp_path)
    info = json.loads((folder / "dataset.json").read_text())
    (folder / "dataset.json").write_text(json.dumps(info | {"format_version": 99}))
    with pytest.raises(DatasetError, match="format version 99, expected 1"):
        open_dataset(folder)
