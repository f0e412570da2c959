"""A dataset is shared: nothing in it tells where files lay on the machine that made it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from builds import build, card_file, settings

from offbeat.dataset import build as building
from offbeat.dataset.folder import read_lines
from offbeat.dataset.render import RenderedClip
from offbeat.dataset.schema import SourceRow
from offbeat.dataset.sources import Source
from offbeat.errors import MediaError


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    """One source that serves, and others that are refused at each stage."""
    folder = tmp_path / "videos"
    card_file(folder / "good.mp4", length_s=7)
    shutil.copy(folder / "good.mp4", folder / "twin.mp4")
    card_file(folder / "speech" / "short.mp4", length_s=3, seed=2)
    card_file(folder / "odd.mp4", length_s=7, seed=3)
    (folder / "text.mp4").write_text("no video at all")
    (tmp_path / "secret.mp4").write_bytes(b"secret")
    (folder / "link.mp4").symlink_to(tmp_path / "secret.mp4")
    (folder / "inner.mp4").symlink_to(folder / "text.mp4")
    return folder


def rows_of(out: Path) -> dict[str, SourceRow]:
    rows = [SourceRow.model_validate_json(line) for line in read_lines(out / "sources.jsonl")]
    return {row.path: row for row in rows}


def test_sources_are_named_as_their_list_names_them(
    videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    render = building.render_clip

    def failing(clip: Any, source: Source, *others: Any) -> RenderedClip:
        if source.name == "odd.mp4":
            raise MediaError(f"{source.path}: its picture is damaged at 3.00 s", reason="damaged")
        return render(clip, source, *others)

    monkeypatch.setattr(building, "render_clip", failing)
    build(videos, tmp_path / "set", settings())
    told = {name: row.detail for name, row in rows_of(tmp_path / "set").items()}
    assert told.pop("good.mp4") is None
    assert len(told) == 6
    for name, detail in told.items():
        assert detail is not None
        assert name in detail or name == "speech/short.mp4", detail
    assert told["odd.mp4"] == "odd.mp4: its picture is damaged at 3.00 s"
    for path in (tmp_path / "set").rglob("*"):
        if path.is_file():
            assert str(tmp_path).encode() not in path.read_bytes(), f"{path} tells where files lay"
