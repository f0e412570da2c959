"""A file whose child does not come back is refused with its reason; all others are used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from builds import card_file, settings

from offbeat.dataset.build import build_dataset, plan_dataset
from offbeat.dataset.offer import scan_sources
from offbeat.dataset.sources import read_sources
from offbeat.dataset.workers import Children, Lost, Threads


class Losing:
    """Threads that lose what belongs to one file."""

    def __init__(self, name: str) -> None:
        self.name = name

    def map(self, function: Any, items: Sequence[Any], *, advance: Callable[[], None]) -> list[Any]:
        lost = Lost("crashed", "the process that read it was ended by SIGSEGV")
        one = Threads(1)
        return [lost if self.name in repr(item) else one.map(function, [item], advance=advance)[0] for item in items]


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cards")
    card_file(folder / "good.mp4", length_s=7, seed=1)
    card_file(folder / "evil.mp4", length_s=7, seed=2)
    return folder


@pytest.mark.parametrize("stage", ["scan", "render"])
def test_it_is_refused_and_the_rest_is_built(stage: str, cards: Path, tmp_path: Path) -> None:
    losing = Losing("evil.mp4")
    chosen = settings()
    offered = scan_sources(
        read_sources(cards), jobs=1, advance=lambda: None, workers=losing if stage == "scan" else None
    )
    built = build_dataset(
        plan_dataset(offered, chosen), chosen, out=tmp_path, jobs=1, advance=lambda: None, workers=losing
    )
    by_name = {row.path: row for row in built.sources}
    assert by_name["good.mp4"].status == "used"
    assert (by_name["evil.mp4"].status, by_name["evil.mp4"].reason) == ("refused", "crashed")
    assert "evil.mp4: the process that read it was ended by SIGSEGV" in str(by_name["evil.mp4"].detail)
    again = build_dataset(plan_dataset(offered, chosen), chosen, out=tmp_path, jobs=1, advance=lambda: None)
    assert again.kept_clips == 1
    assert {row.status for row in again.sources} == ({"used", "refused"} if stage == "scan" else {"used"}), (
        "tried again"
    )


def test_children_make_the_same_bytes_as_threads(cards: Path, tmp_path: Path) -> None:
    chosen = settings()
    hashes: list[list[str]] = []
    with Children(2) as children:
        for name, workers in (("children", children), ("threads", None)):
            offered = scan_sources(read_sources(cards), jobs=2, advance=lambda: None, workers=workers)
            planned = plan_dataset(offered, chosen)
            built = build_dataset(planned, chosen, out=tmp_path / name, jobs=2, advance=lambda: None, workers=workers)
            hashes.append([row.sha256 for row in built.variants])
    assert hashes[0] == hashes[1]
    assert len(hashes[0]) == 10
