from __future__ import annotations

import hashlib
import json
import os
import re
from fractions import Fraction
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from offbeat.dataset.offer import scan_sources
from offbeat.dataset.sources import read_sources
from offbeat.dataset.workers import Lost
from offbeat.errors import SourceListError

ROW = {"path": "a.mp4", "genre": "cooking", "language": "en", "licence": "CC0", "link": "https://x", "start": "1.5"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.mp4", "sub/b.MKV", "sub/deep/c.webm", "notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    return tmp_path


def test_a_folder_and_its_genres(folder: Path) -> None:
    assert [(source.name, source.genre) for source in read_sources(folder)] == [
        ("a.mp4", "unknown"),
        ("sub/b.MKV", "sub"),
        ("sub/deep/c.webm", "sub"),
    ]


def test_the_same_row_in_each_kind_of_list(folder: Path) -> None:
    (folder / "list.csv").write_text("﻿" + ",".join(ROW) + "\r\n" + ",".join(ROW.values()) + "\r\n", encoding="utf-8")
    (folder / "list.jsonl").write_text(json.dumps({**ROW, "md5": "ignored"}) + "\n\n", encoding="utf-8")
    (folder / "list.toml").write_text("[[source]]\n" + "".join(f'{k} = "{v}"\n' for k, v in ROW.items()))
    found = [read_sources(folder / f"list.{kind}") for kind in ("csv", "jsonl", "toml")]
    assert found[0] == found[1] == found[2]
    (source,) = found[0]
    assert (source.genre, source.language, source.licence, source.start_s) == ("cooking", "en", "CC0", Fraction(3, 2))
    assert source.end_s is None


def test_a_folders_own_list_is_taken(shared_media: Path) -> None:
    sources = read_sources(shared_media)
    assert len(sources) == 55
    assert all(source.path.is_file() for source in sources)
    assert {"cooking", "instrument", "sports", "speech"} <= {source.genre for source in sources}
    assert {source.language for source in sources} >= {"en", "fr", None}


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("x.csv", "name,genre\na.mp4,x\n", r"x\.csv, line 1: columns .* expected one named 'path'"),
        ("x.csv", "path,start\na.mp4,soon\n", r"x\.csv, line 2: not a time in seconds: 'soon'"),
        ("x.csv", "path,start,end\na.mp4,8,2.5\n", r"x\.csv, line 2: end 2\.5 s; expected more than the start, 8 s"),
        ("x.csv", "path,start,end\na.mp4,,0\n", r"x\.csv, line 2: end 0 s; expected more than the start, 0 s"),
        ("x.csv", "path\n../a.mp4\n", r"x\.csv, line 2: '../a\.mp4' leads out of"),
        ("x.csv", "path\n/etc/passwd\n", r"leads out of"),
        ("x.csv", "path,genre\n,cooking\n", r"x\.csv, line 2: path"),
        ("x.jsonl", '{"path": "a.mp4"}\n{"path": \n', r"x\.jsonl, line 2: not JSON"),
        ("x.jsonl", "[1]\n", r"x\.jsonl, line 1: expected an object"),
        ("x.jsonl", '{"path": 3}\n', r"x\.jsonl, line 1: path"),
        ("x.toml", "[source]\n", r"x\.toml: no \[\[source\]\] tables"),
        ("x.toml", "source = [1]\n", r"x\.toml, source 1: expected a"),
        ("x.toml", "=", r"x\.toml: not TOML"),
        ("x.json", "{}", r"ends in '\.json'; expected"),
        ("x.csv", "", r"expected one named 'path'"),
        ("x.csv", "path\n", r"names no videos"),
    ],
)
def test_a_bad_list_names_the_row(name: str, content: str, said: str, folder: Path) -> None:
    (folder / name).write_text(content, encoding="utf-8")
    with pytest.raises(SourceListError, match=said):
        read_sources(folder / name)


def test_bytes_that_are_no_text(folder: Path) -> None:
    (folder / "x.csv").write_bytes(b"path\n\xff\xfe\n")
    with pytest.raises(SourceListError, match="not UTF-8 at byte 5"):
        read_sources(folder / "x.csv")


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(SourceListError, match="no such file or folder"):
        read_sources(tmp_path / "nowhere")
    with pytest.raises(SourceListError, match="names no videos"):
        read_sources(tmp_path)


def test_a_link_that_leaves_the_folder_is_refused_by_name(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "secret.mp4"
    outside.write_bytes(b"secret")
    (folder / "sub" / "out.mp4").symlink_to(outside)
    (folder / "sub" / "in.mp4").symlink_to(folder / "a.mp4")
    by_name = {source.name: source for source in read_sources(folder)}
    assert by_name["sub/in.mp4"].refusal is None
    refusal = by_name["sub/out.mp4"].refusal
    assert refusal is not None
    assert refusal[0] == "leaves_folder"
    assert "sub/out.mp4: a link that leads out of" in refusal[1]
    (offered,) = scan_sources([by_name["sub/out.mp4"]], jobs=1, advance=lambda: None)
    assert offered.scanned is None
    assert offered.refusal == refusal
    assert offered.source_id != hashlib.sha256(b"secret").hexdigest()[:12], "it was not even read"
    (folder / "list.csv").write_text("path\nsub/out.mp4\n")
    with pytest.raises(SourceListError, match=r"line 2: 'sub/out\.mp4' leads out of"):
        read_sources(folder / "list.csv")


def test_a_pipe_is_no_file_to_wait_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe.mp4")
    (folder / "list.csv").write_text("path\npipe.mp4\n")
    (offered,) = scan_sources(read_sources(folder / "list.csv"), jobs=1, advance=lambda: None)
    assert offered.refusal == ("unreadable", "pipe.mp4: no such file")
    assert "pipe.mp4" not in {source.name for source in read_sources(folder)}


def test_every_reason_for_a_refusal_is_explained() -> None:
    root = Path(__file__).parents[2]
    code = "".join(
        path.read_text() for room in ("media", "dataset") for path in (root / "src/offbeat" / room).glob("*.py")
    )
    reasons = set(
        re.findall(
            r'reason="(\w+)"|^ +(?:return none, \(\n +)?"(too_short|silent)",$|\("([a-z_]+)", (?:f"|detail|text)',
            code,
            re.M,
        )
    )
    page = (root / "docs/howto/sources.md").read_text()
    named = set(re.findall(r"`(\w+)`", page[page.index("| reason") : page.index("All of it stands in")]))
    found = {one for several in reasons for one in several if one} | set(get_args(get_type_hints(Lost)["reason"]))
    assert len(found) > 25
    assert found - named == set()
